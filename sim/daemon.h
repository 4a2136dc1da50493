/* SPDX-License-Identifier: MIT */
/* The host's own tasks: on each CPU one that wakes every daemon_ms= or so and works for about
 * daemon_us=. */
#ifndef PVSPIN_SIM_DAEMON_H
#define PVSPIN_SIM_DAEMON_H

#include "sim/engine.h"

/* Makes the tasks, if there are to be any. Call it after cpu_init(). */
void daemon_init(void);

/* The CPU's thread, a daemon, has done its work: it sleeps until its next time. */
void daemon_done(struct cpu *cpu);

#endif
