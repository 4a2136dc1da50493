// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Breaks KVM on purpose, to see which of pvspin's ABI tests notice (tests/faults/check-faults). For
 * the kernel of a throw-away virtual machine only. Parameters, all writable at run time:
 *
 *   fault=NAME  the fault that is active, or none     n=N    "one in N" of some faults
 *   hits        how often it did something            cpu=N  the APIC ID of some faults
 *
 * Each probe point is a return probe (Documentation/trace/kprobes.rst in Linux): its entry handler
 * may change the function's input, its return handler the function's effects.
 */
#include "fault.h"

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static const struct fault no_faults[] = {{}};
static const struct fault *active[POINT_COUNT]; /* by point; NULL: none */
static char active_name[32] = "none";
static atomic_t hits, calls;
unsigned int fault_n = 3;
unsigned int fault_cpu = 1;
unsigned int fault_selections;

void fault_hit(void)
{
	atomic_inc(&hits);
}

bool fault_nth(void)
{
	return atomic_inc_return(&calls) % fault_n == 0;
}

/* kvm->srcu, which protects the memory slots, is held at every probe point. */
bool guest_write(struct kvm_vcpu *vcpu, u64 gpa, const void *data, unsigned int bytes)
{
	int error;

	pagefault_disable();
	error = kvm_vcpu_write_guest(vcpu, gpa, data, bytes);
	pagefault_enable();
	return !error;
}

bool guest_read(struct kvm_vcpu *vcpu, u64 gpa, void *data, unsigned int bytes)
{
	int error;

	pagefault_disable();
	error = kvm_vcpu_read_guest(vcpu, gpa, data, bytes);
	pagefault_enable();
	return !error;
}

struct pass {
	const struct fault *fault;
	struct visit visit;
};

static enum fault_point point_of(struct kretprobe_instance *instance);

static int on_entry(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct fault *fault = READ_ONCE(active[point_of(instance)]);
	struct pass *pass = (struct pass *)instance->data;
	struct visit *visit = &pass->visit;

	if (!fault)
		return 1; /* skips the return handler */
	/* Every probed function has the vCPU as its first argument. */
	visit->vcpu = (struct kvm_vcpu *)regs->di;
	visit->regs = visit->vcpu->arch.regs;
	visit->rax = visit->regs[VCPU_REGS_RAX];
	visit->rbx = visit->regs[VCPU_REGS_RBX];
	visit->rcx = visit->regs[VCPU_REGS_RCX];
	visit->rdx = visit->regs[VCPU_REGS_RDX];
	visit->rsi = visit->regs[VCPU_REGS_RSI];
	visit->init = regs->si & 1;
	visit->kept = 0;
	pass->fault = fault;
	if (fault->before)
		fault->before(visit);
	return 0;
}

static void put_arguments_back(enum fault_point point, struct visit *visit)
{
	unsigned long *regs = visit->regs;

	if (point == POINT_HYPERCALL) {
		regs[VCPU_REGS_RBX] = visit->rbx;
		regs[VCPU_REGS_RSI] = visit->rsi;
	}
	if (point == POINT_WRMSR)
		regs[VCPU_REGS_RAX] = visit->rax;
	if (point == POINT_HYPERCALL || point == POINT_WRMSR)
		regs[VCPU_REGS_RDX] = visit->rdx;
	if (point == POINT_HYPERCALL || point == POINT_WRMSR || point == POINT_RDMSR)
		regs[VCPU_REGS_RCX] = visit->rcx;
}

static int on_return(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct pass *pass = (struct pass *)instance->data;

	put_arguments_back(pass->fault->point, &pass->visit);
	if (!pass->fault->after)
		return 0;
	pass->visit.result = regs->ax;
	pass->fault->after(&pass->visit);
	regs->ax = pass->visit.result;
	return 0;
}

/* At most so many vCPUs are inside one function at a time. */
#define PASSES_AT_ONCE 64

#define POINT(point_, symbol_)                        \
	[point_] = {.kp.symbol_name = (symbol_),      \
		    .entry_handler = on_entry,        \
		    .handler = on_return,             \
		    .data_size = sizeof(struct pass), \
		    .maxactive = PASSES_AT_ONCE}

static struct kretprobe probes[POINT_COUNT] = {
	POINT(POINT_HYPERCALL, "kvm_emulate_hypercall"),
	POINT(POINT_HALT, "kvm_emulate_halt"),
	POINT(POINT_CPUID, "kvm_emulate_cpuid"),
	POINT(POINT_RDMSR, "kvm_emulate_rdmsr"),
	POINT(POINT_WRMSR, "kvm_emulate_wrmsr"),
	POINT(POINT_RESET, "kvm_vcpu_reset"),
	POINT(POINT_ENTER, "svm_prepare_switch_to_guest"),
	POINT(POINT_EOI_OFFER, "kvm_lapic_sync_to_vapic"),
	POINT(POINT_EOI_TAKE, "kvm_lapic_sync_from_vapic"),
	POINT(POINT_RUNNABLE, "kvm_arch_vcpu_runnable"),
};

static enum fault_point point_of(struct kretprobe_instance *instance)
{
	return get_kretprobe(instance) - probes;
}

static int choose(const char *name)
{
	static const struct fault *const tables[] = {hypercall_faults, kick_faults,   cpuid_faults,
						     msr_faults,       memory_faults, no_faults};
	const struct fault *chosen[POINT_COUNT] = {}, *fault;
	bool known = strcmp(name, "none") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (fault = tables[i]; fault->name; fault++) {
			if (strcmp(fault->name, name) != 0)
				continue;
			chosen[fault->point] = fault;
			known = true;
		}
	}
	if (!known)
		return -EINVAL;
	fault_selections++;
	for (size_t i = 0; i < POINT_COUNT; i++)
		WRITE_ONCE(active[i], chosen[i]);
	atomic_set(&hits, 0);
	atomic_set(&calls, 0);
	strscpy(active_name, name, sizeof(active_name));
	return 0;
}

static int set_fault(const char *value, const struct kernel_param *param)
{
	char name[sizeof(active_name)];

	strscpy(name, value, sizeof(name));
	return choose(strim(name));
}

static int get_fault(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%s\n", active_name);
}

static int get_hits(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&hits));
}

static int set_n(const char *value, const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, 1, 1000000);
}

static const struct kernel_param_ops fault_ops = {.set = set_fault, .get = get_fault};
static const struct kernel_param_ops hits_ops = {.get = get_hits};
static const struct kernel_param_ops n_ops = {.set = set_n, .get = param_get_uint};
module_param_cb(fault, &fault_ops, NULL, 0644);
module_param_cb(hits, &hits_ops, NULL, 0444);
module_param_cb(n, &n_ops, &fault_n, 0644);
module_param_named(cpu, fault_cpu, uint, 0644);

static int __init fault_init(void)
{
	for (int i = 0; i < POINT_COUNT; i++) {
		int error = register_kretprobe(&probes[i]);

		if (!error)
			continue;
		pr_err("pvspin_fault: no probe on %s (%d)\n", probes[i].kp.symbol_name, error);
		while (i-- > 0)
			unregister_kretprobe(&probes[i]);
		return error;
	}
	return 0;
}

static void __exit fault_exit(void)
{
	for (int i = 0; i < POINT_COUNT; i++)
		unregister_kretprobe(&probes[i]);
}

module_init(fault_init);
module_exit(fault_exit);
MODULE_DESCRIPTION("pvspin: breaks KVM on purpose, for tests");
MODULE_LICENSE("Dual MIT/GPL");
