/* SPDX-License-Identifier: MIT */
/* The pv backend that never sleeps, and the choice of a backend by what KVM offers. */
#ifndef PVSPIN_PORT_COMMON_PV_NONE_H
#define PVSPIN_PORT_COMMON_PV_NONE_H

#include "locks/core/pv.h"
#include <stdbool.h>
#include <stdint.h>

extern const struct pv_backend pv_none;

/* Reads the preempted byte of this CPU's steal-time page; false if nobody writes it. For every
 * backend. */
bool pv_page_preempted(uint32_t cpu);

/* Sets pv_backend to those parts of `all` that KVM offers by its feature bits, which are
 * independent of each other; nopvspin: without PV_UNHALT. Notices of long spins are no feature of
 * KVM: they are there if `all` has them. */
void pv_select(const struct pv_backend *all, uint32_t features, bool nopvspin);

#endif
