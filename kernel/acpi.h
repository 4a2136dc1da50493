/* SPDX-License-Identifier: MIT */
/*
 * Reads the machine's CPUs from the ACPI MADT, their NUMA domains from the SRAT, and how to switch
 * the machine off from FADT and DSDT. Read-only, bounds-checked, no allocation. ACPI 6.5: 5.2.5.3
 * (RSDP), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.12 (MADT), 5.2.16 (SRAT).
 */
#ifndef PVSPIN_KERNEL_ACPI_H
#define PVSPIN_KERNEL_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives `length` readable bytes at physical `address`, or NULL if they are not mapped. */
typedef const void *(*acpi_map_fn)(uint64_t address, size_t length);

enum acpi_status {
	ACPI_OK,
	ACPI_NO_RSDP,
	ACPI_BAD_CHECKSUM,
	ACPI_BAD_TABLE, /* impossible length, unmapped address */
	ACPI_NO_MADT,
	ACPI_NO_SRAT,
	ACPI_NO_HPET,
	ACPI_NO_FADT,
	ACPI_NO_SLEEP,
	ACPI_NO_TIMER,
	ACPI_NO_CPUS,
	ACPI_TOO_MANY_CPUS,
};

struct acpi_cpu {
	uint32_t apic_id;
	uint32_t uid;
	bool enabled;        /* MADT flags bit 0: usable now */
	bool online_capable; /* bit 1: could be hot-added; such CPUs are not started */
};

#define ACPI_MAX_IOAPICS 32

struct acpi_ioapic {
	uint32_t address;
	uint32_t first_interrupt; /* global interrupt of its pin 0 */
};

/* All local APIC (type 0) and local x2APIC (type 9) entries, in the order of the table, each APIC
 * ID once. 5.2.12.12 lets firmware list a CPU by both kinds; a second entry for an ID is dropped,
 * unless only the second one is enabled. An APIC ID of 0xff (type 0) or 0xffffffff (type 9) is not
 * a CPU. */
struct acpi_cpus {
	struct acpi_cpu *cpu;
	size_t capacity;
	size_t count;
	uint64_t lapic_address;                      /* MADT field, or the type 5 override */
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS]; /* further ones are left out */
	size_t ioapics;
	uint8_t revision; /* of the MADT */
};

/* `rsdp`: physical address from the loader, or 0 to search the BIOS areas (EBDA, 0xe0000-0xfffff).
 * On error, `detail` (may be NULL) names the table or address, in one line. */
enum acpi_status acpi_find_cpus(acpi_map_fn map, uint64_t rsdp, struct acpi_cpus *cpus,
				char *detail, size_t detail_size);

/* The same from the MP table of a machine without ACPI (Intel MultiProcessor Specification 1.4);
 * false if there is no valid one. Multi-core firmware lists only the first CPU of each package in
 * it. */
bool mp_table_find_cpus(acpi_map_fn map, struct acpi_cpus *cpus);

/* The HPET's registers (IA-PC HPET Specification 1.0a, 3.2.4); ACPI_NO_HPET: there is none. */
enum acpi_status acpi_find_hpet(acpi_map_fn map, uint64_t rsdp, uint64_t *address, char *detail,
				size_t detail_size);

/* The power management timer's I/O port, from the FADT; ACPI_NO_TIMER: there is none. */
enum acpi_status acpi_find_pm_timer(acpi_map_fn map, uint64_t rsdp, uint16_t *port, char *detail,
				    size_t detail_size);

struct acpi_affinity {
	uint32_t apic_id;
	uint32_t domain; /* proximity domain: any number, dense or not */
};

#define ACPI_MAX_MEMORY 64

struct acpi_memory {
	uint64_t start, end; /* end exclusive */
	uint32_t domain;
};

/* All enabled CPU entries of the SRAT (types 0 and 2), each APIC ID once, and its memory (type 1).
 */
struct acpi_affinities {
	struct acpi_affinity *affinity;
	size_t capacity;
	size_t count;
	struct acpi_memory memory[ACPI_MAX_MEMORY]; /* further ones are left out */
	size_t memories;
};

/* As acpi_find_cpus. A machine without NUMA has no SRAT: ACPI_NO_SRAT. */
enum acpi_status acpi_find_affinities(acpi_map_fn map, uint64_t rsdp, struct acpi_affinities *all,
				      char *detail, size_t detail_size);

/* How to switch the machine off: write a sleep type to one or two registers. */
struct acpi_power {
	bool reduced; /* hardware-reduced ACPI has one register, `control`; otherwise PM1a, PM1b */
	uint64_t control;
	bool control_is_port; /* otherwise memory */
	uint16_t pm1a, pm1b;  /* I/O ports; pm1b is 0 if there is none */
	uint8_t type_a, type_b;
	uint16_t smi_command; /* port to write `enable` to, to leave the firmware's mode; or 0 */
	uint8_t enable;
};

/* As acpi_find_cpus; from the FADT and the DSDT. */
enum acpi_status acpi_find_power(acpi_map_fn map, uint64_t rsdp, struct acpi_power *power,
				 char *detail, size_t detail_size);

const char *acpi_status_text(enum acpi_status status);

#endif
