/* SPDX-License-Identifier: MIT */
/* The functions of port/sim/seam.h, which the guest's half calls. For a vCPU outside of simulated
 * time each is done at once. */
#include "port/sim/seam.h"

#include "sim/cpu.h"
#include "sim/engine.h"
#include "sim/kvm.h"
#include "sim/vm.h"
#include <stdio.h>
#include <string.h>

/* The CPUID bits that the model has (Linux arch/x86/include/uapi/asm/kvm_para.h). */
#define FEATURE_STEAL_TIME  (1u << 5)
#define FEATURE_PV_UNHALT   (1u << 7)
#define FEATURE_SCHED_YIELD (1u << 13)

uint64_t sim_load(const volatile void *at, uint32_t size)
{
	struct vcpu *vcpu = engine.running;

	return vcpu->timed ? memory_load(vcpu, at, size) : memory_get(at, size);
}

void sim_store(volatile void *at, uint32_t size, uint64_t value)
{
	struct vcpu *vcpu = engine.running;

	if (vcpu->timed)
		memory_store(vcpu, at, size, value);
	else
		memory_put(at, size, value);
}

uint64_t sim_rmw(volatile void *at, uint32_t size, enum sim_rmw operation, uint64_t operand)
{
	struct vcpu *vcpu = engine.running;
	uint64_t old;

	if (vcpu->timed)
		return memory_rmw(vcpu, at, size, operation, operand);
	old = memory_get(at, size);
	memory_put(at, size, tso_apply(old, operation, operand));
	return old;
}

bool sim_compare_exchange(volatile void *at, uint32_t size, uint64_t *expected, uint64_t desired)
{
	struct vcpu *vcpu = engine.running;
	uint64_t old;

	if (vcpu->timed)
		return memory_compare_exchange(vcpu, at, size, expected, desired);
	old = memory_get(at, size);
	if (old != *expected) {
		*expected = old;
		return false;
	}
	memory_put(at, size, desired);
	return true;
}

void sim_fence(void)
{
	if (engine.running->timed)
		memory_fence(engine.running);
}

uint64_t sim_cycles(void)
{
	struct vcpu *vcpu = engine.running;

	if (!vcpu->timed)
		return engine.now;
	poll_spoil(&vcpu->poll);
	return vcpu->cpu->clock;
}

void sim_work(uint64_t cycles)
{
	struct vcpu *vcpu = engine.running;

	if (!vcpu->timed)
		return;
	poll_spoil(&vcpu->poll);
	vm_changes(vcpu);
	vcpu->cpu->clock += cycles;
	engine_sync(vcpu);
}

uint64_t sim_pause(uint64_t most, uint64_t gap)
{
	return engine.running->timed ? poll_pause(engine.running, most, gap) : 1;
}

/* ---- interrupts ---- */

static bool timer_fires(void *subject, uint64_t number, uint64_t time)
{
	struct vm *vm = subject;

	if (vm->ended || !vm->timer.armed || vm->timer.number != number)
		return true;
	if (!cpu_caught_up(vm->vcpus[0].cpu, time))
		return false;
	vm->timer.armed = false;
	cpu_interrupt(&vm->vcpus[0], IRQ_TIMER, NULL, time);
	return true;
}

void sim_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	struct vcpu *vcpu = engine.running;
	uint64_t now = vcpu->timed ? vcpu->cpu->clock : engine.now;

	vcpu->vm->timer = (struct timer){
		.number = vcpu->vm->timer.number + 1, .armed = true, .fn = fn, .arg = arg};
	engine_post(now + from_ns(ns), timer_fires, vcpu->vm, vcpu->vm->timer.number);
}

void sim_timer_cancel(void)
{
	engine.running->vm->timer.armed = false;
	engine.running->vm->vcpus[0].pending &= ~(uint32_t)IRQ_TIMER;
}

static bool tick_fires(void *subject, uint64_t number, uint64_t time)
{
	struct vcpu *vcpu = subject;

	if (vcpu->vm->ended || !vcpu->tick || vcpu->tick_number != number)
		return true;
	if (!cpu_caught_up(vcpu->cpu, time))
		return false;
	engine_post(time + vcpu->tick_cycles, tick_fires, vcpu, number);
	cpu_interrupt(vcpu, IRQ_TICK, NULL, time);
	return true;
}

