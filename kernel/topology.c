/* SPDX-License-Identifier: MIT */
/* Finds the machine's CPUs by ACPI or the MP table. ACPI 6.5, table 5.22: an entry that is not
 * enabled (bit 0) but online capable (bit 1) is reserved for a hot-added CPU and is not started. */
#include "kernel/topology.h"

#include "kernel/apic.h"
#include "kernel/memory.h"
#include "kernel/nodes.h"
#include "lib/log.h"
#include "lib/nodes.h"
#include "lib/string.h"

#define MADT_MAX_ENTRIES 4096
/* From this revision on (ACPI 6.3) the flag "online capable" has a meaning. */
#define MADT_REVISION_ONLINE_CAPABLE 5

struct machine machine;

static bool usable(const struct acpi_cpu *cpu, struct machine *m)
{
	if (!cpu->enabled)
		return false;
	if (cpu->apic_id > apic->max_id) {
		log_line("error: the vCPU with APIC ID %u needs x2APIC, which this CPU model "
			 "does not have (-cpu ...,+x2apic)",
			 cpu->apic_id);
		m->cpus_unknown = true;
		return false;
	}
	return true;
}

/* Whether Linux reserves a CPU number for it: acpi_is_processor_usable in
 * arch/x86/kernel/acpi/boot.c. So
 * `-smp 1,maxcpus=2` has two possible CPUs. */
static bool possible(const struct acpi_cpu *cpu, uint8_t madt_revision)
{
	return cpu->enabled || cpu->online_capable || madt_revision < MADT_REVISION_ONLINE_CAPABLE;
}

void topology_init(const struct boot_info *boot, struct machine *m)
{
	struct acpi_cpus all = {
		.cpu = memory_alloc(MADT_MAX_ENTRIES * sizeof(struct acpi_cpu), 8),
		.capacity = MADT_MAX_ENTRIES,
	};
	uint32_t self = apic->id();
	char detail[160] = "";
	enum acpi_status status =
		acpi_find_cpus(memory_map_physical, boot->rsdp, &all, detail, sizeof(detail));

	if (status == ACPI_NO_RSDP && boot->rsdp == 0 &&
	    mp_table_find_cpus(memory_map_physical, &all)) {
		log_line("warning: no ACPI: %zu CPU%s from the MP table, which may list one CPU of "
			 "each package only",
			 all.count, all.count == 1 ? "" : "s");
	} else if (status != ACPI_OK) {
		/* the loader gave an address without a table: damaged, or beyond our 4 GiB */
		m->cpus_unknown = status != ACPI_NO_RSDP || boot->rsdp != 0;
		log_line("%s: no CPU list from ACPI (%s: %s): only the boot CPU is known",
			 m->cpus_unknown ? "error" : "warning", acpi_status_text(status), detail);
		all.count = all.ioapics = 0;
	}
	m->cpus.cpu = memory_alloc((all.count + 1) * sizeof(struct acpi_cpu), 8);
	m->cpus.capacity = all.count + 1;
	memcpy(m->cpus.ioapic, all.ioapic, sizeof(all.ioapic));
	m->cpus.ioapics = all.ioapics;
	m->cpus.cpu[m->cpus.count++] = (struct acpi_cpu){.apic_id = self, .enabled = true};
	for (size_t i = 0; i < all.count; i++)
		m->possible_cpus += possible(&all.cpu[i], all.revision);
	if (m->possible_cpus == 0)
		m->possible_cpus = 1;
	for (size_t i = 0; i < all.count; i++)
		if (all.cpu[i].apic_id != self && usable(&all.cpu[i], m))
			m->cpus.cpu[m->cpus.count++] = all.cpu[i];
}

static bool nodes_from_srat(const struct boot_info *boot, struct machine *m)
{
	struct acpi_affinities all = {
		.affinity = memory_alloc(MADT_MAX_ENTRIES * sizeof(struct acpi_affinity), 8),
		.capacity = MADT_MAX_ENTRIES,
	};
	uint32_t unplaced;
	char detail[160] = "";
	enum acpi_status status =
		acpi_find_affinities(memory_map_physical, boot->rsdp, &all, detail, sizeof(detail));

	if (status != ACPI_OK && status != ACPI_NO_SRAT && status != ACPI_NO_RSDP)
		log_line("warning: no NUMA nodes from ACPI (%s: %s)", acpi_status_text(status),
			 detail);
	if (status != ACPI_OK)
		return false;
	m->nodes = nodes_from_affinities(&m->cpus, &all, m->node, &unplaced);
	if (unplaced != 0)
		log_line("warning: the SRAT does not place %u of the vCPUs; they are taken for "
			 "node 0's",
			 unplaced);
	m->node_memories = nodes_of_memory(&m->cpus, &all, m->node, m->node_memory);
	return true;
}

void topology_set_nodes(const struct boot_info *boot, struct machine *m, uint32_t nodes)
{
	uint32_t cpus = (uint32_t)m->cpus.count;

	m->node = memory_alloc(cpus * sizeof(m->node[0]), sizeof(m->node[0]));
	m->nodes = 1;
	m->node_source = "none";
	if (nodes != 0) {
		for (uint32_t i = 0; i < cpus; i++)
			m->node[i] = nodes_split(i, cpus, nodes);
		m->nodes = nodes;
		m->node_source = "key";
	} else if (nodes_from_srat(boot, m)) {
		m->node_source = "srat";
	}
}
