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
