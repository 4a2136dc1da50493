/* SPDX-License-Identifier: MIT */
/* Tests bench/kbuild/profile.c and sample.c: the profile adds up, and the draws follow it. */
#include "tests/host/test.h"

#include "bench/kbuild/profile.h"
#include "bench/kbuild/sample.h"
#include <stdbool.h>
#include <string.h>

#define DRAWS 1000000

static uint64_t mean_of(const struct distribution *distribution)
{
	uint64_t sum = 0;

	for (uint32_t rank = 0; rank < KBUILD_WHOLE; rank++)
		sum += distribution_at(distribution, rank);
	return sum / KBUILD_WHOLE;
}

static void assert_near(uint64_t value, uint64_t wanted, uint64_t percent)
{
	assert_in_range(value * 100, wanted * (100 - percent), wanted * (100 + percent));
}

static void the_profile_adds_up(void **state)
{
	uint32_t shares = 0, weights = 0;

	(void)state;
	for (int i = 0; i < CLASS_COUNT; i++) {
		const struct class_profile *class = &kbuild_classes[i];

		assert_non_null(class->name);
		shares += class->share;
		weights += class_weight(i);
		assert_true(class->burst >= 10 && class->each + class->shared > 0);
		assert_true((class->each == 0) == (class->owner == OWNER_NOBODY));
	}
	assert_int_equal(shares, KBUILD_WHOLE);
	/* The draws leave out nested acquisitions: those inside 10 % of page_table, 1 % of pcp (at
	 * most zone's share) and all of pi. */
	assert_int_equal(weights, KBUILD_WHOLE - 296 - 20 - 745);
	assert_int_equal(class_weight(CLASS_RQ), 0);
	assert_int_equal(class_weight(CLASS_ZONE), 0);
}

/* Linux takes these by _irq or _irqsave; of its spinlock acquisitions in a compile, 26 % and more.
 */
static void a_quarter_is_taken_with_interrupts_off(void **state)
{
	static const char *const off[] = {"pi",    "rq",    "lru", "signal",
					  "waitq", "timer", "rcu", "zone"};
	uint32_t share = 0, count = 0;

	(void)state;
	for (int i = 0; i < CLASS_COUNT; i++) {
		const struct class_profile *class = &kbuild_classes[i];
		bool listed = false;

		for (size_t j = 0; j < sizeof(off) / sizeof(off[0]); j++)
			listed |= strcmp(off[j], class->name) == 0;
		assert_int_equal(class->irqs_off, listed);
		share += class->irqs_off ? class->share : 0;
		count += listed;
	}
	assert_int_equal(count, sizeof(off) / sizeof(off[0]));
	assert_near(share, KBUILD_WHOLE * 26 / 100, 5);
}

static void a_distribution_has_its_quantiles_and_its_mean(void **state)
{
	(void)state;
	for (int i = 0; i <= CLASS_COUNT; i++) {
		const struct distribution *d =
			i == CLASS_COUNT ? &kbuild_gap : &kbuild_classes[i].hold;
		uint64_t mean = i == CLASS_COUNT ? kbuild_gap_mean : kbuild_classes[i].hold_mean;

		for (int r = 0; r < KBUILD_RANKS - 1; r++) {
			assert_true(d->value[r] < d->value[r + 1]);
			assert_int_equal(distribution_at(d, kbuild_rank[r]), d->value[r]);
		}
		for (uint32_t rank = 1; rank < KBUILD_WHOLE; rank++)
			assert_true(distribution_at(d, rank) >= distribution_at(d, rank - 1));
		assert_true(distribution_at(d, KBUILD_WHOLE - 1) <= d->value[KBUILD_RANKS - 1]);
		assert_near(mean_of(d), mean, 10);
	}
}

/* Draws classes DRAWS times and counts all acquisitions of each burst, with those nested in them.
 * Each class must have its share. */
static void draws_have_the_shares(void **state)
{
	static uint64_t count[CLASS_COUNT];
	struct random random = random_begin(1, 1);
	struct class_table table;
	uint64_t total = 0;

	(void)state;
	class_table_fill(&table);
	for (int n = 0; n < DRAWS; n++) {
		enum kbuild_class class = class_draw(&table, &random);

		for (; class != CLASS_COUNT; class = nested_draw(class, &random)) {
			/* tenths */
			count[class] += kbuild_classes[class].burst;
			total += kbuild_classes[class].burst;
		}
	}
	for (int i = 0; i < CLASS_COUNT; i++) {
		uint64_t wanted = total * kbuild_classes[i].share / KBUILD_WHOLE;

		assert_near(count[i], wanted, kbuild_classes[i].share < 100 ? 20 : 4);
	}
}

static void the_seed_determines_the_draws(void **state)
{
	struct random a = random_begin(7, 3), b = random_begin(7, 3);
	struct random c = random_begin(8, 3), d = random_begin(7, 4);
	int like_c = 0, like_d = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint32_t value = random_below(&a, 1000);

		assert_int_equal(random_below(&b, 1000), value);
		like_c += random_below(&c, 1000) == value;
		like_d += random_below(&d, 1000) == value;
	}
	assert_true(like_c < 20 && like_d < 20);
}

static void zipf_stays_inside_and_falls(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 64, 100, 256};
	struct random random = random_begin(1, 1);

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint64_t first_half = 0, last = 0;

		for (int i = 0; i < 100000; i++) {
			uint32_t index = random_zipf(&random, sizes[s]);

			assert_true(index < sizes[s]);
			first_half += index < (sizes[s] + 1) / 2;
			last += index == sizes[s] - 1;
		}
		assert_true(last > 0);
		assert_true(sizes[s] < 3 || first_half > 60000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_profile_adds_up),
		cmocka_unit_test(a_quarter_is_taken_with_interrupts_off),
		cmocka_unit_test(a_distribution_has_its_quantiles_and_its_mean),
		cmocka_unit_test(draws_have_the_shares),
		cmocka_unit_test(the_seed_determines_the_draws),
		cmocka_unit_test(zipf_stays_inside_and_falls),
	};

	return cmocka_run_group_tests_name("kbuild profile", tests, NULL, NULL);
}
