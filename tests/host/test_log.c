/* SPDX-License-Identifier: MIT */
/* Tests kernel/log.c with a transmitter, by COM1 and by virtio, that accepts some bytes and is then
 * busy until somebody reads. */
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/serial.h"
#include "kernel/tsc.h"
#include "kernel/virtio_serial.h"
#include "kernel/watchdog.h"
#include "lib/log.h"
#include "tests/host/test.h"
#include <stdio.h>
#include <stdlib.h>

#define LINE      100
#define LOG_BYTES (128 * 1024)

struct machine machine = {.tsc_khz = 1000000}; /* a cycle is a nanosecond */

static size_t room; /* bytes that the UART still accepts */
static uint64_t now, fed, read_at;
static char out[1024 * 1024];
static size_t out_used, displayed;

uint64_t tsc_from_ns(uint64_t ns)
{
	return ns;
}

static bool device, by_virtio;

const char *virtio_serial_init(uint64_t patience)
{
	(void)patience;
	return device ? NULL : "none";
}

static bool transmit(const char *bytes, size_t count, volatile size_t *written, uint64_t patience)
{
	if (room == 0 && now < read_at) {
		assert_true(patience <= 1000000000); /* the watchdog must be fed */
		now += patience;
	}
	if (now >= read_at)
		room = SIZE_MAX;
	for (; *written < count && room > 0; room--)
		out[out_used++] = bytes[(*written)++];
	return *written == count;
}

bool serial_write(const char *bytes, size_t count, volatile size_t *written, uint64_t patience)
{
	assert_false(by_virtio);
	return transmit(bytes, count, written, patience);
}

bool virtio_serial_write(const char *bytes, size_t count, volatile size_t *written,
			 uint64_t patience)
{
	assert_true(by_virtio);
	return transmit(bytes, count, written, patience);
}

void console_write(const char *bytes, size_t count)
{
	(void)bytes;
	displayed += count;
}

void watchdog_feed(void)
{
	fed = now;
}

/* Starts a test: the UART accepts `bytes` until the reader comes. */
static void plug(size_t bytes, uint64_t reader_comes_ns)
{
	room = SIZE_MAX;
	read_at = 0;
	log_flush(); /* what the last test left */
	out_used = displayed = 0;
	room = bytes;
	read_at = now + reader_comes_ns;
}

/* Lines of LINE bytes with their number. */
static void write_lines(size_t from, size_t to)
{
	char line[LINE + 1];

	for (size_t i = from; i < to; i++) {
		snprintf(line, sizeof(line), "%-*zu\n", LINE - 1, i);
		log_write(line, LINE);
	}
}

static void check_lines(size_t count)
{
	char *end;

	assert_int_equal(out_used, count * LINE);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(strtoul(out + i * LINE, &end, 10), i);
}

static void a_reader_in_time_gets_everything(void **state)
{
	(void)state;
	plug(30, UINT64_C(60000000000));
	write_lines(0, 3000); /* more than the buffer */
	log_flush();
	assert_true(log_complete());
	check_lines(3000);
	assert_int_equal(displayed, 3000 * LINE);
}

/* The log waits for the reader once. Then it buffers, each flush is short, and it continues when
 * the reader comes. */
static void a_late_reader_gets_what_was_buffered(void **state)
{
	uint64_t start;

	(void)state;
	plug(130, UINT64_C(3600000000000));
	write_lines(0, 10);
	start = now;
	log_flush();
	assert_in_range(now - start, UINT64_C(60000000000), UINT64_C(300000000000));
	assert_in_range(now - fed, 0, UINT64_C(1000000000));
	start = now;
	for (size_t i = 1; i < 100; i++) {
		write_lines(i * 10, i * 10 + 10);
		log_flush();
	}
	assert_in_range(now - start, 0, UINT64_C(10000000000));
	assert_false(log_complete());
	now = read_at;
	log_flush();
	check_lines(1000);
	assert_true(log_complete());
}

static void changes_its_transmitter_when_nothing_is_left(void **state)
{
	(void)state;
	plug(SIZE_MAX, 0);
	write_lines(0, 1);
	assert_string_equal(log_use_virtio(), "none");
	device = true;
	plug(10, UINT64_C(3600000000000));
	write_lines(0, 1);
	assert_string_equal(log_use_virtio(), "COM1 is busy");
	now = read_at;
	assert_null(log_use_virtio());
	by_virtio = true;
	write_lines(1, 2);
	log_flush();
	check_lines(2);
}

/* A full buffer loses whole lines, and log_complete() says so. This must be the last test, because
 * the log stays incomplete. */
static void a_full_buffer_loses_whole_lines(void **state)
{
	size_t kept = (LOG_BYTES + 130) / LINE;

	(void)state;
	plug(130, UINT64_C(3600000000000));
	write_lines(0, kept + 100);
	log_flush();
	now = read_at;
	log_flush();
	assert_in_range(out_used, (kept - 2) * LINE, kept * LINE);
	check_lines(out_used / LINE);
	assert_false(log_complete());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_in_time_gets_everything),
		cmocka_unit_test(a_late_reader_gets_what_was_buffered),
		cmocka_unit_test(changes_its_transmitter_when_nothing_is_left),
		cmocka_unit_test(a_full_buffer_loses_whole_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
