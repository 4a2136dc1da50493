/* SPDX-License-Identifier: MIT */
/* See cpu.h. */
#include "sim/cpu.h"

#include "sim/kvm.h"
#include "sim/schedule.h"
#include "sim/vm.h"

/* When the scheduler was called, in cycles: its callbacks read it. */
static uint64_t called_at;

/* Call it before a call of the scheduler by code on `cpu` (NULL: on none). */
static void call_from(struct cpu *cpu, uint64_t time)
{
	engine.local = cpu;
	called_at = time;
}

static bool resched_fires(void *subject, uint64_t unused, uint64_t time);

/* The scheduler's callback: CPU `id` is to pick again. The CPU that called the scheduler does that
 * anyway; another one, idle or busy, gets an interrupt. */
static void on_resched(void *unused, uint32_t id, uint64_t now_ns)
{
	struct cpu *cpu = &engine.cpus[id];
	struct vcpu *vcpu = cpu->current ? cpu->current->vcpu : NULL;

	(void)unused;
	(void)now_ns;
	if (cpu == engine.local)
		return;
	if (vcpu && vcpu->state == VCPU_HALT_POLL) {
		cpu->clock = called_at > cpu->idle_since ? called_at : cpu->idle_since;
		engine_set_turn(cpu, cpu->clock);
	} else if (!cpu->resched_posted) {
		cpu->resched_posted = true;
		engine_post(called_at + engine_jitter(cpu, called_at,
						      cpu->current ? engine.host.ipi_cycles
								   : engine.host.kick_cycles),
			    resched_fires, cpu, 0);
	}
}

/* The scheduler's callback: another task wants CPU `id`, which ends KVM's halt polling. */
static void on_queued(void *unused, uint32_t id, uint64_t now_ns)
{
	struct vcpu *vcpu = engine.cpus[id].current ? engine.cpus[id].current->vcpu : NULL;

	if (vcpu && vcpu->state == VCPU_HALT_POLL)
		on_resched(unused, id, now_ns);
}

/* ---- switches ---- */

/* The thread that the scheduler wants on the CPU at its clock; NULL: none. */
static struct thread *pick(struct cpu *cpu)
{
	struct sched_task *task;

	call_from(cpu, cpu->clock);
	task = sched_pick(engine.sched, cpu->id, to_ns(cpu->clock));
	engine.local = NULL;
	return task ? engine.threads[task->id] : NULL;
}

/* The CPU's thread, if it has one, goes on by itself; a vCPU in its guest after the way in. */
static void resume(struct cpu *cpu)
{
	const struct thread *thread = cpu->current;
	const struct vcpu *vcpu = thread ? thread->vcpu : NULL;

	cpu->last_look = cpu->clock;
	if (vcpu && !vcpu->host)
		cpu->clock += vcpu_cost(vcpu, engine.host.entry_cycles);
	cpu->resumes = cpu->clock;
	if (!thread)
		engine_set_turn(cpu, NEVER);
	else
		engine_set_turn(cpu, thread->vcpu ? cpu->clock : cpu->clock + thread->left);
}

/* Puts `thread` (NULL: idle) on the CPU, in place of one that has left. vCPUs of VMs that have
 * ended are put to sleep, and the scheduler picks again. */
static void come(struct cpu *cpu, struct thread *thread)
{
	struct vcpu *vcpu = thread ? thread->vcpu : NULL;

	while (vcpu && vcpu->vm->ended) {
		call_from(cpu, cpu->clock);
		sched_block(engine.sched, cpu->id, to_ns(cpu->clock));
		thread = pick(cpu);
		vcpu = thread ? thread->vcpu : NULL;
	}
	cpu->current = thread;
	schedule_note(cpu, thread);
	if (thread)
		cpu->clock += engine_jitter(cpu, cpu->clock, engine.host.switch_cycles);
	if (!vcpu) {
		resume(cpu);
		return;
	}
	vcpu->cpu = cpu;
	vcpu->state = vcpu->host ? VCPU_HOST : VCPU_GUEST;
	if (cpu->clock > thread->ready_since)
		vcpu->run_delay += cpu->clock - thread->ready_since;
	kvm_loaded(vcpu);
	vm_history(vcpu, "runs on", cpu->clock);
	resume(cpu);
}

