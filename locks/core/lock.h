/* SPDX-License-Identifier: MIT */
/*
 * The lock seam: what a spinlock algorithm is to the rest of pvspin.
 *
 * A lock is one file: static inline functions, a `static const struct lock_ops`, and a last line
 * LOCK_REGISTER(ops) (register.h). Nothing else lists the locks.
 *
 * Contract of the operations. Any CPU may call them, with interrupts on or off, on zeroed memory
 * that init() has set up. acquire() returns owning the lock (acquire ordering); it may spin or halt
 * through pv.h, but never fails. try_acquire() does not wait (but see clh.c). The owner calls
 * release() with the node that it acquired with (release ordering).
 *
 * Nodes. With LOCK_NODE_POOL a CPU has one node for all locks of that kind and all contexts: each
 * context that acquires on that CPU, an interrupt handler too, passes the same pointer, to the
 * CPU's node in lock_env.nodes, and the lock finds a free part of it. Without LOCK_NODE_POOL, a
 * node belongs to one acquisition from acquire() to release(); a nested acquisition, of another
 * lock, brings another node.
 */
#ifndef PVSPIN_LOCKS_CORE_LOCK_H
#define PVSPIN_LOCKS_CORE_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lock_flags {
	LOCK_FIFO = 1 << 0,            /* grants in order of arrival */
	LOCK_QUEUED = 1 << 1,          /* waiters form a list of nodes */
	LOCK_PV = 1 << 2,              /* waits and wakes through pv.h */
	LOCK_NEEDS_PREEMPTED = 1 << 3, /* reads other vCPUs' preempted bytes */
	LOCK_NO_EXCLUSION = 1 << 4,    /* the null lock: a harness baseline, excludes nobody */
	LOCK_NODE_POOL = 1 << 5,       /* see "Nodes" above */
	LOCK_RESTORES = 1 << 6,  /* when free without waiters, the state is as init() left it */
	LOCK_LONG_SPIN = 1 << 7, /* tells the host of long spins through pv.h */
};

/* What init() may keep: CPU c's node is at (char *)nodes + c * node_stride. */
struct lock_env {
	uint32_t cpus;
	void *nodes;
	size_t node_stride;
};

/* One of the histograms a lock keeps for the log: see lock_ops.histogram. */
struct histogram;
struct lock_histogram {
	const char *what, *unit;
	struct histogram *merged;
};

struct lock_ops {
	const char *name;
	const char *cite;  /* paper or source the algorithm is described in */
	uint32_t flags;    /* enum lock_flags */
	size_t state_size; /* of the lock itself; the caller aligns it to a cache line */
	size_t node_size;  /* of what each CPU brings along; 0: none */
	void (*init)(void *lock, const struct lock_env *env);
	void (*acquire)(void *lock, void *node);
	bool (*try_acquire)(void *lock, void *node);
	void (*release)(void *lock, void *node);
	/* Decodes the present state into one line for a person, as "locked 1, tail CPU 3": what the
	 * word says, who owns, who waits. Reads without ordering and takes nothing, so any CPU may
	 * call it in any context, also in an NMI. As snprintf: at most `size` bytes with the final
	 * 0. */
	void (*describe)(const void *lock, char *text, size_t size);
	/* Names the i-th histogram that locks of this kind keep in their nodes, and adds all CPUs'
	 * to out->merged; returns false if there is no i-th. Called on CPU 0 after a run, for the
	 * `hist` records of the log (docs/serial-log.md). NULL: the lock keeps none. */
	bool (*histogram)(size_t i, struct lock_histogram *out);
};

#endif
