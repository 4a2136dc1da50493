/* SPDX-License-Identifier: MIT */
/*
 * What figures need before they are quoted, for the guest's table and for the analyser: the classes
 * of accelerator with what may be made of each one's figures, and the number of repetitions.
 */
#ifndef PVSPIN_BENCH_QUOTING_H
#define PVSPIN_BENCH_QUOTING_H

#include <stdbool.h>

/* What lock papers repeat at least (LiTL, TOCS'19, measured each cell 5 times). */
#define REPS_TO_QUOTE 5

/* A record of one class is never compared with one of another. */
enum accel_class {
	ACCEL_UNKNOWN,
	ACCEL_KVM,
	ACCEL_KVM_IN_VM, /* KVM of a machine that is itself a virtual one */
	ACCEL_NESTED,
	ACCEL_TCG,
	ACCEL_HOSTED,
	ACCEL_BARE, /* no hypervisor: what the guest finds where no launcher says other */
	ACCEL_SIM,  /* the simulated host */
	ACCEL_COUNT
};

/* As in accel= and in the boot record. */
extern const char *const accel_names[ACCEL_COUNT];

/* Whether the class's guests run on Linux's KVM. */
bool accel_is_kvm(const char *name);

/* One sentence or two; of a name that is in no list, what holds for "unknown". */
const char *accel_sentence(const char *name);

#endif
