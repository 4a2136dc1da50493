/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/serial.c with UARTs that QEMU does not have: without FIFOs, without a scratch
 * register, with output that stops; and without a UART. PC16550D data sheet, section 8; the 8250
 * has a subset of its registers.
 */
#include "kernel/serial.h"

#include "kernel/layout.h"
#include "tests/host/fake_cpu.h"
#include "tests/host/test.h"
#include <stdbool.h>
#include <string.h>

#define ACCESS_CYCLES 3000 /* an access to a port takes a microsecond at 3 GHz */

static struct {
	bool present, fifo, remembers; /* remembers: no UART, but the bus keeps the last value */
	uint8_t interrupts, line_control, fifo_control, modem, last;
	uint16_t divisor;
	uint64_t busy_until; /* TSC */
	size_t room;         /* bytes that the transmitter still accepts */
	char out[256];
	size_t sent, lost;
	bool raised; /* an interrupt was enabled and could have reached the CPU */
} uart;

static uint64_t tsc;

uint64_t rdtsc(void)
{
	return tsc;
}

static void transmit(uint8_t value)
{
	if (uart.room == 0) {
		uart.lost++;
		return;
	}
	uart.room--;
	uart.out[uart.sent++] = (char)value;
}

void out8(uint16_t port, uint8_t value)
{
	bool divisor = uart.line_control & 0x80;

	tsc += ACCESS_CYCLES;
	uart.last = value;
	switch (port - COM1_PORT) {
	case 0:
		if (divisor)
			uart.divisor = (uint16_t)((uart.divisor & 0xff00) | value);
		else
			transmit(value);
		break;
	case 1:
		if (divisor)
			uart.divisor = (uint16_t)((uart.divisor & 0xff) | value << 8);
		else
			uart.interrupts = value & 0x0f;
		break;
	case 2:
		uart.fifo_control = value;
		break;
	case 3:
		uart.line_control = value;
		break;
	case 4:
		uart.modem = value;
		break;
	default:
		fail_msg("writes port %#x", port);
	}
	uart.raised |= uart.interrupts != 0 && (uart.modem & 0x08);
}

static uint8_t line_status(void)
{
	if (tsc < uart.busy_until)
		return 0;
	uart.room = uart.fifo && (uart.fifo_control & 1) ? 16 : 1;
	return 0x60;
}

uint8_t in8(uint16_t port)
{
	tsc += ACCESS_CYCLES;
	if (!uart.present)
		return uart.remembers ? uart.last : 0xff;
	switch (port - COM1_PORT) {
	case 1:
		return uart.interrupts;
	case 2:
		return uart.fifo && (uart.fifo_control & 1) ? 0xc1 : 0x01;
	case 5:
		return line_status();
	default:
		fail_msg("reads port %#x", port);
		return 0;
	}
}

static void plug(bool present, bool fifo)
{
	memset(&uart, 0, sizeof(uart));
	uart.present = present;
	uart.fifo = fifo;
	uart.modem = 0x0b; /* as firmware leaves it, with OUT2, which passes interrupts on */
	uart.line_control = 0x80;
	uart.room = 1;
}

#define PATIENCE 30000000 /* cycles: 10 ms at 3 GHz */

static size_t write_all(const char *text)
{
	volatile size_t written = 0;
	bool all = serial_write(text, strlen(text), &written, PATIENCE);

	assert_int_equal(all, written == strlen(text));
	return written;
}

static const char forty[] = "0123456789abcdefghijklmnopqrstuvwxyz....";

static void all_bytes_arrive(void **state)
{
	(void)state;
	for (int fifo = 0; fifo < 2; fifo++) {
		plug(true, fifo != 0);
		assert_true(serial_init());
		assert_int_equal(uart.divisor, 1);
		assert_int_equal(uart.line_control, 0x03);
		assert_int_equal(uart.modem, 0x03);
		assert_int_equal(uart.interrupts, 0);
		assert_false(uart.raised);
		assert_int_equal(write_all(forty), 40);
		assert_int_equal(uart.lost, 0);
		assert_memory_equal(uart.out, forty, 40);
	}
}

static void without_a_uart_output_is_dropped(void **state)
{
	(void)state;
	for (int remembers = 0; remembers < 2; remembers++) {
		plug(false, false);
		uart.remembers = remembers != 0;
		assert_false(serial_init());
		uart.last = 0;
		assert_int_equal(write_all(forty), 40);
		assert_int_equal(uart.last, 0); /* no port was written to */
		assert_int_equal(serial_read(), -1);
	}
}

static void a_pause_loses_nothing(void **state)
{
	(void)state;
	plug(true, true);
	assert_true(serial_init());
	uart.busy_until = tsc + PATIENCE / 2;
	assert_int_equal(write_all(forty), 40);
	assert_memory_equal(uart.out, forty, 40);
}

/* Each call waits for PATIENCE and no longer. When the transmitter is empty again, output continues
 * where it stopped. */
static void a_busy_uart_is_tried_again(void **state)
{
	volatile size_t written = 0;
	uint64_t start;

	(void)state;
	plug(true, true);
	assert_true(serial_init());
	assert_true(serial_write(forty, 16, &written, PATIENCE));
	uart.busy_until = UINT64_MAX;
	for (int i = 0; i < 2; i++) {
		start = tsc;
		assert_false(serial_write(forty, 40, &written, PATIENCE));
		assert_int_equal(written, 16);
		assert_in_range(tsc - start, PATIENCE, PATIENCE + 2 * ACCESS_CYCLES);
	}
	uart.busy_until = 0;
	assert_true(serial_write(forty, 40, &written, PATIENCE));
	assert_memory_equal(uart.out, forty, 40);
	assert_int_equal(uart.sent, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_arrive),
		cmocka_unit_test(without_a_uart_output_is_dropped),
		cmocka_unit_test(a_pause_loses_nothing),
		cmocka_unit_test(a_busy_uart_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
