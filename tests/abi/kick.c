/* SPDX-License-Identifier: MIT */
/*
 * KVM_HC_KICK_CPU: its effect on a vCPU in HLT, seen from another vCPU. CPU 1 halts with interrupts
 * masked, CPU 0 kicks and watches. Linux
 * Documentation/virt/kvm/x86/hypercalls.rst (KVM_HC_KICK_CPU), arch/x86/kvm/x86.c.
 *
 * That a vCPU stays halted can only be seen by waiting: WATCH_MS, long against a wake-up (some
 * microseconds, milliseconds on an overcommitted host). A wake-up is awaited up to WAKE_BOUND_MS.
 * A target that no kick wakes is got back by an NMI, so that a failing test ends too.
 */
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"
#include "pvspin/hypercall.h"
#include "tests/tap.h"
#include <stdatomic.h>

#define WATCH_MS      100
#define WAKE_BOUND_MS 7000

struct scene {
	struct test_result *result;
	void (*target)(struct scene *scene);
	void (*controller)(struct scene *scene);
	_Atomic uint32_t ready; /* the target has emptied its latch: kicks count from here on */
	_Atomic uint32_t go;    /* written by the controller */
	_Atomic uint32_t halts; /* the target is about to execute its n-th HLT */
	_Atomic uint32_t wakes; /* ... and has returned from it */
	uint64_t interrupts;    /* taken by the target after its last HLT, on sti */
};

static void nmi(struct trap_frame *frame)
{
	(void)frame;
}

static uint32_t get(_Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

static void put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

/* True as soon as *word has reached `value`, false after `ms` milliseconds. */
static bool reaches(_Atomic uint32_t *word, uint32_t value, uint32_t ms)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(ms * 1000000ull);

	while (get(word) < value) {
		if (rdtsc() - start >= bound)
			return false;
		cpu_relax();
	}
	return true;
}

static uint32_t target_id(void)
{
	return smp_cpu(1)->apic_id;
}

/* One HLT with interrupts masked, announced and acknowledged. */
static void halt_once(struct scene *scene)
{
	atomic_fetch_add_explicit(&scene->halts, 1, memory_order_acq_rel);
	halt();
	atomic_fetch_add_explicit(&scene->wakes, 1, memory_order_acq_rel);
}

/* Empties this vCPU's kick latch whatever was in it: after a kick of itself, one HLT passes. */
static void drain(struct scene *scene)
{
	hypercall_kick_cpu(this_cpu()->apic_id);
	halt_once(scene);
	put(&scene->halts, 0);
	put(&scene->wakes, 0);
}

static bool in_a_halt(struct scene *scene)
{
	return get(&scene->wakes) < get(&scene->halts);
}

static void both(void *argument)
{
	struct scene *scene = argument;

	if (this_cpu()->index == 1) {
		irq_disable();
		drain(scene);
		put(&scene->ready, 1);
		scene->target(scene);
		return;
	}
	if (reaches(&scene->ready, 1, WAKE_BOUND_MS))
		scene->controller(scene);
	else
		test_error(scene->result, "the target did not come back from a HLT after a kick of "
					  "itself");
	/* Let the target go whatever happened. */
	put(&scene->go, 1);
	while (in_a_halt(scene) && !reaches(&scene->wakes, get(&scene->halts), WATCH_MS)) {
		test_fail(scene->result, "the target never woke; an NMI got it back");
		apic_send_nmi(target_id());
	}
}

/* Returns the number of interrupts the target took once it had enabled them again. */
static uint64_t play(struct test_result *result, void (*target)(struct scene *scene),
		     void (*controller)(struct scene *scene))
{
	struct scene scene = {.result = result, .target = target, .controller = controller};

	if (!machine.kvm.present || !(machine.kvm.features & KVM_FEATURE_PV_UNHALT)) {
		test_skip(result, "KVM_FEATURE_PV_UNHALT is not offered");
		return 0;
	}
	if (machine.online < 2) {
		test_skip(result, "needs 2 vCPUs, has 1");
		return 0;
	}
	traps_handle(VECTOR_NMI, nmi);
	smp_run_on(2, both, &scene);
	traps_handle(VECTOR_NMI, NULL);
	return scene.interrupts;
}

static void kick_target(struct scene *scene)
{
	int64_t got = hypercall_kick_cpu(target_id());

	if (got != 0)
		test_fail(scene->result, "KICK_CPU returned %ld, expected 0", got);
}

