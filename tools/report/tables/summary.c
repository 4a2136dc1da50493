/* SPDX-License-Identifier: MIT */
/* The tables of a set: see tables.h. Each has a row for each cell. */
#include "tools/report/tables/tables.h"

#include "tools/report/base/system.h"
#include "tools/report/cells/cells.h"
#include "tools/report/cells/overlap.h"
#include "tools/report/cells/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A kind of table: its columns, which cells have a row, and how a row is filled. */
struct kind {
	const char *title;
	const struct table_column *columns; /* after the identity columns */
	size_t count;
	const struct table_column *more; /* after those; several kinds share them */
	size_t more_count;
	bool (*has)(const struct cell *cell);
	void (*fill)(struct table *table, const struct cell *cell);
};

static void add_mean(struct table *table, const struct cell *cell, enum sample_index index)
{
	table_count(table, stats_of(&cell->sample[index]).mean);
}

static void add_share(struct table *table, double share)
{
	table_number(table, share * 100, "%.0f %%", share * 100);
}

static double longest_wait_ns(const struct cell *cell)
{
	double all = stats_of(&cell->sample[SAMPLE_LONGEST_WAIT_NS]).max;
	double timed = cell_quantile_ns(cell, &cell->wait, 1);

	return isnan(all) || timed > all ? timed : all;
}

static bool has_rate(const struct cell *cell)
{
	return !cell->fixed_work;
}

static bool has_time(const struct cell *cell)
{
	return cell->fixed_work;
}

static bool has_latency(const struct cell *cell)
{
	return cell->wait.count > 0 || cell->hold.count > 0;
}

static bool has_split(const struct cell *cell)
{
	return stats_of(&cell->sample[SAMPLE_RUNNING]).count > 0;
}

static const struct table_column rate_columns[] = {
	{"reps", "", "reps", false, true},
	{"rate", "ops/s", "ops_per_s_mean", false, false},
	{"± sd", "%", "ops_per_s_sd_percent", false, false},
	{"Jain", "0..1", "jain_mean", false, false},
	{"streak", "ops", "longest_streak", false, false},
};

static const struct table_column time_columns[] = {
	{"reps", "", "reps", false, true},
	{"elapsed", "s", "elapsed_s_mean", false, false},
	{"± sd", "%", "elapsed_s_sd_percent", false, false},
	{"Jain", "0..1", "jain_mean", false, false},
};

static const struct table_column wait_columns[] = {
	{"wait p50", "", "wait_p50_ns", false, false},
	{"p99", "", "wait_p99_ns", false, false},
	{"longest", "", "longest_wait_ns", false, false},
	{"halts", "/rep", "halts_mean", false, false},
	{"kicks", "/rep", "kicks_mean", false, false},
	{"LHP", "/rep", "lhp_events_mean", false, false},
};

static void fill_merit(struct table *table, const struct cell *cell)
{
	struct stats merit = stats_of(&cell->sample[SAMPLE_MERIT]),
		     jain = stats_of(&cell->sample[SAMPLE_JAIN]);
	double percent = merit.mean > 0 ? merit.sd / merit.mean * 100 : NAN;

	table_number(table, (double)cell->reps, "%zu", cell->reps);
	table_count(table, merit.mean);
	table_percent(table, percent);
	table_number(table, jain.mean, "%.3f", jain.mean);
}

static void fill_waits(struct table *table, const struct cell *cell)
{
	table_ns(table, cell_quantile_ns(cell, &cell->wait, 0.5));
	table_ns(table, cell_quantile_ns(cell, &cell->wait, 0.99));
	table_ns(table, longest_wait_ns(cell));
	add_mean(table, cell, SAMPLE_HALTS);
	add_mean(table, cell, SAMPLE_KICKS);
	add_mean(table, cell, SAMPLE_LHP_EVENTS);
}

