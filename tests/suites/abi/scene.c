/* SPDX-License-Identifier: MIT */
/* Two vCPUs, one scene: the target halts, the controller watches. */
#include "tests/suites/abi/scene.h"

#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/traps.h"
#include "kernel/tsc.h"

#define DRAIN_NS 2000000

static void nmi(struct trap_frame *frame)
{
	(void)frame;
}

uint32_t scene_get(_Atomic uint32_t *word)
{
	return atomic_load_explicit(word, memory_order_acquire);
}

void scene_put(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

bool scene_reaches(_Atomic uint32_t *word, uint32_t value, uint32_t ms)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(ms * 1000000ull);

	while (scene_get(word) < value) {
		if (rdtsc() - start >= bound)
			return false;
		cpu_relax();
	}
	return true;
}

uint32_t scene_target_id(void)
{
	return smp_cpu(1)->apic_id;
}

void scene_halt_once(struct scene *scene)
{
	atomic_fetch_add_explicit(&scene->halts, 1, memory_order_acq_rel);
	this_cpu()->halts++;
	halt();
	atomic_fetch_add_explicit(&scene->wakes, 1, memory_order_acq_rel);
}

uint64_t scene_halt_enabled(struct scene *scene)
{
	uint64_t flags;

	atomic_fetch_add_explicit(&scene->halts, 1, memory_order_acq_rel);
	this_cpu()->halts++;
	irq_enable_and_halt();
	flags = read_flags();
	irq_disable();
	atomic_fetch_add_explicit(&scene->wakes, 1, memory_order_acq_rel);
	return flags;
}

/* The timer ends the HLTs, not a kick: this must return even where kicks are broken. Two HLTs,
 * because an interrupt may make the CPU skip the first (kernel/traps.c). */
void scene_drain_self(void)
{
	for (int i = 0; i < 2; i++)
		if (this_cpu()->index == 0)
			timer_sleep(DRAIN_NS);
		else
			timer_doze(DRAIN_NS);
}

static bool in_a_halt(struct scene *scene)
{
	return scene_get(&scene->wakes) < scene_get(&scene->halts);
}

static void both(void *argument)
{
	struct scene *scene = argument;

	if (this_cpu()->index == 1) {
		irq_disable();
		scene_drain_self();
		scene_put(&scene->ready, 1);
		scene->target(scene);
		scene_put(&scene->through, 1);
		return;
	}
	if (scene_reaches(&scene->ready, 1, WAKE_BOUND_MS))
		scene->controller(scene);
	else
		test_error(scene->result, "the target does not get to run");
	/* Release the target whatever happened. */
	scene_put(&scene->go, UINT32_MAX);
	/* The target may have several HLTs to come. */
	while (!scene_reaches(&scene->through, 1, WATCH_MS)) {
		if (!in_a_halt(scene))
			continue;
		test_fail(scene->result, "the target never woke; an NMI got it back");
		apic_send_nmi(scene_target_id());
	}
}

static void run(struct scene *scene)
{
	traps_handle(VECTOR_NMI, nmi);
	smp_run_on(2, both, scene);
	traps_handle(VECTOR_NMI, NULL);
}

uint64_t scene_play(struct test_result *result, void (*target)(struct scene *scene),
		    void (*controller)(struct scene *scene), struct scene *after)
{
	struct scene scene = {.result = result, .target = target, .controller = controller};

	run(&scene);
	if (after != NULL)
		*after = scene;
	return scene.interrupts;
}

static struct {
	void (*call)(struct scene *scene);
	const char *how;
} control;

static void controller_by_nmi(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody woke it"))
		return;
	control.call(scene);
	if (!scene_stays_halted(scene, 1, control.how))
		return;
	apic_send_nmi(scene_target_id());
	scene_wakes(scene, 1, "an NMI");
}

void scene_control_by_nmi(struct test_result *result, void (*call)(struct scene *scene),
			  const char *how)
{
	struct scene scene = {.result = result,
			      .target = scene_target_halts_once,
			      .controller = controller_by_nmi};

	control.call = call;
	control.how = how;
	run(&scene);
}

bool scene_rejoin_target(struct test_result *result)
{
	if (smp_rejoin(1))
		return true;
	test_error(result, "CPU 1 did not come back after INIT and SIPI");
	return false;
}

void scene_kick_target(struct scene *scene)
{
	int64_t got = hypercall_kick_cpu(scene_target_id());

	if (got != 0)
		test_fail(scene->result, "KICK_CPU returned %ld, expected 0", got);
}

bool scene_stays_halted(struct scene *scene, uint32_t nth, const char *after)
{
	if (!scene_reaches(&scene->halts, nth, WAKE_BOUND_MS)) {
		test_error(scene->result, "the target did not reach its HLT %u", nth);
		return false;
	}
	if (scene_reaches(&scene->wakes, nth, WATCH_MS)) {
		test_fail(scene->result, "HLT %u returned %s", nth, after);
		return false;
	}
	return true;
}

void scene_wakes(struct scene *scene, uint32_t nth, const char *after)
{
	if (!scene_reaches(&scene->wakes, nth, WAKE_BOUND_MS))
		test_fail(scene->result, "HLT %u did not return within %u ms of %s", nth,
			  WAKE_BOUND_MS, after);
}

void scene_controller_kicks(struct scene *scene)
{
	if (!scene_stays_halted(scene, 1, "although nobody kicked"))
		return;
	scene_kick_target(scene);
	scene_wakes(scene, 1, "a kick");
}

void scene_target_halts_once(struct scene *scene)
{
	uint64_t before = traps_taken();

	scene_halt_once(scene);
	irq_enable();
	__asm__ volatile("nop"); /* sti's shadow ends here: a pending interrupt is taken */
	irq_disable();
	scene->interrupts = traps_taken() - before;
}
