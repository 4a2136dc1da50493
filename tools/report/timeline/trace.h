/* SPDX-License-Identifier: MIT */
/*
 * What the vCPUs of a run did and when: the `event` records (trace=N, docs/serial-log.md) put
 * together to spans and kicks. Read by perfetto.c and timeline.c.
 *
 * A log may be cut, damaged or invented. Events are sorted by time, what has no counterpart is left
 * out and counted; nothing is made up but for this: a wait, a hold or a halt that has no end within
 * the trace ends with the CPU's last event, and says so (open).
 *
 * Times are TSC cycles of the log's own clock; only `ahead_us` relates those of several logs.
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
	SPAN_PREEMPTED, /* could run, and the host ran something else */
	SPAN_WAITED,    /* for a lock */
	SPAN_HELD,
	SPAN_KINDS
};

/* One of a run's locks. */
struct trace_lock {
	uint64_t id;       /* 0: the only one */
	const char *class; /* as it came; "" where no event says */
};

/* Locks that a vCPU holds at once: one inside of the other. */
#define TRACE_MOST_HELD 4

struct span {
	enum span_kind kind;
	uint64_t start, end; /* start <= end */
	bool open;           /* the end is not in the trace */
	bool holding;        /* SPAN_PREEMPTED: it had the lock then (LHP) */
	bool waiting;        /* or waited for it */
	bool handed;         /* and it was handed to it (LWP) */
	/* SPAN_WAITED, SPAN_HELD: which; SPAN_PREEMPTED: which it waited for, or was handed */
	struct trace_lock lock;
	struct trace_lock held[TRACE_MOST_HELD]; /* SPAN_PREEMPTED: which it had */
	size_t held_count;
};

struct spans {
	struct span *list; /* in the order of `start`; never overlapping */
	size_t count;
};

/* A kick, and the wake-up it made: the target's first one after it. */
struct kick {
	uint64_t from, to; /* CPUs */
	uint64_t tsc, woke;
	bool woken; /* false: `woke` is not known, or another kick's */
};

enum mark_kind { MARK_YIELD, MARK_HANDED };

/* What takes no time. */
struct mark {
	enum mark_kind kind;
	uint64_t tsc, cpu;
	uint64_t to; /* MARK_YIELD: whom it was for */
};

struct trace_cpu {
	uint64_t cpu;
	uint64_t first, last; /* tsc of its events: outside nothing is known */
	struct spans states;  /* running, halted, preempted: all of first..last */
	struct spans lock;    /* waited, held: of several the innermost */
	uint64_t *wakes;      /* when it woke from halts, ascending */
	size_t wake_count;
};

/* The events of one run in one log. */
struct trace_run {
	const struct log *log;
	uint64_t run;
	const char *lock; /* as it came; "" where no event says */
	bool many_locks;  /* of that kind: events have a lock_id */
	uint64_t tsc_khz; /* never 0 */
	uint64_t start;   /* the earliest event of the log, in all its runs */
	int64_t wall_ns;  /* then, in a clock that the logs of a call share; 0: none */
	double ahead_us;  /* `start` after the earliest such of a call's logs; 0 where not known */
	uint64_t first;   /* and of this run */
	uint64_t last;
	struct trace_cpu *cpus; /* by index, ascending */
	size_t cpu_count;
	struct kick *kicks; /* in the order of tsc */
	size_t kick_count;
	struct mark *marks;
	size_t mark_count;
};

struct trace {
	struct trace_run *runs; /* log by log, by number */
	size_t run_count;
	size_t unsorted; /* events that stood before an earlier one of their CPU: sorted in */
	size_t unknown;  /* events of a kind not known here: left out */
	size_t unpaired; /* events whose counterpart is missing though it should be there: left out
			  */
	bool no_clock;   /* a log without tsc_khz: its cycles are taken for ns */
};

/* Empty if there are no events. trace_free() in any case. */
void trace_read(const struct set *set, struct trace *trace);
void trace_free(struct trace *trace);

/* tsc - from in microseconds, 0 where tsc is before. */
double trace_us(const struct trace_run *run, uint64_t from, uint64_t tsc);

/* The moment of a lock's runs that says most. */
enum find_about {
	ABOUT_HOLDER, /* a vCPU was off the CPU with the lock (LHP) */
	ABOUT_HANDED, /* or when the lock was handed to it (LWP) */
	ABOUT_WAIT,   /* nobody was: the longest wait */
};

struct trace_find {
	enum find_about about;
	const struct trace_run *run;
	const struct trace_cpu *cpu;
	const struct span *span;
};

/* Of the first of these kinds that there is, the one that cost most: its own time and what others
 * waited meanwhile for the same lock, as far as the trace knows. One that others waited for comes
 * before any that nobody did. False: nobody waited. */
bool trace_find(const struct trace *trace, const char *lock, struct trace_find *find);

/* Whether the span is about this lock: a wait or hold of it; off the CPU with it or, where the vCPU
 * had none, when it waited for it. */
bool trace_concerns(const struct span *span, uint64_t lock_id);

/* Cycles for which the CPU waited during the span for a lock that the span is about. */
uint64_t trace_waited(const struct trace_cpu *cpu, const struct span *span);

#endif
