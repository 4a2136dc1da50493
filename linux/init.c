/* SPDX-License-Identifier: MIT */
/*
 * The init of a stock Linux guest, which makes a compile-like load and writes the records that
 * pvspin's own guest writes (docs/serial-log.md), so that run.sh holds, releases, judges and
 * reports both alike. Its end is a write to QEMU's isa-debug-exit, too.
 */
#include "lib/cmdline.h"
#include "lib/debug_exit.h"
#include "lib/kvm_info.h"
#include "lib/log.h"
#include "lib/record.h"
#include "lib/units.h"
#include "linux/linux.h"
#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define START_BOUND_MS 600000 /* for the launcher's `go` */
#define BYE_BOUND_MS   120000 /* as guest/report.c */

static struct linux_plan plan;
static const char *lock = "unknown";
static uint64_t cpus, tsc_khz;

/* The measured phase. */
struct phase {
	uint64_t start_tsc, end_tsc, start_ns, end_ns; /* ns: CLOCK_REALTIME, which is kvmclock's */
	uint64_t elapsed_ns;
};

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void finish(const char *error, const char *reason)
{
	struct record record;
	char line[16];

	if (error)
		log_line("error: %s", error);
	record_begin(&record, "end");
	record_number(&record, "records", record_count() + 1);
	record_string(&record, "verdict", error ? "error" : "ok");
	record_number(&record, "failed", 0);
	record_number(&record, "skipped", 0);
	record_string(&record, "reason", reason);
	record_end(&record);
	log_flush();
	while (plan.stay && serial_read_line(line, sizeof(line), BYE_BOUND_MS) &&
	       strcmp(line, "bye") != 0)
		;
	if (ioperm(DEBUG_EXIT_PORT, 4, 1) == 0)
		outb(error ? DEBUG_EXIT_ERROR : DEBUG_EXIT_OK, DEBUG_EXIT_PORT);
	for (;;)
		pause();
}

/* Linux measures the rate, and shows it as "cpu MHz" unless something scales the clock. */
static uint64_t read_tsc_khz(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	uint64_t mhz = 0, khz = 0;

	while (file && fgets(line, sizeof(line), file) && mhz == 0)
		sscanf(line, "cpu MHz : %" SCNu64 ".%" SCNu64, &mhz, &khz);
	if (file)
		fclose(file);
	return mhz * 1000 + khz;
}

