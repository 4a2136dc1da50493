/* SPDX-License-Identifier: MIT */
/*
 * Tests the owner of a queue lock while it makes its successor the head. It has the lock, so a
 * preemption there is no lock waiter preemption. The time that it waits for its successor to link
 * is counted. One thread acquires; the test plays its predecessor, its successor and its host.
 */
#include "locks/core/pv.h"
#include "locks/core/registry.h"
#include "locks/core/stats.h"
#include "locks/qnode.h"
#include "tests/host/fake_vcpus.h"
#include "tests/host/test.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define NODE_BYTES 1024 /* of a CPU; enough for these locks */

static struct steal_area area;
static _Alignas(CACHE_LINE) char state[1024];
static _Alignas(CACHE_LINE) char nodes[FAKE_VCPUS][NODE_BYTES];
static const struct lock_ops *ops;

uint32_t port_cpu(void)
{
	return 0;
}

uint32_t port_node(uint32_t cpu)
{
	(void)cpu;
	return 0;
}

struct lock_stats *port_my_stats(void)
{
	return &fake_stats[0];
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return ns;
}

static bool preempted(uint32_t cpu)
{
	(void)cpu;
	return false;
}

static const struct pv_backend backend = {.preempted = preempted};
const struct pv_backend *pv_backend = &backend;

static void *acquire(void *unused)
{
	(void)unused;
	ops->acquire(state, nodes[0]);
	return NULL;
}

static void set_up(const char *lock)
{
	const struct lock_env env = {.cpus = FAKE_VCPUS, .nodes = nodes, .node_stride = NODE_BYTES};

	ops = lock_find(lock, strlen(lock))->ops;
	assert_in_range(ops->node_size, 1, NODE_BYTES);
	memset(fake_stats, 0, sizeof(fake_stats));
	memset(nodes, 0, sizeof(nodes));
	memset(&area, 0, sizeof(area));
	fake_stats[0].steal = &area;
	ops->init(state, &env);
}

/* Waits until the thread has changed a word. */
#define AWAIT(condition)               \
	do {                           \
		while (!(condition))   \
			sched_yield(); \
	} while (0)

static void preempted_while_it_promotes(const char *lock)
{
	union qspinlock_word *word = (void *)state;
	struct qnode *own = (void *)nodes[0], *next = (void *)nodes[1];
	pthread_t thread;

	set_up(lock);
	/* with an owner and a pending waiter, the thread has to queue */
	atomic_store(&word->value, Q_LOCKED | Q_PENDING);
	assert_int_equal(pthread_create(&thread, NULL, acquire, NULL), 0);
	AWAIT(atomic_load(&word->tail) != 0);
	/* a successor that has not linked yet; then owner and pending waiter leave */
	atomic_store(&word->tail, (uint16_t)(qnode_encode(1, 0) >> Q_TAIL_SHIFT));
	AWAIT(atomic_load(&fake_stats[0].waits_since) != 0);
	atomic_store(&word->locked_pending, 0);
	AWAIT(atomic_load(&word->locked) == Q_LOCKED &&
	      ((volatile struct lock_stats *)fake_stats)->count[EV_RELEASE_WAIT_LINK] == 1);
	atomic_store(&area.steal, 1000);
	atomic_store(&area.version, 2);
	qnode_link(own, next);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&next->granted), 1);
	assert_int_equal(fake_stats[0].count[EV_LWP_EVENTS], 0);
	assert_int_equal(fake_stats[0].count[EV_LWP_CYCLES], 0);
	/* to the measured loop, it lost its CPU after the grant */
	assert_true(fake_stats[0].waited);
	assert_int_equal(fake_stats[0].grant_version, 0);
	assert_in_range(fake_stats[0].count[EV_LINK_WAIT_CYCLES], 1, UINT64_MAX - 1);
}

static void qspinlock(void **unused)
{
	(void)unused;
	preempted_while_it_promotes("qspinlock");
}

static void cna(void **unused)
{
	(void)unused;
	preempted_while_it_promotes("cna");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qspinlock),
		cmocka_unit_test(cna),
	};

	return cmocka_run_group_tests_name("promotion", tests, NULL, NULL);
}