/* Takes the CPU, at its clock, away from a thread that stays runnable. `boundary`: an interrupt
 * stopped it, not an exit of its own. */
static void go(struct cpu *cpu, struct thread *thread, bool boundary)
{
	struct vcpu *vcpu = thread->vcpu;

	thread->ready_since = cpu->clock;
	if (!vcpu)
		return;
	memory_flush(vcpu, cpu->clock);
	vcpu->state = VCPU_READY;
	vcpu->preemptions++;
	kvm_unloaded(vcpu, boundary);
	vm_history(vcpu, "preempted on", cpu->clock);
	vcpu->cpu = NULL;
}

/* Lets the scheduler pick again after stop_at(): the thread gives way, or goes on. */
static void reconsider(struct cpu *cpu)
{
	struct thread *before = cpu->current, *next = pick(cpu);

	if (next != before) {
		if (before)
			go(cpu, before, true);
		come(cpu, next);
		return;
	}
	resume(cpu);
}

/* Stops the CPU's thread by an interrupt at `time`, and sets the clock to when that has had its
 * effect. Interrupts are off during a switch; before it enters the guest, KVM looks whether there
 * is something else to do. Work that the thread had begun and not ended is left for later. */
static void stop_at(struct cpu *cpu, uint64_t time)
{
	struct vcpu *vcpu = cpu->current->vcpu;

	if (time <= cpu->last_look) {
		cpu->clock = cpu->last_look;
		return;
	}
	if (time < cpu->resumes)
		time = cpu->resumes;
	if (!vcpu) {
		cpu->current->left = engine_turn(cpu) > time ? engine_turn(cpu) - time : 1;
	} else {
		/* a VM exit waits for the store buffer */
		memory_flush(vcpu, time);
		if (cpu->clock > time)
			vcpu->owed += cpu->clock - time;
	}
	cpu->clock = time + (vcpu ? vcpu_cost(vcpu, engine.host.interrupt_exit_cycles) : 0);
}

/* Whether it is a kernel thread of the host in a section, or waiting for one. */
static bool keeps_cpu(const struct vcpu *vcpu)
{
	return vcpu->vm->host && vcpu->sections;
}

static bool resched_fires(void *subject, uint64_t unused, uint64_t time)
{
	struct cpu *cpu = subject;
	struct vcpu *vcpu = cpu->current ? cpu->current->vcpu : NULL;

	(void)unused;
	if (!cpu_caught_up(cpu, time))
		return false;
	cpu->resched_posted = false;
	if (!sched_need_resched(engine.sched, cpu->id))
		return true;
	if (vcpu && (vcpu->state != VCPU_GUEST || keeps_cpu(vcpu)))
		return true; /* at the end of its exit or section it looks itself */
	if (!cpu->current) {
		if (cpu->clock < time)
			cpu->clock = time;
	} else {
		stop_at(cpu, time);
	}
	reconsider(cpu);
	return true;
}

/* ---- on the vCPU's own fiber ---- */

static void spend(struct vcpu *vcpu, uint64_t cycles)
{
	struct cpu *cpu = vcpu->cpu;

	cpu->clock += engine_jitter(cpu, cpu->clock, vcpu_cost(vcpu, cycles));
}

void cpu_exit(struct vcpu *vcpu)
{
	memory_drain(vcpu);
	engine_sync(vcpu);
	poll_spoil(&vcpu->poll);
	vcpu->exits++;
	vcpu->host = true;
	vcpu->state = VCPU_HOST;
	spend(vcpu, engine.host.exit_cycles);
	engine_sync(vcpu);
}

void cpu_give_way(struct vcpu *vcpu)
{
	struct cpu *cpu = vcpu->cpu;
	struct thread *next = pick(cpu);

	if (next == &vcpu->thread)
		return;
	go(cpu, &vcpu->thread, false);
	come(cpu, next);
	engine_yield(vcpu);
}

void cpu_enter(struct vcpu *vcpu)
{
	engine_sync(vcpu);
	while (sched_need_resched(engine.sched, vcpu->cpu->id))
		cpu_give_way(vcpu);
	spend(vcpu, engine.host.entry_cycles);
	kvm_entered(vcpu);
	vcpu->host = false;
	vcpu->state = VCPU_GUEST;
	cpu_deliver(vcpu);
}

