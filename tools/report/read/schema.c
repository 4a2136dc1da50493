/* SPDX-License-Identifier: MIT */
/*
 * The record types and their fields: see read.h. guest/report.c writes boot, counts and end;
 * bench/session/emit.c run, vcpu, hist and others; kernel/panic.c and port/guest/hang.c the rest.
 *
 * A field is required if the analyser needs it or if every version of pvspin wrote it. Other fields
 * may be missing; figures that depend on a missing field are shown as unknown.
 */
#include "tools/report/read/read.h"

#define MOST INT64_MAX
/* KVM's limit for x86 (KVM_MAX_VCPUS with CONFIG_KVM_MAX_NR_VCPUS at its maximum, Linux 6.12
 * arch/x86/kvm/Kconfig). Also bounds the memory that a hostile log can make the analyser allocate.
 */
#define MOST_CPUS 4096

#define NUMBER(name)                              \
	{                                         \
		name, FIELD_NUMBER, true, 0, MOST \
	}
#define NUMBER_IN(name, low, high)                  \
	{                                           \
		name, FIELD_NUMBER, true, low, high \
	}
#define NUMBER_OPTIONAL(name)                      \
	{                                          \
		name, FIELD_NUMBER, false, 0, MOST \
	}
#define FIELD(name, kind)              \
	{                              \
		name, kind, true, 0, 0 \
	}
#define OPTIONAL(name, kind)            \
	{                               \
		name, kind, false, 0, 0 \
	}

static const struct field boot_fields[] = {
	NUMBER("schema"),
	FIELD("version", FIELD_TEXT),
	FIELD("build", FIELD_TEXT),
	FIELD("loader", FIELD_TEXT),
	OPTIONAL("loader_name", FIELD_TEXT),
	FIELD("cmdline", FIELD_TEXT),
	OPTIONAL("plan", FIELD_TEXT),
	FIELD("accel", FIELD_NAME),
	FIELD("hypervisor", FIELD_TEXT),
	OPTIONAL("hypervisor_first", FIELD_TEXT),
	NUMBER_OPTIONAL("kvm_base"),
	NUMBER("kvm_features"),
	NUMBER("kvm_hints"),
	NUMBER_OPTIONAL("kvm_refused"),
	FIELD("pv_unhalt", FIELD_BOOL),
	OPTIONAL("steal_time", FIELD_BOOL),
	OPTIONAL("hypercall", FIELD_TEXT),
	OPTIONAL("pv_backend", FIELD_NAME),
	OPTIONAL("pv_yield", FIELD_BOOL),
	NUMBER_OPTIONAL("pv_long_spin"),
	OPTIONAL("linux_lock", FIELD_TEXT),
	OPTIONAL("linux_reason", FIELD_TEXT),
	FIELD("cpu_vendor", FIELD_TEXT),
	FIELD("cpu_model", FIELD_TEXT),
	NUMBER_IN("tsc_khz", 1, INT64_C(1000000000)), /* 1 THz: nothing is faster */
	FIELD("tsc_source", FIELD_TEXT),
	NUMBER_OPTIONAL("pause_cycles"),
	OPTIONAL("tsc_invariant", FIELD_BOOL),
	OPTIONAL("tsc_adjust", FIELD_NAME),
	NUMBER_OPTIONAL("tsc_warp_cycles"),
	OPTIONAL("kvmclock_stable", FIELD_BOOL),
	OPTIONAL("watchdog", FIELD_NAME),
	NUMBER_IN("vcpus", 1, MOST_CPUS),
	NUMBER_IN("vcpus_online", 1, MOST_CPUS),
	OPTIONAL("apic_ids", FIELD_LIST),
	OPTIONAL("apic_ids_missing", FIELD_LIST),
	FIELD("apic_mode", FIELD_TEXT),
	NUMBER_OPTIONAL("nodes"),
	OPTIONAL("node_source", FIELD_TEXT),
	OPTIONAL("cpu_nodes", FIELD_LIST),
	NUMBER("boot_cycles"),
	NUMBER_OPTIONAL("bringup_cycles"),
	OPTIONAL("host", FIELD_OBJECT),
};

