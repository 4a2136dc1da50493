/* SPDX-License-Identifier: MIT */
/*
 * See virtio_serial.h. Uses the legacy interface (VIRTIO 1.2, 4.1.4.10): it is port I/O only, so
 * nothing must be mapped, whichever firmware ran. Uses no interrupts: the used index shows what the
 * device has taken.
 *
 * A piece is copied before the device gets it, because the log's buffer moves (kernel/log.c). Its
 * state is such that a panic, or the NMI of a hang, can take over at any point: `target` and then
 * `in_flight` are set first; after that, giving the piece to the device a second time changes
 * nothing. (A panic between the last two stores of a piece sends it again.)
 */
#include "kernel/virtio_serial.h"

#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/pci.h"
#include "lib/string.h"

#define VENDOR_VIRTIO       0x1af4
#define DEVICE_TRANSITIONAL 0x1003 /* 4.1.2.1: console */

/* 4.1.4.10: offsets from the first port */
#define FEATURES_OFFERED 0
#define FEATURES_TAKEN   4
#define QUEUE_PAGE       8
#define QUEUE_SIZE       12
#define QUEUE_SELECT     14
#define QUEUE_NOTIFY     16
#define STATUS           18

/* 2.1 */
#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4

/* 5.3.2, 5.3.3, 5.3.6.2 */
#define FEATURE_MULTIPORT  (1u << 1)
#define QUEUE_CONTROL_OUT  3
#define QUEUE_PORT_1_OUT   5
#define EVENT_DEVICE_READY 0
#define EVENT_PORT_READY   3
#define EVENT_PORT_OPEN    6

/* 2.7: a split virtqueue in the legacy layout (2.7.2), the used ring on a page of its own */
#define MAX_ENTRIES     1024 /* as many as QEMU 10 has */
#define RING_PAGES      8    /* of that many entries: 5 and 3 */
#define NO_INTERRUPT    1
#define AVAILABLE_FLAGS 0
#define AVAILABLE_INDEX 1
#define AVAILABLE_RING  2
#define USED_INDEX      1

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* One buffer at a time, by descriptor 0. */
struct queue {
	uint16_t number, entries;
	volatile struct descriptor *descriptor;
	volatile uint16_t *available, *used;
	uint16_t target; /* the used index when the device is done with the buffer */
};

struct control {
	uint32_t port;
	uint16_t event, value;
};

static uint8_t rings[2][RING_PAGES * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static struct queue control_out = {.number = QUEUE_CONTROL_OUT};
static struct queue port_out = {.number = QUEUE_PORT_1_OUT};
static uint16_t io;               /* first port of the device */
static volatile size_t in_flight; /* bytes of `piece` that the device may not have read yet */
static char piece[VIRTIO_SERIAL_PIECE];

static bool queue_open(struct queue *queue, uint8_t *memory)
{
	size_t descriptors;

	out16(io + QUEUE_SELECT, queue->number);
	queue->entries = in16(io + QUEUE_SIZE);
	if (queue->entries == 0 || queue->entries > MAX_ENTRIES)
		return false;
	memset(memory, 0, sizeof(rings[0]));
	descriptors = queue->entries * sizeof(struct descriptor);
	queue->descriptor = (volatile struct descriptor *)memory;
	queue->available = (volatile uint16_t *)(memory + descriptors);
	queue->used = (volatile uint16_t *)(memory + (descriptors +
						      (3u + queue->entries) * sizeof(uint16_t) +
						      PAGE_BYTES - 1) /
							     PAGE_BYTES * PAGE_BYTES);
	queue->available[AVAILABLE_FLAGS] = NO_INTERRUPT;
	out32(io + QUEUE_PAGE, (uint32_t)((uintptr_t)memory / PAGE_BYTES));
	return true;
}

/* Only while the device has no buffer of this queue. */
static void queue_prepare(struct queue *queue, const void *buffer, size_t bytes)
{
	uint16_t used = queue->used[USED_INDEX];

	queue->descriptor[0].address = (uintptr_t)buffer;
	queue->descriptor[0].length = (uint32_t)bytes;
	queue->available[AVAILABLE_RING + used % queue->entries] = 0;
	queue->target = (uint16_t)(used + 1);
}

/* False if the device still has the buffer after patience_cycles. */
static bool queue_give(struct queue *queue, uint64_t patience_cycles)
{
	uint64_t start = rdtsc();

	__asm__ volatile("" : : : "memory"); /* x86 keeps the order of stores, the compiler must */
	queue->available[AVAILABLE_INDEX] = queue->target;
	out16(io + QUEUE_NOTIFY, queue->number);
	while (queue->used[USED_INDEX] != queue->target) {
		if (rdtsc() - start >= patience_cycles)
			return false;
		cpu_relax();
	}
	return true;
}

static bool tell(uint16_t event, uint32_t port, uint64_t patience_cycles)
{
	static struct control message;

	message = (struct control){.port = port, .event = event, .value = 1};
	queue_prepare(&control_out, &message, sizeof(message));
	return queue_give(&control_out, patience_cycles);
}

static const char *start(uint64_t patience_cycles)
{
	out8(io + STATUS, 0);
	out8(io + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	if (!(in32(io + FEATURES_OFFERED) & FEATURE_MULTIPORT))
		return "the virtio serial device has no ports but a console";
	out32(io + FEATURES_TAKEN, FEATURE_MULTIPORT);
	if (!queue_open(&control_out, rings[0]) || !queue_open(&port_out, rings[1]))
		return "the virtio serial device has no port 1, or a queue of more than 1024 "
		       "entries";
	out8(io + STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	if (!tell(EVENT_DEVICE_READY, 0, patience_cycles) ||
	    !tell(EVENT_PORT_READY, 1, patience_cycles) ||
	    !tell(EVENT_PORT_OPEN, 1, patience_cycles))
		return "the virtio serial device does not answer";
	return NULL;
}

const char *virtio_serial_init(uint64_t patience_cycles)
{
	const char *problem;

	io = pci_find_ports(VENDOR_VIRTIO, DEVICE_TRANSITIONAL);
	if (io == 0)
		return "there is no virtio serial device with port I/O on PCI bus 0";
	problem = start(patience_cycles);
	if (problem != NULL)
		out8(io + STATUS, 0);
	return problem;
}

bool virtio_serial_write(const char *bytes, size_t count, volatile size_t *written,
			 uint64_t patience_cycles)
{
	while (*written < count) {
		if (in_flight == 0) {
			size_t left = count - *written;
			size_t taken = left < sizeof(piece) ? left : sizeof(piece);

			memcpy(piece, bytes + *written, taken);
			queue_prepare(&port_out, piece, taken);
			in_flight = taken;
		}
		if (!queue_give(&port_out, patience_cycles))
			return false;
		*written += in_flight;
		in_flight = 0;
	}
	return true;
}
