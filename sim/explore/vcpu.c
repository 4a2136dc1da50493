/* SPDX-License-Identifier: MIT */
/* See explore.h: the vCPUs, what they wait for, and a run from its begin to its end. */
#define _GNU_SOURCE
#include "sim/explore/explore.h"

#include "port/task.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STACK_BYTES  (256 * 1024)
#define SIGNAL_STACK (64 * 1024)
#define OFF_STEPS    200 /* the host takes a CPU away for so many steps at most */

/* The same address in each process, outside the variables that each run resets. */
#define PLACE ((char *)0x210000000000)
struct explore *const explore = (struct explore *)PLACE;

/* ---- who goes on ---- */

bool vcpu_can_go_on(const struct vcpu *vcpu)
{
	if (!vcpu->working)
		return false;
	if (vcpu->off && explore->step < vcpu->off_until)
		return false;
	if (vcpu->sleeps_until > explore->now)
		return false;
	if (vcpu->halted)
		return vcpu->latch || (vcpu->opened && vcpu->pending);
	return true;
}

const char *explore_state(const struct vcpu *vcpu)
{
	if (!vcpu->working)
		return "has no work";
	if (vcpu->halted)
		return vcpu->opened ? "halted, interrupts enabled" : "halted";
	if (vcpu->off)
		return "descheduled";
	if (vcpu->sleeps_until > explore->now)
		return "sleeps";
	return vcpu->waits ? "polls, and sees nothing new" : "runs";
}

static void take_interrupt(struct vcpu *vcpu)
{
	vcpu->pending = false;
	vcpu->handling = true;
	vcpu->waits = false;
	memory_drain(vcpu);
	history_add(vcpu, "takes an interrupt", NULL, 0);
	vcpu->poll.acted = true;
	explore->interrupt();
	memory_drain(vcpu); /* IRET */
	vcpu->poll.acted = true;
	vcpu->handling = false;
}

/* A pending interrupt is taken at one step in so many: the schedule chooses which. */
#define INTERRUPT_IN 4

static void switch_to(void **from, struct vcpu *next)
{
	explore->running = next;
	port_switch(from, next ? next->sp : explore->caller);
}

void explore_step(void)
{
	struct vcpu *vcpu = explore->running, *next;

	explore->now += EXPLORE_STEP_NS;
	explore->step++;
	if (!vcpu->working)
		return;
	if (explore->step > explore->steps_most)
		explore_finish(EXPLORE_ENDLESS);
	next = schedule_choose();
	if (next != vcpu)
		switch_to(&vcpu->sp, next);
	if (vcpu->off)
		vcpu_resume(vcpu);
	if (vcpu->pending && vcpu->open && !vcpu->handling && explore_random(INTERRUPT_IN) == 0)
		take_interrupt(vcpu);
}

void explore_finish(enum explore_end end)
{
	void *never;

	explore->end = end;
	switch_to(&never, NULL);
	__builtin_unreachable();
}

/* ---- the host ---- */

void vcpu_deschedule(struct vcpu *vcpu)
{
	vcpu->off = true;
	vcpu->off_until = explore->step + 1 + explore_random(OFF_STEPS);
	vcpu->off_since = explore->now;
	explore->deschedules++;
	memory_drain(vcpu);
	history_add(vcpu, "is descheduled", NULL, vcpu->off_until);
	memory_put(&vcpu->steal->preempted, 1, 1);
}

/* record_steal_time() of KVM: on the way into the guest. */
void vcpu_resume(struct vcpu *vcpu)
{
	vcpu->off = false;
	history_add(vcpu, "is scheduled again", NULL, 0);
	memory_put(&vcpu->steal->preempted, 1, 0);
	memory_put(&vcpu->steal->steal, 8,
		   memory_get(&vcpu->steal->steal, 8) + explore->now - vcpu->off_since);
	memory_put(&vcpu->steal->version, 4, memory_get(&vcpu->steal->version, 4) + 2);
}

/* kvm_vcpu_block(): a kick's latch stays set until the vCPU has left a HLT. */
void vcpu_halt(bool open)
{
	struct vcpu *vcpu = explore->running;
	bool was_open = vcpu->open;

	explore_step();
	memory_drain(vcpu);
	vcpu->poll.acted = true;
	history_add(vcpu, "halts", NULL, open);
	vcpu->halted = true;
	vcpu->opened = vcpu->open = open;
	if (explore->schedule.flags_halts)
		memory_put(&vcpu->steal->preempted, 1, 1);
	explore_step();
	vcpu->halted = vcpu->latch = false;
	history_add(vcpu, "wakes", NULL, 0);
	if (explore->schedule.flags_halts) {
		memory_put(&vcpu->steal->preempted, 1, 0);
		memory_put(&vcpu->steal->version, 4, memory_get(&vcpu->steal->version, 4) + 2);
	}
	if (open && vcpu->pending && !vcpu->handling)
		take_interrupt(vcpu);
	vcpu->open = was_open;
}

/* A hypercall about vCPU `cpu`, which is returned. The exit empties the store buffer. */
static struct vcpu *call_about(uint32_t cpu, const char *what)
{
	struct vcpu *vcpu = explore->running;

	explore_step();
	memory_drain(vcpu);
	vcpu->poll.acted = true;
	explore->quiet = 0;
	history_add(vcpu, what, NULL, cpu);
	return &explore->vcpu[cpu];
}

void vcpu_kick(uint32_t cpu)
{
	call_about(cpu, "kicks vCPU")->latch = true;
}

