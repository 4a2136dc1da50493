/* SPDX-License-Identifier: MIT */
/* See engine.h. Chooses what happens next: an event, or the vCPU whose turn it is. */
#include "sim/engine.h"

#include "port/task.h"
#include "sim/cpu.h"
#include "sim/daemon.h"
#include "sim/vm.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct engine engine;

void engine_die(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("pvspin-sim: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(status);
}

/* splitmix64 (S. Vigna, public domain): each state gives the next by an addition. */
uint64_t engine_random(uint64_t bound)
{
	uint64_t z = engine.random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return bound ? (uint64_t)((unsigned __int128)z * bound >> 64) : 0;
}

uint64_t engine_jitter(uint64_t cycles)
{
	uint64_t most = cycles * engine.host.jitter / 100;

	return most ? cycles - most + engine_random(2 * most + 1) : cycles;
}

/* ---- the order of CPUs: a heap ---- */

static bool before(const struct cpu *a, const struct cpu *b)
{
	return a->key != b->key ? a->key < b->key : a->id < b->id;
}

static void put(struct cpu *cpu, uint32_t place)
{
	engine.order[place] = cpu;
	cpu->place = place;
}

static void sift(struct cpu *cpu)
{
	uint32_t place = cpu->place, count = (uint32_t)engine.host.cpus, child;

	while (place > 0 && before(cpu, engine.order[(place - 1) / 2])) {
		put(engine.order[(place - 1) / 2], place);
		place = (place - 1) / 2;
	}
	while ((child = 2 * place + 1) < count) {
		if (child + 1 < count && before(engine.order[child + 1], engine.order[child]))
			child++;
		if (!before(engine.order[child], cpu))
			break;
		put(engine.order[child], place);
		place = child;
	}
	put(cpu, place);
}

/* The time before which `cpu` comes before `other`. */
static uint64_t limit_by(const struct cpu *cpu, const struct cpu *other)
{
	return other->key == NEVER ? NEVER : other->key + (other->id > cpu->id);
}

static void lower_horizon(uint64_t time)
{
	if (time < engine.horizon)
		engine.horizon = time;
}

void engine_set_key(struct cpu *cpu, uint64_t key)
{
	struct cpu *running = engine.running ? engine.running->cpu : NULL;

	cpu->key = key;
	sift(cpu);
	if (running && cpu != running)
		lower_horizon(limit_by(running, cpu));
}

void engine_post(uint64_t time, bool (*fire)(void *subject, uint64_t detail, uint64_t time),
		 void *subject, uint64_t detail)
{
	heap_post(&engine.events, time, fire, subject, detail);
	lower_horizon(time);
}

/* ---- what is next ---- */

static void set_horizon(const struct cpu *cpu)
{
	engine.horizon = heap_time(&engine.events);
	for (uint32_t child = 1; child <= 2 && child < engine.host.cpus; child++)
		lower_horizon(limit_by(cpu, engine.order[child]));
}

/* Fires events until it is a vCPU's turn, and returns that vCPU. NULL: all VMs have ended. */
static struct vcpu *choose(void)
{
	for (;;) {
		struct vm *vm = vm_to_control();
		struct cpu *cpu = engine.order[0];
		struct event event;
		struct vcpu *vcpu;

		if (vm)
			return &vm->vcpus[0];
		if (engine.finished)
			return NULL;
		if (heap_time(&engine.events) <= cpu->key) {
			event = heap_take(&engine.events);
			engine.now = event.time;
			engine.in_event = true;
			if (!event.fire(event.subject, event.detail, event.time))
				heap_put_back(&engine.events, &event);
			engine.in_event = false;
			continue;
		}
		engine.now = cpu->key;
		vcpu = cpu->current->vcpu;
		if (!vcpu) {
			daemon_done(cpu);
			continue;
		}
		poll_stop(vcpu, cpu->key);
		set_horizon(cpu);
		return vcpu;
	}
}

static void switch_to(void **from, struct vcpu *next)
{
	engine.running = next;
	engine.switches++;
	port_switch(from, next ? next->sp : engine.main_sp);
}

void engine_yield(struct vcpu *vcpu)
{
	for (;;) {
		struct vcpu *next;

		if (vcpu->cpu)
			engine_set_key(vcpu->cpu, vcpu->cpu->clock);
		next = choose();
		if (next != vcpu)
			switch_to(&vcpu->sp, next);
		else
			engine.running = vcpu;
		if (!vcpu->timed)
			return;
		vcpu->cpu->clock += vcpu->owed;
		vcpu->owed = 0;
		cpu_deliver(vcpu);
		if (vcpu->cpu->clock < engine.horizon)
			return;
	}
}

void engine_leave(struct vcpu *vcpu)
{
	struct vcpu *next = choose();

	if (next != vcpu)
		switch_to(&vcpu->sp, next);
	else
		engine.running = vcpu;
}

void engine_run(void)
{
	switch_to(&engine.main_sp, choose());
}

void engine_init(const struct host *host, uint64_t seed)
{
	uint32_t cpus = (uint32_t)host->cpus, caches;

	engine.host = *host;
	engine.seed = engine.random = seed;
	engine.cpus = calloc(cpus, sizeof(*engine.cpus));
	engine.order = calloc(cpus, sizeof(*engine.order));
	if (!engine.cpus || !engine.order)
		engine_die(4, "no memory for %u CPUs", cpus);
	caches = (uint32_t)host->cache_cpus;
	for (uint32_t i = 0; i < cpus; i++) {
		struct cpu *cpu = &engine.cpus[i];

		cpu->id = i;
		cpu->socket = (uint32_t)(i / (cpus / host->sockets));
		cpu->cache = i / caches;
		cpu->key = NEVER;
		put(cpu, i);
	}
}
