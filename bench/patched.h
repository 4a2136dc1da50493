/* SPDX-License-Identifier: MIT */
/*
 * dispatch=patched: the measured loop whose calls of the lock are patched before each run, as Linux
 * patches its pv_ops calls at boot (arch/x86/kernel/alternative.c). Each place where it calls is
 * listed in the ELF section call_sites.
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

/* A site is as long as the indirect call it starts as: call *patched_targets+8*operation(%rip). */
#define PATCHED_SITE_BYTES 6

struct call_site {
	int32_t place;      /* of the call, from this field on */
	uint32_t operation; /* enum patched_operation */
};

/* What the sites call as long as they are indirect. */
extern void (*patched_targets[PATCHED_OPERATIONS])(void *lock, void *node);

/* Makes every site a direct call of this lock's functions, by port_patch_text: on CPU 0, outside
 * any run. Nothing to do if they are. */
void patched_select(const struct lock_ops *ops);

/* Makes every site the indirect call again that it was linked as; the targets stay. */
void patched_restore(void);

size_t patched_sites(void);
/* The i-th site's address, and what it calls. */
uint8_t *patched_site(size_t i, enum patched_operation *operation);

#endif
