/* SPDX-License-Identifier: MIT */
/* port.h on the simulated host: thin, over the engine (seam.h). Loaded once for each VM. */
#include "port/port.h"

#include "lib/lines.h"
#include "lib/nodes.h"
#include "lib/printf.h"
#include "locks/core/stats.h"
#include "port/sim/guest.h"
#include "port/sim/seam.h"

static struct lock_stats *stats;
static uint32_t nodes = 1;
static uint32_t pretended_nodes; /* 0: none */

void port_sim_init(uint32_t wanted_nodes)
{
	uint32_t cpus = port_cpu_count();

	nodes = wanted_nodes ? wanted_nodes : 1;
	stats = port_alloc(cpus * sizeof(*stats), _Alignof(struct lock_stats));
	for (uint32_t i = 0; i < cpus; i++)
		stats[i].steal = sim_steal_area(i);
}

uint64_t port_tsc_khz(void)
{
	return sim_facts()->khz;
}

uint64_t port_cycles_to_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * 1000000 / port_tsc_khz());
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * port_tsc_khz() / 1000000);
}

uint64_t port_wall_ns(void)
{
	return sim_wall_ns();
}

void port_wall_sync(void)
{
}

uint64_t port_throttled_ns(void)
{
	return 0;
}

bool port_note(uint32_t i, char *text, size_t size)
{
	if (i != 0)
		return false;
	ksnprintf(text, size,
		  "the host's parameters are in the boot record; seed %llu: vary it (--seed=) for "
		  "a spread.",
		  (unsigned long long)sim_facts()->seed);
	return true;
}

uint32_t port_cpu(void)
{
	return sim_cpu();
}

uint32_t port_cpu_count(void)
{
	return sim_facts()->cpus;
}

uint32_t port_node(uint32_t cpu)
{
	return pretended_nodes ? cpu % pretended_nodes : nodes_split(cpu, port_cpu_count(), nodes);
}

void port_sim_pretend_nodes(uint32_t count)
{
	pretended_nodes = count;
}

struct lock_stats *port_stats(uint32_t cpu)
{
	return &stats[cpu];
}

struct lock_stats *port_my_stats(void)
{
	return &stats[sim_cpu()];
}

void port_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	sim_run_on(count, fn, arg);
}

void port_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	sim_timer_start(ns, fn, arg);
}

void port_timer_cancel(void)
{
	sim_timer_cancel();
}

void *port_alloc(size_t bytes, size_t align)
{
	return sim_alloc(bytes, align);
}

void *port_alloc_each(uint32_t count, size_t bytes, size_t *stride)
{
	*stride = round_apart(bytes);
	return port_alloc(count * *stride, APART);
}

/* dispatch=patched is refused: instructions are not simulated, so it would measure nothing. */
void port_patch_text(const struct port_text_patch *patch, size_t count)
{
	(void)patch;
	(void)count;
	__builtin_trap();
}
