/* SPDX-License-Identifier: MIT */
/* Tests bench/plan*.c: defaults, every key, every kind of error. The locks are those of
 * stub_locks.c; the machine has 28 vCPUs. */
#include "tests/host/plan_machine.h"
#include <stdio.h>

/* The command line must be rejected with an error of one line that contains each text. */
static void assert_error(const char *cmdline, const char *const *texts)
{
	if (plan_parse(cmdline, &machine, &plan, error))
		fail_msg("\"%s\": accepted", cmdline);
	assert_null(strchr(error, '\n'));
	for (; *texts != NULL; texts++) {
		if (strstr(error, *texts) == NULL)
			fail_msg("\"%s\": \"%s\" is not in: %s", cmdline, *texts, error);
	}
}
#define ASSERT_ERROR(cmdline, ...) assert_error(cmdline, (const char *const[]){__VA_ARGS__, NULL})

static void assert_locks(const char *expected)
{
	char names[256] = "";

	for (size_t i = 0; i < plan.lock_count; i++) {
		strcat(names, i ? "," : "");
		strcat(names, plan.locks[i]->ops->name);
	}
	assert_string_equal(names, expected);
}

static void the_default_plan(void **state)
{
	static const char *const lines[] = {"", "   ", "build/pvspin.elf", " /boot/pvspin.elf ",
					    "/home/a=b/pvspin.elf"};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		assert_ok(lines[i]);
		assert_locks("tas,virt-spin,ticket,mcs,qspinlock,pv-qspinlock,paq");
		assert_true(plan.defaulted && plan.workload == WORKLOAD_CONTENDED);
		assert_true(plan.thread_counts == 1 && plan.threads[0] == CPUS);
		assert_true(plan.hold == 100 && plan.think == 200 && plan.nodes == 0);
		assert_true(plan.ms == 300 && plan.ops == 0);
		assert_true(plan.reps == 3 && plan.warmup_ms == 50 && plan.seed == 1);
		assert_true(!plan.latency && !plan.nopvspin && !plan.hyperv && !plan.stay &&
			    plan.trace == 0 && !plan.trace_until_lhp);
		assert_true(plan.dispatch == DISPATCH_INLINE && plan.start == START_NOW);
		assert_string_equal(plan.tests, "");
		assert_string_equal(extra, "none");
		assert_string_equal(plan.accel, "unknown");
		assert_int_equal(lock_tunables.spin_threshold, 32768);
		assert_int_equal(lock_tunables.prev_check_mask, 255);
	}
}

