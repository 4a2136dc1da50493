/* SPDX-License-Identifier: MIT */
/*
 * The logs of the VMs, and what the launcher is told meanwhile, in the words of run.sh's instances
 * (tools/run/instance.sh): boot I | run I START END LOCK | end I.
 */
#ifndef PVSPIN_SIM_LOG_H
#define PVSPIN_SIM_LOG_H

#include "sim/engine.h"

/* Where the launcher reads; -1: nowhere. */
void log_tell(int events);

void log_write(struct vm *vm, const char *bytes, size_t count);

/* What the launcher says to the VM before its next run, into vm->lines. */
void log_lines_for(struct vm *vm);

#endif
