/* SPDX-License-Identifier: MIT */
/*
 * AP bring-up by INIT-SIPI-SIPI (SDM vol. 3A, 9.4.4.1) to each CPU that ACPI lists, all at once:
 * the 10 ms after INIT are waited once, not per CPU, and the boot CPU sleeps until the last AP has
 * reported by interrupt.
 */
#include "kernel/smp.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/memory.h"
#include "kernel/node_memory.h"
#include "kernel/timer.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include "lib/lines.h"
#include "lib/string.h"

#define INIT_DELAY_US 10000
#define SIPI_DELAY_US 200
/* Bound on the whole bring-up. On a loaded host or an emulator a vCPU may wait long for its first
 * time slice. */
#define BRINGUP_BASE_MS    5000
#define BRINGUP_PER_CPU_MS 100

extern const char trampoline[], trampoline_end[]; /* boot/ap.asm */

struct ap_slot *ap_slots;
uint32_t ap_slot_count;
void (*smp_on_start)(struct cpu *cpu);

const uint32_t *smp_apic_ids;

static struct cpu **cpus;
/* KVM writes a vCPU's slot on the CPU that runs it; vCPUs that wait for that vCPU read it. */
struct steal_slot {
	_Alignas(APART) struct steal_area area;
};

static char *steal_slots; /* CPU i's struct steal_slot is at i * steal_stride */
static size_t steal_stride;
static uint64_t *first_steal; /* each CPU's smp_first_steal() */
static bool steal_time;
static uint8_t trampoline_page; /* its number, the vector of the SIPI */
static uint32_t total;
static _Atomic uint32_t online;
static _Atomic uint32_t running; /* APs that have not finished the current work */

static void wake_interrupt(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

static void allocate_stacks(struct cpu *cpu)
{
	cpu->tss.ist[0] = node_memory_stack(cpu->index, IST_STACK_BYTES);
	cpu->tss.ist[1] = node_memory_stack(cpu->index, IST_STACK_BYTES);
}

static void allocate(const struct machine *m)
{
	uint32_t *ids;

	cpus = memory_alloc(m->cpus.count * sizeof(cpus[0]), sizeof(cpus[0]));
	total = (uint32_t)m->cpus.count;
	ids = memory_alloc(total * sizeof(ids[0]), APART);
	smp_apic_ids = ids;
	steal_slots = node_memory_alloc_each(total, sizeof(struct steal_slot), &steal_stride);
	first_steal = memory_alloc(total * sizeof(first_steal[0]), sizeof(first_steal[0]));
	ap_slots = memory_alloc(total * sizeof(ap_slots[0]), 8);
	for (uint32_t i = 0; i < total; i++) {
		struct cpu *cpu = i == 0 ? &boot_cpu
					 : node_memory_alloc(i, sizeof(*cpu), _Alignof(struct cpu));

		cpus[i] = cpu;
		cpu->self = cpu;
		cpu->index = i;
		ids[i] = cpu->apic_id = m->cpus.cpu[i].apic_id;
		allocate_stacks(cpu);
		if (i == 0)
			continue;
		cpu->stack_top = node_memory_stack(i, STACK_BYTES);
		ap_slots[ap_slot_count++] = (struct ap_slot){
			.apic_id = cpu->apic_id,
			.stack_top = cpu->stack_top,
			.cpu = cpu,
		};
	}
}

/* KVM reports by the next VM entry, which follows at once. */
static void enable_steal_time(uint32_t index)
{
	struct steal_area *area = smp_steal(index);
	bool first = atomic_load_explicit(&area->version, memory_order_relaxed) == 0;

	if (kvm_steal_time_enable(area) && first)
		first_steal[index] = atomic_load_explicit(&area->steal, memory_order_relaxed);
}

static void report_online(struct cpu *cpu)
{
	if (steal_time)
		enable_steal_time(cpu->index);
	atomic_store_explicit(&cpu->online, true, memory_order_release);
	/* release: pairs with the acquire in smp_start() */
	if (atomic_fetch_add_explicit(&online, 1, memory_order_release) + 1 == total && total > 1)
		apic_send(boot_cpu.apic_id, VECTOR_WAKE);
}

static void idle(struct cpu *cpu) __attribute__((noreturn));
static void idle(struct cpu *cpu)
{
	for (;;) {
		irq_disable();
		/* acquire: pairs with the release in smp_run_on() */
		if (!atomic_load_explicit(&cpu->work_ready, memory_order_acquire)) {
			cpu->halts++;
			irq_enable_and_halt();
			continue;
		}
		atomic_store_explicit(&cpu->work_ready, false, memory_order_relaxed);
		cpu->work(cpu->work_argument);
		/* release: the boot CPU's acquire sees all that the work wrote */
		if (atomic_fetch_sub_explicit(&running, 1, memory_order_acq_rel) == 1)
			apic_send(boot_cpu.apic_id, VECTOR_WAKE);
	}
}

void ap_main(struct cpu *cpu)
{
	segments_init(cpu);
	if (smp_on_start != NULL)
		smp_on_start(cpu);
	apic_enable();
	report_online(cpu);
	idle(cpu);
}

static void expire(void *flag)
{
	*(volatile bool *)flag = true;
}

static uint64_t bound_ms(uint64_t count)
{
	return BRINGUP_BASE_MS + BRINGUP_PER_CPU_MS * count;
}

/* smp_start()'s own bound begins after the IPIs, each of which is an exit that a loaded host may
 * answer late. */
uint64_t smp_start_bound_ns(const struct machine *m)
{
	return 2 * bound_ms(m->cpus.count) * 1000000;
}

/* Interrupts are masked except while halted, so no wake-up is lost between the check and the HLT.
 */
static void wait_until_online(void)
{
	volatile bool expired = false;

	timer_start(bound_ms(total) * 1000000, expire, (void *)&expired);
	while (atomic_load_explicit(&online, memory_order_acquire) < total && !expired) {
		boot_cpu.halts++;
		irq_enable_and_halt();
		irq_disable();
	}
	timer_cancel();
	irq_enable();
}

bool smp_lose_last;

bool smp_start(struct machine *m)
{
	uint32_t started = (uint32_t)m->cpus.count - (smp_lose_last ? 1 : 0);
	uint64_t start;

	steal_time = m->steal_time;
	allocate(m);
	segments_init(&boot_cpu); /* again: now with its IST stacks */
	traps_handle(VECTOR_WAKE, wake_interrupt);
	trampoline_page = (uint8_t)(m->trampoline / PAGE_BYTES);
	memcpy((void *)m->trampoline, trampoline, (size_t)(trampoline_end - trampoline));
	report_online(&boot_cpu);

	start = rdtsc();
	for (uint32_t i = 1; i < started; i++)
		apic_send_init(cpus[i]->apic_id);
	if (total > 1)
		tsc_delay_us(INIT_DELAY_US);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i < started; i++)
			if (!smp_online(i))
				apic_send_startup(cpus[i]->apic_id, trampoline_page);
		if (total > 1)
			tsc_delay_us(SIPI_DELAY_US);
	}
	wait_until_online();
	m->bringup_cycles = rdtsc() - start;
	m->online = atomic_load_explicit(&online, memory_order_acquire);
	m->steal_time = steal_time && !(kvm_refused() & KVM_FEATURE_STEAL_TIME);
	return m->online == total;
}

