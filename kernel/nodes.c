/* SPDX-License-Identifier: MIT */
/* See nodes.h. Runs once at boot for a few hundred CPUs at most, so quadratic time does not matter.
 */
#include "kernel/nodes.h"

static const struct acpi_affinity *find(const struct acpi_affinities *all, uint32_t apic_id)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->affinity[i].apic_id == apic_id)
			return &all->affinity[i];
	}
	return NULL;
}

/* Sets the lowest domain from `from` on that has a CPU of ours; false if there is none. */
static bool next_domain(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
			uint64_t from, uint32_t *domain)
{
	bool found = false;

	for (size_t i = 0; i < cpus->count; i++) {
		const struct acpi_affinity *affinity = find(all, cpus->cpu[i].apic_id);

		if (affinity == NULL || affinity->domain < from)
			continue;
		if (!found || affinity->domain < *domain)
			*domain = affinity->domain;
		found = true;
	}
	return found;
}

uint32_t nodes_from_affinities(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
			       uint32_t *node, uint32_t *unplaced)
{
	uint32_t nodes = 0, domain = 0;

	*unplaced = 0;
	for (size_t i = 0; i < cpus->count; i++) {
		node[i] = 0;
		*unplaced += find(all, cpus->cpu[i].apic_id) == NULL;
	}
	for (uint64_t from = 0; next_domain(cpus, all, from, &domain); from = domain + 1ull) {
		for (size_t i = 0; i < cpus->count; i++) {
			const struct acpi_affinity *affinity = find(all, cpus->cpu[i].apic_id);

			if (affinity != NULL && affinity->domain == domain)
				node[i] = nodes;
		}
		nodes++;
	}
	return nodes == 0 ? 1 : nodes;
}

/* Sets the node of the first CPU in `domain`; false if there is none. */
static bool node_of_domain(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
			   const uint32_t *node, uint32_t domain, uint32_t *found)
{
	for (size_t i = 0; i < cpus->count; i++) {
		const struct acpi_affinity *affinity = find(all, cpus->cpu[i].apic_id);

		if (affinity != NULL && affinity->domain == domain) {
			*found = node[i];
			return true;
		}
	}
	return false;
}

size_t nodes_of_memory(const struct acpi_cpus *cpus, const struct acpi_affinities *all,
		       const uint32_t *node, struct node_memory memory[ACPI_MAX_MEMORY])
{
	size_t count = 0;

	for (size_t i = 0; i < all->memories; i++) {
		const struct acpi_memory *a = &all->memory[i];

		for (size_t j = 0; j < i; j++)
			if (a->start < all->memory[j].end && all->memory[j].start < a->end)
				return 0;
		memory[count].start = a->start;
		memory[count].end = a->end;
		count += node_of_domain(cpus, all, node, a->domain, &memory[count].node);
	}
	return count;
}