/* 50 slices of 4 ms for each vCPU, 300 ms at least; all phases together 60 s at most. */
static void a_phase_is_long_enough_for_the_host(void **state)
{
	static const struct {
		const char *line;
		uint64_t ms;
	} cases[] = {
		{"vmm_cpu_percent=200", 2800},       /* 28 vCPUs, 2 CPUs, 21 runs */
		{"vmm_cpu_percent=100", 60000 / 21}, /* two such VMs */
		{"vmm_cpu_percent=100 locks=tas reps=1", 5600},
		{"vmm_cpu_percent=200 threads=1,14 locks=tas", 1400}, /* the others halt */
		{"vmm_cpu_percent=200 locks=all reps=30", 300},
		{"vmm_cpu_percent=2800", 300},
		{"vmm_cpu_percent=200 ms=50", 50},
		{"vmm_cpu_percent=200 ops=7", 0},
		{"vmm_cpu_percent=200 workload=kbuild locks=tas", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_ok(cases[i].line);
		if (plan.ms != cases[i].ms)
			fail_msg("%s: ms=%llu", cases[i].line, (unsigned long long)plan.ms);
	}
}

static void every_key_is_read(void **state)
{
	(void)state;
	assert_ok("pvspin.elf locks=mcs,null,tas workload=uncontended threads=1,28,0x2 hold=0 "
		  "think=7 ops=1000000000000 reps=9 warmup_ms=0 latency=on dispatch=indirect "
		  "seed=18446744073709551615 start=serial-each extra=some accel=nested end=wait "
		  "nopvspin hyperv spin_threshold=5 prev_check_mask=0 nodes=4 trace=200 "
		  "trace_until=lhp");
	assert_locks("mcs,null,tas");
	assert_true(!plan.defaulted && plan.workload == WORKLOAD_UNCONTENDED);
	assert_int_equal(plan.thread_counts, 3);
	assert_true(plan.threads[0] == 1 && plan.threads[1] == 28 && plan.threads[2] == 2);
	assert_true(plan.hold == 0 && plan.think == 7 && plan.nodes == 4);
	assert_true(plan.ms == 0 && plan.ops == 1000000000000);
	assert_true(plan.reps == 9 && plan.warmup_ms == 0 && plan.seed == UINT64_MAX);
	assert_true(plan.latency && plan.nopvspin && plan.hyperv && plan.stay &&
		    plan.trace == 200 && plan.trace_until_lhp);
	assert_true(plan.dispatch == DISPATCH_INDIRECT && plan.start == START_SERIAL_EACH);
	assert_string_equal(extra, "some");
	assert_string_equal(plan.accel, "nested");
	assert_int_equal(lock_tunables.spin_threshold, 5);
	assert_int_equal(lock_tunables.prev_check_mask, 0);
	/* the next plan starts from the defaults again */
	assert_ok("ms=86400000 start=serial");
	assert_true(plan.ms == 86400000 && plan.start == START_SERIAL && !plan.nopvspin);
	assert_int_equal(lock_tunables.spin_threshold, 32768);
}

static void all_locks_are_all_but_the_baseline(void **state)
{
	(void)state;
	assert_ok("locks=all");
	assert_locks("clh,mcs,paq,pv-qspinlock,qspinlock,tas,ticket,virt-spin");
	assert_ok("tests=locks,abi.kick,ABI-KICK-03");
	assert_locks("clh,mcs,paq,pv-qspinlock,qspinlock,tas,ticket,virt-spin");
	assert_string_equal(plan.tests, "locks,abi.kick,ABI-KICK-03");
	assert_false(plan.defaulted);
	assert_ok("tests=all locks=null");
	assert_locks("null");
}

static void linux_is_resolved(void **state)
{
	(void)state;
	assert_ok("locks=tas");
	assert_string_equal(plan.linux_choice.lock, "pv-qspinlock");
	assert_false(plan.linux_asked);
	assert_ok("locks=linux");
	assert_locks("pv-qspinlock");
	assert_true(plan.linux_asked);
	/* nopvspin may come anywhere, but must be a separate word */
	assert_ok("locks=tas,linux nopvspin");
	assert_locks("tas,qspinlock");
	assert_ok("nopvspin locks=linux,tas");
	assert_locks("qspinlock,tas");
	assert_string_equal(plan.linux_choice.reason, "nopvspin");
	assert_ok("nopvspin.elf locks=linux");
	assert_locks("pv-qspinlock");
	machine.linux_facts.pv_unhalt = false;
	assert_ok("locks=linux");
	assert_locks("virt-spin");
	machine.linux_facts.pv_unhalt = true;
	/* given together with the name of its lock, it counts once, at the first place */
	assert_ok("locks=linux,tas,pv-qspinlock");
	assert_locks("pv-qspinlock,tas");
	assert_ok("locks=pv-qspinlock,tas,linux");
	assert_locks("pv-qspinlock,tas");
	assert_true(plan.linux_asked);
	ASSERT_ERROR("locks=linux,linux", "locks=linux: lock given twice", "accepted: all, linux");
	ASSERT_ERROR("locks=linux,pv-qspinlock,pv-qspinlock",
		     "locks=pv-qspinlock: lock given twice");
	ASSERT_ERROR("locks=pv-qspinlock,linux,pv-qspinlock",
		     "locks=pv-qspinlock: lock given twice");
}

static void only_the_first_word_may_be_the_loaders(void **state)
{
	(void)state;
	assert_ok("nopvspin");
	assert_true(plan.nopvspin);
	assert_ok("ms ms=5"); /* a kernel may be called anything */
	assert_int_equal(plan.ms, 5);
	ASSERT_ERROR("ms=5 pvspin.elf", "pvspin.elf: unknown key", "accepted: locks=, workload=");
	ASSERT_ERROR("pvspin.elf pvspin.elf", "pvspin.elf: unknown key");
}

static void unknown_keys_list_all_keys(void **state)
{
	(void)state;
	ASSERT_ERROR("lock=tas", "lock: unknown key",
		     "locks=", "workload=", "threads=", "hold=", "think=", "ms=", "ops=", "reps=",
		     "warmup_ms=", "latency=", "trace=", "dispatch=", "tests=", "nopvspin", "seed=",
		     "start=", "accel=", "end=", "extra=", "spin_threshold=", "prev_check_mask=");
	ASSERT_ERROR("tusks=4", "tusks: unknown key", "accepted: locks=");
	ASSERT_ERROR("=4", ": unknown key");
	ASSERT_ERROR("LOCKS=tas", "LOCKS: unknown key");
}

static void unknown_values_list_all_values(void **state)
{
	(void)state;
	ASSERT_ERROR(
		"locks=tas,foo", "locks=foo: unknown lock",
		"accepted: all, linux, clh, mcs, null, paq, pv-qspinlock, qspinlock, tas, ticket, "
		"virt-spin");
	ASSERT_ERROR("locks=tas,all", "locks=all: unknown lock"); /* alone or not at all */
	ASSERT_ERROR("workload=handover",
		     "workload=handover:", "accepted: contended, uncontended, kbuild");
	ASSERT_ERROR("dispatch=patch", "dispatch=patch:", "accepted: inline, patched, indirect");
	ASSERT_ERROR("latency=yes", "latency=yes:", "accepted: off, on");
	ASSERT_ERROR("trace_until=lwp", "trace_until=lwp:", "accepted: end, lhp");
	ASSERT_ERROR("start=go", "start=go:", "accepted: now, serial, serial-each");
	assert_ok("accel=bare"); /* the plan in the boot record of a real machine has it */
	ASSERT_ERROR("accel=xen",
		     "accel=xen:", "accepted: unknown, kvm, kvm-in-vm, nested, tcg, hosted, bare");
	ASSERT_ERROR("end=", "end=:", "accepted: exit, wait");
	ASSERT_ERROR("extra=oops", "extra=oops:", "accepted: none, some");
	ASSERT_ERROR("provoke=panic", "provoke: unknown key"); /* in the broken image only */
	ASSERT_ERROR("a.elf workload", "workload=:", "accepted: contended, uncontended");
	ASSERT_ERROR("nopvspin=1", "nopvspin=1: takes no value");
}

static void numbers_out_of_range_name_the_range(void **state)
{
	static const struct {
		const char *word, *range;
	} cases[] = {
		{"ms=0", "accepted: 1..86400000"},
		{"ms=86400001", "accepted: 1..86400000"},
		{"ops=0", "accepted: 1..1000000000000000"},
		{"reps=0", "accepted: 1..10000"},
		{"reps=10001", "accepted: 1..10000"},
		{"hold=1000000001", "accepted: 0..1000000000"},
		{"think=-1", "accepted: 0..1000000000"},
		{"warmup_ms=600001", "accepted: 0..600000"},
		{"seed=18446744073709551616", "accepted: 0..18446744073709551615"},
		{"seed=x", "accepted: 0..18446744073709551615"},
		{"threads=0", "accepted: 1..28"},
		{"threads=29", "accepted: 1..28"},
		{"threads=all", "accepted: 1..28"},
		{"nodes=0", "accepted: 1..28"},
		{"nodes=29", "accepted: 1..28"},
		{"nodes=", "accepted: 1..28"},
		{"spin_threshold=0", "accepted: 1..1000000"},
		{"spin_threshold=1000001", "accepted: 1..1000000"},
		{"prev_check_mask=65536", "accepted: 0..65535"},
		{"hold=", "accepted: 0..1000000000"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		ASSERT_ERROR(cases[i].word, cases[i].word, cases[i].range);
	/* the bound of trace= is 262144 events, summed over all vCPUs of the largest run */
	assert_ok("trace=9362");
	ASSERT_ERROR("trace=9363", "trace=9363: too many for this number of vCPUs",
		     "accepted: 0..9362");
	assert_ok("trace=131072 threads=1,2");
	ASSERT_ERROR("trace=131073 threads=1,2", "trace=131073:", "accepted: 0..131072");
	ASSERT_ERROR("trace=262145 threads=1", "trace=262145:", "accepted: 0..262144");
	ASSERT_ERROR("a.elf ms", "ms=:", "accepted: 1..86400000");
}

static void lists_have_no_empty_and_no_double_items(void **state)
{
	static const char *const locks[] = {"locks=", "locks=,", "locks=tas,", "locks=,tas",
					    "locks=tas,,mcs"};

	(void)state;
	for (size_t i = 0; i < COUNT(locks); i++)
		ASSERT_ERROR(locks[i], "locks=: empty lock name", "accepted: all, linux, clh");
	ASSERT_ERROR("locks=tas,mcs,tas", "locks=tas: lock given twice",
		     "accepted: all, linux, clh");
	ASSERT_ERROR("threads=", "threads=:", "accepted: 1..28");
	ASSERT_ERROR("threads=1,", "threads=:", "accepted: 1..28");
	ASSERT_ERROR("threads=1,2,0x1", "threads=0x1: given twice", "accepted: 1..28");
	ASSERT_ERROR("threads=1,29", "threads=29:", "accepted: 1..28");
	ASSERT_ERROR("tests=", "tests=: empty test name", "accepted: all");
	ASSERT_ERROR("tests=a,,b", "tests=a,,b: empty test name");
}

static void lists_have_a_maximal_length(void **state)
{
	const struct plan_machine large = {.cpus = 1000};
	char line[PLAN_TESTS_BYTES + 64], *at = line;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "tests=", 6);
	line[6 + PLAN_TESTS_BYTES - 1] = '\0';
	assert_ok(line);
	assert_int_equal(strlen(plan.tests), PLAN_TESTS_BYTES - 1);
	line[6 + PLAN_TESTS_BYTES - 1] = 'a';
	line[6 + PLAN_TESTS_BYTES] = '\0';
	ASSERT_ERROR(line, "tests=aaa", "...: too long", "up to 255 bytes");

	at += sprintf(at, "threads=1");
	for (int i = 2; i <= PLAN_MAX_THREADS; i++)
		at += sprintf(at, ",%d", i);
	assert_true(plan_parse(line, &large, &plan, error));
	assert_int_equal(plan.thread_counts, PLAN_MAX_THREADS);
	sprintf(at, ",999");
	assert_false(plan_parse(line, &large, &plan, error));
	assert_non_null(strstr(error, "threads=999: too many points"));
}

static void a_key_is_given_once(void **state)
{
	(void)state;
	ASSERT_ERROR("ms=5 hold=1 ms=5", "ms: key given twice");
	ASSERT_ERROR("nopvspin nopvspin", "nopvspin: key given twice");
	ASSERT_ERROR("spin_threshold=1 spin_threshold=2", "spin_threshold: key given twice");
	ASSERT_ERROR("ms=5 ops=5", "ops: given together with ms", "one of the two");
	ASSERT_ERROR("ops=5 ms=5", "ops: given together with ms", "one of the two");
}

/* The launcher must be able to talk to the guest even if the user's keys are wrong. */
static void the_launchers_keys_hold_in_spite_of_an_error(void **state)
{
	(void)state;
	ASSERT_ERROR("bad=1 worse=2 accel=kvm locks=foo end=wait ms=0", "bad: unknown key");
	assert_null(strstr(error, "worse"));
	assert_string_equal(plan.accel, "kvm");
	assert_true(plan.stay);
}

static void input_is_quoted_short_and_printable(void **state)
{
	char line[3000];

	(void)state;
	ASSERT_ERROR("a\n\x1b[31m\x7f\xff=1", "a??[31m??: unknown key");
	memset(line, 'k', sizeof(line));
	line[0] = '=';
	line[sizeof(line) - 1] = '\0';
	ASSERT_ERROR(line, ": unknown key", "accepted: locks=");
	line[0] = 'k';
	line[sizeof(line) - 5] = '=';
	ASSERT_ERROR(line, "kkk...: unknown key", "accepted: locks=", "prev_check_mask=");
}

static void words_that_a_vmm_adds_are_ignored(void **state)
{
	static const char line[] =
		"pvspin.elf reboot=k panic=1 nomodule 8250.nr_uarts=0 i8042.noaux locks=mcs "
		"root=/dev/vda rw virtio_mmio.device=512@0xfeb00e00:12 pci=off";

	(void)state;
	ASSERT_ERROR(line, "reboot: unknown key");
	machine.vmm = true;
	assert_ok(line);
	assert_locks("mcs");
	assert_string_equal(plan.ignored,
			    " reboot=k panic=1 nomodule 8250.nr_uarts=0 i8042.noaux root=/dev/vda "
			    "rw virtio_mmio.device=512@0xfeb00e00:12 pci=off");
	ASSERT_ERROR("locks=mcs virtio_mmio.=1", "virtio_mmio.: unknown key");
	ASSERT_ERROR("locks=mcs locks.mcs", "locks.mcs: unknown key");
	ASSERT_ERROR("pci=off lock=mcs", "lock: unknown key");
	assert_string_equal(plan.ignored, " pci=off");
	machine.vmm = false;
}

static void kbuild_has_its_own_keys(void **state)
{
	(void)state;
	assert_ok("workload=kbuild");
	assert_true(plan.jobs == 400 && plan.tick_hz == 250 && plan.tasks == 0);
	assert_true(plan_tasks(&plan, 28) == 56 && plan.dispatch == DISPATCH_INDIRECT);
	assert_true(plan.hold == 0 && plan.think == 0 && plan.ms == 0 && plan.warmup_ms == 0);
	assert_ok("accel=nested workload=kbuild threads=4");
	assert_true(plan.jobs == 40 && plan_tasks(&plan, 4) == 8);
	assert_ok("accel=nested workload=kbuild threads=4,28");
	assert_true(plan.jobs == 56);
	assert_ok("tasks=80 jobs=9 tick_hz=100 workload=kbuild seed=3 reps=2 nodes=2");
	assert_true(plan_tasks(&plan, 28) == 80 && plan.jobs == 9 && plan.tick_hz == 100);
	assert_true(!plan.latency && plan.trace == 0);
	assert_ok("workload=kbuild latency=on trace=60 trace_until=lhp threads=4");
	assert_true(plan.latency && plan.trace == 60 && plan.trace_until_lhp);
	assert_ok("workload=contended threads=4 tasks=4");
	assert_true(plan.tasks == 0 && plan_tasks(&plan, 4) == 4 && plan.jobs == 0);
	ASSERT_ERROR("workload=kbuild ms=5", "ms=5: ", "workload=kbuild", "accepted: ", "jobs=");
	ASSERT_ERROR("ops=5 workload=kbuild", "ops=5: ", "workload=kbuild", "accepted: ");
	ASSERT_ERROR("workload=kbuild hold=1", "hold=1: ", "workload=kbuild");
	ASSERT_ERROR("think=1 workload=kbuild", "think=1: ", "workload=kbuild");
	ASSERT_ERROR("workload=kbuild warmup_ms=1", "warmup_ms=1: ");
	ASSERT_ERROR("workload=kbuild dispatch=inline", "dispatch=inline: ");
	ASSERT_ERROR("jobs=4", "jobs=4: ", "workload=contended", "accepted: ", "hold=");
	ASSERT_ERROR("workload=uncontended tick_hz=4", "tick_hz=4: ", "workload=uncontended");
	/* KVM's timers have a floor of 200 us (its parameter min_timer_period_us) */
	ASSERT_ERROR("workload=kbuild tick_hz=5001", "tick_hz=5001: ", "1..5000");
	ASSERT_ERROR("threads=4,8 tasks=4", "tasks=4: ", "kbuild", "accepted: 8");
	ASSERT_ERROR("workload=kbuild tasks=0", "tasks=0: ", "accepted: 1..2048");
	ASSERT_ERROR("workload=kbuild locks=tas,null", "locks=null: ", "accepted: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kbuild_has_its_own_keys),
		cmocka_unit_test(words_that_a_vmm_adds_are_ignored),
		cmocka_unit_test(the_default_plan),
		cmocka_unit_test(a_phase_is_long_enough_for_the_host),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(all_locks_are_all_but_the_baseline),
		cmocka_unit_test(linux_is_resolved),
		cmocka_unit_test(only_the_first_word_may_be_the_loaders),
		cmocka_unit_test(unknown_keys_list_all_keys),
		cmocka_unit_test(unknown_values_list_all_values),
		cmocka_unit_test(numbers_out_of_range_name_the_range),
		cmocka_unit_test(lists_have_no_empty_and_no_double_items),
		cmocka_unit_test(lists_have_a_maximal_length),
		cmocka_unit_test(a_key_is_given_once),
		cmocka_unit_test(the_launchers_keys_hold_in_spite_of_an_error),
		cmocka_unit_test(input_is_quoted_short_and_printable),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
