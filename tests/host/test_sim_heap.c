/* SPDX-License-Identifier: MIT */
/* Tests sim/heap.c: events come by time, and events of the same time in the order of posting. */
#include "tests/host/test.h"

#include "sim/heap.h"
#include <stdlib.h>

static bool nothing(void *subject, uint64_t detail, uint64_t time)
{
	(void)subject;
	(void)detail;
	(void)time;
	return true;
}

static void events_come_by_time_then_by_posting(void **state)
{
	struct heap heap = {0};
	uint64_t time = 0, number = 0, x = 1;

	(void)state;
	for (uint64_t i = 0; i < 5000; i++) { /* more than the first allocation holds */
		x = x * UINT64_C(6364136223846793005) + 1;
		heap_post(&heap, (x >> 33) % 100, nothing, NULL, i);
	}
	for (int i = 0; i < 5000; i++) {
		struct event event = heap_take(&heap);

		assert_true(event.time > time || i == 0 ||
			    (event.time == time && event.detail > number));
		time = event.time;
		number = event.detail;
	}
	assert_true(heap_time(&heap) == NEVER);
	free(heap.event);
}

static void an_event_put_back_keeps_its_place(void **state)
{
	struct heap heap = {0};
	struct event first;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		heap_post(&heap, 7, nothing, NULL, i);
	first = heap_take(&heap);
	heap_put_back(&heap, &first);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(heap_take(&heap).detail, i);
	free(heap.event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_by_time_then_by_posting),
		cmocka_unit_test(an_event_put_back_keeps_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
