/* SPDX-License-Identifier: MIT */
/* See frame.h. */
#include "bench/session/frame.h"

#include "bench/session/bench.h"
#include "bench/speed.h"
#include "lib/log.h"
#include "locks/core/pv.h"
#include "port/port.h"

#define SCHEMA 1 /* of the log, as tools/report/read/schema.c reads it */

void frame_begin(struct record *record, const struct frame *frame, const struct plan *plan)
{
	static char canonical[PLAN_LINE_BYTES];
	struct speed speed;

	speed_measure(&speed);
	plan_print(plan, canonical, sizeof(canonical));
	record_begin(record, "boot");
	record_number(record, "schema", SCHEMA);
	record_string(record, "version", frame->version);
	record_string(record, "build", frame->build);
	record_string(record, "loader", frame->loader);
	record_string(record, "cmdline", frame->cmdline);
	record_string(record, "plan", canonical);
	record_string(record, "accel", plan->accel);
	record_string(record, "linux_lock", plan->linux_choice.lock);
	record_string(record, "linux_reason", plan->linux_choice.reason);
	record_string(record, "pv_backend", pv_backend->name);
	record_bool(record, "pv_yield", pv_backend->yields);
	if (pv_backend->long_spin_polls != 0)
		record_number(record, "pv_long_spin", pv_backend->long_spin_polls);
	record_number(record, "pause_cycles", speed.pause_cycles);
}

void frame_nodes(struct record *record, uint64_t nodes, const char *source, uint32_t cpus)
{
	record_number(record, "nodes", nodes);
	record_string(record, "node_source", source);
	record_open_array(record, "cpu_nodes");
	for (uint32_t i = 0; i < cpus; i++)
		record_number(record, NULL, port_node(i));
	record_close_array(record);
}

void frame_nodes_by_key(struct record *record, const struct plan *plan, uint32_t cpus)
{
	frame_nodes(record, plan->nodes ? plan->nodes : 1, plan->nodes ? "key" : "none", cpus);
}

void frame_end(const struct outcome *outcome)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_SKIP] = "skip",
		[VERDICT_ERROR] = "error",
		[VERDICT_FAIL] = "fail",
	};
	struct record record;

	record_begin(&record, "end");
	record_number(&record, "records", record_count() + 1);
	record_string(&record, "verdict", names[outcome->verdict]);
	record_number(&record, "failed", outcome->failed);
	record_number(&record, "skipped", outcome->skipped);
	record_number(&record, "findings", outcome->findings);
	record_string(&record, "reason", outcome->reason);
	record_end(&record);
}

int frame_run(const struct plan *plan, const char *error)
{
	static const int statuses[] = {
		[VERDICT_OK] = 0,
		[VERDICT_SKIP] = 77,
		[VERDICT_ERROR] = 4,
		[VERDICT_FAIL] = 3,
	};
	struct outcome outcome = {.verdict = VERDICT_ERROR, .reason = "usage"};

	if (error) {
		log_line("error: %s", error);
	} else {
		log_flush();
		outcome.verdict = bench_run_plan(plan);
		outcome.failed = outcome.verdict == VERDICT_FAIL;
		outcome.reason = outcome.failed ? "exclusion" : "";
	}
	frame_end(&outcome);
	log_flush();
	return error ? 2 : statuses[outcome.verdict];
}
