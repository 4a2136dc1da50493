/* SPDX-License-Identifier: MIT */
/* Tests kernel/nodes.c: dense node numbers from proximity domains, and the split of CPUs into
 * nodes. */
#include "tests/host/test.h"

#include "kernel/nodes.h"
#include "lib/nodes.h"

static struct acpi_cpu cpu[] = {{.apic_id = 0}, {.apic_id = 1}, {.apic_id = 4}, {.apic_id = 300}};
static const struct acpi_cpus cpus = {.cpu = cpu, .capacity = 4, .count = 4};

static void domains_get_dense_numbers(void **state)
{
	struct acpi_affinity affinity[] = {{9, 2}, {300, UINT32_MAX}, {4, 7}, {0, 7}, {1, 3}};
	struct acpi_affinities all = {.affinity = affinity, .capacity = 5, .count = 5};
	uint32_t node[4], unplaced;

	(void)state;
	/* domain 2 has none of our CPUs; 3, 7 and the largest number are nodes 0, 1, 2 */
	assert_int_equal(nodes_from_affinities(&cpus, &all, node, &unplaced), 3);
	assert_true(node[0] == 1 && node[1] == 0 && node[2] == 1 && node[3] == 2);
	assert_int_equal(unplaced, 0);
	all.count = 4; /* APIC ID 1 is not placed */
	assert_int_equal(nodes_from_affinities(&cpus, &all, node, &unplaced), 2);
	assert_true(node[0] == 0 && node[1] == 0 && node[2] == 0 && node[3] == 1);
	assert_int_equal(unplaced, 1);
	all.count = 0;
	assert_int_equal(nodes_from_affinities(&cpus, &all, node, &unplaced), 1);
	assert_true(node[0] == 0 && node[1] == 0 && node[2] == 0 && node[3] == 0);
	assert_int_equal(unplaced, 4);
}

static void memory_belongs_to_the_node_of_its_domain(void **state)
{
	struct acpi_affinity affinity[] = {{0, 5}, {1, 5}, {4, 9}, {300, 9}};
	struct acpi_affinities all = {
		.affinity = affinity,
		.capacity = 4,
		.count = 4,
		.memory = {{0, 0xa0000, 9},
			   {0x100000, 0x200000, 9},
			   {0x200000, 0x300000, 7},
			   {1ull << 32, 2ull << 32, 5}},
		.memories = 4,
	};
	struct node_memory memory[ACPI_MAX_MEMORY];
	uint32_t node[4], unplaced;

	(void)state;
	assert_int_equal(nodes_from_affinities(&cpus, &all, node, &unplaced), 2);
	/* domain 7 has no CPU */
	assert_int_equal(nodes_of_memory(&cpus, &all, node, memory), 3);
	assert_true(memory[0].node == 1 && memory[0].start == 0 && memory[0].end == 0xa0000);
	assert_true(memory[1].node == 1 && memory[1].start == 0x100000);
	assert_true(memory[2].node == 0 && memory[2].end == 2ull << 32);
	all.memory[2].start--; /* overlaps: none can be trusted */
	assert_int_equal(nodes_of_memory(&cpus, &all, node, memory), 0);
	all.memories = 0;
	assert_int_equal(nodes_of_memory(&cpus, &all, node, memory), 0);
}

static void nodes_are_contiguous_and_even(void **state)
{
	(void)state;
	for (uint32_t count = 1; count <= 70; count++) {
		for (uint32_t nodes = 1; nodes <= count; nodes++) {
			uint32_t size[70] = {0};

			for (uint32_t i = 0; i < count; i++) {
				uint32_t node = nodes_split(i, count, nodes);

				assert_true(node < nodes);
				assert_true(i == 0 || node >= nodes_split(i - 1, count, nodes));
				size[node]++;
			}
			for (uint32_t i = 0; i < nodes; i++)
				assert_in_range(size[i], count / nodes,
						(count + nodes - 1) / nodes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_get_dense_numbers),
		cmocka_unit_test(memory_belongs_to_the_node_of_its_domain),
		cmocka_unit_test(nodes_are_contiguous_and_even),
	};

	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