static void fill_rate(struct table *table, const struct cell *cell)
{
	fill_merit(table, cell);
	table_count(table, stats_of(&cell->sample[SAMPLE_LONGEST_STREAK]).max);
	fill_waits(table, cell);
}

static void fill_time(struct table *table, const struct cell *cell)
{
	fill_merit(table, cell);
	fill_waits(table, cell);
}

static const struct table_column latency_columns[] = {
	{"waits", "", "waits_timed", false, false},  {"p50", "", "wait_p50_ns", false, false},
	{"p90", "", "wait_p90_ns", false, false},    {"p99", "", "wait_p99_ns", false, false},
	{"p99.9", "", "wait_p999_ns", false, false}, {"max", "", "wait_max_ns", false, false},
	{"holds", "", "holds_timed", false, false},  {"p50", "", "hold_p50_ns", false, false},
	{"p90", "", "hold_p90_ns", false, false},    {"p99", "", "hold_p99_ns", false, false},
	{"p99.9", "", "hold_p999_ns", false, false}, {"max", "", "hold_max_ns", false, false},
};

static void fill_latency(struct table *table, const struct cell *cell)
{
	const struct distribution *of[] = {&cell->wait, &cell->hold};

	for (size_t i = 0; i < COUNT_OF(of); i++) {
		table_count(table, (double)of[i]->count);
		for (size_t level = 0; level < QUANTILES; level++)
			table_ns(table, cell_quantile_ns(cell, of[i], quantile_levels[level]));
	}
}

static const struct table_column fairness_columns[] = {
	{"Jain", "0..1", "jain_mean", false, false},
	{"in windows", "0..1", "jain_windows_mean", false, false},
	{"net p50", "", "wait_net_p50_ns", false, false},
	{"net p99", "", "wait_net_p99_ns", false, false},
	{"by time p50", "", "wait_by_time_p50_ns", false, false},
	{"p99", "", "wait_by_time_p99_ns", false, false},
	{"middle vCPU's p50", "", "middle_vcpu_wait_p50_ns", false, false},
	{"worst vCPU's p99", "", "worst_vcpu_wait_p99_ns", false, false},
};

static bool has_fairness(const struct cell *cell)
{
	return stats_of(&cell->sample[SAMPLE_WORST_VCPU_P99_NS]).count > 0;
}

static void fill_fairness(struct table *table, const struct cell *cell)
{
	/* a log without net waits: the host took nothing, or does not tell */
	const struct distribution *net = cell->wait_net.count > 0 ? &cell->wait_net : NULL;
	double to_ns = 1e6 / (double)cell->tsc_khz;
	double jain = stats_of(&cell->sample[SAMPLE_JAIN]).mean;
	double windows = stats_of(&cell->sample[SAMPLE_JAIN_WINDOWS]).mean;

	table_number(table, jain, "%.3f", jain);
	table_number(table, windows, "%.3f", windows);
	table_ns(table, net ? cell_quantile_ns(cell, net, 0.5) : NAN);
	table_ns(table, net ? cell_quantile_ns(cell, net, 0.99) : NAN);
	table_ns(table, distribution_quantile_of_sum(&cell->wait, 0.5) * to_ns);
	table_ns(table, distribution_quantile_of_sum(&cell->wait, 0.99) * to_ns);
	table_ns(table, stats_of(&cell->sample[SAMPLE_MIDDLE_VCPU_P50_NS]).mean);
	table_ns(table, stats_of(&cell->sample[SAMPLE_WORST_VCPU_P99_NS]).max);
}

static const struct table_column split_columns[] = {
	{"running", "", "running_percent", false, false},
	{"spinning", "", "spinning_percent", false, false},
	{"halted", "", "halted_percent", false, false},
	{"idle", "", "idle_percent", false, false},
	{"stolen", "", "stolen_percent", false, false},
	{"LHP time", "/rep", "lhp_ns_mean", false, false},
	{"LHP waits", "/rep", "lhp_wait_ns_mean", false, false},
	{"spurious", "/rep", "spurious_wakeups_mean", false, false},
	{"yields", "/rep", "yields_mean", false, false},
	{"steals", "/rep", "lock_steals_mean", false, false},
};

