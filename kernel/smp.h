/* SPDX-License-Identifier: MIT */
/*
 * All vCPUs: bring-up, and work for them. Between works every AP sleeps in HLT: a waiting vCPU that
 * spins would take host CPU time from those that still boot.
 */
#ifndef PVSPIN_KERNEL_SMP_H
#define PVSPIN_KERNEL_SMP_H

#include "kernel/layout.h"
#include "kernel/machine.h"
#include "kernel/percpu.h"
#include "lib/steal.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An AP's data for boot/ap.asm, which finds it by the APIC ID. */
struct ap_slot {
	uint32_t apic_id;
	uint32_t pad;
	uint64_t stack_top;
	struct cpu *cpu;
};

_Static_assert(offsetof(struct ap_slot, apic_id) == AP_SLOT_APIC_ID, "layout.h");
_Static_assert(offsetof(struct ap_slot, stack_top) == AP_SLOT_STACK, "layout.h");
_Static_assert(offsetof(struct ap_slot, cpu) == AP_SLOT_CPU, "layout.h");
_Static_assert(sizeof(struct ap_slot) == AP_SLOT_BYTES, "layout.h");

/*
 * Starts every CPU of m->cpus (all are enabled, the boot CPU first) and waits, halted, until all
 * have reported or the bound (smp.c) has passed. Fills m->online, m->bringup_cycles. Returns false
 * if one is missing; smp_online() tells which. Called with interrupts masked; from here on the boot
 * CPU has them enabled.
 */
bool smp_start(struct machine *m);
extern bool smp_lose_last; /* for a test: the last CPU gets no start-up IPI */
uint64_t smp_start_bound_ns(const struct machine *m); /* more than smp_start() ever takes */
bool smp_online(uint32_t index);
/* Sends an NMI to every other CPU that is online, at any time, from any CPU. A CPU that is not
 * online has no IDT of ours: an NMI there would be a triple fault, which ends the whole VM. */
void smp_nmi_others(void);
struct cpu *smp_cpu(uint32_t index);
/* APIC IDs for senders, by CPU index. Nobody writes this table after bring-up, while the apic_id in
 * a CPU's own data shares a cache line with its counters. */
extern const uint32_t *smp_apic_ids;
static inline uint32_t smp_apic_id(uint32_t index)
{
	return smp_apic_ids[index];
}
struct steal_area *smp_steal(uint32_t index); /* stays zero if KVM has no steal time */

/* Runs fn(arg) on CPUs 0..count-1; returns when all have. Boot CPU only. See port_run_on(). */
void smp_run_on(uint32_t count, void (*fn)(void *arg), void *arg);

/*
 * For tests that need a bare AP of their own. smp_take() sends it INIT, after which it waits for a
 * start-up IPI. smp_rejoin() sends INIT once more, whatever the AP is doing, and starts it the
 * ordinary way; true when it idles again, false if it did not come back within a bound. INIT ends
 * the AP's steal time; the ordinary start enables it again. CPU 0 only, between works.
 */
void smp_take(uint32_t index);
bool smp_rejoin(uint32_t index);

/* Called first on a starting AP, before its steal time is enabled; may be NULL. For tests of the
 * state after INIT. */
extern void (*smp_on_start)(struct cpu *cpu);

/* The steal time, in ns, that KVM reported when this CPU first enabled it. */
uint64_t smp_first_steal(uint32_t index);

/* C entry of the APs, from boot/ap.asm. */
void ap_main(struct cpu *cpu) __attribute__((noreturn));

#endif
