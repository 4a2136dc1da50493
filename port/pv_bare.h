/* SPDX-License-Identifier: MIT */
/* The guest's pv backends (locks/pv.h). */
#ifndef PVSPIN_PORT_PV_BARE_H
#define PVSPIN_PORT_PV_BARE_H

#include "kernel/machine.h"
#include <stdbool.h>

/* Sets pv_backend. */
void pv_bare_select(const struct machine *m, bool nopvspin);

#endif
