/* SPDX-License-Identifier: MIT */
/*
 * port.h over Linux threads: for the bare-metal baseline and for native tests of the locks. A CPU
 * index is a thread: 0 is the one that called main(), the others live for one port_run_on. Time is
 * the TSC, calibrated by CLOCK_MONOTONIC_RAW. Threads have no steal-time page, so it stays zero,
 * and no LHP or LWP is ever counted here. Input and output: io.c, the timer: timer.c, patching of
 * code: text.c.
 */
#define _GNU_SOURCE
#include "port/port.h"

#include "lib/lines.h"
#include "lib/nodes.h"
#include "locks/core/stats.h"
#include "port/hosted/hosted.h"
#include "port/hosted/sched.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALIBRATION_NS 20000000 /* 20 ms: about 1 in 10^5 */

struct thread {
	pthread_t handle;
	uint32_t cpu;
	void (*fn)(void *arg);
	void *arg;
};

static uint32_t cpu_count;
static uint32_t nodes = 1;
static uint32_t pretended_nodes; /* 0: none */
static struct lock_stats *stats_of;
static cpu_set_t usable;
static uint64_t tsc_khz;
static _Thread_local uint32_t this_cpu;

static __attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("pvspin: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(4);
}

void *port_alloc(size_t bytes, size_t align)
{
	void *memory;

	if (align < sizeof(void *))
		align = sizeof(void *);
	if (posix_memalign(&memory, align, bytes ? bytes : 1) != 0)
		die("no memory for %zu bytes", bytes);
	memset(memory, 0, bytes);
	return memory;
}

void *port_alloc_each(uint32_t count, size_t bytes, size_t *stride)
{
	*stride = round_apart(bytes);
	return port_alloc(count * *stride, APART);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Reads TSC and clock at the same instant: takes the closest of several tries, because this thread
 * may be descheduled between the two readings. */
static void clock_pair(uint64_t *cycles, uint64_t *ns)
{
	uint64_t best = 0;

	for (int i = 0; i < 16; i++) {
		uint64_t before = port_cycles();
		uint64_t now = clock_ns(CLOCK_MONOTONIC_RAW);
		uint64_t after = port_cycles();

		if (i == 0 || after - before < best) {
			best = after - before;
			*cycles = before + (after - before) / 2;
			*ns = now;
		}
	}
}

static void calibrate(void)
{
	struct timespec pause = {.tv_nsec = CALIBRATION_NS};
	uint64_t cycles[2], ns[2];

	clock_pair(&cycles[0], &ns[0]);
	nanosleep(&pause, NULL);
	clock_pair(&cycles[1], &ns[1]);
	tsc_khz = (cycles[1] - cycles[0]) * 1000000 / (ns[1] - ns[0]);
	if (tsc_khz == 0)
		die("the TSC does not advance: %llu cycles in %llu ns",
		    (unsigned long long)(cycles[1] - cycles[0]),
		    (unsigned long long)(ns[1] - ns[0]));
}

uint32_t hosted_usable_cpus(void)
{
	return (uint32_t)CPU_COUNT(&usable);
}

void hosted_init(uint32_t cpus)
{
	static struct steal_area no_steal; /* never written, so all share it */
	const char *refusal;

	if (tsc_khz == 0) {
		if (sched_getaffinity(0, sizeof(usable), &usable) != 0)
			die("sched_getaffinity: %s (more than %d CPUs?)", strerror(errno),
			    CPU_SETSIZE);
		calibrate();
		pv_backend = &pv_hosted;
		refusal = hosted_sched_init();
		if (refusal)
			die("%s", refusal);
	}
	if (cpus == 0)
		cpus = hosted_usable_cpus();
	if (cpus > HOSTED_MAX_CPUS)
		die("%u CPUs asked for, at most %d are possible", cpus, HOSTED_MAX_CPUS);
	if (cpus <= cpu_count)
		return;
	stats_of = port_alloc(cpus * sizeof(*stats_of), _Alignof(struct lock_stats));
	for (uint32_t i = 0; i < cpus; i++)
		stats_of[i].steal = &no_steal;
	hosted_pv_init(cpus);
	cpu_count = cpus;
}

uint64_t port_tsc_khz(void)
{
	return tsc_khz;
}

uint64_t port_cycles_to_ns(uint64_t cycles)
{
	return (uint64_t)((unsigned __int128)cycles * 1000000 / tsc_khz);
}

uint64_t port_ns_to_cycles(uint64_t ns)
{
	return (uint64_t)((unsigned __int128)ns * tsc_khz / 1000000);
}

uint64_t port_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void port_wall_sync(void)
{
}

uint32_t port_cpu(void)
{
	return this_cpu;
}

uint32_t port_cpu_count(void)
{
	return cpu_count;
}

uint32_t port_node(uint32_t cpu)
{
	return pretended_nodes ? cpu % pretended_nodes : nodes_split(cpu, cpu_count, nodes);
}

void hosted_pretend_nodes(uint32_t count)
{
	pretended_nodes = count;
}

void hosted_set_nodes(uint32_t count)
{
	nodes = count;
}

uint64_t port_throttled_ns(void)
{
	return hosted_throttled_ns("");
}

bool port_note(uint32_t i, char *text, size_t size)
{
	return i == 0 && hosted_sched_note(text, size);
}

struct lock_stats *port_stats(uint32_t cpu)
{
	return &stats_of[cpu];
}

struct lock_stats *port_my_stats(void)
{
	return &stats_of[this_cpu];
}

/* Pins the calling thread to the (cpu mod n)-th of the n usable CPUs. */
static void pin(uint32_t cpu)
{
	uint32_t skip = cpu % hosted_usable_cpus();
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &usable) && skip-- == 0)
			CPU_SET(i, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		die("cannot pin thread %u: %s", cpu, strerror(errno));
}

void hosted_unpin(void)
{
	sched_setaffinity(0, sizeof(usable), &usable);
}

static void *thread_main(void *arg)
{
	struct thread *thread = arg;

	this_cpu = thread->cpu;
	pin(thread->cpu);
	hosted_serialise();
	thread->fn(thread->arg);
	return NULL;
}

void port_run_on(uint32_t count, void (*fn)(void *arg), void *arg)
{
	struct thread *threads = calloc(count, sizeof(*threads));
	const char *refusal;
	int error;

	if (!threads || count == 0 || count > cpu_count)
		die("cannot run on %u CPUs: 1..%u", count, cpu_count);
	refusal = hosted_sched_refuses(count);
	if (refusal)
		die("%s", refusal);
	for (uint32_t i = 1; i < count; i++) {
		threads[i] = (struct thread){.cpu = i, .fn = fn, .arg = arg};
		error = pthread_create(&threads[i].handle, NULL, thread_main, &threads[i]);
		if (error)
			die("cannot start thread %u of %u: %s", i, count, strerror(error));
	}
	pin(0);
	fn(arg);
	/* between runs this thread may run on any CPU, as at the start */
	hosted_unpin();
	for (uint32_t i = 1; i < count; i++)
		pthread_join(threads[i].handle, NULL);
	free(threads);
}
