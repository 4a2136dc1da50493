/* SPDX-License-Identifier: MIT */
/* See kvm.h. */
#include "sim/kvm.h"

#include "sim/cpu.h"
#include "sim/engine.h"

/* What a look at one vCPU costs in kvm_vcpu_on_spin(): mostly misses of the cache. */
#define LOOK_CYCLES 20

/* ---- vCPUs that wait for a CPU ---- */

void kvm_set_ready(struct vcpu *vcpu, bool ready)
{
	uint64_t *word = &vcpu->vm->ready[vcpu->index / 64], bit = UINT64_C(1) << vcpu->index % 64;

	*word = ready ? *word | bit : *word & ~bit;
}

static bool is_ready(const struct vcpu *vcpu)
{
	return vcpu->vm->ready[vcpu->index / 64] >> vcpu->index % 64 & 1;
}

/* Going round from vCPU `start`: the least number of steps from `steps` on that leads to a vCPU
 * that is ready; vcpu_count or more: there is none. */
static uint32_t next_ready(const struct vm *vm, uint32_t start, uint32_t steps)
{
	while (steps < vm->vcpu_count) {
		uint32_t index = (start + steps) % vm->vcpu_count;
		uint32_t left = vm->vcpu_count - index, in_word = 64 - index % 64;
		uint64_t bits = vm->ready[index / 64] >> index % 64;

		if (bits)
			return steps + (uint32_t)__builtin_ctzll(bits);
		steps += left < in_word ? left : in_word;
	}
	return steps;
}

/* ---- the steal-time page ---- */

static bool steal_fires(void *subject, uint64_t detail, uint64_t time)
{
	struct vcpu *vcpu = subject;
	struct steal_area *steal = vcpu->steal;
	struct cpu *cpu = &engine.cpus[detail >> 1];
	bool preempted = detail & 1;

	if (vcpu->vm->ended)
		return true;
	if (!memory_host_may_write(vcpu->vm, cpu, steal, time))
		return false;
	memory_host_write(vcpu->vm, cpu, &steal->preempted, 1, preempted, time);
	if (preempted)
		return true;
	memory_host_write(vcpu->vm, cpu, &steal->steal, 8, to_ns(vcpu->run_delay), time);
	memory_host_write(vcpu->vm, cpu, &steal->version, 4, memory_get(&steal->version, 4) + 2,
			  time);
	return true;
}

/* Has the page written at the CPU's clock, to which other vCPUs have yet to come: a cycle later, as
 * some of them may have had their turn at that time already, by their CPUs' order. */
static void write_steal(struct vcpu *vcpu, bool preempted)
{
	engine_post(vcpu->cpu->clock + 1, steal_fires, vcpu,
		    (uint64_t)vcpu->cpu->id << 1 | preempted);
}

/* record_steal_time(): on the way into the guest, after another thread had the CPU. */
void kvm_loaded(struct vcpu *vcpu)
{
	const struct host *host = &engine.host;

	kvm_set_ready(vcpu, false);
	vcpu->spin.window = host->ple_window;
	vcpu->spin.left = host->pause_filter;
	kvm_entered(vcpu);
	if (host->steal_time && !vcpu->vm->host)
		write_steal(vcpu, false);
}

/* kvm_steal_time_set_preempted(); since 5.19 only where the guest was between two instructions. */
void kvm_unloaded(struct vcpu *vcpu, bool boundary)
{
	kvm_set_ready(vcpu, true);
	if (engine.host.steal_time && !vcpu->vm->host && (boundary || engine.host.preempted_always))
		write_steal(vcpu, true);
}

void kvm_entered(struct vcpu *vcpu)
{
	vcpu->spin.first = vcpu->spin.last = 0;
}

/* ---- HLT ---- */

/* grow_halt_poll_ns(), shrink_halt_poll_ns(), and kvm_vcpu_halt()'s choice between them. */
static void adapt_halt_poll(struct vcpu *vcpu, uint64_t halted)
{
	const struct host *host = &engine.host;
	uint64_t most = host->halt_poll_cycles;

	if (halted <= vcpu->halt_poll)
		return;
	if (vcpu->halt_poll && halted > most) {
		vcpu->halt_poll =
			host->halt_poll_shrink ? vcpu->halt_poll / host->halt_poll_shrink : 0;
		if (vcpu->halt_poll < host->halt_poll_start_cycles)
			vcpu->halt_poll = 0;
	} else if (vcpu->halt_poll < most && halted < most) {
		vcpu->halt_poll *= host->halt_poll_grow;
		if (vcpu->halt_poll < host->halt_poll_start_cycles)
			vcpu->halt_poll = host->halt_poll_start_cycles;
		if (vcpu->halt_poll > most)
			vcpu->halt_poll = most;
	}
}

