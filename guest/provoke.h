/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_GUEST_PROVOKE_H
#define PVSPIN_GUEST_PROVOKE_H

#include "bench/plan.h"

/* Fails deliberately, as the key provoke=NAME asks (names: bench/plan.c): so that tests can see
 * what a failure looks like. Returns if the name asks for nothing here, or for something that is to
 * fail later. CPU 0, all vCPUs online. */
void provoke(struct plan *plan);

/* The same before any other vCPU has been started. CPU 0, interrupts masked. */
void provoke_early(const struct plan *plan);

/* provoke_lock.c: what fails while a lock is held. Puts a lock that does so into the plan. */
void provoke_in_lock(struct plan *plan);

#endif
