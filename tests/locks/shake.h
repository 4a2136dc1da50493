/* SPDX-License-Identifier: MIT */
/*
 * Forced into every file of the "shaken" flavour (gcc -include): before each atomic operation of
 * locks and backend the thread may pause or yield its CPU, at random. Windows of a few instructions
 * that a host with two CPUs would hit once in hours are then hit all the time. The operations stay
 * what they are; the locks' sources do not know.
 */
#ifndef PVSPIN_TESTS_LOCKS_SHAKE_H
#define PVSPIN_TESTS_LOCKS_SHAKE_H

#include <stdatomic.h>

void shake(void); /* shake.c */

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_or_explicit
#undef atomic_compare_exchange_strong_explicit

#define atomic_load_explicit(p, order)         (shake(), __atomic_load_n(p, order))
#define atomic_store_explicit(p, v, order)     (shake(), __atomic_store_n(p, v, order))
#define atomic_exchange_explicit(p, v, order)  (shake(), __atomic_exchange_n(p, v, order))
#define atomic_fetch_add_explicit(p, v, order) (shake(), __atomic_fetch_add(p, v, order))
#define atomic_fetch_or_explicit(p, v, order)  (shake(), __atomic_fetch_or(p, v, order))
#define atomic_compare_exchange_strong_explicit(p, e, v, good, bad) \
	(shake(), __atomic_compare_exchange_n(p, e, v, 0, good, bad))

#endif
