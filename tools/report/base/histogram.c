/* SPDX-License-Identifier: MIT */
/* Checks and merges the histograms of hist records: struct distribution of data.h. */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_int_t number_at(const json_t *list, size_t i)
{
	return json_integer_value(json_array_get(list, i));
}

static bool read_bucket(const json_t *json, struct bucket *bucket)
{
	if (json_array_size(json) != 3) /* 0 if it is no list */
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (!json_is_integer(json_array_get(json, i)) || number_at(json, i) < 0)
			return false;
	}
	*bucket = (struct bucket){(uint64_t)number_at(json, 0), (uint64_t)number_at(json, 1),
				  (uint64_t)number_at(json, 2)};
	return bucket->low <= bucket->high && bucket->count > 0;
}

bool distribution_valid(const json_t *hist)
{
	const json_t *buckets = json_object_get(hist, "buckets");
	uint64_t left = (uint64_t)json_integer_value(json_object_get(hist, "count"));
	uint64_t min = (uint64_t)json_integer_value(json_object_get(hist, "min"));
	uint64_t max = (uint64_t)json_integer_value(json_object_get(hist, "max"));
	struct bucket bucket, last = {0, 0, 0};

	for (size_t i = 0; i < json_array_size(buckets); i++) {
		if (!read_bucket(json_array_get(buckets, i), &bucket) || bucket.count > left)
			return false;
		if (i == 0 ? min < bucket.low || min > bucket.high : bucket.low <= last.high)
			return false;
		left -= bucket.count;
		last = bucket;
	}
	return left == 0 && (last.count == 0 || (max >= last.low && max <= last.high));
}

static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum < a ? UINT64_MAX : sum;
}

static int by_bounds(const struct bucket *a, const struct bucket *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (a->low > b->low) - (a->low < b->low);
}

/* Merges a sorted list into another. Histograms of one version of pvspin have the same bounds, so
 * equal buckets are added and no bucket is split. */
static void merge(struct distribution *into, const struct bucket *more, size_t count)
{
	struct bucket *merged = memory_new(into->buckets + count, sizeof(merged[0]));
	size_t a = 0, b = 0, n = 0;

	while (a < into->buckets && b < count) {
		const struct bucket *left = &into->bucket[a], *right = &more[b];
		int order = by_bounds(left, right);

		merged[n] = order <= 0 ? *left : *right;
		if (order == 0)
			merged[n].count = add_saturated(left->count, right->count);
		a += order <= 0;
		b += order >= 0;
		n++;
	}
	while (a < into->buckets)
		merged[n++] = into->bucket[a++];
	while (b < count)
		merged[n++] = more[b++];
	free(into->bucket);
	into->bucket = merged;
	into->buckets = n;
}

bool distribution_merge(struct distribution *distribution, const struct distribution *more)
{
	if (more->count == 0)
		return true;
	if (distribution->unit && strcmp(distribution->unit, more->unit) != 0)
		return false;
	distribution->unit = more->unit;
	merge(distribution, more->bucket, more->buckets);
	distribution->count = add_saturated(distribution->count, more->count);
	if (more->max > distribution->max)
		distribution->max = more->max;
	return true;
}

bool distribution_add(struct distribution *distribution, const struct record *hist)
{
	const json_t *list = json_object_get(hist->json, "buckets");
	struct distribution more = {.buckets = json_array_size(list),
				    .count = record_u64(hist, "count"),
				    .max = record_u64(hist, "max"),
				    .unit = record_text(hist, "unit")};
	bool added;

	more.bucket = memory_new(more.buckets, sizeof(more.bucket[0]));
	for (size_t i = 0; i < more.buckets; i++)
		read_bucket(json_array_get(list, i), &more.bucket[i]);
	added = distribution_merge(distribution, &more);
	free(more.bucket);
	return added;
}

void distribution_free(struct distribution *distribution)
{
	free(distribution->bucket);
	*distribution = (struct distribution){0};
}

static double upper(const struct distribution *distribution, const struct bucket *bucket)
{
	return (double)(bucket->high < distribution->max ? bucket->high : distribution->max);
}

static double sum_of(const struct distribution *distribution, const struct bucket *bucket)
{
	return (double)bucket->count * ((double)bucket->low + upper(distribution, bucket)) / 2;
}

double distribution_quantile_of_sum(const struct distribution *distribution, double p)
{
	double all = 0, below = 0;

	for (size_t i = 0; i < distribution->buckets; i++)
		all += sum_of(distribution, &distribution->bucket[i]);
	for (size_t i = 0; i < distribution->buckets; i++) {
		below += sum_of(distribution, &distribution->bucket[i]);
		if (below >= all * p)
			return upper(distribution, &distribution->bucket[i]);
	}
	return distribution->count ? (double)distribution->max : NAN;
}

double distribution_quantile(const struct distribution *distribution, double p)
{
	double rank = ceil((double)distribution->count * p), below = 0;

	for (size_t i = 0; i < distribution->buckets; i++) {
		const struct bucket *bucket = &distribution->bucket[i];

		below += (double)bucket->count;
		if (below >= rank)
			return upper(distribution, bucket);
	}
	return distribution->count ? (double)distribution->max : NAN;
}
