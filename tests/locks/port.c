/* SPDX-License-Identifier: MIT */
/* client_port.h over Linux threads. */
#define _GNU_SOURCE
#include "port/port.h"
#include "port/hosted/hosted.h"
#include "tests/suites/locks/client.h"
#include "tests/suites/locks/client_port.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define POLLS_PER_NAP 256
#define FAILED_S      10 /* seconds that a failed case gets to end */

uint32_t client_await_s = 40, client_race_s = 40; /* a sanitized build on a busy machine is slow */

static void (*on_interrupt)(void);

/*
 * An interrupt is a flag, like the bit in a local APIC's IRR, and a signal that makes its CPU look
 * at the flag. Only the flag is reliable, because ThreadSanitizer may lose the signal: it allocates
 * a thread's memory for held-back signals when that is first needed, and a signal that comes just
 * then goes into a second block, which is thrown away (gcc 12,
 * libsanitizer/tsan/tsan_interceptors_posix.cpp, SigCtx). So a CPU that polls sends itself the
 * signal again while the flag is set.
 */
static _Thread_local _Atomic bool requested;
static struct {
	pthread_t thread;
	_Atomic bool *requested;
} interrupts[CLIENT_CPUS];

static void take_signal(int signal)
{
	int saved = errno;

	(void)signal;
	/* acquire: pairs with the release in client_interrupt */
	if (atomic_exchange_explicit(&requested, false, memory_order_acquire))
		on_interrupt();
	errno = saved;
}

void client_on_interrupt(void (*handler)(void))
{
	struct sigaction action = {.sa_handler = take_signal, .sa_flags = SA_RESTART};

	on_interrupt = handler;
	sigaction(SIGUSR1, &action, NULL);
}

void client_enter(void)
{
	interrupts[port_cpu()].thread = pthread_self();
	interrupts[port_cpu()].requested = &requested;
}

void client_leave(void)
{
}

void client_interrupt(uint32_t cpu)
{
	/* release: pairs with the acquire in take_signal */
	atomic_store_explicit(interrupts[cpu].requested, true, memory_order_release);
	pthread_kill(interrupts[cpu].thread, SIGUSR1);
}

void client_nodes_are(uint32_t nodes)
{
	hosted_pretend_nodes(nodes);
}

void client_has_failed(void)
{
	alarm(FAILED_S);
}

void client_poll(void)
{
	static _Thread_local uint32_t polls;

	sched_yield();
	if (++polls % POLLS_PER_NAP != 0)
		return;
	/* ThreadSanitizer holds signals back until the thread makes a call that it intercepts.
	 * sched_yield is none, so without this call a poll for the end of a handler would never
	 * end. */
	nanosleep(&(struct timespec){.tv_nsec = 1}, NULL);
	if (atomic_load_explicit(&requested, memory_order_relaxed))
		pthread_kill(pthread_self(), SIGUSR1);
}

void client_yield(void)
{
	sched_yield();
}

void client_sleep_ms(uint32_t milliseconds)
{
	struct timespec time = {
		.tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000L,
	};

	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}
