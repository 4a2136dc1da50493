/* SPDX-License-Identifier: MIT */
/* The table that ends a measurement: see table.h. */
#include "bench/session/table.h"

#include "bench/session/kbuild_table.h"
#include "bench/session/table_cells.h"
#include "lib/arith.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "port/port.h"

void table_init(struct table *table, const struct plan *plan)
{
	table->plan = plan;
	table->rows = port_alloc(plan->thread_counts * plan->lock_count * sizeof(table->rows[0]),
				 CACHE_LINE);
}

void table_add(struct table *table, size_t threads_index, size_t lock_index,
	       const struct run_result *result)
{
	struct table_row *row = &table->rows[threads_index * table->plan->lock_count + lock_index];

	if (row->lock == NULL)
		row->ops_min = UINT64_MAX;
	row->lock = result->lock->ops;
	row->threads = result->threads;
	spread_add(&row->rate, result_rate(result));
	if (result->ops != 0)
		spread_add(&row->jain, result->jain_permille);
	row->ops += result->ops;
	if (result->ops_min < row->ops_min)
		row->ops_min = result->ops_min;
	if (result->ops_max > row->ops_max)
		row->ops_max = result->ops_max;
	row->halts += result->count[EV_HALTS];
	row->kicks += result->count[EV_KICKS];
	row->steals += result->count[EV_LOCK_STEALS];
	row->lhp += result->count[EV_LHP_EVENTS];
	if (result->wait_max_cycles > row->wait_max_cycles)
		row->wait_max_cycles = result->wait_max_cycles;
	if (result_has_streak(result) && result->longest_streak > row->longest_streak)
		row->longest_streak = result->longest_streak;
	row->steal_ns += result->steal_ns;
	row->scheduled_in += result->scheduled_in;
	table->throttled_ns += result->throttled_ns;
	row->elapsed_ns += result->elapsed_ns;
	if (result->kbuild)
		kbuild_table_add(row, result);
	if (result_has_gaps(result)) {
		gaps_add(&row->gaps, &result->gaps);
		row->gaps_cycles += result->elapsed_cycles;
	}
	row->broken += result->exclusion == EXCLUSION_BROKEN;
	row->incomplete += !result->complete;
}

/* Writes a value below `plain` as it is, others with three digits and a unit of 1000^n: 38,
 * 99999, 4.03 M, 126 M. */
static const char *scaled(char cell[CELL_BYTES], uint64_t value, uint64_t plain,
			  const char *const units[4])
{
	uint64_t scale = value < plain ? 1 : 1000;
	int unit = value < plain ? 0 : 1;
	uint64_t whole;

	for (; unit != 0 && unit < 3 && value / scale >= 1000; unit++)
		scale *= 1000;
	whole = value / scale;
	if (unit == 0 || whole >= 100)
		ksnprintf(cell, CELL_BYTES, "%llu%s", (unsigned long long)whole, units[unit]);
	else if (whole >= 10)
		ksnprintf(cell, CELL_BYTES, "%llu.%llu%s", (unsigned long long)whole,
			  (unsigned long long)(value % scale * 10 / scale), units[unit]);
	else
		ksnprintf(cell, CELL_BYTES, "%llu.%02llu%s", (unsigned long long)whole,
			  (unsigned long long)(value % scale * 100 / scale), units[unit]);
	return cell;
}

const char *count_cell(char cell[CELL_BYTES], uint64_t count)
{
	static const char *const units[] = {"", " k", " M", " G"};

	return scaled(cell, count, 100000, units);
}

const char *time_cell(char cell[CELL_BYTES], uint64_t ns)
{
	static const char *const units[] = {" ns", " us", " ms", " s"};

	return ns ? scaled(cell, ns, 1000, units) : "-";
}

const char *slower_cell(char cell[CELL_BYTES], uint64_t rate, uint64_t best)
{
	uint64_t tenths = mul_div(best, 10, rate);
	char number[CELL_BYTES];

	if (best == 0 || rate > best)
		return "-";
	if (rate == 0)
		return "stuck";
	if (rate == best)
		return "best";
	if (tenths < 100)
		ksnprintf(cell, CELL_BYTES, "%llu.%llux", (unsigned long long)tenths / 10,
			  (unsigned long long)tenths % 10);
	else
		ksnprintf(cell, CELL_BYTES, "%.*sx", CELL_BYTES - 2,
			  count_cell(number, tenths / 10));
	return cell;
}

const char *spread_cell(char cell[CELL_BYTES], const struct spread *rate)
{
	if (rate->count < 2 || rate->sum == 0)
		return "-";
	ksnprintf(cell, CELL_BYTES, "%llu", (unsigned long long)(spread_permille(rate) + 5) / 10);
	return cell;
}

