/* SPDX-License-Identifier: MIT */
/* 8250/16550 driver. Registers: National Semiconductor PC16550D data sheet, section 8. */
#include "kernel/serial.h"

#include "kernel/cpu.h"
#include "pvspin/layout.h"
#include <stdint.h>

#define UART_DATA         (COM1_PORT + 0)
#define UART_DIVISOR_LOW  (COM1_PORT + 0) /* while DLAB is set */
#define UART_DIVISOR_HIGH (COM1_PORT + 1)
#define UART_INTERRUPTS   (COM1_PORT + 1)
#define UART_FIFO         (COM1_PORT + 2)
#define UART_LINE_CONTROL (COM1_PORT + 3)
#define UART_MODEM        (COM1_PORT + 4)
#define UART_LINE_STATUS  (COM1_PORT + 5)
#define UART_SCRATCH      (COM1_PORT + 7)

#define LINE_CONTROL_DLAB     0x80
#define LINE_CONTROL_8N1      0x03
#define FIFO_ENABLE_CLEAR     0x07
#define MODEM_DTR_RTS         0x03
#define STATUS_DATA_READY     0x01
#define STATUS_TRANSMIT_EMPTY 0x20
#define FIFO_BYTES            16
#define DIVISOR_115200        1

/* A status read takes a microsecond or more (it exits to the VMM, or goes over the ISA bus), and a
 * full FIFO drains in 1.4 ms at 115200 baud: a million reads are more than a second. */
#define MAX_STATUS_READS 1000000

static bool present;

bool serial_init(void)
{
	out8(UART_SCRATCH, 0x5a);
	present = in8(UART_SCRATCH) == 0x5a;
	if (!present)
		return false;
	out8(UART_INTERRUPTS, 0);
	out8(UART_LINE_CONTROL, LINE_CONTROL_DLAB);
	out8(UART_DIVISOR_LOW, DIVISOR_115200);
	out8(UART_DIVISOR_HIGH, 0);
	out8(UART_LINE_CONTROL, LINE_CONTROL_8N1);
	out8(UART_FIFO, FIFO_ENABLE_CLEAR);
	out8(UART_MODEM, MODEM_DTR_RTS);
	return true;
}

static bool wait_until_empty(void)
{
	for (uint32_t i = 0; i < MAX_STATUS_READS; i++) {
		if (in8(UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY)
			return true;
		cpu_relax();
	}
	return false;
}

/* OUT, not REP OUTSB: KVM leaves for the VMM at every byte of either, and emulates the string form
 * instruction by instruction where OUT has a fast path (Linux arch/x86/kvm/x86.c, kvm_fast_pio). */
void serial_write(const char *bytes, size_t count, volatile size_t *written)
{
	while (present && *written < count) {
		size_t left = count - *written;

		present = wait_until_empty();
		for (size_t i = 0; present && i < left && i < FIFO_BYTES; i++) {
			out8(UART_DATA, (uint8_t)bytes[*written]);
			++*written;
		}
	}
}

int serial_read(void)
{
	if (!present || !(in8(UART_LINE_STATUS) & STATUS_DATA_READY))
		return -1;
	return in8(UART_DATA);
}