static const struct field run_fields[] = {
	NUMBER_IN("run", 1, MOST),
	FIELD("lock", FIELD_NAME),
	FIELD("workload", FIELD_NAME),
	NUMBER_IN("threads", 1, MOST_CPUS),
	NUMBER("tasks"),
	NUMBER("rep"),
	NUMBER_OPTIONAL("ms"),
	NUMBER_OPTIONAL("ops_wanted"),
/* Every version wrote those that have a column. */
#define PLAN_NUMBER(key, type, workloads, initial, least, most, role) \
	{#key, FIELD_NUMBER, (role) == COLUMN, 0, MOST},
#define PLAN_NAMED(key, field, type, workloads, role, ...) \
	{#key, FIELD_NAME, (role) == COLUMN, 0, 0},
#include "bench/plan_keys.def"
	OPTIONAL("pv_backend", FIELD_NAME),
	OPTIONAL("tunables", FIELD_OBJECT),
	NUMBER_OPTIONAL("spin_us_polls"),
	NUMBER_IN("elapsed_cycles", 1, MOST),
	NUMBER_IN("elapsed_ns", 1, MOST),
	OPTIONAL("complete", FIELD_BOOL),
	OPTIONAL("exclusion", FIELD_NAME),
	NUMBER("ops"),
	NUMBER("ops_min"),
	NUMBER("ops_max"),
	NUMBER_OPTIONAL("streak_max"),
	/* A Linux guest has the first two if it has kprobes, and never the others. */
	NUMBER_OPTIONAL("halts"),
	NUMBER_OPTIONAL("kicks"),
	NUMBER_OPTIONAL("spurious_wakeups"),
	NUMBER_OPTIONAL("yields"),
	NUMBER_OPTIONAL("lock_steals"),
	NUMBER_OPTIONAL("lhp_events"),
	NUMBER_OPTIONAL("lhp_cycles"),
	NUMBER_OPTIONAL("lwp_events"),
	NUMBER_OPTIONAL("lwp_cycles"),
	NUMBER_OPTIONAL("lhp_max_cycles"),
	NUMBER_OPTIONAL("held_cycles"),
	NUMBER_OPTIONAL("held_stolen_cycles"),
	NUMBER_OPTIONAL("gap_nobody_cycles"),
	NUMBER_OPTIONAL("gap_passed_cycles"),
	NUMBER_OPTIONAL("gap_stolen_cycles"),
	NUMBER_OPTIONAL("gap_halted_cycles"),
	NUMBER_OPTIONAL("gap_running_cycles"),
	NUMBER_OPTIONAL("lhp_waits"),
	NUMBER_OPTIONAL("lhp_wait_cycles"),
	NUMBER_OPTIONAL("lhp_samples"),
	NUMBER_OPTIONAL("lwp_samples"),
	NUMBER_OPTIONAL("lhp_flagged"),
	NUMBER_OPTIONAL("waits"),
	NUMBER_OPTIONAL("wait_cycles"),
	NUMBER_OPTIONAL("wait_max_cycles"),
	NUMBER_OPTIONAL("halt_cycles"),
	NUMBER_OPTIONAL("kick_cycles"),
	NUMBER_OPTIONAL("halts_total"),
	NUMBER_OPTIONAL("kicks_total"),
	NUMBER_OPTIONAL("yields_total"),
	NUMBER("steal_ns"),
	NUMBER_OPTIONAL("scheduled_in"),
	NUMBER_OPTIONAL("throttled_ns"),
	OPTIONAL("events", FIELD_OBJECT),
	OPTIONAL("clock", FIELD_NAME),
	NUMBER_OPTIONAL("start_wall_ns"),
	NUMBER_OPTIONAL("end_wall_ns"),
	NUMBER_OPTIONAL("start_tsc"),
	NUMBER_OPTIONAL("end_tsc"),
	/* workload=kbuild */
	NUMBER_OPTIONAL("jobs"),
	NUMBER_OPTIONAL("jobs_done"),
	NUMBER_OPTIONAL("tick_hz"),
	NUMBER_OPTIONAL("kernel_ns"),
	NUMBER_OPTIONAL("locked_ns"),
	NUMBER_OPTIONAL("switches"),
	NUMBER_OPTIONAL("preemptions"),
	NUMBER_OPTIONAL("migrations"),
	NUMBER_OPTIONAL("wakeups"),
	NUMBER_OPTIONAL("sleeps"),
	NUMBER_OPTIONAL("shootdowns"),
	NUMBER_OPTIONAL("shootdown_cycles"),
	NUMBER_OPTIONAL("shootdown_max_cycles"),
	NUMBER_OPTIONAL("governor_parks"),
	NUMBER_OPTIONAL("governor_least"),
	NUMBER_OPTIONAL("split_running_ns"),
	NUMBER_OPTIONAL("split_spinning_ns"),
	NUMBER_OPTIONAL("split_halted_ns"),
	NUMBER_OPTIONAL("split_idle_ns"),
	NUMBER_OPTIONAL("split_stolen_ns"),
	/* workload=linux */
	NUMBER_OPTIONAL("user_ns"),
	NUMBER_OPTIONAL("processes"),
	NUMBER_OPTIONAL("job_p50_cycles"),
	NUMBER_OPTIONAL("job_p999_cycles"),
	NUMBER_OPTIONAL("job_max_cycles"),
};

static const struct field vcpu_fields[] = {
	NUMBER_IN("run", 1, MOST),
	OPTIONAL("lock", FIELD_NAME), /* lock and apic_id: only older versions wrote them */
	NUMBER_IN("cpu", 0, MOST_CPUS - 1),
	NUMBER_OPTIONAL("apic_id"),
	NUMBER("ops"),
	NUMBER_OPTIONAL("streak_max"),
	NUMBER("wait_cycles"),
	NUMBER("wait_max_cycles"),
	NUMBER("halts"),
	NUMBER("kicks"),
	NUMBER("spurious_wakeups"),
	NUMBER("yields"),
	NUMBER_OPTIONAL("wait_p50_cycles"),
	NUMBER_OPTIONAL("wait_p99_cycles"),
	OPTIONAL("window_ops", FIELD_LIST),
	NUMBER("steal_ns"),
	NUMBER_OPTIONAL("scheduled_in"),
	NUMBER_OPTIONAL("lock_steals"),
	NUMBER_OPTIONAL("lhp_events"),
	NUMBER_OPTIONAL("lhp_cycles"),
	NUMBER_OPTIONAL("lhp_waits"),
	NUMBER_OPTIONAL("lhp_wait_cycles"),
	NUMBER_OPTIONAL("lwp_events"),
	NUMBER_OPTIONAL("lwp_cycles"),
	NUMBER_OPTIONAL("lhp_samples"),
	NUMBER_OPTIONAL("lwp_samples"),
	NUMBER_OPTIONAL("lhp_flagged"),
	NUMBER_OPTIONAL("waits"),
	NUMBER_OPTIONAL("halt_cycles"),
	NUMBER_OPTIONAL("kick_cycles"),
	OPTIONAL("events", FIELD_OBJECT),
};

static const struct field hist_fields[] = {
	NUMBER_IN("run", 1, MOST),
	FIELD("lock", FIELD_NAME),
	FIELD("workload", FIELD_NAME),
	NUMBER_IN("threads", 1, MOST_CPUS),
	NUMBER("rep"),
	FIELD("cpu", FIELD_CPU),
	FIELD("what", FIELD_NAME),
	FIELD("unit", FIELD_NAME),
	NUMBER("count"),
	NUMBER_OPTIONAL("sum"),
	NUMBER("min"),
	NUMBER("max"),
	FIELD("buckets", FIELD_LIST),
};

/* workload=kbuild: one per run and class of locks */
static const struct field class_fields[] = {
	NUMBER_IN("run", 1, MOST),      FIELD("lock", FIELD_NAME),
	FIELD("class", FIELD_NAME),     NUMBER("acquisitions"),
	NUMBER_OPTIONAL("contended"),   NUMBER_OPTIONAL("other_cpu"),
	NUMBER_OPTIONAL("wait_cycles"), NUMBER_OPTIONAL("wait_max_cycles"),
	NUMBER_OPTIONAL("hold_cycles"), NUMBER_OPTIONAL("lhp_events"),
};

static const struct field event_fields[] = {
	NUMBER_IN("run", 1, MOST),
	NUMBER_IN("cpu", 0, MOST_CPUS - 1),
	NUMBER("tsc"),
	FIELD("what", FIELD_NAME),
	OPTIONAL("lock", FIELD_NAME),
	OPTIONAL("to", FIELD_CPU),
	NUMBER_OPTIONAL("stolen_ns"),
	OPTIONAL("class", FIELD_NAME),
	NUMBER_OPTIONAL("lock_id"),
};

static const struct field pingpong_fields[] = {
	FIELD("when", FIELD_NAME),
	NUMBER_IN("threads", 1, MOST_CPUS),
	NUMBER("cpu_a"),
	NUMBER("cpu_b"),
	OPTIONAL("gave_up", FIELD_BOOL),
	NUMBER("batches"),
	NUMBER("one_way_cycles"),
	NUMBER_OPTIONAL("one_way_min_cycles"),
	NUMBER_OPTIONAL("one_way_max_cycles"),
};

static const struct field speed_fields[] = {
	FIELD("when", FIELD_NAME),
	NUMBER_IN("threads", 1, MOST_CPUS),
	NUMBER("pause_cycles"),
	NUMBER_IN("work_iterations", 1, MOST),
	NUMBER_IN("work_cycles", 1, MOST),
	NUMBER_OPTIONAL("work_min_cycles"),
	NUMBER_OPTIONAL("work_max_cycles"),
};

static const struct field ready_fields[] = {
	NUMBER("run"),
	NUMBER("runs"),
	OPTIONAL("lock", FIELD_NAME),
	NUMBER_OPTIONAL("threads"),
	NUMBER_OPTIONAL("rep"),
	OPTIONAL("last", FIELD_BOOL),
};

static const struct field overlap_fields[] = {
	NUMBER_IN("run", 1, MOST),     FIELD("lock", FIELD_NAME), OPTIONAL("workload", FIELD_NAME),
	NUMBER_OPTIONAL("threads"),    NUMBER_OPTIONAL("rep"),    NUMBER("peer"),
	OPTIONAL("clock", FIELD_NAME), NUMBER("start_ns"),        NUMBER("end_ns"),
	NUMBER("peer_start_ns"),       NUMBER("peer_end_ns"),
};

static const struct field panic_fields[] = {
	FIELD("reason", FIELD_TEXT),
	NUMBER("cpu"),
	NUMBER_OPTIONAL("apic_id"),
	FIELD("rip", FIELD_TEXT),
	OPTIONAL("registers", FIELD_OBJECT),
	OPTIONAL("backtrace", FIELD_LIST),
	OPTIONAL("test", FIELD_TEXT),
	OPTIONAL("lock", FIELD_TEXT),
	OPTIONAL("lock_state", FIELD_TEXT),
	{"holder", FIELD_NUMBER, false, -1, MOST_CPUS},
	/* after a machine check, and after a fault while panic() wrote its message */
	OPTIONAL("mcg_status", FIELD_TEXT),
	NUMBER_OPTIONAL("mc_bank"),
	OPTIONAL("mc_status", FIELD_TEXT),
	OPTIONAL("mc_address", FIELD_TEXT),
	OPTIONAL("report_failed", FIELD_TEXT),
	OPTIONAL("report_failed_rip", FIELD_TEXT),
};

static const struct field hang_fields[] = {
	FIELD("what", FIELD_TEXT),
	OPTIONAL("lock", FIELD_NAME),
	OPTIONAL("history", FIELD_LIST),
	OPTIONAL("lock_state", FIELD_TEXT),
	{"holder", FIELD_NUMBER, false, -1, MOST_CPUS},
	NUMBER_OPTIONAL("threads"),
	NUMBER_OPTIONAL("bound_ms"),
	OPTIONAL("pv_backend", FIELD_NAME),
};

static const struct field hang_cpu_fields[] = {
	NUMBER("cpu"),
	OPTIONAL("state", FIELD_TEXT),
	OPTIONAL("halted", FIELD_BOOL),
	OPTIONAL("answered", FIELD_BOOL),
	NUMBER_OPTIONAL("kicked_us_ago"),
	OPTIONAL("in_hlt", FIELD_BOOL),
	OPTIONAL("interrupts", FIELD_BOOL),
	OPTIONAL("backtrace", FIELD_LIST),
};

static const struct field counts_fields[] = {
	FIELD("hypercalls", FIELD_LIST),
	FIELD("halts", FIELD_LIST),
	FIELD("traps", FIELD_LIST),
};

static const struct field error_fields[] = {
	FIELD("reason", FIELD_TEXT),
	OPTIONAL("record", FIELD_TEXT),
	NUMBER_OPTIONAL("limit_bytes"),
};

static const struct field end_fields[] = {
	NUMBER_IN("records", 1, MOST),
	FIELD("verdict", FIELD_NAME),
	NUMBER("failed"),
	NUMBER("skipped"),
	NUMBER_OPTIONAL("findings"),
	OPTIONAL("reason", FIELD_TEXT),
};

#define SCHEMA(name)                                          \
	{                                                     \
#name, name##_fields, COUNT_OF(name##_fields) \
	}

static const struct schema schemas[RECORD_OTHER] = {
	[RECORD_BOOT] = SCHEMA(boot),         [RECORD_RUN] = SCHEMA(run),
	[RECORD_VCPU] = SCHEMA(vcpu),         [RECORD_HIST] = SCHEMA(hist),
	[RECORD_CLASS] = SCHEMA(class),       [RECORD_EVENT] = SCHEMA(event),
	[RECORD_PINGPONG] = SCHEMA(pingpong), [RECORD_READY] = SCHEMA(ready),
	[RECORD_SPEED] = SCHEMA(speed),       [RECORD_OVERLAP] = SCHEMA(overlap),
	[RECORD_PANIC] = SCHEMA(panic),       [RECORD_HANG] = SCHEMA(hang),
	[RECORD_HANG_CPU] = SCHEMA(hang_cpu), [RECORD_COUNTS] = SCHEMA(counts),
	[RECORD_ERROR] = SCHEMA(error),       [RECORD_END] = SCHEMA(end),
};

const struct schema *schema_of(enum record_type type)
{
	return type < RECORD_OTHER ? &schemas[type] : NULL;
}
