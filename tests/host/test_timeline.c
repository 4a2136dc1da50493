/* SPDX-License-Identifier: MIT */
/* Tests the output of timeline.h, SVG and Perfetto's JSON, for ordinary and nonsensical traces. */
#include "tests/host/test.h"

#include "tests/host/trace_set.h"
#include "tools/report/timeline/timeline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_ROUNDS 400

static struct trace_set made;
static char *text;
static size_t length;

static int set_up(void **state)
{
	(void)state;
	trace_set_begin(&made);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	trace_set_end(&made);
	return 0;
}

static const char *draw(void)
{
	FILE *out;

	free(text);
	out = open_memstream(&text, &length);
	assert_non_null(out);
	timeline_svg(out, &made.set);
	fclose(out);
	return text;
}

static json_t *perfetto(void)
{
	json_error_t error;
	json_t *json;
	FILE *out;

	free(text);
	out = open_memstream(&text, &length);
	assert_non_null(out);
	assert_true(perfetto_write(out, &made.set));
	fclose(out);
	json = json_loads(text, 0, &error);
	if (json == NULL)
		fail_msg("line %d: %s", error.line, error.text);
	return json;
}

static size_t count(const char *what)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		found++;
	return found;
}

/* The SVG has balanced tags, no NAN or infinity, and nothing that acts, loads or has an ID. */
static void assert_sound_svg(void)
{
	static const char *const unwanted[] = {"nan",  "inf",  "<script", "<style",   "href",
					       " id=", "url(", "<image",  "<foreign", "onload"};
	long depth = 0;

	for (const char *at = text; (at = strchr(at, '<')) != NULL; at++) {
		const char *end = strchr(at, '>');

		assert_non_null(end);
		if (end[-1] != '/')
			depth += at[1] == '/' ? -1 : 1;
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		if (strstr(text, unwanted[i]))
			fail_msg("%s in %s", unwanted[i], text);
	}
}

/* vCPU 1 holds the lock and loses its CPU for 5.00 ms; 0 and 2 wait; 2 halts, 1 kicks it. */
static void add_story(void)
{
	trace_set_add(&made, 0,
		      "acquire 1000, release 2000, wait 9000, acquire 7000000, release 7001000");
	trace_set_add(&made, 1,
		      "acquire 3000, preempted 10000, resumed 5010000, release 5011000, "
		      "kick 5012000 2, kick 5013000 0, wait 7500000");
	trace_set_add(&made, 2,
		      "wait 4000, halt 20000, wake 5020000, acquire 5021000, release 5022000");
}

static void no_events_no_picture(void **state)
{
	json_t *json;

	(void)state;
	assert_string_equal(draw(), "");
	json = perfetto();
	assert_int_equal(json_array_size(json_object_get(json, "traceEvents")), 0);
	json_decref(json);
}

static void the_picture_shows_the_preempted_holder(void **state)
{
	(void)state;
	add_story();
	draw();
	assert_sound_svg();
	assert_int_equal(count("<svg"), 1);
	assert_int_equal(
		count(">tas, run 1: vCPU 1 was off the CPU for 5.00 ms while it held the lock; "
		      "2 of 2 others waited.<"),
		1);
	assert_int_equal(
		count("<title>vCPU 1 off the CPU (preempted) with the lock: 5.00 ms</title>"), 1);
	assert_int_equal(count("<title>vCPU 2 halted: 5.00 ms</title>"), 1);
	assert_int_equal(count("<path"), 2); /* the kick, and the legend's arrow */
	assert_int_equal(count("ms since the first event"), 1);
	assert_int_equal(count(">unknown: "), 0);
	trace_set_add(&made, 3, "release 90000000");
	draw();
	assert_int_equal(count(">unknown: the events kept are all later<"), 1);
}

/* workload=kbuild: vCPU 2 waits for another lock, so it is no waiter of this holder. */
static void add_story_of_two_locks(void)
{
	trace_set_add(&made, 0, "wait 9000 @101, acquire 5020000 @101, release 5030000 @101");
	trace_set_add(&made, 1,
		      "acquire 3000 @101, acquire 4000 @2, preempted 10000, resumed 5010000, "
		      "release 5011000 @2, release 5012000 @101, idle 5013000, busy 9000000");
	trace_set_add(&made, 2, "wait 8000 @3, acquire 5020000 @3, release 6020000 @3");
}

