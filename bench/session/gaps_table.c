/* SPDX-License-Identifier: MIT */
/* Where each lock's time went (bench/gaps.h), below a block of the table: see table.h. */
#include "bench/session/table.h"

#include "lib/arith.h"
#include "lib/log.h"
#include "lib/printf.h"

#define PERCENT_BYTES 8

/* 0.0 to 99.9, 100 */
static const char *percent_cell(char cell[PERCENT_BYTES], uint64_t part, uint64_t whole)
{
	uint64_t permille = mul_div(part, 1000, whole);

	ksnprintf(cell, PERCENT_BYTES, "%u.%u", (unsigned)(permille / 10),
		  (unsigned)(permille % 10));
	return cell;
}

static void say_row(const struct table_row *row, int width)
{
	const struct gaps *gaps = &row->gaps;
	const uint64_t parts[] = {gaps->held - gaps->held_stolen,
				  gaps->held_stolen,
				  gaps->running,
				  gaps->halted,
				  gaps->stolen,
				  gaps->passed,
				  gaps->nobody};
	char cell[sizeof(parts) / sizeof(parts[0])][PERCENT_BYTES];

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		percent_cell(cell[i], parts[i], row->gaps_cycles);
	log_line("%-*s %7s %7s %7s %7s %7s %7s %8s", width, row->lock->name, cell[0], cell[1],
		 cell[2], cell[3], cell[4], cell[5], cell[6]);
}

void gaps_table_say(const struct table *table, size_t threads_index, int width)
{
	const struct table_row *rows = &table->rows[threads_index * table->plan->lock_count];
	bool any = false;

	for (size_t i = 0; i < table->plan->lock_count; i++)
		any |= rows[i].gaps_cycles != 0;
	if (!any)
		return;
	log_line("where the lock's time went, %% of the phase: held, or free until the next grant");
	log_line("%-*s %7s %7s %7s %7s %7s %7s %8s", width, "lock", "work", "holder", "hand-",
		 "waking", "grantee", "passed", "unwanted");
	log_line("%-*s %7s %7s %7s %7s %7s", width, "", "", "off", "over", "", "off");
	for (size_t i = 0; i < table->plan->lock_count; i++) {
		if (rows[i].gaps_cycles != 0)
			say_row(&rows[i], width);
	}
	log_line("%s", "");
}
