/* SPDX-License-Identifier: MIT */
/*
 * port.h's timer over Linux: a helper thread, started with the first timer and never ended, sleeps
 * until the deadline and calls fn. To imitate the guest's interrupt, it has CPU index 0, and
 * port_timer_cancel returns only when fn is not running.
 */
#define _GNU_SOURCE
#include "port/hosted/hosted.h"
#include "port/port.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed; /* deadline set, moved or cancelled, or fn has returned */
static pthread_t thread;
static bool started, armed, running;
static struct timespec deadline; /* CLOCK_MONOTONIC */
static void (*armed_fn)(void *arg);
static void *armed_arg;

/* Called with the mutex held. Calls fn without it, so that fn may arm the next timer. */
static void fire(void)
{
	void (*fn)(void *arg) = armed_fn;
	void *arg = armed_arg;

	armed = false;
	running = true;
	pthread_mutex_unlock(&mutex);
	fn(arg);
	pthread_mutex_lock(&mutex);
	running = false;
	pthread_cond_broadcast(&changed);
}

static void *timer_main(void *unused)
{
	(void)unused;
	hosted_unpin(); /* the thread that started this one may be pinned */
	pthread_mutex_lock(&mutex);
	for (;;) {
		if (!armed)
			pthread_cond_wait(&changed, &mutex);
		else if (pthread_cond_timedwait(&changed, &mutex, &deadline) == ETIMEDOUT && armed)
			fire();
	}
	return NULL;
}

/* Called with the mutex held. */
static void start(void)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&thread, NULL, timer_main, NULL) != 0) {
		fputs("pvspin: cannot start the timer thread\n", stderr);
		exit(4);
	}
	pthread_detach(thread);
	started = true;
}

pthread_t hosted_timer_thread(void)
{
	pthread_mutex_lock(&mutex);
	if (!started)
		start();
	pthread_mutex_unlock(&mutex);
	return thread;
}

void port_timer_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	uint64_t nsec;

	pthread_mutex_lock(&mutex);
	if (!started)
		start();
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	nsec = (uint64_t)deadline.tv_nsec + ns % 1000000000;
	deadline.tv_sec += (time_t)(ns / 1000000000 + nsec / 1000000000);
	deadline.tv_nsec = (long)(nsec % 1000000000);
	armed_fn = fn;
	armed_arg = arg;
	armed = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

void port_timer_cancel(void)
{
	pthread_mutex_lock(&mutex);
	armed = false;
	if (started && !pthread_equal(pthread_self(), thread)) {
		pthread_cond_broadcast(&changed);
		while (running)
			pthread_cond_wait(&changed, &mutex);
		armed = false; /* fn may have armed the next one meanwhile */
	}
	pthread_mutex_unlock(&mutex);
}
