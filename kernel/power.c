/* SPDX-License-Identifier: MIT */
/* Switches off by the registers that acpi_power.c has found. ACPI 6.5: 4.8.2.5 (enabling), 4.8.3.2
 * (PM1 control), 4.8.3.7 (sleep control), 16.1 (the sequence; its rest is for machines that wake up
 * again). */
#include "kernel/power.h"

#include "kernel/acpi.h"
#include "kernel/cpu.h"
#include "kernel/layout.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "lib/debug_exit.h"
#include "lib/printf.h"
#include <stdbool.h>

#define PM1_SCI_ENABLED  (1u << 0)
#define PM1_TYPE_SHIFT   10
#define PM1_TYPE_ENABLE  (0xfu << PM1_TYPE_SHIFT) /* SLP_TYP 12:10, SLP_EN 13 */
#define PM1_SLEEP_ENABLE (1u << 13)
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_ENABLE     (1u << 5)

/* Bound, in reads of a port of at least a microsecond each, on the waits until ACPI is enabled
 * (firmware may take seconds) and until the power is off. */
#define MAX_READS 3000000

static struct acpi_power power;
static bool known;
static char problem[256] = "ACPI was not read";

void power_init(const struct boot_info *boot)
{
	char detail[160] = "";
	enum acpi_status status =
		acpi_find_power(memory_map_physical, boot->rsdp, &power, detail, sizeof(detail));
	uint64_t page = power.control / PAGE_BYTES * PAGE_BYTES;

	ksnprintf(problem, sizeof(problem), "%s: %s", acpi_status_text(status), detail);
	known = status == ACPI_OK;
	if (!known || !power.reduced || power.control_is_port)
		return;
	known = page < MEMORY_MAPPED_END;
	if (known)
		paging_set(page, PAGE_BYTES, PAGING_DEVICE);
}

static void enable_acpi(void)
{
	if (power.smi_command == 0 || (in16(power.pm1a) & PM1_SCI_ENABLED))
		return;
	out8(power.smi_command, power.enable);
	for (uint32_t i = 0; i < MAX_READS && !(in16(power.pm1a) & PM1_SCI_ENABLED); i++)
		cpu_relax();
}

static void sleep(uint16_t port, uint8_t type)
{
	uint32_t value = in16(port) & ~PM1_TYPE_ENABLE;

	out16(port, (uint16_t)(value | (uint32_t)type << PM1_TYPE_SHIFT | PM1_SLEEP_ENABLE));
}

const char *power_off(void)
{
	uint8_t value = (uint8_t)(power.type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);

	if (!known)
		return problem;
	irq_disable();
	if (!power.reduced) {
		enable_acpi();
		sleep(power.pm1a, power.type_a);
		if (power.pm1b != 0)
			sleep(power.pm1b, power.type_b);
	} else if (power.control_is_port) {
		out8((uint16_t)power.control, value);
	} else {
		*(volatile uint8_t *)power.control = value;
	}
	for (uint32_t i = 0; i < MAX_READS; i++)
		in8(DEBUG_EXIT_PORT);
	return "the machine did not switch off when ACPI's registers were written";
}
