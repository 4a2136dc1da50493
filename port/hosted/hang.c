/* SPDX-License-Identifier: MIT */
/* Reports a hang of Linux threads by lines for people. A debugger tells better where in the code
 * each thread stands. */
#define _GNU_SOURCE
#include "port/hang.h"
#include "lib/printf.h"
#include "locks/core/lock.h"
#include "locks/core/stats.h"
#include "port/port.h"
#include <stdarg.h>
#include <unistd.h>

/* Prints a TAP comment. Avoids the log's buffer, which a thread may be writing to. */
static __attribute__((format(printf, 1, 2))) void line(const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = kvsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	if (write(STDOUT_FILENO, text, (size_t)length) < 0)
		_exit(4);
}

void port_report_hang(const struct hang *hang)
{
	char state[256];

	hang->ops->describe(hang->lock, state, sizeof(state));
	line("# hang: %s: %s, %u threads, %llu ms: %s\n", hang->what, hang->ops->name,
	     hang->threads, (unsigned long long)(hang->bound_ns / 1000000), state);
	if (hang->owner == 0)
		line("# nobody is in the section\n");
	for (uint32_t i = 0; i < hang->threads; i++) {
		const struct lock_stats *stats = port_stats(i);
		bool kicked = atomic_load_explicit(&stats->kicked_at, memory_order_relaxed) != 0;
		bool halted = atomic_load_explicit(&stats->halted, memory_order_relaxed);

		line("#   CPU %u %s%s%s\n", i, hang->state(i), halted ? ", halted" : "",
		     kicked ? ", kicked and not woken" : "");
	}
}

void port_watch(const char *what, uint64_t ns, void (*report)(void))
{
	(void)what;
	(void)ns;
	(void)report;
}

void port_watch_over(void)
{
}

void port_abort(void)
{
	_exit(5);
}
