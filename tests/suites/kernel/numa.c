/* SPDX-License-Identifier: MIT */
/* Memory of a vCPU's own: it is on the vCPU's NUMA node, by the ranges of the SRAT. */
#include "kernel/machine.h"
#include "kernel/paging.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "port/port.h"
#include "tests/suites/tap.h"

static bool has_memory(uint32_t node)
{
	for (size_t i = 0; i < machine.node_memories; i++)
		if (machine.node_memory[i].node == node)
			return true;
	return false;
}

static void expect_near(struct test_result *result, uint32_t cpu, const char *what,
			const void *address)
{
	uint64_t physical = paging_physical(address);

	for (size_t i = 0; i < machine.node_memories; i++) {
		const struct node_memory *memory = &machine.node_memory[i];

		if (memory->node == machine.node[cpu] && physical >= memory->start &&
		    physical < memory->end)
			return;
	}
	test_fail(result, "%s of vCPU %u, at %#lx, is not on its node %u", what, cpu, physical,
		  machine.node[cpu]);
}

static void own_memory_is_near(struct test_result *result)
{
	uint32_t count = port_cpu_count(), without = 0;
	uint64_t highest = 0;
	size_t stride;
	char *each = port_alloc_each(count, 1, &stride);

	if (machine.nodes < 2 || machine.node_memories == 0) {
		test_skip(result, "needs NUMA nodes with memory, by an SRAT");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct cpu *cpu = smp_cpu(i);

		if (!has_memory(machine.node[i])) {
			without++;
			continue;
		}
		if (i != 0) { /* the boot CPU's are in the image */
			expect_near(result, i, "the data", cpu);
			expect_near(result, i, "the stack", (const char *)cpu->stack_top - 8);
		}
		expect_near(result, i, "the NMI's stack", (const char *)cpu->tss.ist[0] - 8);
		expect_near(result, i, "the steal time", smp_steal(i));
		expect_near(result, i, "the statistics", port_stats(i));
		expect_near(result, i, "the lock's node", each + i * stride);
		if (paging_physical(port_stats(i)) > highest)
			highest = paging_physical(port_stats(i));
	}
	test_info(result, "up to %#lx; %u vCPUs have no memory on their node", highest, without);
}
TEST_REGISTER(own_memory_is_near, "NUMA-MEMORY-01", "numa.memory.own_memory_is_near");
