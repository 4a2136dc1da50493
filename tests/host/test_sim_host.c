/* SPDX-License-Identifier: MIT */
/* Tests sim/host.c, which reads --host=: presets, single keys, errors that name the key. */
#include "tests/host/test.h"

#include "sim/host.h"
#include <string.h>

static struct host host;
static char error[HOST_ERROR_BYTES];

static uint64_t value(const char *wanted)
{
	const char *name, *text;
	uint64_t number;

	for (uint32_t i = 0; host_key(&host, i, &name, &number, &text); i++)
		if (strcmp(name, wanted) == 0)
			return number;
	fail_msg("no key %s", wanted);
	return 0;
}

static void the_study_is_the_default(void **state)
{
	(void)state;
	assert_true(host_parse(&host, NULL, 2, error));
	assert_int_equal(value("cpus"), 28);
	assert_int_equal(value("sockets"), 2);
	assert_int_equal(value("cache_cpus"), 14);
	assert_int_equal(value("khz"), 2000000);
	assert_int_equal(value("pause_cycles"), 10);
	assert_int_equal(value("kick_yield"), 0);
	assert_int_equal(host.sched.kind, SCHED_CFS);
	assert_int_equal(host.sched.groups, 2);
	assert_int_equal(host.far_cycles, 236); /* 118 ns at 2 GHz */
}

static void keys_change_a_preset_in_any_order(void **state)
{
	(void)state;
	assert_true(host_parse(&host, "cpus=8,ple=0,machine=milan,hz=1000", 1, error));
	assert_int_equal(value("cpus"), 8);
	assert_int_equal(value("ple"), 0);
	assert_int_equal(value("pause_filter"), 3000);
	assert_int_equal(value("hz"), 1000);
	assert_int_equal(host.tick_cycles, 2450000);
	assert_int_equal(host.sched.kind, SCHED_EEVDF);
	assert_true(host_parse(&host, "sched=cfs,machine=milan", 1, error));
	assert_int_equal(host.sched.kind, SCHED_CFS);
}

static void errors_name_the_key(void **state)
{
	static const struct {
		const char *keys, *named, *accepted;
	} cases[] = {
		{"cpus=0", "cpus=0", "1 to 512"},
		{"cpus=513", "cpus=513", "1 to 512"},
		{"cpus=6,sockets=4", "sockets=4", "multiple of sockets="},
		{"cpus=8,sockets=2,cache_cpus=3", "cache_cpus=3", "does not divide"},
		{"kick_us=fast", "kick_us=fast", "0 to 10000"},
		{"ple", "ple=", "0 to 1"},
		{"machine=cray", "machine=cray", "study, skylake, milan"},
		{"sched=bfs", "sched=bfs", "cfs, eevdf"},
		{"colour=red", "colour", "cpus, sockets"},
		{"hz=1", "hz=1", "10 to 10000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(host_parse(&host, cases[i].keys, 1, error));
		assert_non_null(strstr(error, cases[i].named));
		assert_non_null(strstr(error, cases[i].accepted));
	}
}

static void a_list_of_cpus_must_fit_the_host(void **state)
{
	(void)state;
	assert_true(host_parse(&host, "cpus=8,sockets=1", 1, error));
	assert_true(host_pin(&host, "0-1,7", error));
	assert_true(sched_cpus_has(&host.pin, 7));
	assert_false(sched_cpus_has(&host.pin, 2));
	assert_false(host_pin(&host, "8", error));
	assert_false(host_pin(&host, "3-1", error));
	assert_false(host_pin(&host, "a", error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_study_is_the_default),
		cmocka_unit_test(keys_change_a_preset_in_any_order),
		cmocka_unit_test(errors_name_the_key),
		cmocka_unit_test(a_list_of_cpus_must_fit_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
