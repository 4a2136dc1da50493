/* SPDX-License-Identifier: MIT */
/*
 * build/sim/pvspin-sim: virtual machines on a simulated host. Usually run.sh --accel=sim calls it.
 *
 * Exit codes are run.sh's, the worst of all VMs': 0 ok, 77 everything skipped, 2 usage, 4 the
 * environment, 3 a lock did not exclude, 5 a lock hung or the guest's half trapped.
 */
#define _GNU_SOURCE
#include "sim/cpu.h"
#include "sim/daemon.h"
#include "sim/engine.h"
#include "sim/log.h"
#include "sim/schedule.h"
#include "sim/vm.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VMS_MOST   64
#define VCPUS_MOST 1024 /* of one VM: HOSTED_MAX_CPUS */
#define PATH_BYTES 4096

static const char usage[] =
	"usage: pvspin-sim [OPTION]... VCPUS COMMAND-LINE [VCPUS COMMAND-LINE]...\n"
	"  Simulates a host with a VM for each pair; the command line's keys are the guest's.\n"
	"  --host=KEY=VALUE,...  the host's parameters (--host-keys lists them)\n"
	"  --pin=CPULIST         the host's CPUs that the vCPUs may use\n"
	"  --seed=N              seed of all random choices (1)\n"
	"  --out=DIR             writes serial-N.log there (else standard output, for one VM)\n"
	"  --raw=DIR             writes each VM's exit status to exit-N there\n"
	"  --events=FD           tells run.sh there when VMs boot, run and end\n"
	"  --image=FILE          the guest's half (guest.so beside this program)\n"
	"  --host-peer           the last pair is no VM but kernel threads, one bound to each of\n"
	"                        the host's first VCPUS CPUs; its log is host-peer.log\n"
	"  --schedule=FILE       writes who ran on which host CPU (sim/schedule.h)\n"
	"  --follow-polls        simulates each poll of a waiter: the same logs, more slowly\n"
	"  --speed               at the end prints accesses and their rate on standard error\n"
	"  --check               checks --host and --pin, prints the number of CPUs\n"
	"  --host-keys, --help\n";

static struct {
	const char *host, *pin, *out, *raw, *image, *schedule;
	uint64_t seed;
	bool speed, check, host_peer;
} options = {.seed = 1};

static __attribute__((noreturn)) void usage_error(const char *what, const char *why)
{
	fprintf(stderr, "pvspin-sim: %s: %s\n", what, why);
	exit(2);
}

static uint64_t number(const char *text, const char *what, uint64_t most)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > most) {
		fprintf(stderr, "pvspin-sim: %s: %s: a number up to %llu is accepted\n", what, text,
			(unsigned long long)most);
		exit(2);
	}
	return value;
}

static bool option(const char *word, const char *name, const char **value)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) != 0 || word[length] != '=')
		return false;
	*value = word + length + 1;
	return true;
}

/* Returns the index of the first word that is no option. */
static int parse(int count, char **word)
{
	const char *value;
	int i = 1;

	for (; i < count && strncmp(word[i], "--", 2) == 0; i++) {
		if (option(word[i], "--host", &options.host) ||
		    option(word[i], "--pin", &options.pin) ||
		    option(word[i], "--out", &options.out) ||
		    option(word[i], "--raw", &options.raw) ||
		    option(word[i], "--schedule", &options.schedule) ||
		    option(word[i], "--image", &options.image))
			continue;
		if (option(word[i], "--seed", &value)) {
			options.seed = number(value, word[i], UINT64_MAX);
		} else if (option(word[i], "--events", &value)) {
			log_tell((int)number(value, word[i], 1000000));
		} else if (strcmp(word[i], "--speed") == 0) {
			options.speed = true;
		} else if (strcmp(word[i], "--check") == 0) {
			options.check = true;
		} else if (strcmp(word[i], "--host-peer") == 0) {
			options.host_peer = true;
		} else if (strcmp(word[i], "--follow-polls") == 0) {
			engine.follow = true;
		} else if (strcmp(word[i], "--help") == 0) {
			fputs(usage, stdout);
			exit(0);
		} else if (strcmp(word[i], "--host-keys") == 0) {
			host_list();
			exit(0);
		} else {
			usage_error(word[i], "no option; --help lists them");
		}
	}
	return i;
}

static bool is_host(uint32_t vm, uint32_t vms)
{
	return options.host_peer && vm == vms - 1;
}

static int open_log(uint32_t vm, uint32_t vms)
{
	char path[PATH_BYTES];
	int file;

	if (!options.out) {
		if (vms > 1)
			usage_error("--out", "more than one VM needs a directory for the logs");
		return STDOUT_FILENO;
	}
	if (is_host(vm, vms))
		snprintf(path, sizeof(path), "%s/host-peer.log", options.out);
	else
		snprintf(path, sizeof(path), "%s/serial-%u.log", options.out, vm);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file < 0)
		engine_die(4, "%s: %s", path, strerror(errno));
	return file;
}

