/* SPDX-License-Identifier: MIT */
/*
 * Rules for quoting figures, shared by the guest's table and the analyser: the accelerator classes
 * with the permitted use of their figures, and the number of repetitions.
 */
#ifndef PVSPIN_BENCH_QUOTING_H
#define PVSPIN_BENCH_QUOTING_H

#include <stdbool.h>

/* The least number of repetitions in lock papers (LiTL, TOCS'19, measured each cell 5 times). */
#define REPS_TO_QUOTE 5

/* A record of one class is never compared with one of another. */
enum accel_class {
	ACCEL_UNKNOWN,
	ACCEL_KVM,
	ACCEL_KVM_IN_VM, /* KVM of a machine that is itself a virtual one */
	ACCEL_NESTED,
	ACCEL_TCG,
	ACCEL_HOSTED,
	ACCEL_BARE, /* no hypervisor, and the launcher did not say otherwise */
	ACCEL_SIM,  /* the simulated host */
	ACCEL_COUNT
};

/* As in accel= and in the boot record. */
extern const char *const accel_names[ACCEL_COUNT];

/* Whether the class's guests run on Linux's KVM. */
bool accel_is_kvm(const char *name);

/* Returns one or two sentences on the class's figures; for an unlisted name, those for "unknown".
 */
const char *accel_sentence(const char *name);

#endif