void smp_take(uint32_t index)
{
	if (smp_online(index)) {
		atomic_store_explicit(&cpus[index]->online, false, memory_order_relaxed);
		atomic_fetch_sub_explicit(&online, 1, memory_order_relaxed);
	}
	apic_send_init(cpus[index]->apic_id);
	tsc_delay_us(INIT_DELAY_US);
}

bool smp_rejoin(uint32_t index)
{
	uint64_t start, bound = tsc_from_ns(BRINGUP_BASE_MS * 1000000ull);

	smp_take(index);
	for (int round = 0; round < 2 && !smp_online(index); round++) {
		apic_send_startup(cpus[index]->apic_id, trampoline_page);
		tsc_delay_us(SIPI_DELAY_US);
	}
	start = rdtsc();
	while (!smp_online(index))
		if (rdtsc() - start > bound)
			return false;
		else
			cpu_relax();
	return true;
}

bool smp_online(uint32_t index)
{
	return atomic_load_explicit(&cpus[index]->online, memory_order_acquire);
}

void smp_nmi_others(void)
{
	for (uint32_t i = 0; i < total; i++)
		if (cpus[i] != NULL && cpus[i] != this_cpu() && smp_online(i))
			apic_send_nmi(cpus[i]->apic_id);
}

struct cpu *smp_cpu(uint32_t index)
{
	return cpus[index];
}

struct steal_area *smp_steal(uint32_t index)
{
	return &((struct steal_slot *)(steal_slots + index * steal_stride))->area;
}

uint64_t smp_first_steal(uint32_t index)
{
	return first_steal[index];
}

void smp_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	atomic_store_explicit(&running, count - 1, memory_order_relaxed);
	for (uint32_t i = 1; i < count; i++) {
		cpus[i]->work = fn;
		cpus[i]->work_argument = arg;
		/* release: pairs with idle()'s acquire */
		atomic_store_explicit(&cpus[i]->work_ready, true, memory_order_release);
	}
	if (count == total && count > 1)
		apic_send_all_others(VECTOR_WAKE);
	else
		for (uint32_t i = 1; i < count; i++)
			apic_send(cpus[i]->apic_id, VECTOR_WAKE);
	fn(arg);
	irq_disable();
	while (atomic_load_explicit(&running, memory_order_acquire) != 0) {
		boot_cpu.halts++;
		irq_enable_and_halt();
		irq_disable();
	}
	irq_enable();
}
