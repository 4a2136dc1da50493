/* SPDX-License-Identifier: MIT */
/*
 * Locks in interrupt handlers. The CPUs contend for one lock, with interrupts enabled, and send
 * each other interrupts. All handlers take a second lock of the same kind. So a CPU waits for the
 * second lock inside the first one's section, and inside its wait for the first (lock.h, "Nodes").
 * With LOCK_NODE_POOL both acquisitions bring the same node.
 */
#include "port/port.h"
#include "tests/suites/locks/client.h"
#include "tests/suites/locks/client_port.h"

struct pair {
	uint64_t before; /* plain counters before and after a pause: two CPUs inside lose counts */
	uint64_t after;
} __attribute__((aligned(CACHE_LINE)));

/* One per CPU. A field that both its handler and the interrupted code write is atomic. */
struct taker {
	_Alignas(CACHE_LINE) _Atomic bool pending; /* sent, and the handler has not returned */
	uint64_t sections, handled;                /* by the interrupted code; by the handler */
};

static struct {
	struct pair outer, inner;
	struct test *test;
	void *lock; /* the handlers' */
	char *nodes;
	struct taker *takers;
	uint64_t start;
	_Atomic uint32_t in_section, in_wait; /* how often handlers interrupted these */
	_Atomic uint32_t arrived, left;
	_Atomic bool stop;
} scene;

static void *handler_node(uint32_t cpu)
{
	const struct test *test = scene.test;

	return test->ops->flags & LOCK_NODE_POOL ? node_of(test, cpu)
						 : scene.nodes + cpu * test->stride;
}

static void set_handler(struct client_cpu *mine, enum place place)
{
	atomic_store_explicit(&mine->handler, place, memory_order_relaxed);
}

static void count_pair(struct pair *pair)
{
	uint64_t seen = pair->before;

	*(volatile uint64_t *)&pair->before = seen + 1;
	for (int i = 0; i < 8; i++)
		port_relax();
	*(volatile uint64_t *)&pair->after = seen + 1;
}

static void handler(void)
{
	struct test *test = scene.test;
	uint32_t cpu = port_cpu();
	struct client_cpu *mine = &test->cpus[cpu];
	struct taker *taker = &scene.takers[cpu];
	uint32_t place = atomic_load_explicit(&mine->place, memory_order_relaxed);

	atomic_store_explicit(&mine->interrupted, true, memory_order_relaxed);
	set_handler(mine, PLACE_WAITS);
	test->ops->acquire(scene.lock, handler_node(cpu));
	set_handler(mine, PLACE_OWNS);
	count_pair(&scene.inner);
	set_handler(mine, PLACE_RELEASES);
	test->ops->release(scene.lock, handler_node(cpu));
	set_handler(mine, PLACE_OUTSIDE);
	taker->handled++;
	if (place == PLACE_OWNS)
		atomic_fetch_add_explicit(&scene.in_section, 1, memory_order_relaxed);
	if (place == PLACE_WAITS)
		atomic_fetch_add_explicit(&scene.in_wait, 1, memory_order_relaxed);
	atomic_store_explicit(&mine->interrupted, false, memory_order_relaxed);
	/* release: pairs with the acquire in interrupt() and at the end of contend() */
	atomic_store_explicit(&taker->pending, false, memory_order_release);
}

/* One at a time to each CPU: a second one would be merged with the first, or nest without end. */
static void interrupt(uint32_t cpu)
{
	if (!atomic_exchange_explicit(&scene.takers[cpu].pending, true, memory_order_acq_rel))
		client_interrupt(cpu);
}

/* However busy the machine is, the case goes on until handlers have interrupted both a section and
 * a wait. */
static bool enough(const struct test *test)
{
	uint64_t ns = port_cycles_to_ns(port_cycles() - scene.start);

	if (ns < test->budget_ns)
		return false;
	return ns > client_race_s * UINT64_C(1000000000) ||
	       (atomic_load_explicit(&scene.in_section, memory_order_relaxed) > 0 &&
		atomic_load_explicit(&scene.in_wait, memory_order_relaxed) > 0);
}

/* Waits until all have arrived: a CPU that has not come, or has gone, must not be interrupted. */
static void all_at(_Atomic uint32_t *counter, uint32_t threads)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_acq_rel);
	while (atomic_load_explicit(counter, memory_order_acquire) < threads)
		client_poll();
}

