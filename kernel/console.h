/* SPDX-License-Identifier: MIT */
/* The screen, for a machine without a hypervisor or a serial port: the log's text for people. */
#ifndef PVSPIN_KERNEL_CONSOLE_H
#define PVSPIN_KERNEL_CONSOLE_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stddef.h>

/* Whether there is a visible screen: a framebuffer that console_init() takes, or VGA text that is
 * in use according to the BIOS. */
bool console_there(const struct boot_info *boot);

/* Takes the screen that the loader describes: a framebuffer of 16, 24 or 32 bits per pixel,
 * otherwise VGA text, which does no harm if it does not exist. */
void console_init(const struct boot_info *boot);

/* Whether console_init was called, so that a person may be reading the screen. */
bool console_used(void);

/* Shows the text except records. Does nothing before console_init. CPU 0, or the one that panics.
 */
void console_write(const char *bytes, size_t count);

#endif
