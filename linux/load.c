/* SPDX-License-Identifier: MIT */
/*
 * The compile: see linux.h. A job is what `gcc -pipe -c` makes a kernel do. Its task starts two
 * programs joined by a pipe (fork, exec, exit, wait). The first, cc1, reads headers from a tmpfs,
 * faults in new memory, computes in between, and writes to the pipe. The second, as, reads the pipe
 * and writes a file, which the task renames and removes. Lengths are work, not time, so a vCPU that
 * is off its CPU does none.
 */
#include "lib/units.h"
#include "linux/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE         4096
#define HEADERS      64
#define HEADER_BYTES 16384
#define READS        16 /* headers that a job reads, each with as many new pages and as much work */
#define FAULTS       24 /* pages, per header */
#define WORK \
	200000 /* iterations per header, of some cycles each: the user phases of docs/kbuild.md */
#define OUTPUT_BYTES 2048 /* per header */

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* xorshift64 (Marsaglia, JSS 8(14), 2003) */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool write_all(int file, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(file, bytes, count);

		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

static bool read_header(uint64_t number, char *bytes)
{
	char path[32];
	struct stat facts;
	int file;
	bool ok;

	snprintf(path, sizeof(path), "/tmp/include/%llu.h", (unsigned long long)number);
	file = open(path, O_RDONLY | O_CLOEXEC);
	ok = file >= 0 && fstat(file, &facts) == 0 &&
	     read(file, bytes, HEADER_BYTES) == HEADER_BYTES;
	if (file >= 0)
		close(file);
	return ok;
}

/* cc1 JOB SEED: writes to stdout. */
static int compile(uint64_t job, uint64_t seed)
{
	static char header[HEADER_BYTES];
	char *memory = mmap(NULL, READS * FAULTS * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t state = (job + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ seed;

	if (memory == MAP_FAILED)
		return 1;
	madvise(memory, READS * FAULTS * PAGE, MADV_NOHUGEPAGE); /* as scattered memory is */
	for (size_t i = 0; i < READS; i++) {
		if (!read_header(next_random(&state) % HEADERS, header))
			return 1;
		for (size_t page = i * FAULTS; page < (i + 1) * FAULTS; page++)
			memory[page * PAGE] = header[page];
		for (size_t n = next_random(&state) % (2 * WORK); n > 0; n--)
			header[n % HEADER_BYTES] ^= (char)next_random(&state);
		if (!write_all(STDOUT_FILENO, header, OUTPUT_BYTES))
			return 1;
	}
	return 0;
}

/* as JOB: reads stdin. */
static int assemble(uint64_t job)
{
	char path[32], bytes[PAGE];
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "/tmp/%llu.s", (unsigned long long)job);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		return 1;
	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (!write_all(file, bytes, (size_t)n))
			return 1;
	}
	return n != 0;
}

bool load_main(int count, char **word, int *status)
{
	if (count == 3 && strcmp(word[0], "cc1") == 0)
		*status = compile(strtoull(word[1], NULL, 10), strtoull(word[2], NULL, 10));
	else if (count == 3 && strcmp(word[0], "as") == 0)
		*status = assemble(strtoull(word[1], NULL, 10));
	else
		return false;
	return true;
}

/* Starts a program. Its file descriptor `file` is the end `end` of the pipe. */
static pid_t start(char *name, char *job, char *seed, int end, int file)
{
	char *words[] = {name, job, seed, NULL}, *none[] = {NULL};
	pid_t child = fork();

	if (child != 0)
		return child;
	dup2(end, file);
	execve("/init", words, none);
	_exit(127);
}

static bool ended_well(pid_t child)
{
	int status;

	while (child > 0 && waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool one_job(uint64_t number, uint64_t seed)
{
	char job[24], seed_word[24], from[32], to[32];
	int ends[2];
	pid_t cc1, as;
	bool ok;

	snprintf(job, sizeof(job), "%llu", (unsigned long long)number);
	snprintf(seed_word, sizeof(seed_word), "%llu", (unsigned long long)seed);
	snprintf(from, sizeof(from), "/tmp/%s.s", job);
	snprintf(to, sizeof(to), "/tmp/%s.o", job);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	cc1 = start("cc1", job, seed_word, ends[1], STDOUT_FILENO);
	as = start("as", job, seed_word, ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	ok = ended_well(cc1);
	ok = ended_well(as) && ok;
	return ok && rename(from, to) == 0 && unlink(to) == 0;
}

/* A task's results, in memory that init and the tasks share. */
struct task {
	uint64_t jobs;
	struct histogram job;
	bool failed;
};

struct shared {
	_Atomic uint64_t next;
	struct task task[];
};

static void do_jobs(const struct linux_plan *plan, struct shared *shared, struct task *task)
{
	uint64_t last = clock_ns() + plan->limit_s * NS_PER_S;

	while (clock_ns() < last && !task->failed) {
		/* relaxed: the number is all that is shared */
		uint64_t job = atomic_fetch_add_explicit(&shared->next, 1, memory_order_relaxed);
		uint64_t begun = __rdtsc();

		if (job >= plan->jobs)
			break;
		task->failed = !one_job(job, plan->seed);
		histogram_add(&task->job, __rdtsc() - begun);
		task->jobs += !task->failed;
	}
}

static bool make_headers(void)
{
	static char header[HEADER_BYTES];
	bool ok = mkdir("/tmp/include", 0700) == 0 || errno == EEXIST;

	for (int i = 0; i < HEADERS && ok; i++) {
		char path[32];
		int file;

		snprintf(path, sizeof(path), "/tmp/include/%d.h", i);
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		ok = file >= 0 && write_all(file, header, sizeof(header));
		if (file >= 0)
			close(file);
	}
	return ok;
}

static void add_up(const struct linux_plan *plan, const struct shared *shared, struct load *load)
{
	load->least = UINT64_MAX;
	histogram_reset(&load->job);
	for (uint64_t i = 0; i < plan->tasks; i++) {
		const struct task *task = &shared->task[i];

		load->done += task->jobs;
		load->least = task->jobs < load->least ? task->jobs : load->least;
		load->most = task->jobs > load->most ? task->jobs : load->most;
		load->failed = load->failed || task->failed;
		histogram_merge(&load->job, &task->job);
	}
}

void load_run(const struct linux_plan *plan, struct load *load)
{
	size_t bytes = sizeof(struct shared) + plan->tasks * sizeof(struct task);
	struct shared *shared =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*load = (struct load){.failed = shared == MAP_FAILED || !make_headers()};
	if (load->failed)
		return;
	for (uint64_t i = 0; i < plan->tasks; i++) {
		histogram_reset(&shared->task[i].job);
		switch (fork()) {
		case -1:
			load->failed = true;
			break;
		case 0:
			do_jobs(plan, shared, &shared->task[i]);
			_exit(0);
		}
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	add_up(plan, shared, load);
	munmap(shared, bytes);
}
