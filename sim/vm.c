/* SPDX-License-Identifier: MIT */
/* See vm.h. */
#define _GNU_SOURCE
#include "sim/vm.h"

#include "port/task.h"
#include "sim/cpu.h"
#include "sim/kvm.h"
#include "sim/log.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_BYTES (256 * 1024)
#define STACK_ALIGN 4096
#define STACK_APART 832 /* 13 cache lines: 64 places in a page */
/* All vCPUs must be stuck for so long before it is a deadlock. By then, stores have reached memory
 * and interrupts their sleepers. */
#define DEADLOCK_NS  1000000
#define SIGNAL_STACK (64 * 1024)

static uint32_t controls; /* VMs whose CPU 0 has something to do outside of time */

/* ---- loading ---- */

/* Each VM loads a copy of the file: dlopen() of the same file twice would give one object, with one
 * set of variables. */
static void *load_copy(const char *image)
{
	char path[64], bytes[65536];
	int from = open(image, O_RDONLY | O_CLOEXEC), to = memfd_create("guest.so", MFD_CLOEXEC);
	ssize_t count;
	void *handle;

	if (from < 0 || to < 0)
		engine_die(4, "%s: %s", image, strerror(errno));
	while ((count = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)count) != count)
			engine_die(4, "no memory for %s", image);
	close(from);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		engine_die(4, "%s", dlerror());
	/* keep the descriptor: dlopen() would take another file of the same name for this one */
	return handle;
}

static void *symbol(void *handle, const char *name)
{
	void *found = dlsym(handle, name);

	if (!found)
		engine_die(4, "the guest half has no %s", name);
	return found;
}

struct data_search {
	uintptr_t base;
	char *data;
	size_t bytes;
};

/* Finds the writable part of the object: its variables. */
static int find_data(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct data_search *search = argument;

	(void)size;
	if (info->dlpi_addr != search->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && part->p_flags & PF_W) {
			search->data = (char *)((info->dlpi_addr + part->p_vaddr) & ~(uintptr_t)63);
			search->bytes = part->p_memsz + (part->p_vaddr & 63);
		}
	}
	return 1;
}

static void main_fiber(void *argument)
{
	struct vm *vm = argument;

	vm->main();
	vm_end(vm, 0);
}

static void worker_fiber(void *argument);

static void make_vcpu(struct vm *vm, uint32_t index)
{
	struct vcpu *vcpu = &vm->vcpus[index];
	char *top;

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->thread.vcpu = vcpu;
	vcpu->thread.task.id = engine.thread_count;
	engine.threads[engine.thread_count++] = &vcpu->thread;
	vcpu->stack = memory_alloc(&vm->memory, STACK_BYTES, STACK_ALIGN);
	mprotect(vcpu->stack, STACK_ALIGN, PROT_NONE); /* an overflow traps */
	/* not all at the same place of a page, or all would have the same few sets of the caches */
	top = vcpu->stack + STACK_BYTES - (vm->index * 32 + index) * STACK_APART % STACK_ALIGN;
	vcpu->sp = port_task_begin(top, index ? worker_fiber : main_fiber,
				   index ? (void *)vcpu : (void *)vm);
	kvm_init_vcpu(vcpu);
}

void vm_load(struct vm *vm, uint32_t index, const char *image, uint32_t vcpus, const char *cmdline,
	     int log)
{
	struct link_map *map;
	struct data_search search = {0};

	vm->index = index;
	vm->image = load_copy(image);
	vm->main = (void (*)(void))symbol(vm->image, "sim_guest_main");
	vm->panic = (void (*)(const char *, uint64_t))symbol(vm->image, "sim_guest_panic");
	vm->cmdline = cmdline;
	vm->log = log;
	if (dlinfo(vm->image, RTLD_DI_LINKMAP, &map) != 0)
		engine_die(4, "%s", dlerror());
	vm->base = (void *)map->l_addr;
	search.base = map->l_addr;
	dl_iterate_phdr(find_data, &search);
	memory_init(&vm->memory, index, search.data, search.bytes);
	vm->vcpu_count = vcpus;
	vm->vcpus = aligned_alloc(64, vcpus * sizeof(*vm->vcpus));
	vm->ready = calloc((vcpus + 63) / 64, sizeof(*vm->ready));
	if (!vm->vcpus || !vm->ready)
		engine_die(4, "no memory for %u vCPUs", vcpus);
	memset(vm->vcpus, 0, vcpus * sizeof(*vm->vcpus));
	for (uint32_t i = 0; i < vcpus; i++)
		vm->vcpus[i].steal = memory_alloc(&vm->memory, 128, 128);
	for (uint32_t i = 0; i < vcpus; i++)
		make_vcpu(vm, i);
	vm->controlling = true;
	controls++;
}

