/* SPDX-License-Identifier: MIT */
/*
 * What a plan consists of: the keys with their defaults, ranges and names. A new key is a line in
 * keys[] and a field in struct plan; the parser, its messages and the printer follow.
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

static const char *const trace_until_names[] = {"end", "lhp"};

static const char *const order_names[] = {"listed", "seed"};

static const char *const off_on[] = {"off", "on"};

const char *const dispatch_names[DISPATCH_COUNT] = {
	[DISPATCH_INLINE] = "inline",
	[DISPATCH_PATCHED] = "patched",
	[DISPATCH_INDIRECT] = "indirect",
};

static const char *const start_names[] = {
	[START_NOW] = "now",
	[START_SERIAL] = "serial",
	[START_SERIAL_EACH] = "serial-each",
};

static const char *const hlt_names[] = {"exits", "native"};

static const char *const irqchip_names[] = {
	[IRQCHIP_UNKNOWN] = "unknown",
	[IRQCHIP_ON] = "on",
	[IRQCHIP_SPLIT] = "split",
	[IRQCHIP_OFF] = "off",
};

static const char *const end_names[] = {"exit", "wait"};
static const char *const log_names[] = {"serial", "virtio"};

#define NUMBER(key, kind_, field, initial_, min_, max_) \
	NUMBER_OF(0, key, kind_, field, initial_, min_, max_)
#define NUMBER_OF(workloads_, key, kind_, field, initial_, min_, max_)                          \
	{                                                                                       \
		.name = (key), .kind = (kind_), .offset = offsetof(struct plan, field),         \
		.initial = (initial_), .min = (min_), .max = (max_), .workloads = (workloads_), \
	}
#define NAMED(key, kind_, field, names_) NAMED_OF(0, key, kind_, field, names_)
#define NAMED_OF(workloads_, key, kind_, field, names_)                                 \
	{                                                                               \
		.name = (key), .kind = (kind_), .offset = offsetof(struct plan, field), \
		.names = (names_), .name_count = COUNT(names_),                         \
		.bytes = sizeof(((struct plan *)0)->field), .workloads = (workloads_),  \
	}

/* Of PLAN_KEY; none in most programs. */
extern const struct plan_key __start_plan_key_registry[] __attribute__((weak));
extern const struct plan_key __stop_plan_key_registry[] __attribute__((weak));

/* In the order of the canonical command line. NUMBER: key, kind, field, default, least, most. The
 * default of a key with names is the first one. */
static const struct plan_key keys[] = {
	{.name = "locks", .kind = KEY_LOCKS},
	NAMED("workload", KEY_CHOICE, workload, workload_names),
	{.name = "threads", .kind = KEY_THREADS},
	NUMBER("tasks", KEY_U64, tasks, 0, 1, MAX_TASKS),
	/* jobs=, ms=: if none is given, plan_workload.c chooses the value */
	NUMBER_OF(KBUILD, "jobs", KEY_U64, jobs, 0, 1, MAX_JOBS),
	NUMBER_OF(KBUILD, "tick_hz", KEY_U32, tick_hz, 250, 1, MAX_TICK_HZ),
	NUMBER_OF(LOOPS, "hold", KEY_U32, hold, 100, 0, MAX_WORK),
	NUMBER_OF(LOOPS, "think", KEY_U32, think, 200, 0, MAX_WORK),
	NUMBER_OF(LOOPS, "ms", KEY_U64, ms, 0, 1, MAX_MS),
	NUMBER_OF(LOOPS, "ops", KEY_U64, ops, 0, 1, MAX_OPS),
	NUMBER("reps", KEY_U32, reps, 3, 1, MAX_REPS),
	NUMBER_OF(LOOPS, "warmup_ms", KEY_U32, warmup_ms, 50, 0, MAX_WARMUP_MS),
	NAMED("latency", KEY_SWITCH, latency, off_on),
	NUMBER("trace", KEY_U32, trace, 0, 0, PLAN_MAX_TRACE),
	NAMED("trace_until", KEY_SWITCH, trace_until_lhp, trace_until_names),
	NAMED_OF(LOOPS, "dispatch", KEY_CHOICE, dispatch, dispatch_names),
	{.name = "nodes", .kind = KEY_CPUS, .offset = offsetof(struct plan, nodes)},
	NAMED("order", KEY_SWITCH, order_by_seed, order_names),
	NUMBER("seed", KEY_U64, seed, 1, 0, UINT64_MAX),
	{.name = "tests", .kind = KEY_TESTS, .offset = offsetof(struct plan, tests)},
	NUMBER("test_ms", KEY_U32, test_ms, 40, 1, MAX_TEST_MS),
	NAMED("start", KEY_CHOICE, start, start_names),
	NUMBER("hang_ms", KEY_U32, hang_ms, 0, 0, MAX_MS),
	NAMED("accel", KEY_NAME, accel, accel_names),
	NUMBER("vmm_features", KEY_U64, vmm.features, 0, 0, UINT32_MAX),
	NAMED("vmm_enforce", KEY_SWITCH, vmm.enforce, off_on),
	NAMED("vmm_hlt", KEY_SWITCH, vmm.hlt_native, hlt_names),
	NAMED("vmm_irqchip", KEY_CHOICE, vmm.irqchip, irqchip_names),
	NUMBER("vmm_kernel", KEY_U32, vmm.kernel, 0, 0, 99999),
	NUMBER("vmm_cpu_percent", KEY_U64, vmm.cpu_percent, 0, 1, 100 * 65536),
	NAMED("log", KEY_SWITCH, log_virtio, log_names),
	NAMED("end", KEY_SWITCH, stay, end_names),
	{.name = "nopvspin", .kind = KEY_FLAG, .offset = offsetof(struct plan, nopvspin)},
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

_Static_assert(sizeof(enum workload_id) == sizeof(uint32_t), "KEY_CHOICE stores a uint32_t");

void plan_store(struct plan *plan, const struct plan_key *key, uint64_t value)
{
	void *field = key->value != NULL ? key->value : (char *)plan + key->offset;

	switch (key->kind) {
	case KEY_U64:
		*(uint64_t *)field = value;
		break;
	case KEY_CPUS:
	case KEY_U32:
	case KEY_CHOICE:
		*(uint32_t *)field = (uint32_t)value;
		break;
	case KEY_SWITCH:
	case KEY_FLAG:
		*(bool *)field = value != 0;
		break;
	case KEY_NAME:
		ksnprintf(field, key->bytes, "%s", key->names[value]);
		break;
	case KEY_LOCKS:
	case KEY_THREADS:
	case KEY_TESTS:
		break;
	}
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
