/* SPDX-License-Identifier: MIT */
/*
 * The logs of the VMs. And lines that tell the launcher what happens while it happens, as run.sh's
 * instances do (tools/run/instance.sh): boot I | run I START END LOCK | end I.
 */
#ifndef PVSPIN_SIM_LOG_H
#define PVSPIN_SIM_LOG_H

#include "sim/engine.h"

/* Sets the file descriptor at which the launcher reads; -1: none. */
void log_tell(int events);

/* Writes whole lines to the VM's log, and tells the launcher of the records that concern it. */
void log_write(struct vm *vm, const char *bytes, size_t count);

/* Writes into vm->lines what the launcher says to the VM before its next run. */
void log_lines_for(struct vm *vm);

#endif
