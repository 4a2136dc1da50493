/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_PORT_GUEST_PORT_GUEST_H
#define PVSPIN_PORT_GUEST_PORT_GUEST_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stdint.h>

/* Sets up port.h for the guest once all CPUs are online. Builds the pv backend: it halts if
 * PV_UNHALT is offered and `nopvspin` is not set, as in Linux (kvm_spinlock_init), and yields if
 * PV_SCHED_YIELD is offered. */
void port_guest_init(const struct machine *m, bool nopvspin);

/* Sets the bound of port_watch_over() (port/hang.h); 0: the default. */
void watch_set_usual(uint64_t ms);

#endif
