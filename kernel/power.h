/* SPDX-License-Identifier: MIT */
/* Switching the machine off, where no isa-debug-exit ends it: ACPI's soft-off. */
#ifndef PVSPIN_KERNEL_POWER_H
#define PVSPIN_KERNEL_POWER_H

#include "kernel/machine.h"

/* Finds out how. Boot CPU, while all that the loader left is still there. */
void power_init(const struct boot_info *boot);

/* Returns if the machine is still on: why, in one line. */
const char *power_off(void);

#endif
