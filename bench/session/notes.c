/* SPDX-License-Identifier: MIT */
/* The lines below the table, which say what its figures may and may not be used for. */
#include "bench/session/table.h"

#include "bench/quoting.h"
#include "bench/slices.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/pv.h"
#include "port/port.h"

#define NAMES_BYTES 256
#define HARDLY_OF   100 /* a hundredth of the best lock's rate */

/* Appends a name to a list unless the list has it. */
static void add_name(char names[NAMES_BYTES], const char *name)
{
	size_t used = strlen(names), length = strlen(name);

	for (const char *at = names; *at != '\0'; at++) {
		if (strncmp(at, name, length) == 0 && (at == names || at[-1] == ' ') &&
		    (at[length] == ',' || at[length] == '\0'))
			return;
	}
	ksnprintf(names + used, NAMES_BYTES - used, "%s%s", used ? ", " : "", name);
}

static void say_without_unhalt(const struct plan *plan)
{
	if (pv_backend->halts)
		return;
	for (size_t i = 0; i < plan->lock_count; i++) {
		if (plan->locks[i]->ops->flags & LOCK_PV)
			log_line("- %s never halted: no PV_UNHALT%s.", plan->locks[i]->ops->name,
				 plan->nopvspin ? " (nopvspin)"
				 : plan->hyperv ? " (hyperv)"
						: "");
	}
}

static void say_without_long_spin(const struct plan *plan)
{
	for (size_t i = 0; i < plan->lock_count && pv_backend->long_spin_polls == 0; i++) {
		if (plan->locks[i]->ops->flags & LOCK_LONG_SPIN)
			log_line("- %s told no hypervisor of its long spins: Hyper-V's hypercalls "
				 "are not in use (run.sh --pv=hyperv).",
				 plan->locks[i]->ops->name);
	}
}

/* Lists the lock names of the rows for which `test` is true. */
static void collect(const struct table *table, char names[NAMES_BYTES],
		    bool (*test)(const struct table_row *row, uint64_t best))
{
	const struct plan *plan = table->plan;

	names[0] = '\0';
	for (size_t t = 0; t < plan->thread_counts; t++) {
		uint64_t best = table_best_rate(table, t);

		for (size_t i = 0; i < plan->lock_count; i++) {
			const struct table_row *row = &table->rows[t * plan->lock_count + i];

			if (row->lock && test(row, best))
				add_name(names, row->lock->name);
		}
	}
}

static bool crawled(const struct table_row *row, uint64_t best)
{
	uint64_t rate = spread_mean(&row->rate);

	return row->lock->flags & LOCK_FIFO && row->threads > 1 &&
	       (rate < best / HARDLY_OF || row->ops < (uint64_t)row->threads * row->rate.count);
}

static struct slices slices_of(const struct table_row *row)
{
	return (struct slices){
		.vcpu_phases = row->threads * row->rate.count,
		.scheduled_in = row->scheduled_in,
		.steal_ns = row->steal_ns,
		.elapsed_ns = row->elapsed_ns * row->threads,
	};
}

static bool short_of_slices(const struct table_row *row, uint64_t best)
{
	struct slices slices = slices_of(row);

	(void)best;
	return slices_too_few(&slices);
}

/* The self-check, for each lock that it is about. */
static void say_fifo_law(const struct table_row *row)
{
	uint64_t expected, rate = spread_mean(&row->rate);
	struct slices slices = slices_of(row);

	if (!(row->lock->flags & LOCK_FIFO) || row->lock->flags & LOCK_PV || row->broken)
		return;
	expected = slices_fifo_rate(&slices);
	if (expected == 0)
		return;
	log_line("- %s, %u vCPUs: with vCPUs off their CPUs as long as here, strict FIFO makes "
		 "about %llu hand-overs/s; measured %llu: %s.",
		 row->lock->name, row->threads, (unsigned long long)expected,
		 (unsigned long long)rate,
		 slices_fifo_agrees(expected, rate) ? "agrees"
						    : "does not agree, so slices differ much, as "
						      "pause-loop exits make them, or "
						      "the steal times are wrong");
}

static void say_slices(const struct table *table)
{
	const struct plan *plan = table->plan;
	char names[NAMES_BYTES];

	collect(table, names, short_of_slices);
	if (names[0])
		log_line("- too short for the host's scheduler: %s. CPU time is short, and a vCPU "
			 "was "
			 "given a CPU fewer than %d times in a phase.",
			 names, SLICES_ENOUGH);
	if (plan->workload != WORKLOAD_CONTENDED)
		return;
	for (size_t i = 0; i < plan->thread_counts * plan->lock_count; i++) {
		if (table->rows[i].lock)
			say_fifo_law(&table->rows[i]);
	}
}

static bool broke(const struct table_row *row, uint64_t best)
{
	(void)best;
	return row->broken != 0;
}

static bool stopped_short(const struct table_row *row, uint64_t best)
{
	(void)best;
	return row->incomplete != 0;
}

static bool excludes_nobody(const struct table_row *row, uint64_t best)
{
	(void)best;
	return row->lock->flags & LOCK_NO_EXCLUSION;
}

void table_say_notes(const struct table *table)
{
	char names[NAMES_BYTES];

	collect(table, names, broke);
	if (names[0])
		log_line("- FAILED: %s let two vCPUs in at once; its figures are void.", names);
	log_line("- accel %s: %s", table->plan->accel, accel_sentence(table->plan->accel));
	if (table->plan->linux_asked)
		log_line("- linux is %s here: %s.", table->plan->linux_choice.lock,
			 table->plan->linux_choice.reason);
	if (table->plan->reps < REPS_TO_QUOTE)
		log_line("- %u repetition%s: too few to quote; %d or more.", table->plan->reps,
			 table->plan->reps == 1 ? "" : "s", REPS_TO_QUOTE);
	if (table->throttled_ns)
		log_line(
			"- a quota of CPU time (cgroup) stopped threads for %llu ms, added up over "
			"CPUs: the figures are the quota's as much as the locks'.",
			(unsigned long long)(table->throttled_ns / 1000000));
	for (uint32_t i = 0; port_note(i, names, sizeof(names)); i++)
		log_line("- %s", names);
	say_without_unhalt(table->plan);
	say_without_long_spin(table->plan);
	say_slices(table);
	collect(table, names, crawled);
	if (names[0])
		log_line("- hardly any progress: %s. A FIFO lock waits at each hand-over until the "
			 "host "
			 "runs the one vCPU whose turn it is: more vCPUs wanted to run than CPUs "
			 "were "
			 "free.",
			 names);
	collect(table, names, stopped_short);
	if (names[0])
		log_line("- stopped before %s was reached: %s.",
			 table->plan->workload == WORKLOAD_KBUILD ? "jobs=" : "ops=", names);
	collect(table, names, excludes_nobody);
	if (names[0])
		log_line("- %s excludes nobody: it is the cost of the measuring loop.", names);
}
