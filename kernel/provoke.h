/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_KERNEL_PROVOKE_H
#define PVSPIN_KERNEL_PROVOKE_H

/* Fails deliberately, as the key provoke=NAME asks (names: bench/plan.c): so that tests can see
 * what a failure looks like. Returns if the name asks for nothing here. */
void provoke(const char *name);

#endif
