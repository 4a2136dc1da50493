/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_MACHINE_CHECK_H
#define PVSPIN_KERNEL_MACHINE_CHECK_H

#include "lib/record.h"

/* On each CPU. Without it a machine check shuts the processor down. */
void machine_check_enable(void);

/* For the panic record: the bank with the worst error. */
void machine_check_describe(struct record *record);

#endif
