/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_PORT_BARE_H
#define PVSPIN_PORT_BARE_H

#include "kernel/machine.h"
#include <stdbool.h>

/* Sets up port.h for the guest, once all CPUs are online, and chooses the pv backend as Linux does
 * (kvm_spinlock_init): kvm if PV_UNHALT is offered and `nopvspin` was not asked for, else none. */
void port_bare_init(const struct machine *m, bool nopvspin);

#endif
