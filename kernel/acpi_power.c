/* SPDX-License-Identifier: MIT */
/*
 * Finds the power management timer and how to switch the machine off: the registers from the FADT,
 * the sleep type of state S5 from the DSDT. ACPI 6.5: 5.2.9 (FADT), 4.8.3.2 and 4.8.3.7 (PM1
 * control and sleep control registers), 4.8.3.3 (timer), 7.4.2 (_Sx).
 *
 * Without an AML interpreter: in practice \_S5 is a package of constants, so this code searches the
 * DSDT for its encoding: Name, "_S5_", Package, and the first one or two numbers in it (20.2).
 */
#include "kernel/acpi_table.h"

#include "lib/string.h"

/* Offsets in the FADT, 5.2.9. Fields beyond the table's length read as 0. */
#define FADT_MIN_BYTES     72 /* up to PM1b_CNT_BLK; ACPI 1.0 has 116 */
#define FADT_DSDT          40
#define FADT_SMI_CMD       48
#define FADT_ACPI_ENABLE   52
#define FADT_PM1A_CNT      64
#define FADT_PM1B_CNT      68
#define FADT_PM_TIMER      76
#define FADT_FLAGS         112
#define FADT_X_DSDT        140
#define FADT_X_PM1A_CNT    172
#define FADT_X_PM1B_CNT    184
#define FADT_X_PM_TIMER    208
#define FADT_SLEEP_CONTROL 244
#define FLAG_HW_REDUCED    (1u << 20)

/* Generic address, 5.2.3.2: address space at byte 0, address at byte 4. */
#define GAS_BYTES   12
#define GAS_ADDRESS 4
#define GAS_MEMORY  0
#define GAS_IO      1

/* AML, 20.2. */
#define AML_ZERO    0x00
#define AML_ONE     0x01
#define AML_NAME    0x08
#define AML_BYTE    0x0a
#define AML_WORD    0x0b
#define AML_DWORD   0x0c
#define AML_PACKAGE 0x12
#define AML_ROOT    '\\'

#define SLEEP_TYPE_MAX 7 /* three bits in both registers */

static const struct acpi_wanted fadt = {
	.signature = "FACP",
	.missing = ACPI_NO_FADT,
	.entries_from = FADT_MIN_BYTES,
};

static uint32_t field_u32(const struct acpi_table *table, uint32_t at)
{
	return at + 4 <= table->length ? acpi_u32(table->bytes + at) : 0;
}

static uint64_t field_u64(const struct acpi_table *table, uint32_t at)
{
	return at + 8 <= table->length ? acpi_u64(table->bytes + at) : 0;
}

