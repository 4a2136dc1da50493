/* SPDX-License-Identifier: MIT */
/* The guest's pv backends (locks/core/pv.h). */
#ifndef PVSPIN_PORT_GUEST_PV_KVM_H
#define PVSPIN_PORT_GUEST_PV_KVM_H

#include "kernel/machine.h"
#include <stdbool.h>

/* Sets pv_backend. */
void pv_kvm_select(const struct machine *m, bool nopvspin);

#endif
