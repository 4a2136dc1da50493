/* SPDX-License-Identifier: MIT */
/*
 * The guest's story: from the loader to the verdict. boot/start.asm calls kmain() on the boot
 * CPU in 64-bit mode, interrupts masked; the other vCPUs join in smp_start() and sleep until
 * bench/ or tests/ give them work.
 */
#include "bench/plan.h"
#include "bench/quoting.h"
#include "bench/session/bench.h"
#include "guest/provoke.h"
#include "guest/report.h"
#include "kernel/apic.h"
#include "kernel/console.h"
#include "kernel/fatal.h"
#include "kernel/hpet.h"
#include "kernel/hyperv.h"
#include "kernel/ioapic.h"
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "kernel/loader.h"
#include "kernel/log.h"
#include "kernel/memory.h"
#include "kernel/node_memory.h"
#include "kernel/paging.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/power.h"
#include "kernel/serial.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/topology.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include "kernel/watchdog.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/record.h"
#include "lib/string.h"
#include "port/guest/port_guest.h"
#include "port/hang.h"
#include "port/port.h"
#include "tests/suites/tap.h"

extern uint64_t entry_tsc; /* boot/start.asm */

static struct boot_info boot;
static struct plan plan;
static char plan_error[PLAN_ERROR_BYTES];

void kmain(uint32_t magic, uint64_t info); /* boot/start.asm */

static void discover_machine(void)
{
	kvm_probe_hypercall(&machine.kvm);
	machine.steal_time = machine.kvm.present && (machine.kvm.features & KVM_FEATURE_STEAL_TIME);
	apic_select();
	apic_enable();
	hpet_init(&boot);
	tsc_init(&boot, &machine);
	timer_init();
	topology_init(&boot, &machine);
	ioapic_init(&machine.cpus);
	watchdog_init();
	power_init(&boot);
}

/* Before the first STI. */
static void drain_interrupts(void)
{
	uint8_t first = 0;
	uint32_t count = apic_drain(&first);

	if (count != 0)
		log_line("warning: firmware left %u interrupts pending, the first by vector %#x: "
			 "dropped",
			 count, first);
}

static struct outcome missing_vcpus(void)
{
	for (uint32_t i = 0; i < machine.cpus.count; i++)
		if (!smp_online(i))
			log_line("error: vCPU %u (APIC ID %u) did not start: no answer to "
				 "INIT-SIPI-SIPI",
				 i, machine.cpus.cpu[i].apic_id);
	return (struct outcome){.verdict = VERDICT_ERROR, .failed = 1, .reason = "vcpu-missing"};
}

static struct outcome run_plan(bool plan_ok)
{
	struct outcome outcome = {.verdict = VERDICT_OK, .reason = ""};

	if (plan.ignored[0] != '\0')
		log_line("warning: ignored, as words that a VMM adds for Linux:%s", plan.ignored);
	if (boot.cmdline_truncated) {
		log_line("error: the command line is longer than %u bytes", BOOT_CMDLINE_BYTES - 1);
		return (struct outcome){.verdict = VERDICT_ERROR, .reason = "usage"};
	}
	if (!plan_ok) {
		log_line("error: %s", plan_error);
		return (struct outcome){.verdict = VERDICT_ERROR, .reason = "usage"};
	}
	if (machine.cpus_unknown) /* topology_init() has printed the reason */
		return (struct outcome){.verdict = VERDICT_ERROR, .reason = "cpus-unknown"};
	if (machine.online != machine.cpus.count)
		return missing_vcpus();
	if (plan.hyperv && !hyperv_in_use()) {
		log_line("error: hyperv: this hypervisor does not offer Hyper-V's hypercalls; QEMU "
			 "with KVM does with -cpu host,hv-relaxed,hv-spinlocks=N (run.sh "
			 "--pv=hyperv)");
		return (struct outcome){.verdict = VERDICT_ERROR, .reason = "no-hyperv"};
	}
	if (provoke != NULL)
		provoke(&plan);
	if (plan.tests[0] != '\0')
		tests_run(&plan, &outcome);
	else
		outcome.verdict = bench_run_plan(&plan);
	return outcome;
}

/* Adds to the panic record the lock being measured and the CPU in its section, or the running test.
 */
static void describe_run(struct record *record)
{
	tests_describe(record);
	bench_describe(record);
}

/* If the launcher did not tell the accelerator class, records at least whether there is a
 * hypervisor. */
static void settle_accel(void)
{
	if (!machine.kvm.hypervisor_bit && strcmp(plan.accel, accel_names[ACCEL_UNKNOWN]) == 0)
		ksnprintf(plan.accel, sizeof(plan.accel), "%s", accel_names[ACCEL_BARE]);
}

static void choose_log(void)
{
	const char *problem = plan.log_virtio ? log_use_virtio() : NULL;

	if (problem != NULL)
		log_line("warning: log=virtio: %s; COM1 goes on", problem);
}

void kmain(uint32_t magic, uint64_t info)
{
	struct plan_machine plan_machine;
	struct outcome outcome;
	const char *problem;
	bool serial;
	bool plan_ok;

	traps_init(panic_trap);
	segments_init(&boot_cpu);
	serial = serial_init();
	log_write("\n", 1); /* firmware and GRUB may have begun a line */
	problem = loader_read(memory_map_physical, magic, info, &boot);
	kvm_detect(&machine.kvm);
	/* Comes before anything that may fail, so that the failure is visible. Real machines often
	 * have a UART with nothing attached to it. */
	if (!serial || (!machine.kvm.hypervisor_bit && console_there(&boot)))
		console_init(&boot);
	if (!serial) {
		log_line("pvspin: no serial port answers at %#x, so the log's records are lost; "
			 "here is its text",
			 COM1_PORT);
		log_flush();
	}
	if (problem != NULL)
		panic("%s (magic number %#x)", problem, magic);
	machine.trampoline = loader_low_page(&boot);
	memory_init(&boot);
	paging_init();
	discover_machine();
	panic_describe = describe_run;
	plan_machine.cpus = (uint32_t)machine.cpus.count;
	plan_machine.linux_facts = linux_facts_of(&machine.kvm, machine.possible_cpus);
	plan_machine.vmm = true;
	plan_ok = plan_parse(boot.cmdline, &plan_machine, &plan, plan_error);
	settle_accel();
	choose_log();
	watch_set_usual(plan_ok ? plan.hang_ms : 0);
	port_watch("bring-up", smp_start_bound_ns(&machine), NULL);
	if (plan_ok && plan.hyperv)
		hyperv_begin(); /* run_plan() says if that fails */
	topology_set_nodes(&boot, &machine, plan.nodes);
	node_memory_init(&boot, &machine);
	paging_set(0, PAGE_BYTES, PAGING_NONE); /* now that ACPI is read, null pointers fault */
	if (plan_ok && provoke_early != NULL)
		provoke_early();
	drain_interrupts();
	smp_start(&machine);
	tsc_check(&machine);
	machine.boot_cycles = port_cycles() - entry_tsc;
	port_guest_init(&machine, plan.nopvspin);
	port_watch_over(); /* before the record, whose bytes may each be a slow VM exit */
	report_boot(&boot, &machine, &plan);
	report_refused();
	log_flush();
	outcome = run_plan(plan_ok);
	report_finish(&outcome);
}
