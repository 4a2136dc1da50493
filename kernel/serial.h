/* SPDX-License-Identifier: MIT */
/* COM1, an 8250-compatible UART: the log goes out and the launcher's lines come in. CPU 0 only,
 * except after a panic. */
#ifndef PVSPIN_KERNEL_SERIAL_H
#define PVSPIN_KERNEL_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 115200 8N1, FIFOs on, no interrupts. False if no UART answers. */
bool serial_init(void);

/* Writes bytes[*written] to bytes[count - 1] and advances *written byte by byte, so that a panic in
 * the middle can continue from there. Writes 16 bytes (the FIFO) for each read of the line status,
 * or one without a FIFO: 17 VM exits for 16 bytes. Returns false if the transmitter stayed busy for
 * patience_cycles; a later call continues from *written. Without a UART all bytes count as written.
 */
bool serial_write(const char *bytes, size_t count, volatile size_t *written,
		  uint64_t patience_cycles);

/* The next received byte, or -1. One VM exit. */
int serial_read(void);

#endif
