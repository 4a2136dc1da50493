/* SPDX-License-Identifier: MIT */
/* Switches the machine off by ACPI's soft-off, if no isa-debug-exit ends it. */
#ifndef PVSPIN_KERNEL_POWER_H
#define PVSPIN_KERNEL_POWER_H

#include "kernel/machine.h"

/* Finds out how to do so. Boot CPU, while the loader's information is still in memory. */
void power_init(const struct boot_info *boot);

/* Switches off. If it returns, the machine is still on, and the result says why in one line. */
const char *power_off(void);

#endif
