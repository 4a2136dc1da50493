/* SPDX-License-Identifier: MIT */
/* Writes the boot, counts and end records. */
#include "guest/report.h"

#include "bench/session/frame.h"
#include "kernel/apic.h"
#include "kernel/exit.h"
#include "kernel/fatal.h"
#include "kernel/kvm.h"
#include "kernel/log.h"
#include "kernel/smp.h"
#include "kernel/watchdog.h"
#include "lib/debug_exit.h"
#include "lib/log.h"
#include "lib/record.h"
#include "lib/string.h"
#include "port/port.h"
#include "version.h"

/* The launcher, which bounds the VM's life itself, may still be reading the log: longer than 10 s
 * in an L1 on a machine at load 10. */
#define BYE_TIMEOUT_NS 120000000000ull

static bool launcher_waits; /* end=wait */

static const char *hypervisor_name(const struct kvm_info *kvm)
{
	if (kvm->present)
		return "KVM";
	return kvm->hypervisor_bit ? kvm->hypervisor : "none";
}

static void record_kvm(struct record *record, const struct kvm_info *kvm)
{
	record_string(record, "hypervisor", hypervisor_name(kvm));
	record_string(record, "hypervisor_first", kvm->hypervisor);
	record_number(record, "kvm_base", kvm->base);
	record_number(record, "kvm_features", kvm->features);
	record_number(record, "kvm_hints", kvm->hints);
	if (kvm_refused() != 0)
		record_number(record, "kvm_refused", kvm_refused());
	record_bool(record, "pv_unhalt", (kvm->features & KVM_FEATURE_PV_UNHALT) != 0);
	record_string(record, "cpu_vendor", kvm->vendor);
	record_string(record, "cpu_model", kvm->model);
	record_string(record, "hypercall", kvm->native_vmmcall ? "vmmcall" : "vmcall");
}

static void record_vcpus(struct record *record, const struct machine *m)
{
	record_number(record, "vcpus", m->cpus.count);
	record_number(record, "vcpus_online", m->online);
	record_open_array(record, "apic_ids");
	for (uint32_t i = 0; i < m->cpus.count; i++)
		record_number(record, NULL, m->cpus.cpu[i].apic_id);
	record_close_array(record);
	record_open_array(record, "apic_ids_missing");
	for (uint32_t i = 0; i < m->cpus.count; i++)
		if (!smp_online(i))
			record_number(record, NULL, m->cpus.cpu[i].apic_id);
	record_close_array(record);
	record_string(record, "apic_mode", apic->name);
	frame_nodes(record, m->nodes, m->node_source, (uint32_t)m->cpus.count);
}

void report_boot(const struct boot_info *boot, const struct machine *m, const struct plan *plan)
{
	const struct frame frame = {PVSPIN_VERSION, PVSPIN_BUILD, boot->loader, boot->cmdline};
	struct record record;

	launcher_waits = plan->stay;
	frame_begin(&record, &frame, plan);
	record_string(&record, "loader_name", boot->loader_name);
	record_kvm(&record, &m->kvm);
	record_bool(&record, "steal_time", m->steal_time);
	record_number(&record, "tsc_khz", m->tsc_khz);
	record_string(&record, "tsc_source", m->tsc_source);
	record_bool(&record, "tsc_invariant", m->tsc_invariant);
	record_string(&record, "tsc_adjust", m->tsc_adjust);
	record_number(&record, "tsc_warp_cycles", m->tsc_warp_cycles);
	record_bool(&record, "kvmclock_stable", m->kvmclock_stable);
	record_string(&record, "watchdog", watchdog_source());
	record_vcpus(&record, m);
	record_number(&record, "boot_cycles", m->boot_cycles);
	record_number(&record, "bringup_cycles", m->bringup_cycles);
	record_end(&record);
}

void report_refused(void)
{
	uint32_t refused = kvm_refused();

	if (refused & KVM_FEATURE_CLOCKSOURCE2)
		log_line("kvmclock: the hypervisor offers it and refuses its MSR");
	if (refused & KVM_FEATURE_STEAL_TIME)
		log_line("steal time: the hypervisor offers it and refuses its MSR");
}

static void record_per_cpu(struct record *record, const char *name, size_t field, uint32_t count)
{
	record_open_array(record, name);
	for (uint32_t i = 0; i < count; i++)
		record_number(record, NULL, *(const uint64_t *)((const char *)smp_cpu(i) + field));
	record_close_array(record);
}

/* Records each vCPU's totals, to be compared with the hypervisor's own statistics. */
static void report_counts(void)
{
	struct record record;
	uint32_t count = (uint32_t)machine.cpus.count;

	record_begin(&record, "counts");
	record_per_cpu(&record, "hypercalls", offsetof(struct cpu, hypercalls), count);
	record_per_cpu(&record, "halts", offsetof(struct cpu, halts), count);
	record_per_cpu(&record, "traps", offsetof(struct cpu, traps), count);
	record_end(&record);
}

static uint8_t exit_code(const struct outcome *outcome)
{
	static const uint8_t codes[] = {
		[VERDICT_OK] = DEBUG_EXIT_OK,
		[VERDICT_SKIP] = DEBUG_EXIT_SKIP,
		[VERDICT_ERROR] = DEBUG_EXIT_ERROR,
		[VERDICT_FAIL] = DEBUG_EXIT_FAIL,
	};

	return codes[outcome->verdict];
}

/* Waits while the launcher reads the hypervisor's statistics. */
static void wait_for_bye(void)
{
	char line[8];

	while (port_read_line(line, sizeof(line), BYE_TIMEOUT_NS) == PORT_INPUT_LINE &&
	       strcmp(line, "bye") != 0)
		;
}

/* If part of the log is lost, the verdict is an error, whatever the outcome. */
static void judge_lost_log(struct outcome *outcome)
{
	if (outcome->verdict >= VERDICT_ERROR)
		return;
	outcome->verdict = VERDICT_ERROR;
	outcome->reason = "log-lost";
}

void report_finish(const struct outcome *outcome)
{
	struct outcome final = *outcome;
	bool complete;

	if (record_count() != 0) /* otherwise the vCPUs are not known yet */
		report_counts();
	if (!log_complete())
		judge_lost_log(&final);
	frame_end(&final);
	complete = log_complete();
	if (!complete)
		judge_lost_log(&final);
	else if (launcher_waits)
		wait_for_bye();
	exit_guest(exit_code(&final));
}

void exit_unfit(const char *reason)
{
	report_finish(&(struct outcome){.verdict = VERDICT_ERROR, .reason = reason});
}
