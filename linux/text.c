/* SPDX-License-Identifier: MIT */
/* What the kernel writes as text: see linux.h. Pure. */
#include "linux/linux.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_TICK 10000000 /* of /proc/stat: USER_HZ is 100 */

bool text_lock(const char *log, const char **lock, char message[128])
{
	const char *at = strstr(log, "PV spinlocks ");

	snprintf(message, 128, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
	if (strncmp(message, "PV spinlocks enabled", 20) == 0)
		*lock = "pv-qspinlock";
	else
		*lock = strstr(message, "no host support") ? "virt-spin" : "qspinlock";
	return at != NULL;
}

/* proc(5): user nice system idle iowait irq softirq steal. */
void text_stat(const char *line, struct observed *observed)
{
	uint64_t t[8] = {0};

	sscanf(line, "ctxt %" SCNu64, &observed->switches);
	sscanf(line, "processes %" SCNu64, &observed->processes);
	if (strncmp(line, "cpu ", 4) != 0) /* the sum, not cpu0 */
		return;
	sscanf(line + 4,
	       "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64
	       "%" SCNu64,
	       &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
	observed->user_ns = (t[0] + t[1]) * NS_PER_TICK;
	observed->kernel_ns = (t[2] + t[5] + t[6]) * NS_PER_TICK;
	observed->idle_ns = (t[3] + t[4]) * NS_PER_TICK;
	observed->steal_ns = t[7] * NS_PER_TICK;
}

void text_wait(const char *line, struct open_waits *open, struct waits *waits)
{
	const char *what = strstr(line, ": contention_");
	uint64_t lock, tsc;

	if (!what)
		return;
	while (what > line && what[-1] != ' ')
		what--;
	if (sscanf(what, "%" SCNu64 ": contention_begin: %" SCNx64, &tsc, &lock) == 2) {
		if (open->depth < MOST_NESTED) {
			open->lock[open->depth] = lock;
			open->since[open->depth++] = tsc;
		}
	} else if (sscanf(what, "%" SCNu64 ": contention_end: %" SCNx64, &tsc, &lock) == 2 &&
		   open->depth > 0 && open->lock[open->depth - 1] == lock) {
		uint64_t waited = tsc - open->since[--open->depth];

		waits->count++;
		waits->sum += waited;
		waits->max = waited > waits->max ? waited : waits->max;
	}
}
