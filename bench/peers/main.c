/* SPDX-License-Identifier: MIT */
/*
 * bench-peers [--rounds=N] [--overcommit-rounds=N] [--window-ms=N] [--threads=N,N...|none]
 *
 * pvspin's locks beside Concurrency Kit's and glibc's, in one process: uncontended, then with more
 * threads than CPUs, on two CPUs. Exit codes as run.sh: 0 ok, 2 usage, 3 a lock did not exclude, 4
 * the environment.
 */
#define _GNU_SOURCE
#include "bench/peers/peer.h"
#include "locks/core/pv.h"
#include "port/hosted/hosted.h"
#include "port/port.h"
#include <cpuid.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define CPUS          2
#define THREAD_COUNTS 8
#define MOST_THREADS  256

static uint32_t rounds = 15, overcommit_rounds = 3, window_ms = 300;
static uint32_t threads[THREAD_COUNTS] = {4, 28, 56};
static size_t counts = 3;

static bool thread_list(const char *text)
{
	counts = 0;
	if (strcmp(text, "none") == 0)
		return true;
	while (counts < THREAD_COUNTS) {
		char *end;
		unsigned long value = strtoul(text, &end, 10);

		if (end == text || value < 1 || value > MOST_THREADS)
			return false;
		threads[counts++] = (uint32_t)value;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		text = end + 1;
	}
	return false;
}

static bool number(const char *word, const char *key, uint32_t *value)
{
	char *end;
	unsigned long n;

	if (strncmp(word, key, strlen(key)) != 0)
		return false;
	n = strtoul(word + strlen(key), &end, 10);
	if (end == word + strlen(key) || *end != '\0' || n < 1 || n > 100000)
		return false;
	*value = (uint32_t)n;
	return true;
}

static bool option(const char *word)
{
	if (strncmp(word, "--threads=", 10) == 0)
		return thread_list(word + 10);
	return number(word, "--rounds=", &rounds) ||
	       number(word, "--overcommit-rounds=", &overcommit_rounds) ||
	       number(word, "--window-ms=", &window_ms);
}

/* Restricts the process to two CPUs; the port then distributes its threads over these. */
static bool keep_two_cpus(void)
{
	cpu_set_t usable, two;
	int kept = 0;

	if (sched_getaffinity(0, sizeof(usable), &usable) != 0)
		return false;
	CPU_ZERO(&two);
	for (int cpu = 0; cpu < CPU_SETSIZE && kept < CPUS; cpu++)
		if (CPU_ISSET(cpu, &usable)) {
			CPU_SET(cpu, &two);
			kept++;
		}
	return kept == CPUS && sched_setaffinity(0, sizeof(two), &two) == 0;
}

/* SDM vol. 2A, CPUID: 0x80000002 to 4 give the brand; leaf 1, ECX bit 31: a hypervisor. */
static void print_machine(void)
{
	uint32_t brand[13] = {0}, r[4];
	struct utsname system;
	double load = 0;

	for (uint32_t i = 0; i < 3; i++)
		__cpuid(0x80000002 + i, brand[4 * i], brand[4 * i + 1], brand[4 * i + 2],
			brand[4 * i + 3]);
	__cpuid(1, r[0], r[1], r[2], r[3]);
	uname(&system);
	getloadavg(&load, 1);
	printf("%s, %s, TSC %.3f GHz; %s %s; gcc %s\n", (const char *)brand,
	       r[2] >> 31 ? "in a VM" : "bare", (double)port_tsc_khz() / 1e6, system.sysname,
	       system.release, __VERSION__);
	printf("2 CPUs used; load average %.1f at the start%s\n", load,
	       load > 1.0 ? ": not idle, read the spread" : "");
}

/* Shows the progress on a terminal, because the measurement takes minutes. */
void progress(const char *what, size_t done, size_t all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, done < all ? "\r%s: %zu of %zu" : "\r\033[K", what, done, all);
}

int main(int argc, char **argv)
{
	uint32_t most = CPUS;
	bool excluded = true;

	for (int i = 1; i < argc; i++)
		if (!option(argv[i])) {
			fprintf(stderr,
				"%s: --rounds=N, --overcommit-rounds=N, --window-ms=N or "
				"--threads=N,N...|none\n",
				argv[i]);
			return 2;
		}
	if (!keep_two_cpus()) {
		fprintf(stderr, "bench-peers: two CPUs are needed\n");
		return 4;
	}
	for (size_t i = 0; i < counts; i++)
		most = threads[i] > most ? threads[i] : most;
	hosted_init(most);
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_machine();
	pairs_table(rounds);
	if (counts > 0)
		excluded = overcommit_table(overcommit_rounds, window_ms, threads, counts);
	return excluded ? 0 : 3;
}
