/* SPDX-License-Identifier: MIT */
/*
 * What KVM counted of each cell's VMs (manifest.json, QMP query-stats), and the tail of a Linux
 * guest's jobs: see study.h. These figures compare a Linux guest with the model of its load,
 * because KVM counts both alike.
 */
#include "tools/report/base/data.h"
#include "tools/report/base/system.h"
#include "tools/report/cells/stats.h"
#include "tools/report/study/study.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Returns the sum of a statistic over the vCPUs of a run; NAN if KVM did not tell it. */
static double sum_over_vcpus(json_t *run, const char *name)
{
	json_t *vcpus = json_object_get(run, "vcpus"), *vcpu;
	double sum = 0;
	size_t i;

	json_array_foreach(vcpus, i, vcpu)
	{
		json_t *value = json_object_get(json_object_get(vcpu, "kvm"), name);

		sum += json_is_number(value) ? json_number_value(value) : NAN;
	}
	return json_array_size(vcpus) > 0 ? sum : NAN;
}

/* Adds the runs of a VM. Returns false if it was not held between them, so that nothing is known.
 */
static bool add_vm(json_t *instance, double count[COUNTED])
{
	json_t *runs = json_object_get(instance, "runs"), *run;
	size_t i;

	json_array_foreach(runs, i, run)
	{
		count[COUNTED_HALT_EXITS] += sum_over_vcpus(run, "halt_exits");
		count[COUNTED_HYPERCALLS] += sum_over_vcpus(run, "hypercalls");
		count[COUNTED_PREEMPTED] += sum_over_vcpus(run, "preemption_reported") +
					    sum_over_vcpus(run, "preemption_other");
	}
	return json_array_size(runs) > 0;
}

void counts_read(struct study_cell *cell, const char *directory, double seconds, double job_ns)
{
	char *file = memory_print("%s/manifest.json", directory);
	json_t *manifest = json_load_file(file, 0, NULL), *instance;
	double count[COUNTED] = {0}, vms = 0;
	size_t i;

	json_array_foreach(json_object_get(manifest, "instances"), i, instance)
	{
		const char *role = json_string_value(json_object_get(instance, "role"));

		if (role && strcmp(role, "vm") == 0)
			vms += add_vm(instance, count);
	}
	for (int kind = 0; kind < COUNTED; kind++) {
		double value = kind == COUNTED_JOB_P999_NS ? job_ns
			       : vms > 0                   ? count[kind] / vms / seconds
							   : NAN;
		struct sample *sample = &cell->counted[kind];

		sample->value = memory_grow(sample->value, sample->count, sizeof(double));
		if (!isnan(value))
			sample->value[sample->count++] = value;
	}
	json_decref(manifest);
	free(file);
}

struct table *study_counts(const struct study *study)
{
	static const struct table_column columns[] = {
		{"", "", "cell", true, false},
		{"HLT exits", "/s", "halt_exits_per_s", false, false},
		{"hypercalls", "/s", "hypercalls_per_s", false, false},
		{"preempted", "/s", "preempted_per_s", false, false},
		{"job p99.9", "", "job_p999_ns", false, false},
	};
	struct table *table;

	if (!json_is_true(json_object_get(study->json, "counts")))
		return NULL;
	table = table_new("What KVM counted, for each VM", columns, COUNT_OF(columns));
	for (size_t i = 0; i < study->cell_count; i++) {
		const struct sample *counted = study->cells[i].counted;

		table_text(table, study->cells[i].label);
		for (int kind = 0; kind < COUNTED_JOB_P999_NS; kind++)
			table_count(table, stats_of(&counted[kind]).mean);
		table_ns(table, stats_of(&counted[COUNTED_JOB_P999_NS]).mean);
	}
	table_footnote(table,
		       "HLT exits: of idle vCPUs, too; hypercalls: kicks, and Linux's yields "
		       "and interrupts for other vCPUs;");
	table_footnote(table,
		       "preempted: a vCPU that could run lost its CPU; job p99.9: of Linux's "
		       "compiles, the longest of the VMs.");
	return table;
}
