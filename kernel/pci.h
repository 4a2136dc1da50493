/* SPDX-License-Identifier: MIT */
/* PCI devices of bus 0, by configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2).
 */
#ifndef PVSPIN_KERNEL_PCI_H
#define PVSPIN_KERNEL_PCI_H

#include <stdint.h>

/* Finds the first device that has this vendor and device ID and whose first base address register
 * is one of I/O ports, enables it, and returns its first port; 0 if there is none. If firmware has
 * given out no ports (qboot), gives it some. CPU 0 only. About 35 VM exits. */
uint16_t pci_find_ports(uint16_t vendor, uint16_t device);

#endif
