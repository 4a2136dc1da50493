/* SPDX-License-Identifier: MIT */
/* task.h over Linux threads: each thread has a POSIX timer, whose signal is the tick; a call is
 * another signal; sleep is a futex. */
#define _GNU_SOURCE
#include "port/task.h"

#include "port/hosted/hosted.h"
#include "port/port.h"
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 65536 /* a signal frame with all of AVX-512 takes about 4 KiB */
#define STACK_ALIGN 16    /* System V ABI */

/* glibc names the field only since 2.36 */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void (*tick)(void), (*called)(void); /* the same for all */
static pthread_t threads[HOSTED_MAX_CPUS];  /* that take ticks, by CPU */
static _Thread_local timer_t timer;
static _Thread_local volatile sig_atomic_t ticking;

void *port_stack_alloc(void)
{
	return (char *)port_alloc(STACK_BYTES, STACK_ALIGN) + STACK_BYTES;
}

static void on_signal(int number)
{
	int error = errno; /* of the interrupted code */

	(void)number;
	if (ticking)
		tick();
	errno = error;
}

static void on_call(int number)
{
	int error = errno;

	(void)number;
	if (ticking)
		called();
	errno = error;
}

static void die(const char *what)
{
	fprintf(stderr, "pvspin: no tick: %s: %s\n", what, strerror(errno));
	exit(4);
}

void port_tick_start(uint64_t ns, void (*on_tick)(void), void (*call)(void))
{
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: it ends a sleep */
	struct sigaction call_action = {.sa_handler = on_call};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
	struct timespec period = {.tv_sec = (time_t)(ns / 1000000000),
				  .tv_nsec = (long)(ns % 1000000000)};
	struct itimerspec times = {.it_interval = period, .it_value = period};

	tick = on_tick;
	called = call;
	threads[port_cpu()] = pthread_self();
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 ||
	    sigaction(SIGRTMIN + 1, &call_action, NULL) != 0)
		die("sigaction");
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		die("timer_create");
	ticking = true;
	if (timer_settime(timer, 0, &times, NULL) != 0)
		die("timer_settime");
}

void port_tick_stop(void)
{
	ticking = false; /* a signal may still be under way */
	timer_delete(timer);
}

void port_call(uint32_t cpu)
{
	pthread_kill(threads[cpu], SIGRTMIN + 1);
}

bool port_irq_disable(void)
{
	return false;
}

void port_irq_enable(void)
{
}

static void futex(const _Atomic uint32_t *word, int operation, uint32_t value)
{
	syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

/* The kernel checks the word again before it sleeps; a signal ends the sleep. */
void port_sleep(const _Atomic uint32_t *word, uint32_t seen)
{
	futex(word, FUTEX_WAIT, seen);
}

void port_wake(uint32_t cpu, const _Atomic uint32_t *word)
{
	(void)cpu;
	futex(word, FUTEX_WAKE, 1);
}