static void record_boot(const char *message)
{
	struct utsname name;
	struct kvm_info kvm;
	struct record record;
	char text[160];

	kvm_detect(&kvm);
	uname(&name);
	record_begin(&record, "boot");
	record_number(&record, "schema", 1);
	record_string(&record, "version", PVSPIN_VERSION);
	record_string(&record, "build", PVSPIN_BUILD);
	record_string(&record, "loader", "linux");
	record_string(&record, "loader_name", name.release);
	record_string(&record, "cmdline", plan.line);
	snprintf(text, sizeof(text),
		 "workload=linux jobs=%" PRIu64 " tasks=%" PRIu64 " seed=%" PRIu64, plan.jobs,
		 plan.tasks, plan.seed);
	record_string(&record, "plan", text);
	record_string(&record, "accel", plan.accel);
	record_string(&record, "linux_lock", lock);
	record_string(&record, "linux_reason", message);
	record_string(&record, "hypervisor", kvm.present ? "KVM" : kvm.hypervisor);
	record_number(&record, "kvm_features", kvm.features);
	record_number(&record, "kvm_hints", kvm.hints);
	record_bool(&record, "pv_unhalt", kvm.features & KVM_FEATURE_PV_UNHALT);
	record_bool(&record, "steal_time", kvm.features & KVM_FEATURE_STEAL_TIME);
	record_string(&record, "cpu_vendor", kvm.vendor);
	record_string(&record, "cpu_model", kvm.model);
	record_number(&record, "tsc_khz", tsc_khz);
	record_string(&record, "tsc_source", "linux");
	record_number(&record, "vcpus", (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
	record_number(&record, "vcpus_online", cpus);
	record_string(&record, "apic_mode", "unknown");
	record_number(&record, "boot_cycles", clock_ns() / 1000 * tsc_khz / 1000);
	record_end(&record);
	log_flush();
}

static void record_overlap(const struct phase *own, uint64_t peer, uint64_t start, uint64_t end)
{
	struct record record;

	record_begin(&record, "overlap");
	record_number(&record, "run", 1);
	record_string(&record, "lock", lock);
	record_string(&record, "workload", "linux");
	record_number(&record, "threads", cpus);
	record_number(&record, "rep", 1);
	record_number(&record, "peer", peer);
	record_string(&record, "clock", "kvmclock");
	record_number(&record, "start_ns", own->start_ns);
	record_number(&record, "end_ns", own->end_ns);
	record_number(&record, "peer_start_ns", start);
	record_number(&record, "peer_end_ns", end);
	record_end(&record);
}

static void sleep_until(uint64_t ns)
{
	struct timespec time = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};

	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

/* Waits for the launcher; `own` is the phase before, or NULL. False if it says nothing. */
static bool released(const struct phase *own)
{
	struct record record;
	char line[160];

	if (!plan.held)
		return true;
	record_begin(&record, "ready");
	record_number(&record, "run", own ? 2 : 1);
	record_number(&record, "runs", 1);
	if (own)
		record_bool(&record, "last", true);
	record_end(&record);
	log_flush();
	while (serial_read_line(line, sizeof(line), START_BOUND_MS)) {
		uint64_t a = 0, b = 0, c = 0;

		if (sscanf(line, "peer %" SCNu64 " %" SCNu64 " %" SCNu64, &a, &b, &c) == 3 && own) {
			record_overlap(own, a, b, c);
		} else if (strncmp(line, "go", 2) == 0) {
			if (sscanf(line, "go %" SCNu64 " %" SCNu64, &a, &b) == 2 &&
			    b < 10 * NS_PER_S)
				sleep_until(a + b);
			return true;
		}
	}
	return false;
}

static void record_counts(struct record *record, const struct observed *from,
			  const struct observed *to)
{
	record_number(record, "steal_ns", to->steal_ns - from->steal_ns);
	record_number(record, "split_stolen_ns", to->steal_ns - from->steal_ns);
	record_number(record, "split_idle_ns", to->idle_ns - from->idle_ns);
	record_number(record, "user_ns", to->user_ns - from->user_ns);
	record_number(record, "kernel_ns", to->kernel_ns - from->kernel_ns);
	record_number(record, "switches", to->switches - from->switches);
	record_number(record, "processes", to->processes - from->processes);
	if (!to->probed)
		return;
	record_number(record, "halts", to->halts - from->halts);
	record_number(record, "kicks", to->kicks - from->kicks);
}

static void record_run(const struct phase *phase, const struct load *load,
		       const struct observed *from, const struct observed *to,
		       const struct waits *waits)
{
	struct record record;

	record_begin(&record, "run");
	record_number(&record, "run", 1);
	record_string(&record, "lock", lock);
	record_string(&record, "workload", "linux");
	record_number(&record, "threads", cpus);
	record_number(&record, "tasks", plan.tasks);
	record_number(&record, "rep", 1);
	record_number(&record, "reps", 1);
	record_string(&record, "dispatch", "patched");
	record_number(&record, "hold", 0);
	record_number(&record, "think", 0);
	record_number(&record, "seed", plan.seed);
	record_number(&record, "elapsed_cycles", phase->end_tsc - phase->start_tsc);
	record_number(&record, "elapsed_ns", phase->elapsed_ns);
	record_bool(&record, "complete", load->done == plan.jobs);
	record_number(&record, "jobs", plan.jobs);
	record_number(&record, "jobs_done", load->done);
	record_number(&record, "ops", load->done);
	record_number(&record, "ops_min", load->least);
	record_number(&record, "ops_max", load->most);
	record_number(&record, "job_p50_cycles", histogram_quantile(&load->job, 500));
	record_number(&record, "job_p999_cycles", histogram_quantile(&load->job, 999));
	record_number(&record, "job_max_cycles", load->job.max);
	record_counts(&record, from, to);
	if (waits->known && strcmp(lock, "virt-spin") != 0) {
		record_number(&record, "waits", waits->count);
		record_number(&record, "wait_cycles", waits->sum);
		record_number(&record, "wait_max_cycles", waits->max);
	}
	record_string(&record, "clock", "kvmclock");
	record_number(&record, "start_wall_ns", phase->start_ns);
	record_number(&record, "end_wall_ns", phase->end_ns);
	record_number(&record, "start_tsc", phase->start_tsc);
	record_number(&record, "end_tsc", phase->end_tsc);
	record_end(&record);
	log_flush();
}

static void measure(struct phase *phase)
{
	static struct load load;
	struct observed from, to;
	struct waits waits;
	uint64_t began;

	observe_read(&from);
	phase->start_ns = wall_ns();
	began = clock_ns();
	phase->start_tsc = __rdtsc();
	load_run(&plan, &load);
	phase->end_tsc = __rdtsc();
	phase->elapsed_ns = clock_ns() - began;
	phase->end_ns = wall_ns();
	observe_read(&to);
	observe_waits(&waits, cpus);
	if (load.failed)
		finish("a process of the load failed: too little memory (-m)?", "load");
	record_run(phase, &load, &from, &to, &waits);
}

static void mount_all(void)
{
	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/tmp", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

static bool read_command_line(char *line, size_t size)
{
	FILE *file = fopen("/proc/cmdline", "re");
	bool ok = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return ok;
}

int main(int count, char **word, char **environment)
{
	static char line[sizeof(plan.line)], error[256] = "there is no /proc/cmdline";
	char message[128];
	struct phase phase = {0};
	int status;
	bool ok;

	if (load_main(count, word, &status))
		return status;
	if (getpid() != 1)
		return 2; /* the init of a guest, and nothing else */
	mount_all();
	if (!serial_open())
		return 4; /* the kernel panics, and run.sh says so */
	cpus = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	tsc_khz = read_tsc_khz();
	ok = read_command_line(line, sizeof(line)) &&
	     plan_parse(&plan, line, cpus, environment, error);
	if (!observe_lock(&lock, message))
		lock = "unknown";
	record_boot(message);
	if (!ok)
		finish(error, "usage");
	observe_begin();
	if (!released(NULL))
		finish("no line 'go' on serial", "");
	measure(&phase);
	if (!released(&phase))
		finish("no line 'go' on serial", "");
	finish(NULL, "");
}
