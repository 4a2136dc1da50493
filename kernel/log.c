/* SPDX-License-Identifier: MIT */
/*
 * lib/log.h in the guest: a buffer in memory. Between measured phases it goes to the transmitter:
 * COM1, or a virtio serial port once log_use_virtio() has found one. The transmitter stays busy if
 * nobody reads the VMM's output (a full pipe, a pager). A flush waits for it for PATIENCE_NS. After
 * that the log stays in the buffer; each later flush only checks whether the transmitter is free
 * again and, if so, continues where the log stopped. A record is lost only if the buffer is full;
 * then log_complete() is false, and the verdict is no longer ok.
 */
#include "kernel/log.h"

#include "kernel/console.h"
#include "kernel/serial.h"
#include "kernel/tsc.h"
#include "kernel/virtio_serial.h"
#include "kernel/watchdog.h"
#include "lib/log.h"
#include "lib/string.h"
#include <stdint.h>

#define LOG_BYTES ((size_t)128 * 1024)
/* Output may take minutes if each byte is an exit to a VMM that waits for a CPU, or if nobody
 * reads. That is not a hang, so the watchdog is fed every FEED_BYTES and every LOOK_NS. */
#define FEED_BYTES  512
#define LOOK_NS     10000000ull /* a full FIFO drains in 1.4 ms at 115200 baud */
#define PATIENCE_NS 120000000000ull
#define ANSWER_NS   1000000000ull /* QEMU answers within the exit */
/* Used instead of LOOK_NS before the TSC's rate is known: 10 ms at 3 GHz. */
#define LOOK_CYCLES (UINT64_C(1) << 25)

static char buffer[LOG_BYTES];
static size_t used, shown;   /* bytes in the buffer; of these, shown on the console */
static volatile size_t sent; /* bytes sent; a panic continues from here */
static bool stalled;         /* the last flush left something behind */
static bool lost;
static bool (*transmit)(const char *bytes, size_t count, volatile size_t *written,
			uint64_t patience_cycles) = serial_write;

static bool send(uint64_t patience_ns)
{
	uint64_t waited_ns = 0;

	while (sent < used) {
		size_t before = sent;
		size_t end = used - sent < FEED_BYTES ? used : sent + FEED_BYTES;
		uint64_t look = machine.tsc_khz != 0 ? tsc_from_ns(LOOK_NS) : LOOK_CYCLES;

		if (!transmit(buffer, end, &sent, look))
			waited_ns += LOOK_NS;
		if (sent > before) {
			waited_ns = 0;
			patience_ns = PATIENCE_NS; /* the output is being read again */
		} else if (waited_ns >= patience_ns) {
			return false;
		}
		watchdog_feed();
	}
	return true;
}

/* Painting pixels takes time, too. */
static void show(void)
{
	while (shown < used) {
		size_t part = used - shown < FEED_BYTES ? used - shown : FEED_BYTES;

		console_write(buffer + shown, part);
		shown += part;
		watchdog_feed();
	}
}

static void flush(uint64_t patience_ns)
{
	show();
	stalled = !send(patience_ns);
	if (!stalled)
		used = shown = sent = 0;
}

void log_flush(void)
{
	flush(stalled ? 0 : PATIENCE_NS);
}

bool log_complete(void)
{
	flush(PATIENCE_NS);
	return !stalled && !lost;
}

const char *log_use_virtio(void)
{
	const char *problem;

	log_flush();
	if (stalled)
		return "COM1 is busy";
	problem = virtio_serial_init(tsc_from_ns(ANSWER_NS));
	if (problem == NULL)
		transmit = virtio_serial_write;
	return problem;
}

static void make_room(void)
{
	log_flush();
	memmove(buffer, buffer + sent, used - sent);
	used -= sent;
	shown = used;
	sent = 0;
}

/* Appends all bytes or none, so that the buffer consists of whole lines. */
void log_write(const char *bytes, size_t count)
{
	if (count > LOG_BYTES - used)
		make_room();
	if (count > LOG_BYTES - used) {
		lost = true;
		return;
	}
	memcpy(buffer + used, bytes, count);
	used += count;
}