static void contend(void *arg)
{
	struct test *test = arg;
	uint32_t cpu = port_cpu();
	struct taker *mine = &scene.takers[cpu];
	uint32_t random = 2463534242u + cpu * 7919;

	client_enter();
	all_at(&scene.arrived, test->threads);
	while (!atomic_load_explicit(&scene.stop, memory_order_relaxed)) {
		random = random * 1664525 + 1013904223; /* Numerical Recipes' ranqd1 */
		lock_acquire(test);
		if (random >> 30 == 0)
			interrupt((random >> 16) % test->threads);
		count_pair(&scene.outer);
		lock_release(test);
		mine->sections++;
		if (random >> 30 == 1)
			interrupt((random >> 16) % test->threads);
		if (enough(test))
			atomic_store_explicit(&scene.stop, true, memory_order_relaxed);
	}
	all_at(&scene.left, test->threads); /* from here on nobody sends */
	while (atomic_load_explicit(&mine->pending, memory_order_acquire))
		client_poll();
	client_leave();
}

static void set_up(struct test *test)
{
	size_t bytes = test->threads * test->stride;
	struct lock_env env = {.cpus = port_cpu_count(), .node_stride = test->stride};

	scene.test = test;
	scene.lock = port_alloc(test->ops->state_size, 2 * CACHE_LINE);
	scene.nodes = port_alloc(bytes, 2 * CACHE_LINE);
	scene.takers = port_alloc(test->threads * sizeof(scene.takers[0]), CACHE_LINE);
	env.nodes = test->ops->flags & LOCK_NODE_POOL ? test->nodes : scene.nodes;
	test->ops->init(scene.lock, &env);
	scene.outer = scene.inner = (struct pair){.before = 0};
	atomic_store_explicit(&scene.in_section, 0, memory_order_relaxed);
	atomic_store_explicit(&scene.in_wait, 0, memory_order_relaxed);
	atomic_store_explicit(&scene.arrived, 0, memory_order_relaxed);
	atomic_store_explicit(&scene.left, 0, memory_order_relaxed);
	atomic_store_explicit(&scene.stop, false, memory_order_relaxed);
	client_on_interrupt(handler);
	scene.start = port_cycles();
}

static void check_pair(struct test *test, const struct pair *pair, uint64_t count,
		       const char *whose)
{
	if (pair->before != count || pair->after != count)
		fail(test, "%llu sections of %s, but the counters say %llu and %llu",
		     (unsigned long long)count, whose, (unsigned long long)pair->before,
		     (unsigned long long)pair->after);
}

static void test_interrupts(struct test *test)
{
	uint64_t sections = 0, handled = 0;
	struct state initial;

	state_copy(test, &initial);
	set_up(test);
	port_run_on(test->threads, contend, test);
	for (uint32_t i = 0; i < test->threads; i++) {
		sections += scene.takers[i].sections;
		handled += scene.takers[i].handled;
	}
	check_pair(test, &scene.outer, sections, "the CPUs");
	check_pair(test, &scene.inner, handled, "the handlers");
	if (atomic_load_explicit(&scene.in_section, memory_order_relaxed) == 0 ||
	    atomic_load_explicit(&scene.in_wait, memory_order_relaxed) == 0) {
		test->unseen = true;
		fail(test, "%llu interrupts, of which %u in a section, %u in a wait: not tested",
		     (unsigned long long)handled,
		     atomic_load_explicit(&scene.in_section, memory_order_relaxed),
		     atomic_load_explicit(&scene.in_wait, memory_order_relaxed));
	}
	check_free(test, &initial);
}

/* The same, and every wait halts: a handler's wait may take the kick that was meant for the wait
 * that it interrupted. */
static void test_interrupts_storm(struct test *test)
{
	halt_at_once(test);
	test_interrupts(test);
}

CASE_REGISTER(interrupted_2, "interrupt handlers lock too, 2 threads", test_interrupts, 2,
	      .without = LOCK_NO_EXCLUSION);
CASE_REGISTER(interrupted_4, "interrupt handlers lock too, 4 threads", test_interrupts, 4,
	      .without = LOCK_NO_EXCLUSION);
CASE_REGISTER(interrupted_storm, "interrupt handlers lock too, every wait halts",
	      test_interrupts_storm, 4, .with = LOCK_PV);