static void a_picture_is_about_one_of_several_locks(void **state)
{
	(void)state;
	add_story_of_two_locks();
	draw();
	assert_sound_svg();
	assert_int_equal(
		count(">tas, run 1: vCPU 1 was off the CPU for 5.00 ms while it held zone 101 "
		      "and rq 2; 1 of 2 others waited for that.<"),
		1);
	assert_int_equal(
		count("<title>vCPU 1 off the CPU (preempted) with zone 101 and rq 2: 5.00 ms<"), 1);
	assert_int_equal(count("<title>vCPU 1 idle: 3.99 ms<"), 1);
	assert_int_equal(count(">another lock<"), 1);
	/* two in the legend, and vCPU 2's wait and hold */
	assert_int_equal(count("fill-opacity=\"0.3\""), 4);
	assert_int_equal(count("fill-opacity=\"0.3\"><title>vCPU 2 waits for rq 3: 5.01 ms<"), 1);
	assert_int_equal(count("\"><title>vCPU 0 waits for zone 101: 5.01 ms<"), 1);
}

static void a_slice_names_its_locks(void **state)
{
	json_t *json, *event;
	size_t i, held = 0, waits = 0;

	(void)state;
	add_story_of_two_locks();
	json = perfetto();
	json_array_foreach(json_object_get(json, "traceEvents"), i, event)
	{
		const char *name = json_string_value(json_object_get(event, "name"));
		char *locks = json_dumps(
			json_object_get(json_object_get(event, "args"), "lock_ids"), JSON_COMPACT);

		if (strcmp(name, "preempted holding rq") == 0) {
			assert_string_equal(locks, "[101,2]");
			held++;
		}
		if (strcmp(name, "waits for zone") == 0) {
			assert_string_equal(locks, "[101]");
			waits++;
		}
		free(locks);
	}
	assert_true(held == 1 && waits == 1);
	json_decref(json);
}

static void each_lock_has_a_picture(void **state)
{
	(void)state;
	add_story();
	for (int i = 0; i < 20; i++) {
		char lock[32];

		snprintf(lock, sizeof(lock), "lock-%d", i / 2);
		made.run = (uint64_t)i + 2;
		made.lock = lock;
		trace_set_add(&made, 0, "wait 10, acquire 20, release 30");
	}
	draw();
	assert_sound_svg();
	assert_int_equal(count("<svg"), TIMELINE_MOST_LOCKS);
	assert_int_equal(count("no holder was preempted"), 2 * (TIMELINE_MOST_LOCKS - 1));
}

static void strings_are_escaped(void **state)
{
	json_t *json;

	(void)state;
	made.lock = "<script>alert(1)</script>\"'&";
	made.log.path = "out/\xff\"\n<b>.log";
	made.log.instances = 2;
	add_story();
	draw();
	assert_sound_svg();
	assert_int_equal(
		count("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;, run 1 of instance 0"),
		2);
	json = perfetto();
	json_decref(json);
}

static void of_many_vcpus_the_waiters_are_shown(void **state)
{
	(void)state;
	for (uint64_t cpu = 0; cpu < 200; cpu++) {
		if (cpu == 150)
			trace_set_add(&made, cpu,
				      "acquire 10, preempted 20, resumed 9000, release 9001");
		else
			trace_set_add(&made, cpu,
				      cpu % 4 ? "acquire 1, release 2" : "wait 30, acquire 9100");
	}
	draw();
	assert_sound_svg();
	assert_int_equal(count("font-weight=\"bold\">vCPU 150<"), 1);
	assert_int_equal(count("50 of 199 others waited. 64 of 200 vCPUs are shown.<"), 1);
	assert_int_equal(count(">vCPU 196<"), 1);
	assert_int_equal(count(">vCPU 199<"), 0);
}

static void the_size_of_a_picture_is_bounded(void **state)
{
	(void)state;
	for (json_int_t i = 0; i < 20000; i++)
		trace_set_event(&made, 0, i % 2 ? "release" : "acquire", i * 7, 0);
	draw();
	assert_sound_svg();
	assert_true(length < 200000);
}

