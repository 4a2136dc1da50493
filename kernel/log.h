/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_LOG_H
#define PVSPIN_KERNEL_LOG_H

#include <stdbool.h>

/* Writes out the log (lib/log.h), waiting for the transmitter once more. False: part of it is lost,
 * or still not written. */
bool log_complete(void);

#endif
