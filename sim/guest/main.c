/* SPDX-License-Identifier: MIT */
/*
 * The guest's half from its command line to its verdict, as guest/kmain.c is for the guest. The
 * engine calls sim_guest_main() on CPU 0, outside of time.
 */
#include "bench/plan.h"
#include "bench/session/bench.h"
#include "bench/session/frame.h"
#include "lib/kvm_info.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/record.h"
#include "port/port.h"
#include "port/sim/guest.h"
#include "port/sim/seam.h"
#include "version.h"

static struct plan plan;

static void record_host(struct record *record)
{
	const char *name, *text;
	uint64_t value;

	record_open_object(record, "host");
	for (uint32_t i = 0; sim_host_key(i, &name, &value, &text); i++) {
		if (text)
			record_string(record, name, text);
		else
			record_number(record, name, value);
	}
	record_number(record, "seed", sim_facts()->seed);
	record_close_object(record);
}

static void record_boot(const struct sim_facts *facts)
{
	/* "sim" in place of the compiler's name: the log must not depend on the compiler */
	const struct frame frame = {PVSPIN_VERSION, "sim", "sim", facts->cmdline};
	struct record record;

	frame_begin(&record, &frame, &plan);
	record_string(&record, "hypervisor", facts->host ? "none" : "KVM, modelled");
	record_number(&record, "kvm_features", facts->kvm_features);
	record_number(&record, "kvm_hints", 0);
	record_bool(&record, "pv_unhalt", (facts->kvm_features & KVM_FEATURE_PV_UNHALT) != 0);
	record_bool(&record, "steal_time", (facts->kvm_features & KVM_FEATURE_STEAL_TIME) != 0);
	record_string(&record, "cpu_vendor", facts->vendor);
	record_string(&record, "cpu_model", facts->model);
	record_number(&record, "tsc_khz", facts->khz);
	record_string(&record, "tsc_source", "simulated");
	record_number(&record, "vcpus", facts->cpus);
	record_number(&record, "vcpus_online", facts->cpus);
	record_string(&record, "apic_mode", "none");
	frame_nodes_by_key(&record, &plan, facts->cpus);
	record_number(&record, "boot_cycles", 0);
	record_host(&record);
	record_end(&record);
}

/* Refuses keys that the simulated port does not have: `error` names the key and the reason. */
static bool refused(char error[PLAN_ERROR_BYTES])
{
	const char *why = NULL;

	if (plan.tests[0])
		why = "tests=: the simulated port has none; build/sim/check-locks has";
	else if (plan.dispatch != DISPATCH_INLINE && plan.workload != WORKLOAD_KBUILD)
		why = "dispatch=: instructions are not simulated, a call costs nothing; accepted: "
		      "inline";
	if (why)
		ksnprintf(error, PLAN_ERROR_BYTES, "%s", why);
	return why != NULL;
}

__attribute__((visibility("default"))) void sim_guest_main(void)
{
	static char error[PLAN_ERROR_BYTES];
	const struct sim_facts *facts = sim_facts();
	struct kvm_info kvm = {
		.hypervisor_bit = !facts->host,
		.present = !facts->host,
		.features = facts->kvm_features,
	};
	struct plan_machine plan_machine = {.cpus = facts->cpus,
					    .linux_facts = linux_facts_of(&kvm, facts->cpus)};
	bool ok = plan_parse(facts->cmdline, &plan_machine, &plan, error);

	ok = ok && !refused(error);
	ksnprintf(plan.accel, sizeof(plan.accel), "sim");
	port_sim_init(plan.nodes);
	pv_sim_select(plan.nopvspin, plan.hyperv && !facts->host);
	record_boot(facts);
	sim_end(frame_run(&plan, ok ? NULL : error));
}

__attribute__((visibility("default"))) void sim_guest_panic(const char *reason, uint64_t rip)
{
	struct record record;

	record_begin(&record, "panic");
	record_string(&record, "reason", reason);
	record_number(&record, "cpu", port_cpu());
	record_hex(&record, "rip", rip);
	record_open_array(&record, "backtrace");
	record_close_array(&record);
	bench_describe(&record);
	record_end(&record);
	log_flush();
}
