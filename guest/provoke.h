/* SPDX-License-Identifier: MIT */
/*
 * Deliberate failures, so that tests can see what each looks like: docs/failures.md. They and the
 * key provoke=NAME are in build/pvspin-broken.elf only (guest/broken/); elsewhere both functions
 * are NULL.
 */
#ifndef PVSPIN_GUEST_PROVOKE_H
#define PVSPIN_GUEST_PROVOKE_H

#include "bench/plan.h"

/* Fails as provoke= asks. Returns if nothing is asked for, or something that is to fail later.
 * CPU 0, all vCPUs online. */
void provoke(struct plan *plan) __attribute__((weak));

/* The same before any other vCPU has been started. CPU 0, interrupts masked. */
void provoke_early(void) __attribute__((weak));

#endif
