/* SPDX-License-Identifier: MIT */
/* port.h in the guest: a thin layer over kernel/. */
#include "locks/core/stats.h"
#include "port/guest/port_guest.h"

#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/memory.h"
#include "kernel/node_memory.h"
#include "kernel/paging.h"
#include "kernel/serial.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "port/common/line.h"
#include "port/guest/pv_kvm.h"
#include "port/hang.h"
#include "port/port.h"

/* Each look at the UART is a VM exit to the VMM, which takes a millisecond and more on an emulated
 * CPU that others want, too. So the CPU halts between looks, for so long that looking takes at most
 * this part of the time. A look that takes longer than a few ms was preempted: that is no reason to
 * be late for the line. */
#define LINE_POLL_NS      2000000
#define LINE_POLL_MOST_NS 50000000
#define LINE_POLL_PART    16
#define LINE_MARGIN_NS    10000000000ull

/* For readers of another CPU's: nobody writes this table after port_guest_init(), while a CPU's own
 * data shares a cache line with its counters. */
static struct lock_stats **stats_of;
static uint32_t cpu_count;

void port_guest_init(const struct machine *m, bool nopvspin)
{
	cpu_count = m->online;
	stats_of = memory_alloc(m->cpus.count * sizeof(stats_of[0]), CACHE_LINE);
	for (uint32_t i = 0; i < m->cpus.count; i++) {
		stats_of[i] =
			node_memory_alloc(i, sizeof(*stats_of[i]), _Alignof(struct lock_stats));
		stats_of[i]->steal = smp_steal(i);
		smp_cpu(i)->port = stats_of[i];
	}
	pv_kvm_select(m, nopvspin);
}

uint64_t port_tsc_khz(void)
{
	return machine.tsc_khz;
}

uint64_t port_cycles_to_ns(uint64_t cycles)
{
	return tsc_to_ns(cycles);
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return tsc_from_ns(ns);
}

uint64_t port_wall_ns(void)
{
	return kvm_clock_wall_ns();
}

void port_wall_sync(void)
{
	kvm_clock_sync_wall();
}

uint32_t port_cpu(void)
{
	return this_cpu()->index;
}

uint32_t port_cpu_count(void)
{
	return cpu_count;
}

uint32_t port_node(uint32_t cpu)
{
	return machine.node[cpu];
}

struct lock_stats *port_stats(uint32_t cpu)
{
	return stats_of[cpu];
}

struct lock_stats *port_my_stats(void)
{
	return this_cpu()->port;
}

void port_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	smp_run_on(count, fn, arg);
}

void port_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	timer_start(ns, fn, arg);
}

void port_timer_cancel(void)
{
	timer_cancel();
}

void *port_alloc(size_t bytes, size_t align)
{
	return memory_alloc(bytes, align);
}

void *port_alloc_each(uint32_t count, size_t bytes, size_t *stride)
{
	return node_memory_alloc_each(count, bytes, stride);
}

static void serialise_cpu(void *unused)
{
	(void)unused;
	serialise();
}

/* The other CPUs are in idle()'s HLT, far from the patched code. Each is woken to execute CPUID,
 * which serialises (SDM vol. 3A, 9.3), so that it fetches the new bytes. */
void port_patch_text(const struct port_text_patch *patch, size_t count)
{
	for (size_t i = 0; i < count; i++)
		paging_write_text((uint64_t)patch[i].address, patch[i].bytes, patch[i].count);
	smp_run_on(cpu_count, serialise_cpu, NULL);
}

uint64_t port_throttled_ns(void)
{
	return 0;
}

bool port_note(uint32_t i, char *text, size_t size)
{
	(void)i;
	(void)text;
	(void)size;
	return false;
}

static uint64_t poll_ns(uint64_t look_cycles, uint64_t left_cycles)
{
	uint64_t sleep = tsc_to_ns(look_cycles) * LINE_POLL_PART, left = tsc_to_ns(left_cycles);

	if (sleep < LINE_POLL_NS)
		sleep = LINE_POLL_NS;
	if (sleep > LINE_POLL_MOST_NS)
		sleep = LINE_POLL_MOST_NS;
	return sleep < left ? sleep : left;
}

/* Leaves bytes after the line in the UART. */
enum port_input port_read_line(char *line, size_t size, uint64_t timeout_ns)
{
	static struct line_input pending;
	uint64_t start = rdtsc(), bound = tsc_from_ns(timeout_ns);

	port_watch("the launcher's line", timeout_ns + LINE_MARGIN_NS, NULL);
	for (;;) {
		uint64_t look = rdtsc();
		int byte = serial_read();

		if (byte >= 0 && line_add(&pending, (char)byte, line, size)) {
			port_watch_over();
			return PORT_INPUT_LINE;
		}
		if (rdtsc() - start >= bound) { /* even if bytes arrive but no line ends */
			port_watch_over();
			return PORT_INPUT_LATE;
		}
		if (byte < 0)
			timer_sleep(poll_ns(rdtsc() - look, start + bound - rdtsc()));
	}
}
