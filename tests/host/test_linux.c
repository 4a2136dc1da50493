/* SPDX-License-Identifier: MIT */
/* Tests what the Linux guest's init reads as text: its command line, the kernel's message about its
 * spinlocks, /proc/stat, and the trace of waits. */
#include "linux/linux.h"

#include "tests/host/test.h"
#include <string.h>

static char *const nothing[] = {"HOME=/",   "TERM=linux",      "accel=nested",
				"end=wait", "vmm_kernel=6012", NULL};
static struct linux_plan plan;
static char error[256];

static void the_command_line_has_keys_among_linuxs_own(void **state)
{
	(void)state;
	assert_true(plan_parse(&plan,
			       "console=ttyS0 quiet jobs=7 nopvspin seed=3 accel=nested end=wait "
			       "start=serial-each",
			       4, nothing, error));
	assert_int_equal(plan.jobs, 7);
	assert_int_equal(plan.tasks, 8); /* two for each CPU */
	assert_int_equal(plan.seed, 3);
	assert_true(plan.held && plan.stay);
	assert_string_equal(plan.accel, "nested");
	assert_true(plan_parse(&plan, "quiet", 4, nothing, error));
	assert_true(!plan.held && !plan.stay);
}

static void a_wrong_key_or_number_is_named(void **state)
{
	char *const wrong[] = {"HOME=/", "jobs=1", "locks=tas", NULL};

	(void)state;
	assert_false(plan_parse(&plan, "jobs=1 locks=tas", 1, wrong, error));
	assert_non_null(strstr(error, "locks: neither"));
	assert_false(plan_parse(&plan, "quiet tasks=0", 1, nothing, error));
	assert_non_null(strstr(error, "tasks=0: a number from 1 to 4096 is accepted"));
	assert_false(plan_parse(&plan, "jobs", 1, nothing, error));
}

static void the_kernel_says_which_lock_it_took(void **state)
{
	static const struct {
		const char *log, *lock, *message;
	} cases[] = {
		{"[0.1] kvm-guest: PV spinlocks enabled\n[0.2] PV qspinlock hash table entries\n",
		 "pv-qspinlock", "PV spinlocks enabled"},
		{"<6>PV spinlocks disabled, no host support\n", "virt-spin",
		 "PV spinlocks disabled, no host support"},
		{"PV spinlocks disabled, forced by \"nopvspin\" parameter\n", "qspinlock",
		 "PV spinlocks disabled, forced by \"nopvspin\" parameter"},
	};
	const char *lock;
	char message[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(text_lock(cases[i].log, &lock, message));
		assert_string_equal(lock, cases[i].lock);
		assert_string_equal(message, cases[i].message);
	}
	assert_false(text_lock("no KVM here\n", &lock, message));
}

static void stat_is_the_sum_of_the_cpus(void **state)
{
	static const char *const lines[] = {"cpu  5 1 7 100 2 3 4 9 0 0\n",
					    "cpu0 1 1 1 1 1 1 1 1 0 0\n", "intr 5 0 0\n",
					    "ctxt 123\n", "processes 45\n"};
	struct observed observed = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		text_stat(lines[i], &observed);
	assert_int_equal(observed.user_ns, 60000000);
	assert_int_equal(observed.kernel_ns, 140000000);
	assert_int_equal(observed.idle_ns, 1020000000);
	assert_int_equal(observed.steal_ns, 90000000);
	assert_int_equal(observed.switches, 123);
	assert_int_equal(observed.processes, 45);
}

/* A wait with one of an interrupt in it; an end without a begin; a wait that is not over. */
static void waits_nest_and_ends_need_a_begin(void **state)
{
	static const char *const lines[] = {
		"# tracer: nop\n",
		"   cc1-71  [000] d..2. 1000: contention_begin: ffff8881 (flags=SPIN)\n",
		"   cc1-71  [000] d.h3. 1050: contention_end: ffff9999 (ret=0)\n",
		"   cc1-71  [000] d.h3. 1100: contention_begin: ffff8882 (flags=SPIN)\n",
		"   cc1-71  [000] d.h3. 1130: contention_end: ffff8882 (ret=0)\n",
		"   cc1-71  [000] d..2. 1500: contention_end: ffff8881 (ret=0)\n",
		"   as: x-7 [000] d..2. 1700: contention_begin: ffff8883 (flags=SPIN)\n",
	};
	struct open_waits open = {0};
	struct waits waits = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		text_wait(lines[i], &open, &waits);
	assert_int_equal(waits.count, 2);
	assert_int_equal(waits.sum, 530);
	assert_int_equal(waits.max, 500);
	assert_int_equal(open.depth, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_line_has_keys_among_linuxs_own),
		cmocka_unit_test(a_wrong_key_or_number_is_named),
		cmocka_unit_test(the_kernel_says_which_lock_it_took),
		cmocka_unit_test(stat_is_the_sum_of_the_cpus),
		cmocka_unit_test(waits_nest_and_ends_need_a_begin),
	};

	return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