void vcpu_yield_to(uint32_t cpu)
{
	struct vcpu *target = call_about(cpu, "yields to vCPU");

	if (target->off)
		target->off_until = explore->step;
	explore->running->yields = true;
	schedule_shuffle(explore->running);
}

bool vcpu_interrupts(bool enable)
{
	struct vcpu *vcpu = explore->running;
	bool was = vcpu->open;

	vcpu->open = enable;
	return was;
}

void explore_interrupt(uint32_t cpu)
{
	call_about(cpu, "interrupts vCPU")->pending = true;
}

void explore_sleep(uint64_t ns)
{
	struct vcpu *vcpu = explore->running;

	memory_drain(vcpu);
	vcpu->poll.acted = true;
	if (!vcpu->working) {
		explore->now += ns;
		return;
	}
	history_add(vcpu, "sleeps, ns", NULL, ns);
	vcpu->sleeps_until = explore->now + ns;
	explore_step();
	vcpu->sleeps_until = 0;
}

void explore_yield(void)
{
	struct vcpu *vcpu = explore->running;

	vcpu->poll.acted = true;
	vcpu->yields = true;
	if (vcpu->working && !explore->search.on)
		vcpu_deschedule(vcpu);
	explore_step();
}

/* ---- work ---- */

static void begin_work(struct vcpu *vcpu)
{
	vcpu->working = true;
	vcpu->halted = vcpu->off = vcpu->waits = false;
	vcpu->pending = vcpu->handling = vcpu->latch = false;
	vcpu->open = vcpu->index == 0;
	vcpu->sleeps_until = 0;
	vcpu->poll = (struct poll){.acted = true};
	schedule_shuffle(vcpu);
}

static void end_work(struct vcpu *vcpu)
{
	explore_step();
	memory_drain(vcpu);
	history_add(vcpu, "has done its work", NULL, 0);
	vcpu->working = false;
	explore->busy--;
}

static void worker_fiber(void *argument)
{
	struct vcpu *vcpu = argument;

	for (;;) {
		struct vcpu *next;

		if (vcpu->off)
			vcpu_resume(vcpu);
		explore->work(explore->work_arg);
		end_work(vcpu);
		next = explore->busy ? schedule_choose() : &explore->vcpu[0];
		switch_to(&vcpu->sp, next);
	}
}

void vcpu_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	struct vcpu *first = &explore->vcpu[0];

	explore->work = fn;
	explore->work_arg = arg;
	explore->count = explore->busy = count;
	for (uint32_t i = 0; i < count; i++)
		begin_work(&explore->vcpu[i]);
	explore_step();
	fn(arg);
	end_work(first);
	if (explore->busy)
		switch_to(&first->sp, schedule_choose());
	explore->count = 1;
}

/* ---- the run ---- */

static void first_fiber(void *argument)
{
	(void)argument;
	explore->run(explore->run_arg);
	explore_finish(EXPLORE_ENDED);
}

enum explore_end explore_run(void (*run)(void *arg), void *arg, uint64_t seed)
{
	memory_reset();
	explore->run = run;
	explore->run_arg = arg;
	explore->count = 1;
	explore->busy = 0;
	explore->step = explore->quiet = explore->history_count = 0;
	explore->now = 1000000000;
	explore->interrupt = NULL;
	for (uint32_t i = 0; i < EXPLORE_VCPUS; i++) {
		struct vcpu *vcpu = &explore->vcpu[i];
		struct vcpu fresh = {.index = i, .stack = vcpu->stack, .steal = vcpu->steal};

		*vcpu = fresh;
		vcpu->sp = port_task_begin(vcpu->stack + STACK_BYTES,
					   i ? worker_fiber : first_fiber, vcpu);
	}
	schedule_begin(seed);
	switch_to(&explore->caller, &explore->vcpu[0]);
	return explore->end;
}

static void on_trap(int number)
{
	if (!explore->running) {
		fprintf(stderr, "check-locks: %s, outside of any run\n", strsignal(number));
		_exit(4);
	}
	history_add(explore->running, "traps, signal", NULL, (uint64_t)number);
	explore_finish(EXPLORE_TRAPPED); /* this fiber and its handler never go on */
}

static void catch_traps(void)
{
	static const int traps[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
	struct sigaction action = {.sa_handler = on_trap, .sa_flags = SA_ONSTACK | SA_NODEFER};
	stack_t stack = {.ss_sp = malloc(SIGNAL_STACK), .ss_size = SIGNAL_STACK};

	if (!stack.ss_sp || sigaltstack(&stack, NULL) != 0) {
		perror("check-locks: a stack for traps");
		exit(4);
	}
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		sigaction(traps[i], &action, NULL);
}

static char *make_stacks(void)
{
	size_t own = (sizeof(*explore) + 4095) / 4096 * 4096;
	void *place = mmap(PLACE, own + EXPLORE_VCPUS * STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (place != PLACE) {
		perror("check-locks: addresses for the vCPUs' stacks");
		exit(4);
	}
	return PLACE + own;
}

void explore_init(void)
{
	char *stacks = make_stacks();

	memory_init();
	for (uint32_t i = 0; i < EXPLORE_VCPUS; i++) {
		explore->vcpu[i].index = i;
		explore->vcpu[i].stack = stacks + i * STACK_BYTES;
		explore->vcpu[i].steal = memory_alloc(sizeof(struct steal_area), 64);
	}
	explore->running = &explore->vcpu[0]; /* port_sim_init() asks who it is */
	catch_traps();
}
