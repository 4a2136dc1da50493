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
#include <string.h>

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
#define STATE_STEP UINT64_C(0x9e3779b97f4a7c15)

/* The number below `bound` that a state gives. */
static uint64_t below(uint64_t bound, uint64_t state)
{
	uint64_t z = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (uint64_t)((unsigned __int128)z * bound >> 64);
}

uint64_t engine_random(uint64_t bound)
{
	return below(bound, engine.random += STATE_STEP);
}

uint64_t engine_jitter(const struct cpu *cpu, uint64_t time, uint64_t cycles)
{
	uint64_t most = cycles * engine.host.jitter / 100;
	uint64_t number = time << TURN_ID_BITS | cpu->id;

	return most ? cycles - most + below(2 * most + 1, engine.seed + number * STATE_STEP)
		    : cycles;
}

/* ---- whose turn it is: a tournament ---- */

/* The leaf of CPU i is turns[leaves + i]; turns[i] is the lesser of turns[2 * i] and
 * turns[2 * i + 1], so turns[1] is the next turn of all. The way up is without a branch that a
 * processor could mispredict, and the array fits into its first cache. */
_Static_assert(SCHED_MAX_CPUS <= 1 << TURN_ID_BITS, "a CPU's number fits below its turn's time");

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct cpu *cpu_of(uint64_t turn)
{
	return &engine.cpus[turn % (1 << TURN_ID_BITS)];
}

/* The time before which `cpu` comes before the CPU of the other turn. */
static uint64_t limit_by(const struct cpu *cpu, uint64_t turn)
{
	uint64_t id = turn % (1 << TURN_ID_BITS);

	return turn == NEVER ? NEVER : (turn >> TURN_ID_BITS) + (id > cpu->id);
}

/* The least turn of all other CPUs. */
static uint64_t next_turn(const struct cpu *cpu)
{
	const uint64_t *turns = engine.turns;
	uint64_t next = NEVER;

	for (size_t at = engine.leaves + cpu->id; at > 1; at /= 2)
		next = lesser(next, turns[at ^ 1]);
	return next;
}

static void set_turn(const struct cpu *cpu, uint64_t turn)
{
	uint64_t *turns = engine.turns;
	size_t at = engine.leaves + cpu->id;

	for (turns[at] = turn; at > 1; at /= 2) {
		turn = lesser(turn, turns[at ^ 1]);
		turns[at / 2] = turn;
	}
}

uint64_t engine_turn(const struct cpu *cpu)
{
	return engine.turns[engine.leaves + cpu->id] >> TURN_ID_BITS;
}

static void lower_horizon(uint64_t time)
{
	if (time < engine.horizon)
		engine.horizon = time;
}

void engine_set_turn(struct cpu *cpu, uint64_t time)
{
	struct cpu *running = engine.running ? engine.running->cpu : NULL;
	uint64_t turn = time == NEVER ? NEVER : time << TURN_ID_BITS | cpu->id;

	set_turn(cpu, turn);
	if (running && cpu != running)
		lower_horizon(limit_by(running, turn));
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
	lower_horizon(limit_by(cpu, next_turn(cpu)));
}

/* Fires events until it is a vCPU's turn, and returns that vCPU. NULL: all VMs have ended. */
static struct vcpu *choose(void)
{
	for (;;) {
		struct vm *vm = vm_to_control();
		uint64_t turn = engine.turns[1], time = turn >> TURN_ID_BITS;
		struct cpu *cpu = cpu_of(turn);
		struct event event;
		struct vcpu *vcpu;

		if (vm)
			return &vm->vcpus[0];
		if (engine.finished)
			return NULL;
		if (heap_time(&engine.events) <= time) {
			event = heap_take(&engine.events);
			engine.now = event.time;
			engine.actor = NULL;
			if (!event.fire(event.subject, event.detail, event.time))
				heap_put_back(&engine.events, &event);
			continue;
		}
		engine.now = time;
		engine.actor = cpu;
		vcpu = cpu->current->vcpu;
		if (!vcpu) {
			daemon_done(cpu);
			continue;
		}
		poll_stop(vcpu, time);
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
			engine_set_turn(vcpu->cpu, vcpu->cpu->clock);
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
	engine.cpus = aligned_alloc(64, cpus * sizeof(*engine.cpus));
	for (engine.leaves = 1; engine.leaves < cpus;)
		engine.leaves *= 2;
	engine.turns = malloc(2 * engine.leaves * sizeof(*engine.turns));
	if (!engine.cpus || !engine.turns)
		engine_die(4, "no memory for %u CPUs", cpus);
	memset(engine.cpus, 0, cpus * sizeof(*engine.cpus));
	for (size_t i = 0; i < 2 * engine.leaves; i++)
		engine.turns[i] = NEVER;
	caches = (uint32_t)host->cache_cpus;
	for (uint32_t i = 0; i < cpus; i++) {
		struct cpu *cpu = &engine.cpus[i];

		cpu->id = i;
		cpu->socket = (uint32_t)(i / (cpus / host->sockets));
		cpu->cache = i / caches;
	}
}
