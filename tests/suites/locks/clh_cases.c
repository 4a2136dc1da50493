/* SPDX-License-Identifier: MIT */
/*
 * clh's nodes wander. Two locks share one set of handles, so that each lock's nodes end up in the
 * other's queue; and a handle that no init() has seen is first used inside a section.
 */
#include "port/port.h"
#include "tests/suites/locks/client.h"

#define ROUNDS 64 /* acquisitions between two looks at the clock */

static struct {
	void *lock[2];
	char *nested_nodes; /* handles of the second kind, zeroed, unknown to init */
	uint64_t first[2], second[2];
	uint64_t start;
	_Atomic uint64_t sections[2];
} pair;

static void *nested_node(const struct test *test)
{
	return pair.nested_nodes + port_cpu() * test->stride;
}

static void section(uint32_t i)
{
	uint64_t old = pair.second[i];

	pair.first[i]++;
	port_relax();
	pair.second[i] = old + 1;
}

/* Two CPUs in the section of one lock lose a count of that lock. */
static void alternate(void *arg)
{
	struct test *test = arg;
	uint64_t sections[2] = {0, 0};
	bool nested = test->argument != 0;
	void *inner = nested ? nested_node(test) : node_of(test, port_cpu());

	do {
		for (uint32_t i = 0; i < ROUNDS; i++) {
			test->ops->acquire(pair.lock[0], node_of(test, port_cpu()));
			section(0);
			if (!nested)
				test->ops->release(pair.lock[0], node_of(test, port_cpu()));
			if (i % 4 != 0) {
				test->ops->acquire(pair.lock[1], inner);
				section(1);
				sections[1]++;
			}
			/* nested: released in the order in which they were taken, not in reverse */
			if (nested)
				test->ops->release(pair.lock[0], node_of(test, port_cpu()));
			if (i % 4 != 0)
				test->ops->release(pair.lock[1], inner);
			sections[0]++;
		}
	} while (port_cycles_to_ns(port_cycles() - pair.start) < test->budget_ns);
	for (uint32_t i = 0; i < 2; i++)
		atomic_fetch_add_explicit(&pair.sections[i], sections[i], memory_order_relaxed);
}

static void test_two_locks(struct test *test)
{
	struct lock_env env = {
		.cpus = CLIENT_CPUS,
		.nodes = test->nodes,
		.node_stride = test->stride,
	};
	struct state initial;

	test_exclusion(test); /* afterwards the handles hold nodes of the first lock */
	pair.lock[0] = test->lock;
	pair.lock[1] = port_alloc(test->ops->state_size, CACHE_LINE);
	pair.nested_nodes = port_alloc(CLIENT_CPUS * test->stride, CACHE_LINE);
	test->ops->init(pair.lock[1], &env);
	for (uint32_t i = 0; i < 2; i++) {
		pair.first[i] = pair.second[i] = 0;
		atomic_store_explicit(&pair.sections[i], 0, memory_order_relaxed);
	}
	pair.start = port_cycles();
	port_run_on(test->threads, alternate, test);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t sections = atomic_load_explicit(&pair.sections[i], memory_order_relaxed);

		if (pair.first[i] != sections || pair.second[i] != sections)
			fail(test, "lock %u: %llu sections, but the counters say %llu and %llu", i,
			     (unsigned long long)sections, (unsigned long long)pair.first[i],
			     (unsigned long long)pair.second[i]);
	}
	state_copy(test, &initial);
	check_free(test, &initial);
}

CASE_REGISTER(clh_turns, "excludes, one handle with two locks in turn", test_two_locks, 4,
	      .argument = 0, .only = "clh");
CASE_REGISTER(clh_nested, "excludes, a new handle inside a section", test_two_locks, 4,
	      .argument = 1, .only = "clh");
