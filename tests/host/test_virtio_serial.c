/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/virtio_serial.c and kernel/pci.c with devices that QEMU does not have: slow ones,
 * too small ones, none; with firmware that gives out no ports; and with a panic in the middle of a
 * piece. VIRTIO 1.2, 4.1.4.10 and 5.3; PCI Local Bus Specification 3.0, 6.1 and 6.2.
 */
#include "kernel/virtio_serial.h"

#include "tests/host/fake_cpu.h"
#include "tests/host/test.h"
#include <stdbool.h>
#include <string.h>

#define SLOT     3
#define ID       0x10031af4u
#define QUEUES   6
#define PATIENCE 1000000

static struct {
	bool present;
	uint32_t id, bar, command, selected;
} pci;

static struct {
	uint32_t offered, taken;
	uint16_t entries[QUEUES], selected, seen[QUEUES];
	uint32_t page[QUEUES];
	uint8_t status;
	bool deaf; /* takes no buffers */
	char out[3 * VIRTIO_SERIAL_PIECE];
	size_t sent, pieces, controls;
	struct {
		uint32_t port;
		uint16_t event, value;
	} control[8];
} device;

static uint64_t tsc;

uint64_t rdtsc(void)
{
	return tsc += 100;
}

static void read_buffer(uint16_t queue, const void *buffer, uint32_t bytes)
{
	if (queue == 5) {
		assert_true(device.sent + bytes <= sizeof(device.out));
		memcpy(device.out + device.sent, buffer, bytes);
		device.sent += bytes;
		device.pieces++;
	} else {
		assert_int_equal(queue, 3);
		assert_int_equal(bytes, sizeof(device.control[0]));
		memcpy(&device.control[device.controls++ % 8], buffer, bytes);
	}
}

/* Takes what is available, as 2.7.13.4 wants. */
static void serve(uint16_t queue)
{
	uint8_t *memory = (uint8_t *)((uintptr_t)device.page[queue] * 4096);
	uint16_t entries = device.entries[queue];
	uint16_t *available = (uint16_t *)(memory + 16 * entries);
	uint16_t *used =
		(uint16_t *)(memory + (16 * entries + 6 + 2 * entries + 4095) / 4096 * 4096);

	assert_true(device.status & 4);
	assert_int_equal(available[0], 1); /* no interrupt */
	while (!device.deaf && device.seen[queue] != available[1]) {
		uint8_t *descriptor = memory + 16 * available[2 + device.seen[queue] % entries];
		uint64_t address;
		uint32_t bytes;

		memcpy(&address, descriptor, sizeof(address));
		memcpy(&bytes, descriptor + 8, sizeof(bytes));
		read_buffer(queue, (const void *)(uintptr_t)address, bytes);
		used[1] = ++device.seen[queue];
	}
}

static uint32_t io_base(void)
{
	return pci.bar & ~3u;
}

void out32(uint16_t port, uint32_t value)
{
	uint32_t reg = pci.selected & 0xff;

	if (port == 0xcf8)
		pci.selected = value;
	else if (port == 0xcfc && reg == 0x10)
		pci.bar = value;
	else if (port == 0xcfc && reg == 0x04)
		pci.command = value;
	else if (port == io_base() + 4)
		device.taken = value;
	else if (port == io_base() + 8)
		device.page[device.selected] = value;
	else
		fail_msg("writes port %#x", port);
}

uint32_t in32(uint16_t port)
{
	if (port == io_base())
		return device.offered;
	assert_int_equal(port, 0xcfc);
	if (!pci.present || (pci.selected >> 11 & 31) != SLOT)
		return UINT32_MAX;
	switch (pci.selected & 0xff) {
	case 0x00:
		return pci.id;
	case 0x04:
		return pci.command | 0x02900000; /* status bits, cleared by ones */
	default:
		return pci.bar;
	}
}

void out16(uint16_t port, uint16_t value)
{
	assert_true(pci.command & 1);
	if (port == io_base() + 14)
		device.selected = value;
	else if (port == io_base() + 16)
		serve(value);
	else
		fail_msg("writes port %#x", port);
}

