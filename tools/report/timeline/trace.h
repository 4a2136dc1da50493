/* SPDX-License-Identifier: MIT */
/*
 * A trace: what the vCPUs of a run did, and when. trace_read() pairs `event` records (trace=N,
 * docs/serial-log.md) to spans and kicks; perfetto.c and timeline.c use them.
 *
 * A log may be cut, damaged or invented. Events are sorted by time. An event without a counterpart
 * is left out and counted; only a wait, a hold or a halt that does not end within the trace is
 * kept: it ends with the CPU's last event and is marked `open`.
 *
 * Times are TSC cycles of the log's own clock; only `ahead_us` relates the times of several logs.
 */
#ifndef PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_H
#define PVSPIN_TOOLS_REPORT_TIMELINE_TRACE_H

#include "tools/report/base/data.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum span_kind {
	SPAN_RUNNING,
	SPAN_HALTED,
	SPAN_IDLE,      /* workload=kbuild: asleep without a task to run */
	SPAN_PREEMPTED, /* could run, but the host ran something else */
	SPAN_WAITED,    /* for a lock */
	SPAN_HELD,
	SPAN_KINDS
};

/* One of a run's locks. */
struct trace_lock {
	uint64_t id;       /* 0: the only one */
	const char *class; /* as in the log; "" if it does not say */
};

/* A vCPU holds at most so many nested locks. */
#define TRACE_MOST_HELD 4

struct span {
	enum span_kind kind;
	uint64_t start, end; /* start <= end */
	bool open;           /* the end is not in the trace */
	/* of SPAN_PREEMPTED: */
	bool holding; /* the vCPU held the lock meanwhile (LHP) */
	bool waiting; /* it waited for the lock */
	bool handed;  /* the lock was handed to it (LWP) */
	/* SPAN_WAITED, SPAN_HELD: this lock; SPAN_PREEMPTED: the lock that it waited for or got */
	struct trace_lock lock;
	struct trace_lock held[TRACE_MOST_HELD]; /* SPAN_PREEMPTED: the locks that it held */
	size_t held_count;
};

struct spans {
	struct span *list; /* in the order of `start`, without overlaps */
	size_t count;
};

/* A kick, and the wake-up that it caused: the target's first one after it. */
struct kick {
	uint64_t from, to; /* CPUs */
	uint64_t tsc, woke;
	bool woken; /* false: it caused no known wake-up, so `woke` is undefined */
};

enum mark_kind { MARK_YIELD, MARK_HANDED };

/* An event without a duration. */
struct mark {
	enum mark_kind kind;
	uint64_t tsc, cpu;
	uint64_t to; /* MARK_YIELD: the CPU that was to run */
};

struct trace_cpu {
	uint64_t cpu;
	uint64_t first, last; /* tsc of its first and last event */
	struct spans states;  /* running, halted, preempted; they cover first..last */
	struct spans lock;    /* waited, held; of nested locks the innermost */
	uint64_t *wakes;      /* times at which it woke from halts, ascending */
	size_t wake_count;
};

/* The events of one run in one log. */
struct trace_run {
	const struct log *log;
	uint64_t run;
	const char *lock; /* as in the log; "" if it does not say */
	bool many_locks;  /* there are several locks of that kind: events have a lock_id */
	uint64_t tsc_khz; /* never 0 */
	uint64_t start;   /* the earliest event of all runs of the log */
	int64_t wall_ns;  /* `start` by the clock that the logs of a call share; 0: unknown */
	double ahead_us;  /* from the call's earliest `start` to this one; 0 if unknown */
	uint64_t first;   /* the earliest and the latest event of this run */
	uint64_t last;
	struct trace_cpu *cpus; /* by index, ascending */
	size_t cpu_count;
	struct kick *kicks; /* in the order of tsc */
	size_t kick_count;
	struct mark *marks;
	size_t mark_count;
};

struct trace {
	struct trace_run *runs; /* by log, then by number */
	size_t run_count;
	size_t unsorted; /* events that had to be sorted: an earlier one of their CPU came later */
	size_t unknown;  /* events of an unknown kind, which were left out */
	size_t unpaired; /* events without their counterpart, which were left out */
	bool no_clock;   /* a log has no tsc_khz: its cycles are taken for ns */
};

/* Reads the event records of all logs. Without any, the trace is empty. Call trace_free()
 * afterwards. */
void trace_read(const struct set *set, struct trace *trace);
void trace_free(struct trace *trace);

/* Returns tsc - from in microseconds; 0 if it is negative. */
double trace_us(const struct trace_run *run, uint64_t from, uint64_t tsc);

/* The most telling moment of a lock's runs. */
enum find_about {
	ABOUT_HOLDER, /* a vCPU was off its CPU while it held the lock (LHP) */
	ABOUT_HANDED, /* a vCPU was off its CPU when the lock was handed to it (LWP) */
	ABOUT_WAIT,   /* neither happened: the longest wait */
};

struct trace_find {
	enum find_about about;
	const struct trace_run *run;
	const struct trace_cpu *cpu;
	const struct span *span;
};

/* Finds the costliest moment of the first kind, in the order of find_about, that the trace has. The
 * cost is its own time plus the time that other vCPUs waited meanwhile for the same lock. A moment
 * with other waiters comes before all without. Returns false if nobody waited. */
bool trace_find(const struct trace *trace, const char *lock, struct trace_find *find);

/* True if the span concerns this lock: a wait or a hold of it; or an absence while the vCPU held
 * it, or waited for it and held none. */
bool trace_concerns(const struct span *span, uint64_t lock_id);

/* Returns the cycles that the CPU waited, during the span, for locks that the span concerns. */
uint64_t trace_waited(const struct trace_cpu *cpu, const struct span *span);

#endif
