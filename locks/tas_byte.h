/* SPDX-License-Identifier: MIT */
/*
 * The byte of tas, ttas, tas-backoff and hv-notify: 0 free, 1 held. They differ only in how they
 * wait.
 */
#ifndef PVSPIN_LOCKS_TAS_BYTE_H
#define PVSPIN_LOCKS_TAS_BYTE_H

#include "lib/printf.h"
#include "locks/core/lock.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tas_byte {
	_Atomic uint8_t held;
};

static inline void tas_byte_init(void *state, const struct lock_env *env)
{
	struct tas_byte *lock = state;

	(void)env;
	atomic_init(&lock->held, 0);
}

/* One XCHG; it takes the line even if it fails. Acquire: pairs with the store in
 * tas_byte_release. */
static inline bool tas_byte_swap(struct tas_byte *lock)
{
	return atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) == 0;
}

/* Looks at the byte by a load, so that all waiters can share the line. Relaxed: the swap
 * acquires. */
static inline bool tas_byte_free(const struct tas_byte *lock)
{
	return atomic_load_explicit(&lock->held, memory_order_relaxed) == 0;
}

/* Release: pairs with the exchange in tas_byte_swap. */
static inline void tas_byte_release(struct tas_byte *lock)
{
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

static inline void tas_byte_describe(const void *state, char *text, size_t size)
{
	const struct tas_byte *lock = state;
	uint8_t held = atomic_load_explicit(&lock->held, memory_order_relaxed);

	ksnprintf(text, size, "byte %u (%s)", held, held ? "held" : "free");
}

#endif