/* Returns an I/O port, from the extended field if that has one, as 5.2.9 asks for. */
static uint16_t port_of(const struct acpi_table *table, uint32_t at, uint32_t extended)
{
	uint64_t port = field_u32(table, at);

	if (extended + GAS_BYTES <= table->length && table->bytes[extended] == GAS_IO &&
	    field_u64(table, extended + GAS_ADDRESS) != 0)
		port = field_u64(table, extended + GAS_ADDRESS);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool sleep_control_of(const struct acpi_table *table, struct acpi_power *power)
{
	if (FADT_SLEEP_CONTROL + GAS_BYTES > table->length)
		return false;
	power->control = field_u64(table, FADT_SLEEP_CONTROL + GAS_ADDRESS);
	power->control_is_port = table->bytes[FADT_SLEEP_CONTROL] == GAS_IO;
	return power->control != 0 &&
	       (power->control_is_port ? power->control <= UINT16_MAX
				       : table->bytes[FADT_SLEEP_CONTROL] == GAS_MEMORY);
}

/* Reads an AML integer at *at, before `end`, and moves *at past it. */
static bool aml_number(const uint8_t **at, const uint8_t *end, uint32_t *number)
{
	const uint8_t *byte = *at;
	size_t size;

	if (byte == end)
		return false;
	switch (*byte++) {
	case AML_ZERO:
	case AML_ONE:
		*number = byte[-1];
		*at = byte;
		return true;
	case AML_BYTE:
		size = 1;
		break;
	case AML_WORD:
		size = 2;
		break;
	case AML_DWORD:
		size = 4;
		break;
	default:
		return false;
	}
	if ((size_t)(end - byte) < size)
		return false;
	*number = 0;
	for (size_t i = 0; i < size; i++)
		*number |= (uint32_t)byte[i] << 8 * i;
	*at = byte + size;
	return true;
}

/* Reads the package after a name: PackageOp, length in one to four bytes, number of elements,
 * elements. A missing second sleep type equals the first. */
static bool read_package(const uint8_t *at, const uint8_t *end, struct acpi_power *power)
{
	uint32_t type, second;
	ptrdiff_t before_elements;
	uint8_t elements;

	if (end - at < 2 || at[0] != AML_PACKAGE)
		return false;
	before_elements = 2 + (at[1] >> 6); /* 20.2.4: bits 7:6 count the bytes that follow */
	if (end - at <= before_elements)
		return false;
	at += before_elements;
	elements = *at++;
	if (elements == 0 || !aml_number(&at, end, &type) || type > SLEEP_TYPE_MAX)
		return false;
	if (elements == 1 || !aml_number(&at, end, &second))
		second = type;
	if (second > SLEEP_TYPE_MAX)
		return false;
	power->type_a = (uint8_t)type;
	power->type_b = (uint8_t)second;
	return true;
}

static bool find_s5(const struct acpi_table *dsdt, struct acpi_power *power)
{
	const uint8_t *end = dsdt->bytes + dsdt->length;

	for (const uint8_t *at = dsdt->bytes + ACPI_HEADER_BYTES; end - at >= 5; at++) {
		const uint8_t *name = at + 1;

		if (at[0] != AML_NAME)
			continue;
		if (*name == AML_ROOT)
			name++;
		if (end - name >= 4 && memcmp(name, "_S5_", 4) == 0 &&
		    read_package(name + 4, end, power))
			return true;
	}
	return false;
}

enum acpi_status acpi_find_power(acpi_map_fn map, uint64_t rsdp, struct acpi_power *power,
				 char *detail, size_t detail_size)
{
	struct acpi_reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct acpi_table table = {.bytes = NULL}, dsdt = {.bytes = NULL};
	enum acpi_status status = acpi_find_table(&reader, rsdp, &fadt, &table);
	uint64_t address;

	*power = (struct acpi_power){.control = 0};
	if (status != ACPI_OK)
		return status;
	power->reduced = field_u32(&table, FADT_FLAGS) & FLAG_HW_REDUCED;
	if (power->reduced) {
		if (!sleep_control_of(&table, power))
			return acpi_fail(&reader, ACPI_NO_SLEEP,
					 "FACP at %#llx: no sleep control register",
					 (unsigned long long)table.address);
	} else {
		power->pm1a = port_of(&table, FADT_PM1A_CNT, FADT_X_PM1A_CNT);
		power->pm1b = port_of(&table, FADT_PM1B_CNT, FADT_X_PM1B_CNT);
		power->smi_command = port_of(&table, FADT_SMI_CMD, table.length);
		power->enable = table.bytes[FADT_ACPI_ENABLE];
		if (power->pm1a == 0)
			return acpi_fail(&reader, ACPI_NO_SLEEP, "FACP at %#llx: no PM1a_CNT",
					 (unsigned long long)table.address);
	}
	address = field_u64(&table, FADT_X_DSDT);
	if (address == 0)
		address = field_u32(&table, FADT_DSDT);
	status = acpi_read_table(&reader, address, "DSDT", &dsdt);
	if (status == ACPI_OK && !find_s5(&dsdt, power))
		status = acpi_fail(&reader, ACPI_NO_SLEEP, "DSDT at %#llx: no \\_S5",
				   (unsigned long long)address);
	return status;
}

enum acpi_status acpi_find_pm_timer(acpi_map_fn map, uint64_t rsdp, uint16_t *port, char *detail,
				    size_t detail_size)
{
	struct acpi_reader reader = {.map = map, .detail = detail, .detail_size = detail_size};
	struct acpi_table table = {.bytes = NULL};
	enum acpi_status status = acpi_find_table(&reader, rsdp, &fadt, &table);

	if (status != ACPI_OK)
		return status;
	*port = port_of(&table, FADT_PM_TIMER, FADT_X_PM_TIMER);
	if (*port == 0)
		return acpi_fail(&reader, ACPI_NO_TIMER, "FACP at %#llx: no PM_TMR_BLK",
				 (unsigned long long)table.address);
	return ACPI_OK;
}
