/* SPDX-License-Identifier: MIT */
/* See daemon.h. */
#include "sim/daemon.h"

#include "sim/cpu.h"
#include <stdlib.h>

static bool daemon_fires(void *subject, uint64_t unused, uint64_t time)
{
	struct thread *daemon = subject;

	(void)unused;
	if (engine.finished)
		return true;
	daemon->left = engine.host.daemon_cycles / 2 + engine_random(engine.host.daemon_cycles);
	daemon->ready_since = time;
	cpu_make_runnable(&daemon->task, time);
	return true;
}

void daemon_done(struct cpu *cpu)
{
	struct thread *daemon = cpu->current;
	uint64_t mean = engine.host.daemon_apart_cycles;

	cpu->clock = engine_turn(cpu);
	engine_post(cpu->clock + mean / 2 + engine_random(mean), daemon_fires, daemon, 0);
	cpu_put_to_sleep(cpu);
}

void daemon_init(void)
{
	for (uint32_t i = 0; engine.host.daemon_apart_cycles && i < engine.host.cpus; i++) {
		struct thread *daemon = calloc(1, sizeof(*daemon));

		if (!daemon)
			engine_die(4, "no memory");
		daemon->task.id = engine.thread_count;
		daemon->task.group = SCHED_NO_GROUP;
		sched_cpus_add(&daemon->task.allowed, i);
		engine.threads[engine.thread_count++] = daemon;
		engine_post(engine_random(engine.host.daemon_apart_cycles), daemon_fires, daemon,
			    0);
	}
}
