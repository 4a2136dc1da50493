/* SPDX-License-Identifier: MIT */
/*
 * main() of build/hosted/pvspin: the same plan, runs, records and table as in the guest, on Linux
 * threads. The words of the command line are the guest's keys, the exit codes run.sh's: 0 ok, 2
 * usage, 3 a lock did not exclude, 4 the environment.
 */
#include "bench/plan.h"
#include "bench/session/frame.h"
#include "lib/cmdline.h"
#include "lib/kvm_info.h"
#include "lib/record.h"
#include "locks/core/pv.h"
#include "port/common/pv_none.h"
#include "port/hosted/hosted.h"
#include "port/hosted/sched.h"
#include "port/port.h"
#include "version.h"
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CMDLINE_BYTES 2048

static struct plan plan;
static struct kvm_info kvm; /* the hypervisor below this Linux, as CPUID shows it */

static bool join(char line[CMDLINE_BYTES], int count, char **word)
{
	size_t used = 0;

	line[0] = '\0';
	for (int i = 1; i < count; i++) {
		size_t length = strlen(word[i]);

		if (used + length + 2 > CMDLINE_BYTES)
			return false;
		used += (size_t)sprintf(line + used, used ? " %s" : "%s", word[i]);
	}
	return true;
}

/* Returns the most threads that the plan may ask for: as many as there are CPUs, or any number if
 * threads= is given. */
static uint32_t cpus_for(const char *line)
{
	struct cmdline_word word;

	while (cmdline_next(&line, &word)) {
		if (cmdline_is(word.key, word.key_length, "threads"))
			return HOSTED_MAX_CPUS;
	}
	return hosted_usable_cpus();
}

/* `linux` is the lock that the Linux below takes, according to CPUID. On KVM's vCPUs that is not
 * qspinlock. */
static void describe_machine(struct plan_machine *plan_machine, const char *line)
{
	kvm_detect(&kvm);
	plan_machine->cpus = cpus_for(line);
	plan_machine->vmm = false;
	plan_machine->linux_facts = linux_facts_of(&kvm, (uint32_t)sysconf(_SC_NPROCESSORS_CONF));
}

/* SDM vol. 2A, CPUID: leaf 0 gives the vendor, 0x80000002 to 4 the brand. 0x40000000 is by
 * convention the hypervisor's; it exists if leaf 1 has ECX bit 31. */
static void record_cpu(struct record *record)
{
	uint32_t vendor[4] = {0}, brand[13] = {0}, hypervisor[4] = {0}, r[4];

	__cpuid(0, r[0], vendor[0], vendor[2], vendor[1]);
	for (uint32_t i = 0; i < 3; i++)
		__cpuid(0x80000002 + i, brand[4 * i], brand[4 * i + 1], brand[4 * i + 2],
			brand[4 * i + 3]);
	__cpuid(1, r[0], r[1], r[2], r[3]);
	if (r[2] >> 31)
		__cpuid(0x40000000, r[0], hypervisor[0], hypervisor[1], hypervisor[2]);
	record_string(record, "hypervisor", (const char *)hypervisor);
	record_string(record, "cpu_vendor", (const char *)vendor);
	record_string(record, "cpu_model", (const char *)brand);
}

static void record_boot(const char *line)
{
	const struct frame frame = {PVSPIN_VERSION, PVSPIN_BUILD, "hosted", line};
	struct record record;

	frame_begin(&record, &frame, &plan);
	record_cpu(&record);
	record_number(&record, "kvm_features", kvm.features);
	record_number(&record, "kvm_hints", kvm.hints);
	record_bool(&record, "pv_unhalt", kvm.features & KVM_FEATURE_PV_UNHALT);
	record_number(&record, "tsc_khz", port_tsc_khz());
	record_string(&record, "tsc_source", "CLOCK_MONOTONIC_RAW");
	record_number(&record, "vcpus", hosted_usable_cpus());
	record_number(&record, "vcpus_online", port_cpu_count());
	record_number(&record, "boot_cycles", 0);
	record_string(&record, "apic_mode", "none");
	frame_nodes_by_key(&record, &plan, port_cpu_count());
	record_end(&record);
}

int main(int count, char **word)
{
	static char line[CMDLINE_BYTES], error[PLAN_ERROR_BYTES];
	struct plan_machine plan_machine;
	const char *refusal;
	uint32_t threads = 0;
	bool ok = join(line, count, word);

	hosted_init(0);
	describe_machine(&plan_machine, line);
	if (!ok)
		snprintf(error, sizeof(error), "the command line is longer than %d bytes",
			 CMDLINE_BYTES - 1);
	ok = ok && plan_parse(line, &plan_machine, &plan, error);
	if (ok && plan.tests[0]) {
		snprintf(error, sizeof(error), "tests= is for the guest");
		ok = false;
	}
	if (ok && plan.hyperv) {
		snprintf(error, sizeof(error), "hyperv is for the guest");
		ok = false;
	}
	snprintf(plan.accel, sizeof(plan.accel), "hosted");
	for (size_t i = 0; ok && i < plan.thread_counts; i++)
		threads = plan.threads[i] > threads ? plan.threads[i] : threads;
	hosted_init(threads);
	if (ok && plan.nodes > port_cpu_count()) {
		snprintf(error, sizeof(error),
			 "nodes=%u: not a number of these threads; accepted: 1..%u", plan.nodes,
			 port_cpu_count());
		ok = false;
	}
	refusal = ok ? hosted_sched_refuses(threads) : NULL;
	if (refusal) {
		snprintf(error, sizeof(error), "%s", refusal);
		ok = false;
	}
	if (ok && plan.nodes != 0)
		hosted_set_nodes(plan.nodes);
	if (plan.nopvspin)
		pv_backend = &pv_none;
	record_boot(line);
	return frame_run(&plan, ok ? NULL : error);
}
