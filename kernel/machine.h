/* SPDX-License-Identifier: MIT */
/*
 * The first two structs of pvspin's data flow (docs/design.md): the loader's information and the
 * machine's properties. The modules named below fill them once at boot; read-only afterwards.
 */
#ifndef PVSPIN_KERNEL_MACHINE_H
#define PVSPIN_KERNEL_MACHINE_H

#include "kernel/acpi.h"
#include "lib/kvm_info.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_CMDLINE_BYTES 2048
#define BOOT_MAX_REGIONS   32

struct memory_region {
	uint64_t start, end; /* usable RAM, end exclusive */
};

/* The loader's description of the screen: Multiboot2 Specification 2.0, 3.6.12. */
enum screen_kind { SCREEN_INDEXED, SCREEN_RGB, SCREEN_TEXT };

struct screen {
	uint64_t address; /* 0: no description */
	uint32_t pitch;   /* bytes from line to line */
	uint32_t width, height;
	uint8_t bits_per_pixel;
	uint8_t kind;
};

/* Memory that is near the CPUs of a node. */
struct node_memory {
	uint64_t start, end; /* end exclusive */
	uint32_t node;
};

/* loader.c */
struct boot_info {
	const char *loader;   /* "multiboot", "multiboot2", "pvh" */
	char loader_name[64]; /* the loader's own name: "GRUB 2.06", "qemu"; "" under PVH */
	char cmdline[BOOT_CMDLINE_BYTES];
	bool cmdline_truncated;
	struct memory_region region[BOOT_MAX_REGIONS];
	size_t regions;
	uint64_t rsdp;         /* 0: look for it in the BIOS areas */
	uint8_t rsdp_copy[64]; /* a multiboot 2 loader gives a copy instead of an address */
	struct screen screen;
};

struct machine {
	struct kvm_info kvm;
	struct acpi_cpus cpus;   /* MADT order: the index is the dense CPU index */
	bool cpus_unknown;       /* damaged tables or an ID out of reach: there may be more CPUs */
	uint32_t *node;          /* NUMA node of each of `cpus`, dense from 0 */
	uint32_t nodes;          /* 1: no NUMA */
	const char *node_source; /* "srat", "key" (nodes=), "none" */
	struct node_memory node_memory[ACPI_MAX_MEMORY]; /* with "srat" only */
	size_t node_memories;
	uint64_t trampoline;    /* page below 1 MiB where APs start: loader_low_page() */
	uint32_t possible_cpus; /* as Linux counts them, including hot-pluggable ones */
	bool steal_time;        /* offered and, after smp_start(), not refused */
	uint32_t tsc_khz;
	const char *tsc_source;
	/* tsc_check() */
	bool tsc_invariant;       /* CPUID: runs at one rate in all power states */
	bool kvmclock_stable;     /* KVM_CLOCK_TSC_STABLE */
	uint64_t tsc_warp_cycles; /* most that a CPU's TSC was behind another's earlier value */
	const char *tsc_adjust;   /* the CPUs' IA32_TSC_ADJUST: "equal", "differs", "none" */
	uint32_t online;
	uint64_t boot_cycles;    /* loader's jump to all vCPUs online */
	uint64_t bringup_cycles; /* first INIT to the last vCPU's report */
};

extern struct machine machine; /* topology.c */

#endif
