/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_LOG_H
#define PVSPIN_KERNEL_LOG_H

#include <stdbool.h>

/* From now on writes the log to a virtio serial port (virtio_serial.h) in place of COM1. NULL, or
 * why COM1 goes on. Once, on CPU 0, when the TSC's rate is known. */
const char *log_use_virtio(void);

/* Writes out the log (lib/log.h), waiting for the transmitter once more. False: part of it is lost,
 * or still not written. */
bool log_complete(void);

#endif
