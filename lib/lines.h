/* SPDX-License-Identifier: MIT */
/* What may share a cache line. */
#ifndef PVSPIN_LIB_LINES_H
#define PVSPIN_LIB_LINES_H

#define CACHE_LINE 64 /* bytes, every x86-64 so far */

/* What different CPUs write is kept two lines apart: Intel's spatial prefetcher completes aligned
 * 128-byte pairs (Intel Optimization Reference Manual, "Data Prefetching", L2). */
#define APART (2 * CACHE_LINE)

#endif
