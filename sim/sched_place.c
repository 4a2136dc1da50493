/* SPDX-License-Identifier: MIT */
/*
 * The CPU for a task that starts or wakes up (kernel/sched/fair.c, select_task_rq_fair()): first
 * the choice between the CPU it was on and the waker's, then an idle CPU that shares a cache with
 * the chosen one. Load is the weight of what is queued now; Linux takes decaying means (PELT).
 *
 * Not modelled: wakers of many (wake_wide()), synchronous wake-ups (KVM has none), SMT, the bound
 * on the search for an idle CPU (SIS_UTIL), the CPU before the last.
 */
#include "sim/sched_queue.h"

static bool idle(const struct sched *sched, uint32_t cpu)
{
	return sched_cpus_has(&sched->idle, cpu);
}

static bool share_cache(const struct sched *sched, uint32_t a, uint32_t b)
{
	return sched->cpus[a].socket == sched->cpus[b].socket;
}

/* The per cent by which the other CPU's load counts: 100 and half of what sd->imbalance_pct has
 * above that (wake_affine(); topology.c, sd_init()). */
static uint64_t bias(const struct sched *sched, uint32_t a, uint32_t b)
{
	if (sched->config.kind == SCHED_CFS && !share_cache(sched, a, b))
		return 112;
	return 108;
}

/* wake_affine(): is the waker's CPU better than the one the task was on? */
static bool affine(const struct sched *sched, const struct sched_task *task, uint32_t waker)
{
	uint64_t here = sched->cpus[waker].weight;
	uint64_t there = sched->cpus[task->cpu].weight * bias(sched, waker, task->cpu);

	if (sched->config.kind == SCHED_CFS)
		return !here || (here + task->weight) * 100 <= there;
	if (idle(sched, waker) && share_cache(sched, waker, task->cpu))
		return !idle(sched, task->cpu);
	return !idle(sched, task->cpu) && (here + task->weight) * 100 < there;
}

/* The first CPU from `from` on, below `end`, that is idle and allowed; UINT32_MAX: none. */
static uint32_t next_idle(const struct sched *sched, const struct sched_task *task, uint32_t from,
			  uint32_t end)
{
	while (from < end) {
		uint32_t word = from / 64;
		uint64_t bits = sched->idle.word[word] & task->allowed.word[word];

		bits &= UINT64_MAX << from % 64;
		if (bits) {
			uint32_t cpu = word * 64 + (uint32_t)__builtin_ctzll(bits);

			return cpu < end ? cpu : UINT32_MAX;
		}
		from = (word + 1) * 64;
	}
	return UINT32_MAX;
}

/* select_idle_sibling(): `target`, or an idle CPU of its socket. Linux also looks at the CPU that
 * the task was on; without synchronous wake-ups that one, if idle, is `target` already. */
static uint32_t idle_sibling(const struct sched *sched, const struct sched_task *task,
			     uint32_t target)
{
	uint32_t first = sched->cpus[target].socket * sched->socket_cpus;
	uint32_t end = first + sched->socket_cpus;
	uint32_t cpu;

	if (!sched->sockets[sched->cpus[target].socket].idle || idle(sched, target))
		return target;
	cpu = next_idle(sched, task, target, end);
	if (cpu == UINT32_MAX)
		cpu = next_idle(sched, task, first, target);
	return cpu == UINT32_MAX ? target : cpu;
}

uint32_t sched_place_woken(const struct sched *sched, const struct sched_task *task,
			   uint32_t waker_cpu)
{
	uint32_t target = task->cpu;

	if (waker_cpu != target && sched_cpus_has(&task->allowed, waker_cpu) &&
	    affine(sched, task, waker_cpu))
		target = waker_cpu;
	return idle_sibling(sched, task, target);
}

/* The least loaded CPU of the least loaded socket (select_task_rq_fair(), SD_BALANCE_FORK). */
uint32_t sched_place_new(const struct sched *sched, const struct sched_task *task)
{
	const struct sched_cpu *best = NULL;

	for (uint32_t i = 0; i < sched->config.cpus; i++) {
		const struct sched_cpu *cpu = &sched->cpus[i];
		uint64_t here = sched->sockets[cpu->socket].weight;
		uint64_t there = best ? sched->sockets[best->socket].weight : 0;

		if (!sched_cpus_has(&task->allowed, i))
			continue;
		if (!best || here < there || (here == there && cpu->weight < best->weight))
			best = cpu;
	}
	return best ? best->id : 0;
}
