/* SPDX-License-Identifier: MIT */
/* The pv backend that never sleeps, for both ports. */
#ifndef PVSPIN_PORT_COMMON_PV_NONE_H
#define PVSPIN_PORT_COMMON_PV_NONE_H

#include "locks/core/pv.h"
#include <stdbool.h>
#include <stdint.h>

extern const struct pv_backend pv_none;

/* Reads the preempted byte of this CPU's steal-time page; false if nobody writes it. For every
 * backend. */
bool pv_page_preempted(uint32_t cpu);

#endif