uint16_t in16(uint16_t port)
{
	assert_int_equal(port, io_base() + 12);
	return device.entries[device.selected];
}

void out8(uint16_t port, uint8_t value)
{
	assert_int_equal(port, io_base() + 18);
	device.status = value;
}

/* The driver gives page numbers of 32 bits, so the test program is linked below 4 GiB (host.mk). */
static void plug(uint16_t entries)
{
	memset(&pci, 0, sizeof(pci));
	memset(&device, 0, sizeof(device));
	pci.present = true;
	pci.id = ID;
	pci.bar = 0xc041;
	device.offered = 0x30000002;
	for (int i = 0; i < QUEUES; i++)
		device.entries[i] = entries;
}

static void takes_what_is_written(void **state)
{
	static char text[2 * VIRTIO_SERIAL_PIECE + 100];
	volatile size_t written = 10;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	plug(128);
	assert_null(virtio_serial_init(PATIENCE));
	assert_int_equal(device.taken, 2);
	assert_int_equal(device.controls, 3);
	assert_int_equal(device.control[2].port, 1);
	assert_int_equal(device.control[2].event, 6);
	assert_int_equal(device.control[2].value, 1);
	assert_int_equal(pci.command & 5, 5);
	assert_int_equal(pci.command >> 16, 0);
	assert_true(virtio_serial_write(text, sizeof(text), &written, PATIENCE));
	assert_int_equal(written, sizeof(text));
	assert_int_equal(device.pieces, 3);
	assert_int_equal(device.sent, sizeof(text) - 10);
	assert_memory_equal(device.out, text + 10, device.sent);
	for (int i = 0; i < 1000; i++) { /* the indices wrap round the ring */
		device.sent = written = 0;
		assert_true(virtio_serial_write(text, 9, &written, PATIENCE));
		assert_int_equal(device.sent, 9);
	}
}

static void gives_ports_to_a_device_that_has_none(void **state)
{
	(void)state;
	plug(1024);
	pci.bar = 1;
	assert_null(virtio_serial_init(PATIENCE));
	assert_int_equal(pci.bar, 0xc001);
}

static void a_busy_device_gets_a_piece_once(void **state)
{
	volatile size_t written = 0;
	char text[] = "one piece";

	(void)state;
	plug(64);
	assert_null(virtio_serial_init(PATIENCE));
	device.deaf = true;
	assert_false(virtio_serial_write(text, sizeof(text), &written, PATIENCE));
	assert_int_equal(written, 0);
	/* the log's buffer moves */
	memmove(text, text + 1, 4);
	assert_false(virtio_serial_write(text, sizeof(text), &written, PATIENCE));
	device.deaf = false;
	assert_true(virtio_serial_write(text, sizeof(text), &written, PATIENCE));
	assert_int_equal(device.sent, sizeof(text));
	assert_string_equal(device.out, "one piece");
	assert_int_equal(written, sizeof(text));
}

static void says_why_not(void **state)
{
	(void)state;
	plug(128);
	pci.present = false;
	assert_string_equal(virtio_serial_init(PATIENCE),
			    "there is no virtio serial device with port I/O on PCI bus 0");
	plug(128);
	pci.bar = 0xfebc0000; /* memory */
	assert_non_null(virtio_serial_init(PATIENCE));
	plug(2048);
	assert_non_null(strstr(virtio_serial_init(PATIENCE), "1024 entries"));
	assert_int_equal(device.status, 0);
	plug(128);
	device.entries[5] = 0;
	assert_non_null(strstr(virtio_serial_init(PATIENCE), "no port 1"));
	plug(128);
	device.offered = 0;
	assert_non_null(strstr(virtio_serial_init(PATIENCE), "but a console"));
	plug(128);
	device.deaf = true;
	assert_non_null(strstr(virtio_serial_init(PATIENCE), "does not answer"));
	assert_int_equal(device.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_written),
		cmocka_unit_test(gives_ports_to_a_device_that_has_none),
		cmocka_unit_test(a_busy_device_gets_a_piece_once),
		cmocka_unit_test(says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
