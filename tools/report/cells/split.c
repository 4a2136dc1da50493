/* SPDX-License-Identifier: MIT */
/*
 * The time split: see split.h. A vCPU's phase is elapsed_ns long. Of it the log has the stolen time
 * (steal_ns), the time in waits (wait_cycles) and in the HLTs of those (halt_cycles), both with the
 * stolen time that fell into them; into which it fell is not in the log. It is counted once, as
 * stolen, and taken out of halted, spinning (waits without HLTs) and running (the rest) in
 * proportion to their lengths, vCPU by vCPU.
 */
#include "tools/report/cells/split.h"

#include <math.h>

struct parts {
	double total, running, spinning, halted, stolen, beyond; /* ns */
};

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static double ns_of(const struct record *record, const char *cycles, uint64_t tsc_khz)
{
	return (double)record_u64(record, cycles) * 1e6 / (double)tsc_khz;
}

/* A vcpu record, or a run record, whose sums are over threads * elapsed. */
static void add_parts(struct parts *parts, const struct record *record, double total,
		      uint64_t tsc_khz)
{
	double stolen = (double)record_u64(record, "steal_ns");
	double halted = ns_of(record, "halt_cycles", tsc_khz);
	double waited = ns_of(record, "wait_cycles", tsc_khz);
	double kept;

	if (halted > waited) /* a HLT counts, a wait of under 64 polls around it does not */
		waited = halted;
	parts->beyond += stolen > total ? stolen - total : 0;
	parts->beyond += waited > total ? waited - total : 0;
	stolen = smaller(stolen, total);
	waited = smaller(waited, total);
	halted = smaller(halted, total);
	kept = 1 - stolen / total;
	parts->total += total;
	parts->stolen += stolen;
	parts->halted += halted * kept;
	parts->spinning += (waited - halted) * kept;
	parts->running += (total - waited) * kept;
}

/* workload=kbuild accounts for itself: its vCPUs also idle. */
static struct split split_logged(const struct record *run)
{
	double running = (double)record_u64(run, "split_running_ns");
	double spinning = (double)record_u64(run, "split_spinning_ns");
	double halted = (double)record_u64(run, "split_halted_ns");
	double idle = (double)record_u64(run, "split_idle_ns");
	double stolen = (double)record_u64(run, "split_stolen_ns");
	double total = running + spinning + halted + idle + stolen;

	if (total <= 0)
		return (struct split){NAN, NAN, NAN, NAN, NAN, 0};
	return (struct split){running / total, spinning / total, halted / total,
			      idle / total,    stolen / total,   0};
}

struct split split_of_run(const struct log *log, const struct record *run,
			  const struct record *const *vcpu, size_t count)
{
	uint64_t tsc_khz = record_u64(log->boot, "tsc_khz");
	double elapsed = (double)record_u64(run, "elapsed_ns");
	uint64_t threads = record_u64(run, "threads");
	struct parts parts = {0};

	if (json_object_get(run->json, "split_running_ns"))
		return split_logged(run);
	if (!record_bool(log->boot, "steal_time"))
		return (struct split){NAN, NAN, NAN, NAN, NAN, 0};
	for (size_t i = 0; i < count && count == threads; i++)
		add_parts(&parts, vcpu[i], elapsed, tsc_khz);
	if (count != threads)
		add_parts(&parts, run, elapsed * (double)threads, tsc_khz);
	return (struct split){parts.running / parts.total, parts.spinning / parts.total,
			      parts.halted / parts.total,  0,
			      parts.stolen / parts.total,  parts.beyond / parts.total};
}
