/* SPDX-License-Identifier: MIT */
/* See kbuild_table.h. Percentages are of the vCPUs' time, summed over the repetitions. */
#include "bench/session/kbuild_table.h"

#include "bench/kbuild/kbuild.h"
#include "bench/session/table_cells.h"
#include "lib/arith.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "port/port.h"

void kbuild_table_add(struct table_row *row, const struct run_result *result)
{
	const struct kbuild_times *times = &result->kbuild->times;

	spread_add(&row->elapsed, result->elapsed_ns);
	row->times.running += times->running;
	row->times.spinning += times->spinning;
	row->times.halted += times->halted;
	row->times.idle += times->idle;
	row->times.stolen += times->stolen;
}

/* Writes jobs per second, given jobs per 1000 seconds; small values with three digits. */
static const char *jobs_cell(char cell[CELL_BYTES], uint64_t rate)
{
	if (rate >= 100000)
		return count_cell(cell, rate / 1000);
	ksnprintf(cell, CELL_BYTES, "%llu.%02llu", (unsigned long long)rate / 1000,
		  (unsigned long long)rate % 1000 / 10);
	return cell;
}

static unsigned percent(const struct table_row *row, uint64_t ns)
{
	uint64_t all = row->elapsed_ns * row->threads;

	return all ? (unsigned)mul_div(ns, 100, all) : 0;
}

static void say_row(const struct table_row *row, uint64_t best, int width)
{
	char elapsed[CELL_BYTES], spread[CELL_BYTES], jobs[CELL_BYTES], slower[CELL_BYTES];
	char halts[CELL_BYTES], kicks[CELL_BYTES], lhp[CELL_BYTES];
	char wait[CELL_BYTES];
	uint64_t rate = spread_mean(&row->rate);

	log_line("%-*s %7s %4s %7s %7s %4u%% %4u%% %4u%% %4u%% %5u%% %6s %6s %6s %7s%s", width,
		 row->lock->name, time_cell(elapsed, spread_mean(&row->elapsed)),
		 spread_cell(spread, &row->elapsed), jobs_cell(jobs, rate),
		 slower_cell(slower, rate, best), percent(row, row->times.running),
		 percent(row, row->times.spinning), percent(row, row->times.halted),
		 percent(row, row->times.idle), percent(row, row->times.stolen),
		 count_cell(halts, row->halts), count_cell(kicks, row->kicks),
		 count_cell(lhp, row->lhp),
		 time_cell(wait, port_cycles_to_ns(row->wait_max_cycles)),
		 row->broken ? "  NO EXCLUSION" : "");
}

void kbuild_table_say(const struct table *table, size_t threads_index, int width)
{
	const struct plan *plan = table->plan;
	const struct table_row *rows = &table->rows[threads_index * plan->lock_count];
	uint64_t best = table_best_rate(table, threads_index);
	uint32_t threads = plan->threads[threads_index];

	log_line("kbuild, %u vCPU%s, %u tasks; %u run%s of %llu jobs each", threads,
		 threads == 1 ? "" : "s", (unsigned)plan_tasks(plan, threads), plan->reps,
		 plan->reps == 1 ? "" : "s", (unsigned long long)plan->jobs);
	log_line("%-*s %7s %4s %7s %7s %5s %5s %5s %5s %6s %6s %6s %6s %7s", width, "lock",
		 "elapsed", "+-%", "jobs/s", "slower", "runs", "spins", "halts", "idle", "stolen",
		 "halts", "kicks", "LHP", "longest");
	log_line("%-*s %7s %4s %7s %7s %5s %5s %5s %5s %6s %6s %6s %6s %7s", width, "", "mean",
		 "sd", "mean", "", "time", "time", "time", "time", "time", "sum", "sum", "sum",
		 "wait");
	for (size_t i = 0; i < plan->lock_count; i++) {
		if (rows[i].lock)
			say_row(&rows[i], best, width);
	}
	log_line("%s", "");
}