struct track {
	json_int_t pid, tid;
	double end;
};

/* The slices of a track are in order and do not overlap, and flows come in pairs. */
static void assert_sound_perfetto(json_t *json)
{
	json_t *events = json_object_get(json, "traceEvents"), *event;
	struct track track = {0};
	size_t i, flows = 0;

	json_array_foreach(events, i, event)
	{
		const char *ph = json_string_value(json_object_get(event, "ph"));
		double ts = json_real_value(json_object_get(event, "ts"));
		json_int_t pid = json_integer_value(json_object_get(event, "pid"));
		json_int_t tid = json_integer_value(json_object_get(event, "tid"));

		assert_true(pid > 0 && ts >= 0);
		if (*ph == 's' || *ph == 'f')
			flows++;
		if (*ph != 'X')
			continue;
		if (track.pid != pid || track.tid != tid)
			track = (struct track){.pid = pid, .tid = tid};
		assert_true(ts >= track.end);
		assert_true(json_number_value(json_object_get(event, "dur")) >= 0);
		track.end = ts + json_number_value(json_object_get(event, "dur"));
	}
	assert_int_equal(flows % 2, 0);
}

static void perfetto_has_every_span(void **state)
{
	json_t *json;

	(void)state;
	add_story();
	json = perfetto();
	assert_sound_perfetto(json);
	json_decref(json);
	assert_int_equal(count("\"name\":\"preempted holding the lock\""), 1);
	assert_int_equal(count("\"name\":\"holds lock\""), 4);
	assert_int_equal(count("\"name\":\"waits for lock\""), 3);
	assert_int_equal(count("\"name\":\"halted\""), 1);
	assert_int_equal(count("\"name\":\"vCPU 2\""), 1);
	assert_int_equal(count("\"name\":\"vCPU 2 lock\""), 1);
	assert_int_equal(count("\"name\":\"1 serial-0.log, run 1: tas\""), 1);
	assert_int_equal(count("\"ph\":\"s\""), 1);
	assert_int_equal(count("\"ph\":\"f\""), 1);
	/* starts 9000 cycles after the first event, and lasts 5000000 cycles less a nanosecond */
	assert_int_equal(count("\"ts\":9.0,\"cat\":\"preempted\",\"dur\":4999.999"), 1);
	assert_int_equal(count("\"end_not_traced\":true"), 1);
}

static void nonsense_makes_sound_output(void **state)
{
	static const char *const whats[] = {"wait",    "acquire", "release", "handed",
					    "halt",    "wake",    "kick",    "preempted",
					    "resumed", "yield",   "idle",    "busy"};
	static const json_int_t times[] = {0, -1, INT64_MAX, INT64_MAX - 1, 1};
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		json_t *json;

		for (uint64_t n = next_random(&seed) % 40; n > 0; n--) {
			uint64_t pick = next_random(&seed);
			json_int_t tsc = (json_int_t)(pick % 97 * (round % 2 ? 1 : 100003));

			if (pick % 9 == 0 && round % 3 == 0)
				tsc = times[pick / 9 % 5];
			made.lock_id = round % 2 ? pick / 8192 % 7 : 0;
			trace_set_event(&made, pick / 16 % 3, whats[pick / 64 % 12], tsc,
					(json_int_t)(pick / 1024 % 4));
			made.run = 1 + pick / 4096 % 2;
		}
		draw();
		assert_sound_svg();
		json = perfetto();
		assert_sound_perfetto(json);
		json_decref(json);
		trace_set_end(&made);
		trace_set_begin(&made);
	}
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_events_no_picture),
		CASE(the_picture_shows_the_preempted_holder),
		CASE(a_picture_is_about_one_of_several_locks),
		CASE(a_slice_names_its_locks),
		CASE(each_lock_has_a_picture),
		CASE(strings_are_escaped),
		CASE(of_many_vcpus_the_waiters_are_shown),
		CASE(the_size_of_a_picture_is_bounded),
		CASE(perfetto_has_every_span),
		CASE(nonsense_makes_sound_output),
	};

	return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
