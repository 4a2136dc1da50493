/* SPDX-License-Identifier: MIT */
/* The list of cases, and the set-up that each one gets. See cases.h. */
#include "tests/suites/locks/cases.h"
#include "lib/cmdline.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "locks/core/registry.h"
#include "locks/core/tunables.h"
#include "port/common/pv_none.h"
#include "port/port.h"
#include "tests/suites/locks/client_port.h"

extern const struct lock_case __start_lock_case_registry[];
extern const struct lock_case __stop_lock_case_registry[];

static struct test test;
static void *lock_memory;
static char *node_memory;
static struct client_cpu *cpus;

size_t case_count(void)
{
	/* as integers: to the compiler the two symbols are unrelated objects */
	return ((uintptr_t)__stop_lock_case_registry - (uintptr_t)__start_lock_case_registry) /
	       sizeof(struct lock_case);
}

const struct lock_case *case_at(size_t i)
{
	return &__start_lock_case_registry[i];
}

/* Whether `name` is an item of the list. NULL stands for a list of everything. */
static bool listed(const char *list, const char *name)
{
	const char *cursor = list, *item;
	size_t length;

	while (list && cmdline_list_next(&cursor, list + strlen(list), &item, &length))
		if (cmdline_is(item, length, name))
			return true;
	return !list;
}

bool case_applies(const struct lock_case *c, const struct lock_ops *ops)
{
	return (ops->flags & c->with) == c->with && !(ops->flags & c->without) &&
	       listed(c->only, ops->name);
}

/* Whether a pv lock's case needs halts: if it is about pv.h or about that lock's protocol. */
static bool needs_halts(const struct lock_case *c, const struct lock_ops *ops)
{
	return c->backend == BACKEND_HALTING && (ops->flags & LOCK_PV) &&
	       (c->only || (c->with & LOCK_PV));
}

bool case_possible(const struct lock_case *c, const struct lock_ops *ops,
		   const struct pv_backend *own, char *why, size_t size)
{
	if (c->threads > port_cpu_count()) {
		ksnprintf(why, size, "needs %u vCPUs, has %u", c->threads, port_cpu_count());
		return false;
	}
	if (!own->halts && needs_halts(c, ops)) {
		ksnprintf(why, size, "needs a backend that halts, has %s", own->name);
		return false;
	}
	return true;
}

/* A hint may be wrong at any time, either way. */
static bool lying_preempted(uint32_t cpu)
{
	/* Knuth, TAOCP vol. 3, 6.4: the high bits of a product with the golden ratio */
	return (port_cycles() + cpu) * 0x9e3779b97f4a7c15ull >> 62 == 0;
}

static const struct pv_backend *backend_for(enum case_backend kind, const struct pv_backend *own)
{
	static struct pv_backend lying;

	switch (kind) {
	case BACKEND_HALTING:
	case BACKEND_ANY:
		break;
	case BACKEND_NONE:
		return &pv_none;
	case BACKEND_LYING:
		lying = *own;
		lying.preempted = lying_preempted;
		return &lying;
	}
	return own;
}

/* A stride that is no power of two, so that tails must be decoded by multiplication. */
static size_t stride_of(const struct lock_ops *ops)
{
	return (ops->node_size + 2 * CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static uint32_t node_count(void)
{
	return port_cpu_count() > CLIENT_CPUS ? port_cpu_count() : CLIENT_CPUS;
}

/* Allocates once, for the largest of all locks: a guest frees nothing. */
static void allocate(void)
{
	size_t state = 1, stride = 1;

	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_ops *ops = lock_registered(i)->ops;

		if (ops->state_size > state)
			state = ops->state_size;
		if (stride_of(ops) > stride)
			stride = stride_of(ops);
	}
	lock_memory = port_alloc(state, 2 * CACHE_LINE);
	node_memory = port_alloc(node_count() * stride, 2 * CACHE_LINE);
	cpus = port_alloc(node_count() * sizeof(cpus[0]), CACHE_LINE);
}

static void set_up(const struct lock_case *c, const struct lock_ops *ops, uint32_t budget_ms)
{
	struct lock_env env = {.cpus = port_cpu_count()};

	if (!lock_memory)
		allocate();
	memset(&test, 0, sizeof(test));
	test.ops = ops;
	test.threads = c->threads == ALL_CPUS ? port_cpu_count() : c->threads;
	test.argument = c->argument;
	test.budget_ns = (uint64_t)budget_ms * 1000000u;
	test.stride = stride_of(ops);
	test.nodes = node_memory;
	test.lock = lock_memory;
	test.cpus = cpus;
	env.nodes = test.nodes;
	env.node_stride = test.stride;
	memset(test.lock, 0, ops->state_size);
	memset(test.cpus, 0, node_count() * sizeof(cpus[0]));
	memset(test.nodes, 0, node_count() * test.stride);
	tunables_reset();
	client_nodes_are(0);
	for (uint32_t i = 0; i < port_cpu_count(); i++)
		memset(port_stats(i)->count, 0, sizeof(port_stats(i)->count));
	ops->init(test.lock, &env);
}

const struct test *case_run(const struct lock_case *c, const struct lock_ops *ops,
			    const struct pv_backend *own, uint32_t budget_ms)
{
	pv_backend = backend_for(c->backend, own);
	set_up(c, ops, budget_ms);
	c->run(&test);
	pv_backend = own;
	return &test;
}

const struct test *case_test(void)
{
	return &test;
}