void cpu_preempt_point(struct vcpu *vcpu)
{
	engine_sync(vcpu);
	if (!sched_need_resched(engine.sched, vcpu->cpu->id))
		return;
	cpu_exit(vcpu);
	cpu_enter(vcpu);
}

void cpu_put_to_sleep(struct cpu *cpu)
{
	call_from(cpu, cpu->clock);
	sched_block(engine.sched, cpu->id, to_ns(cpu->clock));
	come(cpu, pick(cpu));
}

void cpu_leave(struct vcpu *vcpu, enum vcpu_state state)
{
	struct cpu *cpu = vcpu->cpu;

	vcpu->state = state;
	vm_history(vcpu, "leaves", cpu->clock);
	vcpu->cpu = NULL;
	cpu_put_to_sleep(cpu);
}

void cpu_block(struct vcpu *vcpu, enum vcpu_state state)
{
	cpu_leave(vcpu, state);
	engine_yield(vcpu);
}

void cpu_deliver(struct vcpu *vcpu)
{
	while (vcpu->pending && vcpu->state == VCPU_GUEST && vcpu->timed && !vcpu->handling &&
	       (vcpu->open || vcpu->pending & IRQ_DEADLOCK)) {
		uint32_t irq = vcpu->pending & -vcpu->pending;

		if (vcpu->pending & IRQ_DEADLOCK)
			irq = IRQ_DEADLOCK;
		vcpu->pending &= ~irq;
		vcpu->handling = true;
		poll_spoil(&vcpu->poll);
		vm_handle(vcpu, irq);
		vcpu->handling = false;
	}
}

bool cpu_yield_to(struct vcpu *vcpu, struct vcpu *target, bool *alone)
{
	enum sched_yield_result result;

	vcpu->yields_tried++;
	engine_sync(vcpu);
	call_from(vcpu->cpu, vcpu->cpu->clock);
	result = sched_yield_to(engine.sched, vcpu->cpu->id, &target->thread.task,
				to_ns(vcpu->cpu->clock));
	engine.local = NULL;
	*alone = result == SCHED_YIELD_ALONE;
	if (result != SCHED_YIELDED)
		return false;
	vcpu->yields_done++;
	cpu_give_way(vcpu);
	return true;
}

/* ---- from elsewhere ---- */

bool cpu_caught_up(struct cpu *cpu, uint64_t time)
{
	struct vcpu *vcpu = cpu && cpu->current ? cpu->current->vcpu : NULL;

	if (!vcpu)
		return true;
	if (vcpu->poll.asleep) {
		uint64_t until = engine_before(cpu, time);

		poll_stop(vcpu, until);
		engine_set_turn(cpu, cpu->clock);
		if (cpu->clock < until)
			return false;
	}
	return vcpu->state != VCPU_GUEST || memory_may_flush(vcpu, time);
}

void cpu_wake(struct vcpu *vcpu, struct cpu *from, uint64_t time)
{
	uint32_t waker = from ? from->id : vcpu->thread.task.cpu;

	vcpu->state = VCPU_READY;
	kvm_set_ready(vcpu, true);
	vcpu->thread.ready_since = time;
	vm_unstuck(vcpu);
	vm_history(vcpu, "woken by", time);
	called_at = time; /* not call_from(): `from` may be idle or in its guest, and not pick */
	sched_wake(engine.sched, &vcpu->thread.task, waker, to_ns(time));
}

void cpu_make_runnable(struct sched_task *task, uint64_t time)
{
	called_at = time;
	if (task->weight == 0) {
		task->weight = SCHED_NICE_0;
		sched_add(engine.sched, task, to_ns(time));
	} else {
		sched_wake(engine.sched, task, task->cpu, to_ns(time));
	}
}

void cpu_start(struct vcpu *vcpu, uint64_t time)
{
	struct sched_task *task = &vcpu->thread.task;

	vcpu->state = VCPU_READY;
	vcpu->thread.ready_since = time;
	task->group = engine.host.groups ? vcpu->vm->index : SCHED_NO_GROUP;
	if (vcpu->vm->host || engine.host.pinned)
		sched_cpus_add(&task->allowed, vcpu->index % (uint32_t)engine.host.cpus);
	else
		task->allowed = engine.host.pin;
	cpu_make_runnable(task, time);
}

