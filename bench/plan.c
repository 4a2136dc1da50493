/* SPDX-License-Identifier: MIT */
/*
 * What a plan consists of: the keys with their defaults, ranges and names. A setting of the
 * measurement is a line in plan_keys.def; any other key is a line in keys[] and a field in struct
 * plan. The parser, its messages and the printer follow.
 */
#include "bench/plan.h"

#include "bench/plan_keys.h"
#include "bench/quoting.h"
#include "lib/printf.h"
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MAX_WORK      1000000000 /* iterations: about a third of a second */
#define MAX_MS        86400000   /* a day */
#define MAX_WARMUP_MS 600000
#define MAX_REPS      10000
#define MAX_TEST_MS   3600000
#define MAX_OPS       1000000000000000
#define MAX_TASKS     2048
#define MAX_JOBS      1000000000
/* Linux: 100 to 1000. KVM lengthens a shorter period to 200 us (kvm.min_timer_period_us). */
#define MAX_TICK_HZ 5000

/* Sets of workloads that have a key. */
#define ALL    0
#define KBUILD (1u << WORKLOAD_KBUILD)
#define LOOPS  (1u << WORKLOAD_CONTENDED | 1u << WORKLOAD_UNCONTENDED)

const char *const plan_default_locks[] = {
	"tas", "virt-spin", "ticket", "mcs", "qspinlock", "pv-qspinlock", "paq",
};
const size_t plan_default_lock_count = COUNT(plan_default_locks);

const char *const workload_names[WORKLOAD_COUNT] = {
	[WORKLOAD_CONTENDED] = "contended",
	[WORKLOAD_UNCONTENDED] = "uncontended",
	[WORKLOAD_KBUILD] = "kbuild",
};

static const char *const start_names[] = {
	[START_NOW] = "now",
	[START_SERIAL] = "serial",
	[START_SERIAL_EACH] = "serial-each",
};

static const char *const irqchip_names[] = {
	[IRQCHIP_UNKNOWN] = "unknown",
	[IRQCHIP_ON] = "on",
	[IRQCHIP_SPLIT] = "split",
	[IRQCHIP_OFF] = "off",
};

#define VALUE(field) \
	.offset = offsetof(struct plan, field), .bytes = sizeof(((struct plan *)0)->field)
#define NUMBER(key, workloads_, field, initial_, min_, max_)                                   \
	.name = (key), .kind = KEY_NUMBER, VALUE(field), .initial = (initial_), .min = (min_), \
	.max = (max_), .workloads = (workloads_)
#define NAMED(key, workloads_, field, names_)                               \
	.name = (key), .kind = KEY_CHOICE, VALUE(field), .names = (names_), \
	.name_count = COUNT(names_), .workloads = (workloads_)
#define LIST(...) ((const char *const[]){__VA_ARGS__})

/* Of PLAN_KEY; none in most programs. */
extern const struct plan_key __start_plan_key_registry[] __attribute__((weak));
extern const struct plan_key __stop_plan_key_registry[] __attribute__((weak));

/* In the order of the canonical command line. NUMBER: key, workloads, field, default, least, most.
 * The default of a key with names is the first one. */
