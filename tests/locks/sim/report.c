/* SPDX-License-Identifier: MIT */
/* See report.h. */
#include "tests/locks/sim/report.h"

#include "port/port.h"
#include "tests/suites/locks/client.h"
#include "tests/suites/locks/client_port.h"
#include <stdio.h>

#define LAST_STEPS 40

static void name_places(const struct test *test)
{
	explore_name(test->lock, test->ops->state_size, "lock", 0);
	for (uint32_t i = 0; i < EXPLORE_VCPUS; i++) {
		explore_name(node_of(test, i), test->stride, "node", i);
		explore_name(port_stats(i), sizeof(struct lock_stats), "counters", i);
	}
}

static const char *describe_end(enum explore_end end, const struct test *test)
{
	switch (end) {
	case EXPLORE_DEADLOCK:
		return "deadlock: each vCPU is halted, or polls what nobody will change";
	case EXPLORE_ENDLESS:
		return "endless: does not end within its bound on steps";
	case EXPLORE_TRAPPED:
		return "trapped in the lock";
	case EXPLORE_ENDED:
		break;
	}
	return test->why;
}

const char *report_end(enum explore_end end)
{
	static const char *const words[] = {
		[EXPLORE_ENDED] = "assertion",
		[EXPLORE_DEADLOCK] = "deadlock",
		[EXPLORE_ENDLESS] = "endless",
		[EXPLORE_TRAPPED] = "trapped in the lock",
	};

	return words[end];
}

/* client_state() is guest code, so it is called as vCPU 0; vCPUs without work make no steps. */
static void print_states(const struct test *test)
{
	const char *state[EXPLORE_VCPUS];

	for (uint32_t i = 0; i < EXPLORE_VCPUS; i++) {
		state[i] = explore_state(&explore->vcpu[i]);
		explore->vcpu[i].working = false;
	}
	explore->running = &explore->vcpu[0];
	for (uint32_t i = 0; i < test->threads; i++)
		printf("# vCPU %u: %s; %s%s; %u stores in its buffer\n", i, client_state(test, i),
		       state[i], explore->vcpu[i].latch ? ", kicked" : "",
		       explore->vcpu[i].stores.count);
}

void report_failure(const struct lock_case *c, const struct lock_ops *ops, enum explore_end end,
		    const char *again)
{
	const struct test *test = case_test();
	char text[256];

	name_places(test);
	printf("# %s\n", describe_end(end, test));
	printf("# %s: %s\n", again, explore_describe(text, sizeof(text)));
	printf("# again: build/sim/check-locks --%s --case=%s %s\n", again, c->id, ops->name);
	print_states(test);
	ops->describe(test->lock, text, sizeof(text));
	printf("# %s\n", text);
	for (uint32_t i = LAST_STEPS; i-- > 0;)
		if (explore_history(i, text, sizeof(text)))
			printf("# %s\n", text);
	explore->running = NULL;
}