static const char *jain_cell(char cell[CELL_BYTES], const struct spread *jain)
{
	uint64_t permille = spread_mean(jain);

	if (jain->count == 0)
		return "-";
	ksnprintf(cell, CELL_BYTES, "%u.%03u", (unsigned)(permille / 1000),
		  (unsigned)(permille % 1000));
	return cell;
}

uint64_t table_best_rate(const struct table *table, size_t threads_index)
{
	uint64_t best = 0;

	for (size_t i = 0; i < table->plan->lock_count; i++) {
		const struct table_row *row =
			&table->rows[threads_index * table->plan->lock_count + i];

		if (row->lock == NULL || row->lock->flags & LOCK_NO_EXCLUSION || row->broken)
			continue;
		if (spread_mean(&row->rate) > best)
			best = spread_mean(&row->rate);
	}
	return best;
}

static void say_row(const struct table_row *row, uint64_t best, int width)
{
	char rate[CELL_BYTES], spread[CELL_BYTES], slower[CELL_BYTES], jain[CELL_BYTES];
	char min[CELL_BYTES], max[CELL_BYTES], per_vcpu[2 * CELL_BYTES + 2];
	char streak[CELL_BYTES], halts[CELL_BYTES], kicks[CELL_BYTES], steals[CELL_BYTES];
	char lhp[CELL_BYTES], wait[CELL_BYTES];
	bool null = row->lock->flags & LOCK_NO_EXCLUSION;

	ksnprintf(per_vcpu, sizeof(per_vcpu), "%s..%s", count_cell(min, row->ops_min),
		  count_cell(max, row->ops_max));
	log_line("%-*s %7s %4s %7s %5s %7s %15s %5u%% %6s %6s %6s %6s %7s%s", width,
		 row->lock->name, count_cell(rate, spread_mean(&row->rate)),
		 spread_cell(spread, &row->rate),
		 null ? "-" : slower_cell(slower, spread_mean(&row->rate), best),
		 jain_cell(jain, &row->jain),
		 row->longest_streak ? count_cell(streak, row->longest_streak) : "-", per_vcpu,
		 (unsigned)mul_div(row->steal_ns, 100, row->elapsed_ns * row->threads),
		 count_cell(halts, row->halts), count_cell(kicks, row->kicks),
		 count_cell(steals, row->steals), count_cell(lhp, row->lhp),
		 time_cell(wait, port_cycles_to_ns(row->wait_max_cycles)),
		 row->broken ? "  NO EXCLUSION" : "");
}

static int name_width(const struct plan *plan)
{
	int width = 4; /* "lock" */

	for (size_t i = 0; i < plan->lock_count; i++) {
		int length = 0;

		while (plan->locks[i]->ops->name[length] != '\0')
			length++;
		if (length > width)
			width = length;
	}
	return width;
}

static void say_block(const struct table *table, size_t threads_index)
{
	const struct plan *plan = table->plan;
	const struct table_row *rows = &table->rows[threads_index * plan->lock_count];
	uint64_t best = table_best_rate(table, threads_index);
	int width = name_width(plan);

	if (rows[0].lock == NULL) /* the plan stopped before this block */
		return;
	if (plan->workload == WORKLOAD_KBUILD) {
		kbuild_table_say(table, threads_index, width);
		return;
	}
	log_line("%s, %u vCPU%s, hold %u, think %u; %u run%s of %llu %s each",
		 workload_names[plan->workload], plan->threads[threads_index],
		 plan->threads[threads_index] == 1 ? "" : "s", plan->hold, plan->think, plan->reps,
		 plan->reps == 1 ? "" : "s", (unsigned long long)(plan->ops ? plan->ops : plan->ms),
		 plan->ops ? "acquisitions per vCPU" : "ms");
	log_line("%-*s %7s %4s %7s %5s %7s %15s %6s %6s %6s %6s %6s %7s", width, "lock", "ops/s",
		 "+-%", "slower", "Jain", "streak", "ops per vCPU", "stolen", "halts", "kicks",
		 "steals", "LHP", "longest");
	log_line("%-*s %7s %4s %7s %5s %7s %15s %6s %6s %6s %6s %6s %7s", width, "", "mean", "sd",
		 "", "0..1", "longest", "min..max", "time", "sum", "sum", "sum", "sum", "wait");
	for (size_t i = 0; i < plan->lock_count; i++) {
		if (rows[i].lock)
			say_row(&rows[i], best, width);
	}
	log_line("%s", "");
	gaps_table_say(table, threads_index, width);
}

void table_say(const struct table *table)
{
	log_line("== table");
	for (size_t i = 0; i < table->plan->thread_counts; i++)
		say_block(table, i);
	table_say_notes(table);
	log_line("== end");
}
