/* SPDX-License-Identifier: MIT */
/* QEMU's isa-debug-exit: a write of v ends QEMU with status 2v + 1 (hw/misc/debugexit.c). Without
 * the device, the write has no effect. */
#include "kernel/exit.h"

#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/power.h"
#include "kernel/watchdog.h"
#include "lib/debug_exit.h"
#include "lib/log.h"
#include "lib/printf.h"

void exit_guest(uint8_t code)
{
	const char *on; /* why the machine stays on */
	char text[320];
	int length;

	watchdog_stop(); /* from here on there is no progress for it to see */
	out8(DEBUG_EXIT_PORT, code);
	on = console_used() ? "the screen is kept" : power_off();
	length = ksnprintf(text, sizeof(text), "It is safe to switch off (%s).\n", on);
	log_write(text, (size_t)length);
	log_flush();
	halt_for_ever();
}
