/* SPDX-License-Identifier: MIT */
/*
 * null: no lock. The measured loop runs with empty operations, so its figures are the cost of the
 * harness, to be read beside those of every other lock. It excludes nobody, so the section's
 * counters do not add up and are not checked.
 */
#include "bench/register.h"
#include "lib/printf.h"

static void null_init(void *lock, const struct lock_env *env)
{
	(void)lock;
	(void)env;
}

/* The fences keep the compiler from moving accesses out of the section, as a real lock does. */
static inline void null_acquire(void *lock, void *node)
{
	(void)lock;
	(void)node;
	atomic_signal_fence(memory_order_acquire);
}

static inline bool null_try_acquire(void *lock, void *node)
{
	null_acquire(lock, node);
	return true;
}

static inline void null_release(void *lock, void *node)
{
	(void)lock;
	(void)node;
	atomic_signal_fence(memory_order_release);
}

static void null_describe(const void *lock, char *text, size_t size)
{
	(void)lock;
	ksnprintf(text, size, "no state");
}

static const struct lock_ops null_ops = {
	.name = "null",
	.cite = "the harness itself",
	.flags = LOCK_NO_EXCLUSION,
	.state_size = CACHE_LINE,
	.node_size = 0,
	.init = null_init,
	.acquire = null_acquire,
	.try_acquire = null_try_acquire,
	.release = null_release,
	.describe = null_describe,
};

LOCK_REGISTER(null_ops);
