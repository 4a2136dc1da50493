/* SPDX-License-Identifier: MIT */
/* The screen, for a machine without a hypervisor or a serial port: the log's text for people. */
#ifndef PVSPIN_KERNEL_CONSOLE_H
#define PVSPIN_KERNEL_CONSOLE_H

#include "kernel/machine.h"
#include <stdbool.h>
#include <stddef.h>

/* Whether there is a screen to be seen: a framebuffer that console_init() takes, or VGA text, of
 * which the BIOS says that it is in use. */
bool console_there(const struct boot_info *boot);

/* Takes the screen that the loader tells of: a framebuffer of 16, 24 or 32 bits a pixel, else VGA
 * text, which is there or hurts nobody. */
void console_init(const struct boot_info *boot);

/* Whether console_init was called: somebody may be reading the screen. */
bool console_used(void);

/* Shows what is no record. Nothing, before console_init. CPU 0, or the one that panics. */
void console_write(const char *bytes, size_t count);

#endif