static bool halt_over(const struct vcpu *vcpu, bool open)
{
	return vcpu->latch || vcpu->woken || (open && vcpu->pending) ||
	       vcpu->pending & IRQ_DEADLOCK;
}

/* Polls for a wake-up as long as nothing else wants the CPU. */
static void halt_poll(struct vcpu *vcpu)
{
	struct cpu *cpu = vcpu->cpu;

	if (!vcpu->halt_poll || vcpu->vm->host || sched_load(engine.sched, cpu->id) != 1 ||
	    sched_need_resched(engine.sched, cpu->id))
		return;
	vcpu->halt_polls++;
	vcpu->state = VCPU_HALT_POLL;
	cpu->idle_since = cpu->clock;
	cpu->clock += vcpu->halt_poll;
	engine_yield(vcpu);
	vcpu->state = VCPU_HOST;
}

void kvm_halt(struct vcpu *vcpu, bool open)
{
	uint64_t start;
	bool was_open = vcpu->open;

	cpu_exit(vcpu);
	vcpu->open = open;
	vcpu->woken = false;
	vcpu->halts++;
	start = vcpu->cpu->clock;
	if (!halt_over(vcpu, open)) {
		if (!vcpu->tick || !open)
			vm_stuck(vcpu);
		halt_poll(vcpu);
		if (!halt_over(vcpu, open))
			cpu_block(vcpu, VCPU_BLOCKED);
		vm_unstuck(vcpu);
		adapt_halt_poll(vcpu, vcpu->cpu->clock - start);
	}
	vcpu->latch = false;
	cpu_enter(vcpu);
	vcpu->open = was_open;
}

/* ---- kicks and yields ---- */

static bool yield_if_ready(struct vcpu *vcpu, struct vcpu *target)
{
	bool alone;

	/* kvm_sched_yield(): no other task here, or the target has a CPU or is halted */
	if (sched_load(engine.sched, vcpu->cpu->id) < 2 || !is_ready(target) || target == vcpu)
		return false;
	return cpu_yield_to(vcpu, target, &alone);
}

/* Returns when the target, if it is in its guest, has come as far as the vCPU. */
static void await_target(struct vcpu *vcpu, const struct vcpu *target)
{
	while (!cpu_caught_up(target->cpu, vcpu->cpu->clock))
		engine_sync(vcpu);
}

/* kvm_pv_kick_cpu_op(): sets the latch, wakes the vCPU or makes it exit. */
void kvm_kick(struct vcpu *vcpu, struct vcpu *target)
{
	cpu_exit(vcpu);
	vcpu->kicks++;
	vm_changes(vcpu);
	await_target(vcpu, target);
	target->latch = true;
	switch (target->state) {
	case VCPU_BLOCKED:
		target->woken = true;
		cpu_wake(target, vcpu->cpu, vcpu->cpu->clock);
		vcpu->cpu->clock +=
			engine_jitter(vcpu->cpu, vcpu->cpu->clock, engine.host.wake_cycles);
		break;
	case VCPU_HALT_POLL:
		cpu_end_halt_poll(target, vcpu->cpu->clock);
		break;
	case VCPU_GUEST:
		if (target != vcpu)
			cpu_kick_out(target, vcpu->cpu->clock);
		break;
	case VCPU_IDLE:
	case VCPU_READY:
	case VCPU_HOST:
		break;
	}
	if (engine.host.kick_yield)
		yield_if_ready(vcpu, target);
	cpu_enter(vcpu);
}

void kvm_yield_to(struct vcpu *vcpu, struct vcpu *target)
{
	cpu_exit(vcpu);
	yield_if_ready(vcpu, target);
	cpu_enter(vcpu);
}

void kvm_send_ipi(struct vcpu *vcpu, struct vcpu *target, enum irq irq)
{
	cpu_exit(vcpu);
	await_target(vcpu, target);
	cpu_interrupt(target, irq, vcpu->cpu, vcpu->cpu->clock);
	cpu_enter(vcpu);
}

/* ---- PAUSE ---- */