/* ---- CPU 0 outside of time ---- */

struct vm *vm_to_control(void)
{
	for (uint32_t i = 0; controls && i < engine.vm_count; i++)
		if (engine.vms[i].controlling) {
			engine.vms[i].controlling = false;
			controls--;
			return &engine.vms[i];
		}
	return NULL;
}

/* CPU 0 has something to do outside of time: vm_to_control() will find it. */
static void control(struct vm *vm)
{
	vm->controlling = true;
	controls++;
}

void vm_handle(struct vcpu *vcpu, enum irq irq)
{
	struct vm *vm = vcpu->vm;

	if (irq == IRQ_TIMER)
		vm->timer.fn(vm->timer.arg);
	else if (irq == IRQ_TICK && vcpu->tick)
		vcpu->tick();
	else if (irq == IRQ_CALL && vcpu->call)
		vcpu->call();
	else if (irq == IRQ_DEADLOCK && vm->report)
		vm->report();
}

/* ---- work ---- */

static void begin_work(struct vcpu *vcpu)
{
	vcpu->timed = true;
	vcpu->host = vcpu->handling = vcpu->stuck = false;
	vcpu->open = vcpu->index == 0;
	vcpu->pending = vcpu->sections = 0;
	vcpu->owed = 0;
	vcpu->tick = NULL;
	vcpu->poll = (struct poll){.pure = false};
	kvm_init_vcpu(vcpu);
	cpu_start(vcpu, engine.now);
}

static void end_work(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	memory_drain(vcpu);
	engine_sync(vcpu);
	engine.now = vcpu->cpu->clock; /* it went on beyond: to the horizon */
	vm_changes(vcpu);
	vcpu->tick = NULL;
	vm->busy--;
	vm->alive--;
}

static void worker_fiber(void *argument)
{
	struct vcpu *vcpu = argument;
	struct vm *vm = vcpu->vm;

	for (;;) {
		/* cycles that it owes come first, if an interrupt met it on its way in */
		engine_yield(vcpu);
		vm->work(vm->work_arg);
		end_work(vcpu);
		if (vm->busy == 0)
			cpu_interrupt(&vm->vcpus[0], IRQ_WAKE, vcpu->cpu, vcpu->cpu->clock);
		vm_check_deadlock(vm, vcpu->cpu->clock);
		vcpu->timed = false;
		cpu_leave(vcpu, VCPU_IDLE);
		engine_leave(vcpu);
	}
}

void vm_run_on(struct vm *vm, uint32_t count, void (*fn)(void *arg), void *arg)
{
	struct vcpu *first = &vm->vcpus[0];

	vm->work = fn;
	vm->work_arg = arg;
	vm->busy = vm->alive = count;
	vm->deadlocked = false;
	for (uint32_t i = 0; i < count; i++)
		begin_work(&vm->vcpus[i]);
	engine_yield(first);
	fn(arg);
	first->open = false; /* no wake-up between the look and the HLT */
	vm->busy--;
	while (vm->busy != 0) {
		kvm_halt(first, true);
		first->open = true;
		cpu_deliver(first);
		first->open = false;
	}
	vm->busy++;
	end_work(first);
	first->timed = false;
	cpu_leave(first, VCPU_IDLE);
}

/* ---- deadlock ---- */

/* Whether all vCPUs that are neither halted nor asleep in a poll have made a step since the last
 * change. */
static bool all_have_seen(const struct vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->timed && vcpu->seen != vm->changes && !vcpu->poll.asleep &&
		    vcpu->state != VCPU_BLOCKED && vcpu->state != VCPU_HALT_POLL)
			return false;
	}
	return true;
}

static bool deadlock_fires(void *subject, uint64_t unused, uint64_t time)
{
	struct vm *vm = subject;

	(void)unused;
	if (vm->ended || vm->deadlocked || vm->alive != 0 || vm->busy == 0)
		return true;
	if (!all_have_seen(vm)) {
		vm_check_deadlock(vm, time);
		return true;
	}
	if (!cpu_caught_up(vm->vcpus[0].cpu, time))
		return false;
	vm->deadlocked = true;
	if (!vm->report)
		engine_die(5, "VM %u: all its vCPUs wait for each other", vm->index);
	cpu_interrupt(&vm->vcpus[0], IRQ_DEADLOCK, NULL, time);
	return true;
}

