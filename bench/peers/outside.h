/* SPDX-License-Identifier: MIT */
/* OUTSIDE_REGISTER registers another library's lock: the file that uses it has two static
 * functions, acquire(lock, node) and release(lock, node), that call the library. */
#ifndef PVSPIN_BENCH_PEERS_OUTSIDE_H
#define PVSPIN_BENCH_PEERS_OUTSIDE_H

#include "bench/register.h"
#include <string.h>

/* The init of locks that are free when zero. */
static inline void outside_init(void *lock, const struct lock_env *env)
{
	(void)env;
	memset(lock, 0, sizeof(uint32_t));
}

/* try_acquire and describe are not called here. */
#define OUTSIDE_REGISTER(name_, cite_, flags_, state_size_, node_size_, init_) \
	static const struct lock_ops outside_ops = {                           \
		.name = (name_),                                               \
		.cite = (cite_),                                               \
		.flags = (flags_),                                             \
		.state_size = (state_size_),                                   \
		.node_size = (node_size_),                                     \
		.init = (init_),                                               \
		.acquire = acquire,                                            \
		.release = release,                                            \
	};                                                                     \
	LOCK_REGISTER(outside_ops)

#endif
