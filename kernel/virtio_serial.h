/* SPDX-License-Identifier: MIT */
/* Port 1 of a virtio serial device: the log goes out by one VM exit for each piece, where the UART
 * needs one for each byte. Virtual I/O Device (VIRTIO) 1.2, 5.3. CPU 0 only, except after a panic.
 */
#ifndef PVSPIN_KERNEL_VIRTIO_SERIAL_H
#define PVSPIN_KERNEL_VIRTIO_SERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTIO_SERIAL_PIECE 4096 /* bytes that go out at once */

/* Takes the first transitional device on PCI bus 0, waiting up to patience_cycles for each of its
 * answers. NULL, or why it cannot be used; the device is then reset. */
const char *virtio_serial_init(uint64_t patience_cycles);

/* As serial_write() (serial.h), in pieces: returns false if the device kept a piece for
 * patience_cycles; a later call continues from *written. After virtio_serial_init() only. */
bool virtio_serial_write(const char *bytes, size_t count, volatile size_t *written,
			 uint64_t patience_cycles);

#endif
