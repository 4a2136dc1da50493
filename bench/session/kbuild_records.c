/* SPDX-License-Identifier: MIT */
/* See kbuild_records.h. */
#include "bench/session/kbuild_records.h"

#include "bench/kbuild/kbuild.h"
#include "bench/kbuild/klock.h"
#include "bench/kbuild/profile.h"

void kbuild_put(struct record *record, const struct run_result *result)
{
	const struct kbuild_result *kbuild = result->kbuild;

	record_number(record, "jobs", result->plan->jobs);
	record_number(record, "jobs_done", result->jobs_done);
	record_number(record, "tick_hz", result->plan->tick_hz);
	record_number(record, "split_running_ns", kbuild->times.running);
	record_number(record, "split_spinning_ns", kbuild->times.spinning);
	record_number(record, "split_halted_ns", kbuild->times.halted);
	record_number(record, "split_idle_ns", kbuild->times.idle);
	record_number(record, "split_stolen_ns", kbuild->times.stolen);
	record_number(record, "kernel_ns", kbuild->times.kernel);
	record_number(record, "locked_ns", kbuild->times.locked);
	record_number(record, "switches", kbuild->events.switches);
	record_number(record, "preemptions", kbuild->events.preemptions);
	record_number(record, "migrations", kbuild->events.migrations);
	record_number(record, "wakeups", kbuild->events.wakeups);
	record_number(record, "sleeps", kbuild->events.sleeps);
	record_number(record, "shootdowns", kbuild->events.shootdowns);
	record_number(record, "shootdown_cycles", kbuild->events.shootdown_cycles);
	record_number(record, "shootdown_max_cycles", kbuild->events.shootdown_max_cycles);
	if (kbuild->governor.least == 0)
		return;
	record_number(record, "governor_parks", kbuild->governor.parks);
	record_number(record, "governor_least", kbuild->governor.least);
}

void kbuild_emit_classes(const struct run_result *result)
{
	for (int c = 0; c < CLASS_COUNT; c++) {
		const struct class_count *count = &result->kbuild->count[c];
		struct record record;

		record_begin(&record, "class");
		record_number(&record, "run", result->number);
		record_string(&record, "lock", result->lock->ops->name);
		record_string(&record, "class", kbuild_classes[c].name);
		record_number(&record, "acquisitions", count->acquisitions);
		record_number(&record, "contended", count->contended);
		record_number(&record, "other_cpu", count->other_cpu);
		record_number(&record, "wait_cycles", count->wait_cycles);
		record_number(&record, "wait_max_cycles", count->wait_max_cycles);
		record_number(&record, "hold_cycles", count->hold_cycles);
		record_number(&record, "lhp_events", count->lhp_events);
		record_end(&record);
	}
}

const char *kbuild_class_of(uint32_t lock_id)
{
	return klock_class(klock_numbered(lock_id));
}