static void fill_split(struct table *table, const struct cell *cell)
{
	for (int index = SAMPLE_RUNNING; index <= SAMPLE_STOLEN; index++)
		add_share(table, stats_of(&cell->sample[index]).mean);
	table_ns(table, stats_of(&cell->sample[SAMPLE_LHP_NS]).mean);
	table_ns(table, stats_of(&cell->sample[SAMPLE_LHP_WAIT_NS]).mean);
	add_mean(table, cell, SAMPLE_SPURIOUS_WAKEUPS);
	add_mean(table, cell, SAMPLE_YIELDS);
	add_mean(table, cell, SAMPLE_LOCK_STEALS);
}

static const struct table_column lock_time_columns[] = {
	{"work", "%", "lock_work_percent", false, false},
	{"holder off", "%", "lock_holder_off_percent", false, false},
	{"hand-over", "%", "lock_handover_percent", false, false},
	{"waking", "%", "lock_waking_percent", false, false},
	{"grantee off", "%", "lock_grantee_off_percent", false, false},
	{"passed", "%", "lock_passed_percent", false, false},
	{"unwanted", "%", "lock_unwanted_percent", false, false},
	{"sum", "%", "lock_sum_percent", false, false},
};

static bool has_lock_time(const struct cell *cell)
{
	return stats_of(&cell->sample[SAMPLE_LOCK_WORK]).count > 0;
}

static void fill_lock_time(struct table *table, const struct cell *cell)
{
	double sum = 0;

	for (int index = SAMPLE_LOCK_WORK; index <= SAMPLE_LOCK_UNWANTED; index++) {
		double percent = stats_of(&cell->sample[index]).mean * 100;

		table_percent(table, percent);
		sum += isnan(percent) ? 0 : percent;
	}
	table_percent(table, sum);
}

#define COLUMNS(list) list, COUNT_OF(list)

static const struct kind kinds[] = {
	{"Rate", COLUMNS(rate_columns), COLUMNS(wait_columns), has_rate, fill_rate},
	{"Time for fixed work", COLUMNS(time_columns), COLUMNS(wait_columns), has_time, fill_time},
	{"Waits and holds (upper bounds of histogram buckets, at most 1/8 too high)",
	 COLUMNS(latency_columns), NULL, 0, has_latency, fill_latency},
	{"Waits among the vCPUs: net of stolen time, weighted by their length, and of each vCPU",
	 COLUMNS(fairness_columns), NULL, 0, has_fairness, fill_fairness},
	{"Where the vCPUs' time went, and what cost it", COLUMNS(split_columns), NULL, 0, has_split,
	 fill_split},
	{"Where the lock's time went: held (work, or its holder off its CPU), else free until the "
	 "next "
	 "grant",
	 COLUMNS(lock_time_columns), NULL, 0, has_lock_time, fill_lock_time},
};

static struct table *make_table(const struct set *set, const struct kind *kind)
{
	size_t count = kind->count + kind->more_count;
	struct table_column *own = memory_new(count, sizeof(*own)), *columns;
	struct table *table;

	for (size_t i = 0; i < count; i++)
		own[i] = i < kind->count ? kind->columns[i] : kind->more[i - kind->count];
	columns = identity_columns(own, count);
	table = table_new(kind->title, columns, IDENTITY_COLUMNS + count);
	free(own);
	free(columns);
	for (size_t i = 0; i < set->cell_count; i++) {
		if (!kind->has(&set->cells[i]))
			continue;
		identity_add(table, set, &set->cells[i]);
		kind->fill(table, &set->cells[i]);
	}
	return table;
}

#define MOST_ROWS 64