static bool stays_halted(struct scene *scene, uint32_t nth, const char *after)
{
	if (!reaches(&scene->halts, nth, WAKE_BOUND_MS)) {
		test_error(scene->result, "the target did not reach its HLT %u", nth);
		return false;
	}
	if (reaches(&scene->wakes, nth, WATCH_MS)) {
		test_fail(scene->result, "HLT %u returned %s", nth, after);
		return false;
	}
	return true;
}

static void wakes(struct scene *scene, uint32_t nth, const char *after)
{
	if (!reaches(&scene->wakes, nth, WAKE_BOUND_MS))
		test_fail(scene->result, "HLT %u did not return within %u ms of %s", nth,
			  WAKE_BOUND_MS, after);
}

static void target_halts_once(struct scene *scene)
{
	uint64_t before = traps_taken();

	halt_once(scene);
	irq_enable();
	__asm__ volatile("nop"); /* behind sti's shadow: a pending interrupt comes here */
	irq_disable();
	scene->interrupts = traps_taken() - before;
}

/* ABI-KICK-01: a vCPU in cli; hlt stays there until a kick, and a kick wakes it. */
static void controller_wakes(struct scene *scene)
{
	if (!stays_halted(scene, 1, "although nobody kicked"))
		return;
	kick_target(scene);
	wakes(scene, 1, "a kick");
}

static void kick_wakes(struct test_result *result)
{
	play(result, target_halts_once, controller_wakes);
}
TEST_REGISTER(kick_wakes, "ABI-KICK-01", "abi.kick.wakes_halted_if0");

/* ABI-KICK-12: an interrupt does not wake a vCPU halted with IF=0; the kick does, and the interrupt
 * is delivered once interrupts are enabled. */
static void controller_interrupts(struct scene *scene)
{
	if (!stays_halted(scene, 1, "although nobody kicked"))
		return;
	apic_send(target_id(), VECTOR_WAKE);
	if (!stays_halted(scene, 1, "on an interrupt, with IF=0"))
		return;
	kick_target(scene);
	wakes(scene, 1, "a kick");
}

static void only_kick_wakes(struct test_result *result)
{
	uint64_t interrupts = play(result, target_halts_once, controller_interrupts);

	if (result->verdict == VERDICT_OK && interrupts == 0)
		test_fail(result, "the interrupt was lost: not delivered after sti");
}
TEST_REGISTER(only_kick_wakes, "ABI-KICK-12", "abi.kick.interrupt_does_not_wake_if0");

/* ABI-KICK-04 and 05: kicks before the HLT are remembered, as one: the first HLT falls through, the
 * second blocks until a new kick. */
static void target_kicked_first(struct scene *scene)
{
	while (get(&scene->go) == 0)
		cpu_relax();
	halt_once(scene);
	halt_once(scene);
}

static void controller_kicks_first(struct scene *scene)
{
	for (int i = 0; i < 3; i++)
		kick_target(scene);
	put(&scene->go, 1);
	wakes(scene, 1, "kicks that came before it");
	if (!stays_halted(scene, 2, "although its kick was used up by HLT 1"))
		return;
	kick_target(scene);
	wakes(scene, 2, "a new kick");
}

static void kick_is_remembered(struct test_result *result)
{
	play(result, target_kicked_first, controller_kicks_first);
}
TEST_REGISTER(kick_is_remembered, "ABI-KICK-04", "abi.kick.before_hlt_is_not_lost");

/* ABI-KICK-17: kicks to APIC IDs that nobody has return 0 and wake nobody. */
static void controller_kicks_nobody(struct scene *scene)
{
	static const uint32_t ids[] = {0x77, 0xfe, 0x100, 0x1000, 0x7fffffff};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		int64_t got = hypercall_kick_cpu(ids[i]);

		if (got != 0)
			test_fail(scene->result, "KICK_CPU of APIC ID %#x returned %ld", ids[i],
				  got);
	}
	if (!stays_halted(scene, 1, "on a kick of somebody else"))
		return;
	kick_target(scene);
	wakes(scene, 1, "a kick");
}

static void kick_of_nobody(struct test_result *result)
{
	play(result, target_halts_once, controller_kicks_nobody);
}
TEST_REGISTER(kick_of_nobody, "ABI-KICK-17", "abi.kick.unknown_apic_id_wakes_nobody");
