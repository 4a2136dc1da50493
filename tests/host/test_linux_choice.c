/* SPDX-License-Identifier: MIT */
/* Tests bench/linux_choice.c: every row of Linux's table, and that an earlier row precedes later
 * ones. */
#include "tests/host/test.h"

#include "bench/linux_choice.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* facts: hypervisor, kvm, realtime, pv_unhalt, nopvspin, possible_cpus */
static const struct {
	struct linux_facts facts;
	const char *lock, *reason;
} rows[] = {
	{{0, 0, 0, 0, 0, 4}, "qspinlock", "bare metal"},
	/* without the hypervisor bit (-cpu host,-hypervisor) Linux ignores the KVM leaves */
	{{0, 1, 0, 1, 0, 4}, "qspinlock", "bare metal"},
	{{0, 1, 1, 1, 1, 1}, "qspinlock", "bare metal"},
	{{1, 0, 0, 0, 0, 4}, "virt-spin", "a hypervisor without PV lock code"},
	{{1, 0, 1, 1, 1, 1}, "virt-spin", "a hypervisor without PV lock code"},
	{{1, 1, 1, 1, 0, 4}, "qspinlock", "KVM_HINTS_REALTIME"},
	{{1, 1, 1, 0, 1, 1}, "qspinlock", "KVM_HINTS_REALTIME"},
	{{1, 1, 0, 1, 0, 1}, "qspinlock", "one possible CPU"},
	{{1, 1, 0, 0, 1, 1}, "qspinlock", "one possible CPU"},
	{{1, 1, 0, 1, 1, 2}, "qspinlock", "nopvspin"},
	{{1, 1, 0, 0, 1, 2}, "qspinlock", "nopvspin"},
	{{1, 1, 0, 0, 0, 2}, "virt-spin", "KVM without PV_UNHALT"},
	{{1, 1, 0, 1, 0, 2}, "pv-qspinlock", "KVM with PV_UNHALT"},
	{{1, 1, 0, 1, 0, 288}, "pv-qspinlock", "KVM with PV_UNHALT"},
};

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct linux_choice choice = linux_choose(&rows[i].facts);

		assert_string_equal(choice.lock, rows[i].lock);
		assert_string_equal(choice.reason, rows[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
	};

	return cmocka_run_group_tests_name("linux choice", tests, NULL, NULL);
}