static const struct table_column overlap_columns[] = {
	{"log", "", "log", true, true},
	{"lock", "", "lock", true, false},
	{"threads", "", "threads", false, true},
	{"measured", "ms", "measured_ms", false, false},
	{"beside others", "%", "beside_logs_percent", false, false},
	{"on the same lock", "%", "beside_lock_percent", false, false},
	{"beside other calls", "%", "beside_calls_percent", false, false},
};

/* Sums over the phases of one log, lock and number of threads. */
struct overlap_row {
	const struct phase *first;
	uint64_t length, beside_logs, beside_lock, beside_calls;
};

static bool same_row(const struct phase *a, const struct phase *b)
{
	return a->log == b->log && record_u64(a->run, "threads") == record_u64(b->run, "threads") &&
	       strcmp(record_text(a->run, "lock"), record_text(b->run, "lock")) == 0;
}

/* Returns the number of rows, at most MOST_ROWS. */
static size_t make_rows(const struct overlaps *overlaps, struct overlap_row rows[MOST_ROWS])
{
	size_t count = 0;

	for (size_t i = 0; i < overlaps->count; i++) {
		const struct phase *phase = &overlaps->phase[i];
		size_t at = 0;

		while (at < count && !same_row(rows[at].first, phase))
			at++;
		if (at == MOST_ROWS)
			continue;
		if (at == count)
			rows[count++] = (struct overlap_row){.first = phase};
		rows[at].length += phase->end - phase->start;
		rows[at].beside_logs += phase->beside_logs;
		rows[at].beside_lock += phase->beside_lock;
		rows[at].beside_calls += phase->beside_calls;
	}
	return count;
}

static void add_overlap(struct table *table, uint64_t part, uint64_t whole)
{
	double percent = (double)part * 100 / (double)whole;

	table_number(table, percent, "%.0f", percent);
}

static struct table *fill_overlaps(const struct set *set, const struct overlaps *overlaps)
{
	struct table *table =
		table_new("Measured at the same time as other logs, by the clock of their host",
			  overlap_columns, COUNT_OF(overlap_columns));
	struct overlap_row *rows = memory_new(MOST_ROWS, sizeof(rows[0]));
	size_t count = make_rows(overlaps, rows);

	for (size_t i = 0; i < count; i++) {
		const struct record *run = rows[i].first->run;
		uint64_t threads = record_u64(run, "threads");

		table_text(table, set->logs[rows[i].first->log].path);
		table_text(table, record_text(run, "lock"));
		table_number(table, (double)threads, "%llu", (unsigned long long)threads);
		table_number(table, (double)rows[i].length / 1e6, "%.0f",
			     (double)rows[i].length / 1e6);
		add_overlap(table, rows[i].beside_logs, rows[i].length);
		add_overlap(table, rows[i].beside_lock, rows[i].length);
		add_overlap(table, rows[i].beside_calls, rows[i].length);
	}
	if (count == MOST_ROWS)
		table_footnote(table, "Only the first %d rows.", MOST_ROWS);
	free(rows);
	return table;
}

struct table *overlap_table(const struct set *set)
{
	struct overlaps overlaps = overlaps_of(set);
	struct table *table = NULL;
	uint64_t shared = 0;

	for (size_t i = 0; i < overlaps.count; i++)
		shared |= overlaps.phase[i].beside_logs;
	if (shared > 0)
		table = fill_overlaps(set, &overlaps);
	overlaps_free(&overlaps);
	return table;
}

size_t summary_tables(const struct set *set, struct table *table[SUMMARY_TABLES])
{
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		table[count] = make_table(set, &kinds[i]);
		if (table[count]->row_count > 0)
			count++;
		else
			table_free(table[count]);
	}
	table[count] = efficiency_table(set);
	count += table[count] != NULL;
	table[count] = overlap_table(set);
	count += table[count] != NULL;
	if (count > 0)
		identity_footnotes(table[0], set);
	return count;
}
