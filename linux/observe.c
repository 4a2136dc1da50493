/* SPDX-License-Identifier: MIT */
/*
 * What the kernel tells about itself: see linux.h. Debian's kernels have no lock event counts
 * (CONFIG_LOCK_EVENT_COUNTS), but kprobes and trace points, which count the same: kvm_wait() and
 * kvm_kick_cpu() are the halts and kicks of its paravirtual spinlock (arch/x86/kernel/kvm.c), and
 * lock:contention_begin is where a waiter joins a spinlock's queue (kernel/locking/qspinlock.c).
 */
#include "linux/linux.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACING   "/sys/kernel/tracing/"
#define READ_ALL  3   /* SYSLOG_ACTION_READ_ALL, syslog(2) */
#define SPIN_FLAG "1" /* LCB_F_SPIN, include/trace/events/lock.h */

static bool probed, traced;

static bool put(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool ok = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return ok;
}

bool observe_lock(const char **lock, char message[128])
{
	static char log[262144];
	int length = klogctl(READ_ALL, log, sizeof(log) - 1);

	log[length > 0 ? length : 0] = '\0';
	return text_lock(log, lock, message);
}

void observe_begin(void)
{
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	probed = put(TRACING "kprobe_events", "p:pvspin/halt kvm_wait\n") &&
		 put(TRACING "kprobe_events", "p:pvspin/kick kvm_kick_cpu\n") &&
		 put(TRACING "events/pvspin/enable", "1");
	traced = put(TRACING "buffer_size_kb", "1024") && put(TRACING "trace_clock", "x86-tsc") &&
		 put(TRACING "trace_options", "nohash-ptr") &&
		 put(TRACING "events/lock/contention_begin/filter", "flags == " SPIN_FLAG) &&
		 put(TRACING "events/lock/contention_begin/enable", "1") &&
		 put(TRACING "events/lock/contention_end/enable", "1");
}

/* Lines "NAME HITS MISSES". */
static void read_probes(struct observed *observed)
{
	FILE *file = probed ? fopen(TRACING "kprobe_profile", "re") : NULL;
	char name[64];
	uint64_t hits, misses;

	observed->probed = file != NULL;
	while (file && fscanf(file, "%63s %" SCNu64 " %" SCNu64, name, &hits, &misses) == 3) {
		if (strcmp(name, "halt") == 0)
			observed->halts = hits + misses;
		else if (strcmp(name, "kick") == 0)
			observed->kicks = hits + misses;
	}
	if (file)
		fclose(file);
}

static void read_stat(struct observed *observed)
{
	FILE *file = fopen("/proc/stat", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file))
		text_stat(line, observed);
	if (file)
		fclose(file);
}

void observe_read(struct observed *observed)
{
	*observed = (struct observed){0};
	read_probes(observed);
	read_stat(observed);
}

static bool lost_events(uint64_t cpu)
{
	char path[96], name[64];
	uint64_t value;
	bool lost = false;
	FILE *file;

	snprintf(path, sizeof(path), TRACING "per_cpu/cpu%" PRIu64 "/stats", cpu);
	file = fopen(path, "re");
	while (file && fscanf(file, "%63[^:]: %" SCNu64 "%*[^\n]\n", name, &value) >= 1) {
		lost = lost || (strcmp(name, "overrun") == 0 && value > 0);
	}
	if (file)
		fclose(file);
	return lost || !file;
}

void observe_waits(struct waits *waits, uint64_t cpus)
{
	*waits = (struct waits){.known = traced};
	put(TRACING "tracing_on", "0");
	for (uint64_t cpu = 0; cpu < cpus && traced; cpu++) {
		struct open_waits open = {0};
		char path[96], line[512];
		FILE *file;

		snprintf(path, sizeof(path), TRACING "per_cpu/cpu%" PRIu64 "/trace", cpu);
		file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file))
			text_wait(line, &open, waits);
		if (file)
			fclose(file);
		waits->known = waits->known && file && !lost_events(cpu);
	}
}
