/* SPDX-License-Identifier: MIT */
/* What the guest's half calls, under a chosen schedule: port/sim/seam.h. */
#include "port/sim/seam.h"

#include "sim/explore/explore.h"
#include <stdio.h>
#include <stdlib.h>

/* The CPUID bits (Linux arch/x86/include/uapi/asm/kvm_para.h): steal time, PV unhalt, yield. */
#define KVM_FEATURES (1u << 5 | 1u << 7 | 1u << 13)
#define KHZ          1000000 /* a cycle is a nanosecond */

uint64_t sim_load(const volatile void *at, uint32_t size)
{
	return memory_load(at, size);
}

void sim_store(volatile void *at, uint32_t size, uint64_t value)
{
	memory_store(at, size, value);
}

uint64_t sim_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand)
{
	return memory_rmw(at, size, operation, operand);
}

bool sim_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected, uint64_t desired)
{
	return memory_compare_exchange(at, size, expected, desired);
}

void sim_fence(void)
{
	explore_step();
	memory_drain(explore->running);
	history_add(explore->running, "fences", NULL, 0);
}

uint64_t sim_cycles(void)
{
	explore->running->poll.timed = true;
	return explore->now;
}

void sim_work(uint64_t cycles)
{
	(void)cycles;
	explore_step();
}

uint64_t sim_pause(uint64_t most, uint64_t gap)
{
	(void)gap;
	return memory_pause(most);
}

uint32_t sim_cpu(void)
{
	return explore->running->index;
}

void sim_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	vcpu_run_on(count, fn, arg);
}

bool sim_interrupts(bool enable)
{
	return vcpu_interrupts(enable);
}

void sim_halt(bool open)
{
	vcpu_halt(open);
}

void sim_kick(uint32_t cpu)
{
	vcpu_kick(cpu);
}

void sim_yield_to(uint32_t cpu)
{
	vcpu_yield_to(cpu);
}

void sim_long_spin(void)
{
	vcpu_yield_to(explore->running->index);
}

void sim_preempt_disable(void)
{
}

void sim_preempt_enable(void)
{
}

struct steal_area *sim_steal_area(uint32_t cpu)
{
	return explore->vcpu[cpu].steal;
}

const struct sim_facts *sim_facts(void)
{
	static const struct sim_facts facts = {
		.cmdline = "",
		.vendor = "none",
		.model = "none",
		.khz = KHZ,
		.cpus = EXPLORE_VCPUS,
		.kvm_features = KVM_FEATURES,
	};

	return &facts;
}

void *sim_alloc(size_t bytes, size_t align)
{
	return memory_alloc(bytes, align);
}

uint64_t sim_wall_ns(void)
{
	return explore->now;
}

/* port/sim refers to these, but the tests of the locks never call them. */

static __attribute__((noreturn)) void not_here(const char *what)
{
	fprintf(stderr, "check-locks: %s: chosen schedules have none\n", what);
	abort();
}

void sim_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	(void)ns;
	(void)fn;
	(void)arg;
	not_here("a timer");
}

void sim_timer_cancel(void)
{
	not_here("a timer");
}
