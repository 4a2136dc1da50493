/* SPDX-License-Identifier: MIT */
/*
 * A kernel compile's use of spinlocks, as data: which locks exist, how often each kind is taken,
 * for how long, and how it is shared. profile.c has the figures and their source. Lengths are guest
 * instructions; work() (bench/work.h) takes about one core cycle for each.
 */
#ifndef PVSPIN_BENCH_KBUILD_PROFILE_H
#define PVSPIN_BENCH_KBUILD_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kbuild_class {
	CLASS_PAGE_TABLE,
	CLASS_PCP,
	CLASS_PI,
	CLASS_RQ,
	CLASS_DCACHE,
	CLASS_FILES,
	CLASS_MISC,
	CLASS_LRU,
	CLASS_SIGNAL,
	CLASS_WAITQ,
	CLASS_TIMER,
	CLASS_RCU,
	CLASS_ZONE,
	CLASS_COUNT
};

/* Who owns the locks of a class. Each owner has `each` of them. */
enum kbuild_owner { OWNER_TASK, OWNER_PAIR, OWNER_VCPU, OWNER_NODE, OWNER_NOBODY };

/* A distribution, given by its values at the ranks kbuild_rank[]. In between, the logarithm of the
 * value is interpolated (sample.c). */
#define KBUILD_RANKS 6
#define KBUILD_WHOLE 10000 /* shares and ranks are parts of ten thousand */
extern const uint32_t kbuild_rank[KBUILD_RANKS];

struct distribution {
	uint32_t value[KBUILD_RANKS]; /* rising, none 0 */
};

struct class_profile {
	const char *name;
	uint32_t share; /* of all acquisitions; all classes add up to KBUILD_WHOLE */
	struct distribution hold;
	uint32_t hold_mean; /* as measured; the mean of `hold` must equal it */
	enum kbuild_owner owner;
	uint32_t each;   /* locks of each owner; 0 for OWNER_NOBODY */
	uint32_t shared; /* locks without an owner; the first are taken most (Zipf) */
	uint32_t away;   /* share of the acquisitions that take a shared lock or, if the class
			    has none, another owner's */
	uint32_t burst;  /* acquisitions of the class in a row, in tenths; 10: one at a time */
	bool irqs_off;   /* from before the wait until after the release */
};

extern const struct class_profile kbuild_classes[CLASS_COUNT];

/* `part` of the holds of `outer` take an `inner` inside. At most one entry per outer class. */
struct nesting {
	enum kbuild_class outer, inner;
	uint32_t part;
};

extern const struct nesting kbuild_nestings[];
extern const size_t kbuild_nesting_count;

/* The gap from one acquisition to the next on a CPU. Up to KBUILD_USER_GAP it is kernel time; a
 * longer one is a user phase. */
extern const struct distribution kbuild_gap;
extern const uint32_t kbuild_gap_mean;
#define KBUILD_USER_GAP  50000
#define KBUILD_BURST_GAP 300 /* within a burst */

#define KBUILD_JOB_SECTIONS 500  /* acquisitions of a job: about 3 ms of a CPU */
#define KBUILD_SLEEP        1250 /* part of wait-queue visits that sleep (partner awake) */

#endif