static const struct plan_key keys[] = {
	{.name = "locks", .kind = KEY_LOCKS},
	{NAMED("workload", ALL, workload, workload_names)},
	{.name = "threads", .kind = KEY_THREADS},
	{NUMBER("tasks", ALL, tasks, 0, 1, MAX_TASKS)},
	/* jobs=, ms=: if none is given, plan_workload.c chooses the value */
	{NUMBER("jobs", KBUILD, jobs, 0, 1, MAX_JOBS)},
	{NUMBER("tick_hz", KBUILD, tick_hz, 250, 1, MAX_TICK_HZ)},
	{NUMBER("ms", LOOPS, ms, 0, 1, MAX_MS)},
	{NUMBER("ops", LOOPS, ops, 0, 1, MAX_OPS)},
#define PLAN_NUMBER(key, type, workloads_, initial_, least, most, role) \
	{NUMBER(#key, workloads_, key, initial_, least, most), .recorded = true},
#define PLAN_NAMED(key, field, type, workloads_, role, ...) \
	{NAMED(#key, workloads_, field, LIST(__VA_ARGS__)), .recorded = true},
#include "bench/plan_keys.def"
	{NAMED("trace_until", ALL, trace_until_lhp, LIST("end", "lhp"))},
	{.name = "nodes", .kind = KEY_CPUS, VALUE(nodes)},
	{.name = "tests", .kind = KEY_TESTS, VALUE(tests)},
	{NUMBER("test_ms", ALL, test_ms, 40, 1, MAX_TEST_MS)},
	{NAMED("start", ALL, start, start_names)},
	{NUMBER("hang_ms", ALL, hang_ms, 0, 0, MAX_MS)},
	{.name = "accel",
	 .kind = KEY_NAME,
	 VALUE(accel),
	 .names = accel_names,
	 .name_count = COUNT(accel_names)},
	{NUMBER("vmm_features", ALL, vmm.features, 0, 0, UINT32_MAX)},
	{NAMED("vmm_enforce", ALL, vmm.enforce, LIST("off", "on"))},
	{NAMED("vmm_hlt", ALL, vmm.hlt_native, LIST("exits", "native"))},
	{NAMED("vmm_irqchip", ALL, vmm.irqchip, irqchip_names)},
	{NUMBER("vmm_kernel", ALL, vmm.kernel, 0, 0, 99999)},
	{NUMBER("vmm_cpu_percent", ALL, vmm.cpu_percent, 0, 1, 100 * 65536)},
	{NAMED("log", ALL, log_virtio, LIST("serial", "virtio"))},
	{NAMED("end", ALL, stay, LIST("exit", "wait"))},
	{.name = "nopvspin", .kind = KEY_FLAG, VALUE(nopvspin)},
	{.name = "hyperv", .kind = KEY_FLAG, VALUE(hyperv)},
};

size_t plan_key_count(void)
{
	/* as integers: to the compiler the two symbols are unrelated objects */
	return COUNT(keys) +
	       ((uintptr_t)__stop_plan_key_registry - (uintptr_t)__start_plan_key_registry) /
		       sizeof(struct plan_key);
}

const struct plan_key *plan_key_at(size_t i)
{
	return i < COUNT(keys) ? &keys[i] : &__start_plan_key_registry[i - COUNT(keys)];
}

_Static_assert(sizeof(enum workload_id) == sizeof(uint32_t) && sizeof(enum dispatch) == 4,
	       "plan_store() takes an enum for a uint32_t");

void plan_store(struct plan *plan, const struct plan_key *key, uint64_t value)
{
	char *place = key->value != NULL ? key->value : (char *)plan + key->offset;

	if (key->kind == KEY_LOCKS || key->kind == KEY_THREADS || key->kind == KEY_TESTS)
		return;
	if (key->kind == KEY_NAME)
		ksnprintf(place, key->bytes, "%s", key->names[value]);
	else if (key->bytes == sizeof(bool))
		*(bool *)place = value != 0;
	else if (key->bytes == sizeof(uint32_t)) /* a number, or an enum */
		*(uint32_t *)place = (uint32_t)value;
	else
		*(uint64_t *)place = value;
}

const char *plan_text(const struct plan *plan, const struct plan_key *key)
{
	return key->value != NULL ? key->value : (const char *)plan + key->offset;
}

uint64_t plan_value(const struct plan *plan, const struct plan_key *key)
{
	const char *place = plan_text(plan, key);

	if (key->bytes == sizeof(bool))
		return *(const bool *)place;
	if (key->bytes == sizeof(uint32_t))
		return *(const uint32_t *)place;
	return *(const uint64_t *)place;
}

uint32_t plan_most_threads(const struct plan *plan)
{
	uint32_t most = 1;

	for (size_t i = 0; i < plan->thread_counts; i++) {
		if (plan->threads[i] > most)
			most = plan->threads[i];
	}
	return most;
}

uint64_t plan_tasks(const struct plan *plan, uint32_t threads)
{
	if (plan->workload != WORKLOAD_KBUILD)
		return threads;
	return plan->tasks ? plan->tasks : 2 * (uint64_t)threads; /* make -j of twice the CPUs */
}
