/* SPDX-License-Identifier: MIT */
/* See directed.h. */
#include "tests/suites/locks/directed.h"
#include "lib/string.h"
#include "locks/core/pv.h"
#include "locks/ppc-qspinlock.h"
#include "locks/s390-spinlock.h"
#include "port/port.h"

bool (*directed_answer)(struct test *test, uint32_t cpu);

static struct test *the_test;
static const struct pv_backend *inner;
static _Atomic bool flagged[CLIENT_CPUS];
static _Atomic uint32_t yielded[CLIENT_CPUS][CLIENT_CPUS]; /* from, to */

void flag(uint32_t cpu, bool preempted)
{
	atomic_store_explicit(&flagged[cpu], preempted, memory_order_relaxed);
}

static bool exists(uint32_t cpu)
{
	if (cpu >= CLIENT_CPUS)
		fail(the_test, "there is no CPU %u", cpu);
	return cpu < CLIENT_CPUS;
}

static bool directed_preempted(uint32_t cpu)
{
	if (!exists(cpu))
		return false;
	if (directed_answer && directed_answer(the_test, cpu))
		return true;
	return atomic_load_explicit(&flagged[cpu], memory_order_relaxed);
}

static void directed_yield_to(uint32_t cpu)
{
	if (!exists(cpu))
		return;
	atomic_fetch_add_explicit(&yielded[port_cpu()][cpu], 1, memory_order_relaxed);
	inner->yield_to(cpu);
}

void directed_run(struct test *test, void (*run)(struct test *test))
{
	struct pv_backend directed = *pv_backend;

	inner = pv_backend;
	the_test = test;
	directed.preempted = directed_preempted;
	directed.yield_to = directed_yield_to;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++) {
		flag(i, false);
		for (uint32_t j = 0; j < CLIENT_CPUS; j++)
			atomic_store_explicit(&yielded[i][j], 0, memory_order_relaxed);
	}
	pv_backend = &directed;
	run(test);
	pv_backend = inner;
	directed_answer = NULL;
}

static void (*played)(struct test *test);

/* Lets owner and waiters go; otherwise the actors would never see COMMAND_EXIT. */
static void help_out(struct test *test)
{
	uint32_t owner = owner_load(owner_word_of(test));

	directed_answer = NULL;
	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		flag(i, false);
	if (is_ppc(test) ? (owner & (PPC_OWNER_MASK | PPC_LOCKED)) == PPC_LOCKED
			 : (owner & S390_OWNER_MASK) == 1)
		lock_release(test);
	drain(test);
}

static void conduct(struct test *test)
{
	played(test);
	if (atomic_load_explicit(&test->failed, memory_order_relaxed))
		help_out(test);
}

static void play(struct test *test)
{
	struct state initial;

	state_copy(test, &initial);
	with_actors(test, conduct);
	check_free(test, &initial);
}

void directed_play(struct test *test, void (*conductor)(struct test *test))
{
	played = conductor;
	directed_run(test, play);
}

uint32_t yields(uint32_t from, uint32_t to)
{
	return atomic_load_explicit(&yielded[from][to], memory_order_relaxed);
}

uint32_t yields_to_others(uint32_t cpu)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < CLIENT_CPUS; i++)
		for (uint32_t j = 0; j < CLIENT_CPUS; j++)
			if (j != cpu)
				sum += yields(i, j);
	return sum;
}

bool await_shortly(struct test *test, bool (*condition)(struct test *test, uint32_t argument),
		   uint32_t argument, const char *what)
{
	uint64_t start = port_cycles();

	while (!condition(test, argument)) {
		if (too_late(start)) {
			fail(test, "not seen: %s (%u); %s", what, argument, lock_text(test));
			return false;
		}
		let_others_run(1);
	}
	return true;
}

static struct {
	uint32_t from, to;
} awaited;

static bool yielded_often(struct test *test, uint32_t count)
{
	(void)test;
	return yields(awaited.from, awaited.to) >= count;
}

bool await_yields(struct test *test, uint32_t from, uint32_t to, uint32_t count)
{
	awaited.from = from;
	awaited.to = to;
	if (await_shortly(test, yielded_often, count, "yields"))
		return true;
	fail(test, "CPU %u yielded to CPU %u %u times, not %u", from, to, yields(from, to), count);
	return false;
}

static enum actor_state awaited_state;

static bool is_in_state(struct test *test, uint32_t cpu)
{
	(void)test;
	return actor_state(cpu) == awaited_state;
}

bool await_actor(struct test *test, uint32_t cpu, enum actor_state wanted)
{
	awaited_state = wanted;
	if (await_shortly(test, is_in_state, cpu, "the actor's next state"))
		return true;
	fail(test, "CPU %u is in state %d, not in %d: %s", cpu, (int)actor_state(cpu), (int)wanted,
	     lock_text(test));
	return false;
}

static bool somebody_settled(struct test *test, uint32_t argument)
{
	(void)argument;
	for (uint32_t i = 1; i < test->threads; i++)
		if (actor_state(i) == ACTOR_OWNS)
			return true;
	for (uint32_t i = 1; i < test->threads; i++)
		if (actor_state(i) == ACTOR_ACQUIRING)
			return false;
	return true;
}

void drain(struct test *test)
{
	for (uint32_t n = 1; n < test->threads; n++) {
		if (!await_shortly(test, somebody_settled, 0, "a grant"))
			return;
		for (uint32_t i = 1; i < test->threads; i++) {
			if (actor_state(i) != ACTOR_OWNS)
				continue;
			tell(i, COMMAND_RELEASE);
			if (!await_actor(test, i, ACTOR_IDLE))
				return;
			break;
		}
	}
}

bool is_ppc(const struct test *test)
{
	return strcmp(test->ops->name, "ppc-qspinlock") == 0;
}

union owner_word *owner_word_of(const struct test *test)
{
	return &((struct owner_lock *)test->lock)->word;
}

uint32_t tail_cpu(const struct test *test)
{
	return owner_load(owner_word_of(test)) >> (is_ppc(test) ? PPC_TAIL_SHIFT : S390_CPU_SHIFT);
}

bool has_tail(struct test *test, uint32_t cpu)
{
	return tail_cpu(test) == cpu + 1;
}

void owner_word_write(struct test *test, uint32_t value)
{
	atomic_store_explicit(&owner_word_of(test)->value, value, memory_order_release);
}

void expect_owner_word(struct test *test, uint32_t value, const char *when)
{
	uint32_t now = owner_load(owner_word_of(test));

	if (now != value)
		fail(test, "%s: the word is 0x%08x, not 0x%08x", when, now, value);
}

void let_them_wait(struct test *test, enum waiting how)
{
	if (is_ppc(test)) {
		set_tunable(test, "steal", how == AT_WORD ? UINT32_MAX : 0);
		set_tunable(test, "ppc_remote_steal", UINT32_MAX);
	} else {
		set_tunable(test, "s390_queue", how == IN_QUEUE);
		set_tunable(test, "s390_spin_retry", 4);
	}
}
