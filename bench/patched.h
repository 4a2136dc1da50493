/* SPDX-License-Identifier: MIT */
/*
 * dispatch=patched: the measured loop whose calls of the lock are patched before each run, as Linux
 * patches its pv_ops calls at boot (arch/x86/kernel/alternative.c). The ELF section call_sites
 * lists each call site.
 */
#ifndef PVSPIN_BENCH_PATCHED_H
#define PVSPIN_BENCH_PATCHED_H

#include "locks/core/lock.h"
#include <stddef.h>
#include <stdint.h>

enum patched_operation {
	PATCHED_ACQUIRE,
	PATCHED_RELEASE,
	PATCHED_OPERATIONS,
};

/* A site has the length of the original indirect call: call *patched_targets+8*operation(%rip). */
#define PATCHED_SITE_BYTES 6

struct call_site {
	int32_t place;      /* offset of the call from this field */
	uint32_t operation; /* enum patched_operation */
};

/* The functions that the sites call while they are indirect. */
extern void (*patched_targets[PATCHED_OPERATIONS])(void *lock, void *node);

/* Makes every site a direct call of this lock's functions, by port_patch_text(). Does nothing if
 * they are that already. Call it on CPU 0, outside any run. */
void patched_select(const struct lock_ops *ops);

/* Restores the indirect call at every site, to the functions selected last. */
void patched_restore(void);

size_t patched_sites(void);
/* Returns the i-th site's address and sets the operation that it calls. */
uint8_t *patched_site(size_t i, enum patched_operation *operation);

#endif