void cpu_forget(const struct vm *vm, uint64_t time)
{
	for (uint32_t i = 0; i < engine.host.cpus; i++) {
		struct cpu *cpu = &engine.cpus[i];
		struct thread *thread = cpu->current;

		if (thread && thread->vcpu && thread->vcpu->vm == vm) {
			thread->vcpu->poll.asleep = false;
			cpu->clock = time; /* what it had begun has no end */
			come(cpu, thread);
		}
	}
}

void cpu_kick_out(struct vcpu *vcpu, uint64_t time)
{
	struct cpu *cpu = vcpu->cpu;

	stop_at(cpu, time);
	kvm_entered(vcpu);
	resume(cpu);
}

void cpu_end_halt_poll(struct vcpu *vcpu, uint64_t time)
{
	vcpu->woken = true;
	vcpu->cpu->clock = time + engine.host.far_cycles;
	engine_set_turn(vcpu->cpu, vcpu->cpu->clock);
}

void cpu_interrupt(struct vcpu *vcpu, enum irq irq, struct cpu *from, uint64_t time)
{
	bool ends_halt = vcpu->open || irq == IRQ_DEADLOCK;

	if (!vcpu->timed)
		return;
	vcpu->pending |= irq;
	switch (vcpu->state) {
	case VCPU_GUEST:
		if (ends_halt)
			cpu_kick_out(vcpu, time);
		break;
	case VCPU_HALT_POLL:
		if (ends_halt)
			cpu_end_halt_poll(vcpu, time);
		break;
	case VCPU_BLOCKED:
		if (!ends_halt)
			break;
		vcpu->woken = true;
		cpu_wake(vcpu, from, time);
		break;
	case VCPU_READY:
	case VCPU_HOST:
	case VCPU_IDLE:
		break;
	}
}

/* ---- the host's ticks ---- */

static bool tick_fires(void *subject, uint64_t unused, uint64_t time);

static void post_tick(struct cpu *cpu)
{
	engine_post(cpu->tick_due + engine_random(engine.host.tick_late_cycles + 1), tick_fires,
		    cpu, 0);
	cpu->tick_due += engine.host.tick_cycles;
}

/* Linux's ticks expire at the same time on all CPUs; skew_tick=1 spreads them over half a tick
 * (kernel/time/tick-sched.c, tick_setup_sched_timer()). */
static void start_ticks(void)
{
	uint64_t first = engine_random(engine.host.tick_cycles);
	uint64_t apart = engine.host.tick_skew * engine.host.tick_cycles / 2 / engine.host.cpus;

	for (uint32_t i = 0; i < engine.host.cpus; i++) {
		engine.cpus[i].tick_due = first + i * apart;
		post_tick(&engine.cpus[i]);
	}
}

static bool tick_fires(void *subject, uint64_t unused, uint64_t time)
{
	struct cpu *cpu = subject;
	struct vcpu *vcpu = cpu->current ? cpu->current->vcpu : NULL;
	bool stops = cpu->current && (!vcpu || vcpu->state == VCPU_GUEST);

	(void)unused;
	if (engine.finished)
		return true;
	if (!cpu_caught_up(cpu, time))
		return false;
	post_tick(cpu);
	if (stops) {
		stop_at(cpu, time);
		cpu->clock += engine.host.tick_work_cycles;
		if (vcpu)
			kvm_entered(vcpu);
	} else if (vcpu && vcpu->state == VCPU_HOST) {
		cpu->clock += engine.host.tick_work_cycles;
		engine_set_turn(cpu, cpu->clock);
	} else if (cpu->clock < time && !vcpu) {
		cpu->clock = time;
	}
	call_from(stops || !cpu->current ? cpu : NULL, time);
	sched_tick(engine.sched, cpu->id, to_ns(time));
	engine.local = NULL;
	if (stops || (!cpu->current && sched_need_resched(engine.sched, cpu->id))) {
		if (sched_need_resched(engine.sched, cpu->id) && !(vcpu && keeps_cpu(vcpu)))
			reconsider(cpu);
		else
			resume(cpu);
	}
	return true;
}

void cpu_init(void)
{
	static const struct sched_callbacks callbacks = {.resched = on_resched,
							 .queued = on_queued};

	engine.sched = sched_new(&engine.host.sched, &callbacks, NULL);
	start_ticks();
}
