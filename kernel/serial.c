/* SPDX-License-Identifier: MIT */
/* 8250/16550 driver. Registers: National Semiconductor PC16550D data sheet, section 8. */
#include "kernel/serial.h"

#include "kernel/cpu.h"
#include "kernel/layout.h"
#include <stdint.h>

#define UART_DATA           (COM1_PORT + 0)
#define UART_DIVISOR_LOW    (COM1_PORT + 0) /* while DLAB is set */
#define UART_DIVISOR_HIGH   (COM1_PORT + 1)
#define UART_INTERRUPTS     (COM1_PORT + 1)
#define UART_FIFO           (COM1_PORT + 2) /* write */
#define UART_IDENTIFICATION (COM1_PORT + 2) /* read */
#define UART_LINE_CONTROL   (COM1_PORT + 3)
#define UART_MODEM          (COM1_PORT + 4)
#define UART_LINE_STATUS    (COM1_PORT + 5)

#define INTERRUPTS_ALL        0x0f
#define LINE_CONTROL_DLAB     0x80
#define LINE_CONTROL_8N1      0x03
#define FIFO_ENABLE_CLEAR     0x07
#define IDENTIFICATION_FIFO   0xc0 /* both bits set: the FIFOs exist and work */
#define MODEM_DTR_RTS         0x03
#define STATUS_DATA_READY     0x01
#define STATUS_TRANSMIT_EMPTY 0x20
#define FIFO_BYTES            16
#define DIVISOR_115200        1

static bool present;
static size_t burst; /* bytes that an empty transmitter takes */

/* Whether the interrupt enable register keeps these four bits, which every 8250 has (the first
 * model has no scratch register). Writes another register in between, because an undriven bus may
 * return the last byte on it. */
static bool holds(uint8_t interrupts)
{
	out8(UART_INTERRUPTS, interrupts);
	out8(UART_LINE_CONTROL, LINE_CONTROL_8N1);
	return (in8(UART_INTERRUPTS) & INTERRUPTS_ALL) == interrupts;
}

bool serial_init(void)
{
	out8(UART_MODEM, 0); /* clears OUT2, so that briefly enabled interrupts reach no CPU */
	out8(UART_LINE_CONTROL, LINE_CONTROL_8N1);
	present = holds(INTERRUPTS_ALL) && holds(0);
	if (!present)
		return false;
	out8(UART_LINE_CONTROL, LINE_CONTROL_DLAB);
	out8(UART_DIVISOR_LOW, DIVISOR_115200);
	out8(UART_DIVISOR_HIGH, 0);
	out8(UART_LINE_CONTROL, LINE_CONTROL_8N1);
	out8(UART_FIFO, FIFO_ENABLE_CLEAR);
	burst = (in8(UART_IDENTIFICATION) & IDENTIFICATION_FIFO) == IDENTIFICATION_FIFO ? FIFO_BYTES
											: 1;
	out8(UART_MODEM, MODEM_DTR_RTS);
	return true;
}

static bool wait_until_empty(uint64_t patience_cycles)
{
	uint64_t start = rdtsc();

	while (!(in8(UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY)) {
		if (rdtsc() - start >= patience_cycles)
			return false;
		cpu_relax();
	}
	return true;
}

/* OUT, not REP OUTSB: KVM leaves for the VMM at every byte of either, and emulates the string form
 * instruction by instruction where OUT has a fast path (Linux arch/x86/kvm/x86.c, kvm_fast_pio). */
bool serial_write(const char *bytes, size_t count, volatile size_t *written,
		  uint64_t patience_cycles)
{
	if (!present)
		*written = count;
	while (*written < count) {
		size_t left = count - *written;

		if (!wait_until_empty(patience_cycles))
			return false;
		for (size_t i = 0; i < left && i < burst; i++) {
			/* Counted first: a panic's NMI comes when the OUT's exit ends. */
			size_t at = *written;

			*written = at + 1;
			out8(UART_DATA, (uint8_t)bytes[at]);
		}
	}
	return true;
}

int serial_read(void)
{
	if (!present || !(in8(UART_LINE_STATUS) & STATUS_DATA_READY))
		return -1;
	return in8(UART_DATA);
}
