/* SPDX-License-Identifier: MIT */
/* Reports a hang on the simulated host: the records of port/guest/hang.c without backtraces, and
 * with the scheduler's last decisions. The engine finds deadlocks, which are reported as hangs. */
#include "port/hang.h"

#include "lib/log.h"
#include "lib/record.h"
#include "port/common/hang_record.h"
#include "port/port.h"
#include "port/sim/seam.h"

#define HISTORY_LINES 32

static void record_hang(const struct hang *hang)
{
	char text[256];
	struct record record;

	if (hang->ops)
		hang->ops->describe(hang->lock, text, sizeof(text));
	hang_record(&record, hang,
		    sim_deadlocked()
			    ? "deadlock: each vCPU is halted, or polls what nobody can write"
			    : hang->what,
		    text);
	record_open_array(&record, "history");
	for (uint32_t i = 0; i < HISTORY_LINES && sim_history(i, text, sizeof(text)); i++)
		record_string(&record, NULL, text);
	record_close_array(&record);
	record_end(&record);
}

void port_report_hang(const struct hang *hang)
{
	uint64_t now = port_cycles();

	record_hang(hang);
	for (uint32_t i = 0; i < port_cpu_count(); i++) {
		struct record record;

		hang_record_cpu(&record, hang, i, hang_stats(i), true, now);
		record_end(&record);
	}
	log_flush();
}

/* No time bound: the engine calls `report` as soon as the vCPUs are in a deadlock. */
void port_watch(const char *what, uint64_t ns, void (*report)(void))
{
	(void)what;
	(void)ns;
	sim_watch(report);
}

void port_watch_over(void)
{
	sim_watch(NULL);
}

void port_abort(void)
{
	log_flush();
	sim_end(5);
}
