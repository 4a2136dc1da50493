/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over the guest's command line. If plan_parse fails, its error must be one printable
 * line that fits its buffer. An accepted plan must print to a line that parses and prints to
 * itself. The first byte of the input chooses the machine; locks and tunables are those of
 * tests/host/stub_locks.c.
 */
#include "bench/plan.h"
#include "locks/core/tunables.h"
#include <stdlib.h>
#include <string.h>

#define COMMAND_LINE_BYTES 4096 /* more than QEMU or GRUB hands over */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *error)
{
	size_t length = strnlen(error, PLAN_ERROR_BYTES);

	if (length == 0 || length == PLAN_ERROR_BYTES)
		__builtin_trap();
	for (size_t i = 0; i < length; i++) {
		if (error[i] < ' ' || error[i] > '~')
			__builtin_trap();
	}
}

static void check_round_trip(const struct plan *plan, const struct plan_machine *machine)
{
	static char line[PLAN_LINE_BYTES], again[PLAN_LINE_BYTES], error[PLAN_ERROR_BYTES];
	static struct plan second;
	size_t length = plan_print(plan, line, sizeof(line));

	if (length != strlen(line)) /* truncated, though PLAN_LINE_BYTES should hold any plan */
		__builtin_trap();
	if (!plan_parse(line, machine, &second, error))
		__builtin_trap();
	if (plan_print(&second, again, sizeof(again)) != length || strcmp(line, again) != 0)
		__builtin_trap();
	/* The line does not tell how the plan was asked for. */
	second.linux_asked = plan->linux_asked;
	second.defaulted = plan->defaulted;
	memcpy(second.ignored, plan->ignored, sizeof(second.ignored));
	if (memcmp(plan, &second, sizeof(second)) != 0)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char error[PLAN_ERROR_BYTES];
	static struct plan plan;
	struct plan_machine machine;
	char *cmdline;

	if (size == 0 || size > COMMAND_LINE_BYTES)
		return 0;
	machine = (struct plan_machine){
		.cpus = 1 + data[0] % 64,
		.linux_facts = {.hypervisor = data[0] & 0x40,
				.kvm = data[0] & 0x40,
				.pv_unhalt = data[0] & 0x80,
				.possible_cpus = 1 + data[0] % 64},
		.vmm = data[0] & 0x40,
	};
	cmdline = malloc(size); /* of exactly its length, for ASan */
	memcpy(cmdline, data + 1, size - 1);
	cmdline[size - 1] = '\0';
	tunables_reset();
	memset(error, 1, sizeof(error));
	if (plan_parse(cmdline, &machine, &plan, error))
		check_round_trip(&plan, &machine);
	else
		check_error(error);
	free(cmdline);
	return 0;
}