/* kvm_vcpu_eligible_for_directed_yield(): a vCPU that spins itself is eligible every other time. */
static bool eligible(struct vcpu *vcpu)
{
	bool answer = !vcpu->spin.in_spin_loop || vcpu->spin.eligible;

	if (vcpu->spin.in_spin_loop)
		vcpu->spin.eligible = !vcpu->spin.eligible;
	return answer;
}

/* kvm_vcpu_on_spin(): boosts a runnable vCPU that has no CPU. Goes round, beginning behind the vCPU
 * that was boosted last; gives up after three attempts at which neither CPU had a second task. */
static void on_spin(struct vcpu *me)
{
	struct vm *vm = me->vm;
	uint32_t attempts = 3, start = vm->last_boosted + 1, i = 0;
	bool alone;

	me->spin.in_spin_loop = true;
	me->cpu->clock += vm->vcpu_count * LOOK_CYCLES;
	for (; attempts && (i = next_ready(vm, start, i)) < vm->vcpu_count; i++) {
		uint32_t index = (start + i) % vm->vcpu_count;
		struct vcpu *other = &vm->vcpus[index];

		if (other == me || !eligible(other))
			continue;
		/* set before the switch, because other vCPUs search on from here meanwhile */
		vm->last_boosted = index;
		if (cpu_yield_to(me, other, &alone))
			break;
		vm->last_boosted = start - 1;
		attempts -= alone;
	}
	me->spin.in_spin_loop = false;
	me->spin.eligible = false;
}

/* kvm_hv_hypercall(), HVCALL_NOTIFY_LONG_SPIN_WAIT */
void kvm_long_spin(struct vcpu *vcpu)
{
	cpu_exit(vcpu);
	on_spin(vcpu);
	cpu_enter(vcpu);
}

static uint64_t grown(uint64_t value, uint64_t factor, uint64_t most)
{
	if (factor == 0)
		return value;
	return value > most / factor ? most : value * factor;
}

static void pause_exit(struct vcpu *vcpu)
{
	const struct host *host = &engine.host;

	vcpu->ple_exits++;
	cpu_exit(vcpu);
	vcpu->spin.window = grown(vcpu->spin.window, host->ple_window_grow, host->ple_window_max);
	on_spin(vcpu);
	cpu_enter(vcpu);
}

/* Intel: SDM vol. 3C, 26.1.3, "PAUSE-Loop Exiting". AMD has a count in place of a window: APM
 * vol. 2, 15.14.4. */
bool kvm_pause(struct vcpu *vcpu)
{
	const struct host *host = &engine.host;
	struct spin_watch *spin = &vcpu->spin;
	uint64_t now = vcpu->cpu->clock;
	bool apart = spin->last == 0 || now - spin->last > host->ple_gap;

	if (!host->ple || vcpu->vm->host)
		return false;
	spin->last = now;
	if (apart) {
		spin->first = now;
		spin->left = host->pause_filter;
		return false;
	}
	if (host->pause_filter) {
		if (spin->left) {
			spin->left--;
			return false;
		}
		spin->left = host->pause_filter;
	} else if (now - spin->first <= spin->window) {
		return false;
	}
	pause_exit(vcpu);
	return true;
}

uint64_t kvm_pauses_left(const struct vcpu *vcpu, uint64_t period)
{
	const struct host *host = &engine.host;
	const struct spin_watch *spin = &vcpu->spin;

	if (!host->ple || vcpu->vm->host || period > host->ple_gap)
		return NEVER;
	if (host->pause_filter)
		return spin->left;
	return (spin->first + spin->window - spin->last) / period;
}

void kvm_paused(struct vcpu *vcpu, uint64_t pauses, uint64_t now)
{
	const struct host *host = &engine.host;
	struct spin_watch *spin = &vcpu->spin;

	if (!host->ple || vcpu->vm->host || pauses == 0)
		return;
	if ((now - spin->last) / pauses > host->ple_gap) {
		spin->first = now;
		spin->left = host->pause_filter;
	} else if (host->pause_filter) {
		spin->left -= pauses;
	}
	spin->last = now;
}

void kvm_init_vcpu(struct vcpu *vcpu)
{
	vcpu->latch = vcpu->woken = false;
	kvm_set_ready(vcpu, false);
	vcpu->spin = (struct spin_watch){.window = engine.host.ple_window,
					 .left = engine.host.pause_filter};
}