static const char *image_path(void)
{
	static char path[PATH_BYTES];
	ssize_t length;
	char *slash;

	if (options.image)
		return options.image;
	length = readlink("/proc/self/exe", path, sizeof(path) - sizeof("guest.so"));
	if (length <= 0)
		engine_die(4, "/proc/self/exe: %s", strerror(errno));
	path[length] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash + 1, "guest.so");
	return path;
}

static void make_host(uint32_t vms)
{
	static char error[HOST_ERROR_BYTES];
	static struct host host;

	if (!host_parse(&host, options.host, vms, error))
		usage_error("--host", error);
	if (options.pin && !host_pin(&host, options.pin, error))
		usage_error("--pin", error);
	engine_init(&host, options.seed);
}

static uint32_t vcpus_of(const char *word)
{
	uint64_t vcpus = number(word, "vCPUs of a VM (-smp)", VCPUS_MOST);

	if (vcpus == 0)
		usage_error(word, "a VM has one vCPU at least");
	return (uint32_t)vcpus;
}

static void make_vms(uint32_t vms, char **word)
{
	const char *image = image_path();
	uint32_t threads = (uint32_t)engine.host.cpus; /* daemons */

	engine.vms = calloc(vms, sizeof(*engine.vms));
	for (uint32_t i = 0; i < vms; i++)
		threads += vcpus_of(word[2 * i]);
	engine.threads = calloc(threads, sizeof(struct thread *));
	if (!engine.vms || !engine.threads)
		engine_die(4, "no memory");
	engine.vm_count = vms;
	for (uint32_t i = 0; i < vms; i++) {
		engine.vms[i].host = is_host(i, vms);
		vm_load(&engine.vms[i], i, image, vcpus_of(word[2 * i]), word[2 * i + 1],
			open_log(i, vms));
	}
	vm_catch_traps();
	cpu_init();
	daemon_init();
}

/* The worse of two exit codes: PASS (0) < SKIP (77) < ERROR (2, 4) < FAIL (3) < CRASH (5). */
static int worse(int a, int b)
{
	static const int order[] = {0, 77, 2, 4, 3, 5};
	size_t rank_a = 0, rank_b = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		rank_a = order[i] == a ? i : rank_a;
		rank_b = order[i] == b ? i : rank_b;
	}
	return rank_a > rank_b ? a : b;
}

static void note_status(const struct vm *vm)
{
	char path[PATH_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "%s/exit-%u", options.raw, vm->index);
	file = fopen(path, "we");
	if (!file || fprintf(file, "%d\n", vm->status) < 0 || fclose(file) != 0)
		engine_die(4, "%s: %s", path, strerror(errno));
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The costs are of two kinds: of an access, and of an exit after which another vCPU runs. */
static void tell_speed(uint64_t cpu_ns)
{
	uint64_t ns = to_ns(engine.now), exits = 0;
	uint64_t accesses = engine.accesses ? engine.accesses : 1;
	struct rusage used;

	for (uint32_t v = 0; v < engine.vm_count; v++)
		for (uint32_t i = 0; i < engine.vms[v].vcpu_count; i++)
			exits += engine.vms[v].vcpus[i].exits;
	getrusage(RUSAGE_SELF, &used);
	fprintf(stderr,
		"cpu_ms_per_simulated_s %llu, accesses %llu, accesses_per_cpu_s %llu, "
		"cpu_ns_per_access %llu, exits %llu, MiB %ld\n",
		(unsigned long long)(cpu_ns * 1000 / (ns ? ns : 1)),
		(unsigned long long)engine.accesses,
		(unsigned long long)(engine.accesses * 1000 / (cpu_ns / 1000000 + 1)),
		(unsigned long long)(cpu_ns / accesses), (unsigned long long)exits,
		used.ru_maxrss / 1024);
}

int main(int count, char **word)
{
	int first = parse(count, word), status = 0;
	uint32_t vms = (uint32_t)(count - first) / 2;
	uint64_t start;

	if (options.check) {
		make_host(1);
		for (uint32_t i = 0; i < vms; i++)
			vcpus_of(word[first + 2 * i]);
		printf("%llu\n", (unsigned long long)engine.host.cpus);
		return 0;
	}
	if (vms == 0 || (count - first) % 2)
		usage_error("VCPUS COMMAND-LINE", "at least one pair is needed (--help)");
	if (vms > VMS_MOST)
		usage_error("VCPUS COMMAND-LINE", "64 VMs at most");
	make_host(vms);
	if (options.schedule)
		schedule_open(options.schedule);
	make_vms(vms, word + first);
	start = clock_ns();
	engine_run();
	for (uint32_t i = 0; i < vms; i++) {
		status = worse(status, engine.vms[i].status);
		if (options.raw)
			note_status(&engine.vms[i]);
	}
	if (options.speed)
		tell_speed(clock_ns() - start);
	return status;
}