void sim_tick(uint64_t ns, void (*tick)(void), void (*call)(void))
{
	struct vcpu *vcpu = engine.running;

	vcpu->tick = ns ? tick : NULL;
	vcpu->call = call;
	vcpu->tick_number++;
	vcpu->open = ns != 0 || vcpu->index == 0;
	if (ns == 0) {
		vcpu->pending &= ~(uint32_t)(IRQ_TICK | IRQ_CALL);
		return;
	}
	vcpu->tick_cycles = from_ns(ns);
	engine_post(vcpu->cpu->clock + vcpu->tick_cycles, tick_fires, vcpu, vcpu->tick_number);
}

bool sim_interrupts(bool enable)
{
	struct vcpu *vcpu = engine.running;
	bool was = vcpu->open;

	vcpu->open = enable;
	if (enable && vcpu->timed)
		cpu_deliver(vcpu);
	return was;
}

/* ---- CPUs ---- */

uint32_t sim_cpu(void)
{
	return engine.running->index;
}

void sim_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	vm_run_on(engine.running->vm, count, fn, arg);
}

void sim_halt(bool open)
{
	kvm_halt(engine.running, open);
}

static struct vcpu *other(uint32_t cpu)
{
	return &engine.running->vm->vcpus[cpu];
}

void sim_kick(uint32_t cpu)
{
	kvm_kick(engine.running, other(cpu));
}

void sim_yield_to(uint32_t cpu)
{
	kvm_yield_to(engine.running, other(cpu));
}

void sim_long_spin(void)
{
	kvm_long_spin(engine.running);
}

void sim_interrupt(uint32_t cpu)
{
	kvm_send_ipi(engine.running, other(cpu), IRQ_WAKE);
}

void sim_call(uint32_t cpu)
{
	kvm_send_ipi(engine.running, other(cpu), IRQ_CALL);
}

void sim_preempt_disable(void)
{
	engine.running->sections++;
}

void sim_preempt_enable(void)
{
	struct vcpu *vcpu = engine.running;

	if (--vcpu->sections == 0 && vcpu->timed && vcpu->vm->host)
		cpu_preempt_point(vcpu);
}

struct steal_area *sim_steal_area(uint32_t cpu)
{
	return other(cpu)->steal;
}

/* ---- around it ---- */

const struct sim_facts *sim_facts(void)
{
	const struct host *host = &engine.host;
	struct vm *vm = engine.running->vm;
	bool guest = !vm->host;

	vm->facts = (struct sim_facts){
		.cmdline = vm->cmdline,
		.vendor = host_vendor(host),
		.model = host_model(host),
		.khz = host->khz,
		.cpus = vm->vcpu_count,
		.instance = vm->index,
		.kvm_features = (guest && host->steal_time ? FEATURE_STEAL_TIME : 0) |
				(guest && host->pv_unhalt ? FEATURE_PV_UNHALT : 0) |
				(guest && host->pv_yield ? FEATURE_SCHED_YIELD : 0),
		.seed = engine.seed,
		.host = vm->host,
	};
	return &vm->facts;
}

bool sim_host_key(uint32_t i, const char **name, uint64_t *value, const char **text)
{
	return host_key(&engine.host, i, name, value, text);
}

void *sim_alloc(size_t bytes, size_t align)
{
	return memory_alloc(&engine.running->vm->memory, bytes, align);
}

void sim_write(const char *bytes, size_t count)
{
	vm_write(engine.running->vm, bytes, count);
}

bool sim_read_line(char *line, size_t size)
{
	return vm_read_line(engine.running->vm, line, size);
}

void sim_watch(void (*report)(void))
{
	engine.running->vm->report = report;
}

bool sim_deadlocked(void)
{
	return engine.running->vm->deadlocked;
}

bool sim_history(uint32_t i, char *text, size_t size)
{
	const struct vm *vm = engine.running->vm;
	size_t at;

	if (i >= vm->history_count || i >= HISTORY_EVENTS)
		return false;
	at = (vm->history_count - 1 - i) % HISTORY_EVENTS;
	snprintf(text, size, "%llu ns: vCPU %u %s CPU %u",
		 (unsigned long long)to_ns(vm->history[at].time), vm->history[at].vcpu,
		 vm->history[at].what, vm->history[at].cpu);
	return true;
}

uint64_t sim_wall_ns(void)
{
	return EPOCH_NS + to_ns(sim_cycles());
}

void sim_end(int status)
{
	vm_end(engine.running->vm, status);
}
