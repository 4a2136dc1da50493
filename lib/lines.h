/* SPDX-License-Identifier: MIT */
/* Sizes of cache lines, and the distance that avoids false sharing. */
#ifndef PVSPIN_LIB_LINES_H
#define PVSPIN_LIB_LINES_H

#include <stddef.h>

#define CACHE_LINE 64 /* bytes, on every x86-64 so far */

/* Data that different CPUs write is kept two lines apart, because Intel's spatial prefetcher
 * completes aligned 128-byte pairs (Intel Optimization Reference Manual, "Data Prefetching", L2).
 */
#define APART (2 * CACHE_LINE)

/* Returns the distance at which objects of so many bytes do not share such a pair. */
static inline size_t round_apart(size_t bytes)
{
	return (bytes + APART - 1) / APART * APART;
}

#endif
