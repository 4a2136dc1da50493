/* SPDX-License-Identifier: MIT */
/* The names of the accelerator classes, and the use of their figures: see quoting.h. */
#include "bench/quoting.h"

#include "lib/string.h"

const char *const accel_names[ACCEL_COUNT] = {
	[ACCEL_UNKNOWN] = "unknown", [ACCEL_KVM] = "kvm", [ACCEL_KVM_IN_VM] = "kvm-in-vm",
	[ACCEL_NESTED] = "nested",   [ACCEL_TCG] = "tcg", [ACCEL_HOSTED] = "hosted",
	[ACCEL_BARE] = "bare",       [ACCEL_SIM] = "sim",
};

static const char *const sentences[ACCEL_COUNT] = {
	[ACCEL_UNKNOWN] = "nobody told the guest what it runs on (run.sh does): do not quote these "
			  "figures.",
	[ACCEL_KVM] = "hardware virtualisation: compare only with runs on the same host and "
		      "placement.",
	[ACCEL_KVM_IN_VM] =
		"KVM in a virtual machine: each exit costs what the hypervisor below makes "
		"of it, and the CPU time that it takes is seen by nobody. Compare only with "
		"runs on the same machine.",
	[ACCEL_NESTED] =
		"real KVM on an emulated CPU. Good for behaviour, counts and their ratios; "
		"times and rates mean nothing on hardware.",
	[ACCEL_TCG] =
		"an emulated CPU without KVM: no hypercalls, no preemption reports, no usable "
		"times. Good for testing pvspin only.",
	[ACCEL_HOSTED] =
		"Linux threads, no hypervisor: the baseline, and not the same scheduler as "
		"vCPUs. No LHP, LWP or stolen time is seen here.",
	[ACCEL_SIM] = "a simulated host: a model of CPUs, Linux and KVM, believed as far as "
		      "docs/sim.md shows; never to be set beside what was measured.",
	[ACCEL_BARE] = "no hypervisor shows itself: a real machine, the baseline for VMs on it. "
		       "Waiters only spin; no preemption and no stolen time are seen.",
};

bool accel_is_kvm(const char *name)
{
	return strcmp(name, accel_names[ACCEL_KVM]) == 0 ||
	       strcmp(name, accel_names[ACCEL_KVM_IN_VM]) == 0 ||
	       strcmp(name, accel_names[ACCEL_NESTED]) == 0;
}

const char *accel_sentence(const char *name)
{
	for (int class = 0; class < ACCEL_COUNT; class ++) {
		if (strcmp(name, accel_names[class]) == 0)
			return sentences[class];
	}
	return sentences[ACCEL_UNKNOWN];
}