void vm_check_deadlock(struct vm *vm, uint64_t time)
{
	if (vm->alive == 0 && vm->busy != 0 && !vm->deadlocked)
		engine_post(time + from_ns(DEADLOCK_NS), deadlock_fires, vm, 0);
}

void vm_stuck(struct vcpu *vcpu)
{
	if (vcpu->stuck)
		return;
	vcpu->seen = vcpu->vm->changes;
	vcpu->stuck = true;
	vcpu->vm->alive--;
	vm_check_deadlock(vcpu->vm, vcpu->cpu->clock);
}

void vm_history(const struct vcpu *vcpu, const char *what, uint64_t time)
{
	struct vm *vm = vcpu->vm;
	size_t at = vm->history_count++ % HISTORY_EVENTS;

	vm->history[at].time = time;
	vm->history[at].what = what;
	vm->history[at].vcpu = vcpu->index;
	vm->history[at].cpu = vcpu->cpu ? vcpu->cpu->id : vcpu->thread.task.cpu;
}

/* ---- the launcher's part: VMs wait for each other before each run ---- */

static bool all_wait(void)
{
	for (uint32_t i = 0; i < engine.vm_count; i++)
		if (!engine.vms[i].ended && !engine.vms[i].waits_for_line)
			return false;
	return true;
}

/* Lets all VMs make their next run. Each is told first when its peers' last measured phases were,
 * as run.sh does it (coordinator.sh). */
static void release_if_all_wait(void)
{
	if (!all_wait())
		return;
	for (uint32_t i = 0; i < engine.vm_count; i++) {
		struct vm *vm = &engine.vms[i];

		if (vm->ended)
			continue;
		log_lines_for(vm);
		vm->waits_for_line = false;
		control(vm);
	}
	for (uint32_t i = 0; i < engine.vm_count; i++)
		engine.vms[i].run_end = 0;
}

bool vm_read_line(struct vm *vm, char *line, size_t size)
{
	size_t length;

	if (vm->lines[0] == '\0') {
		vm->waits_for_line = true;
		release_if_all_wait();
		engine_leave(&vm->vcpus[0]);
	}
	length = strcspn(vm->lines, "\n");
	if (length == 0)
		return false;
	snprintf(line, size, "%.*s", (int)length, vm->lines);
	memmove(vm->lines, vm->lines + length + 1, strlen(vm->lines + length + 1) + 1);
	return true;
}

void vm_write(struct vm *vm, const char *bytes, size_t count)
{
	log_write(vm, bytes, count);
}

void vm_end(struct vm *vm, int status)
{
	struct vcpu *vcpu = engine.running;
	bool all = true;

	vm->ended = true;
	vm->status = status;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i].timed = false;
		vm->vcpus[i].stores.count = 0;
	}
	cpu_forget(vm, engine.now);
	for (uint32_t i = 0; i < engine.vm_count; i++)
		all = all && engine.vms[i].ended;
	engine.finished = all;
	if (!all)
		release_if_all_wait();
	for (;;)
		engine_leave(vcpu);
}

/* ---- traps ---- */

static void on_trap(int number, siginfo_t *info, void *context)
{
	const ucontext_t *at = context;
	uint64_t rip = (uint64_t)at->uc_mcontext.gregs[REG_RIP];
	struct vcpu *vcpu = engine.running;
	char reason[128];
	Dl_info in;

	/* an address in the file, wherever it was loaded */
	if (dladdr((void *)rip, &in) && vcpu && in.dli_fbase == vcpu->vm->base)
		rip -= (uint64_t)in.dli_fbase;
	else
		engine_die(5, "%s at %#llx, in the engine", strsignal(number),
			   (unsigned long long)rip);
	if (vcpu->vm->trapped)
		engine_die(5, "the guest half has trapped twice");
	if (number == SIGSEGV || number == SIGBUS)
		snprintf(reason, sizeof(reason), "%s, address %p", strsignal(number),
			 info->si_addr);
	else
		snprintf(reason, sizeof(reason), "%s", strsignal(number));
	vcpu->vm->trapped = true;
	vcpu->timed = false;
	vcpu->vm->panic(reason, rip);
	vm_end(vcpu->vm, 5); /* its fiber is never taken up again, nor is this handler */
}

void vm_catch_traps(void)
{
	static const int traps[] = {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP};
	struct sigaction action = {.sa_sigaction = on_trap,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	stack_t stack = {.ss_size = SIGNAL_STACK};

	stack.ss_sp = malloc(stack.ss_size);
	if (!stack.ss_sp || sigaltstack(&stack, NULL) != 0)
		engine_die(4, "no stack for traps");
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		sigaction(traps[i], &action, NULL);
}
