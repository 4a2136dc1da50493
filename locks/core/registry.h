/* SPDX-License-Identifier: MIT */
/* The locks that are linked in, in the order of their names. See register.h. */
#ifndef PVSPIN_LOCKS_CORE_REGISTRY_H
#define PVSPIN_LOCKS_CORE_REGISTRY_H

#include "locks/core/lock.h"
#include <stddef.h>

struct worker;

struct lock_entry {
	const struct lock_ops *ops;
	/* the measured loop with dispatch=inline: latency=off, latency=on, trace= with either */
	void (*measure_plain)(struct worker *worker);
	void (*measure_latency)(struct worker *worker);
	void (*measure_traced)(struct worker *worker);
};

size_t lock_count_registered(void);
/* The i-th lock, 0 <= i < lock_count_registered(). */
const struct lock_entry *lock_registered(size_t i);
/* NULL if there is no lock of that name (`length` bytes, not terminated). */
const struct lock_entry *lock_find(const char *name, size_t length);

#endif
