/* SPDX-License-Identifier: MIT */
/* The launcher's control over the start: see start.h. */
#include "bench/session/start.h"

#include "bench/session/emit.h"
#include "lib/cmdline.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/units.h"
#include "port/port.h"

#define LINE_BYTES 160

/* From the last `go`: the launcher's clock (0: not told), and the TSC when the line was here. */
static uint64_t epoch_ns, epoch_tsc;
static uint64_t delay_ns;

/* Reads the next word as a number. */
static bool next_number(const char **cursor, uint64_t *number)
{
	struct cmdline_word word;

	return cmdline_next(cursor, &word) && word.value == NULL &&
	       cmdline_number(word.key, word.key_length, 0, UINT64_MAX, number);
}

static bool peer_line(const char *cursor, const struct run_result *previous)
{
	uint64_t peer, start, end;

	if (!next_number(&cursor, &peer) || !next_number(&cursor, &start) ||
	    !next_number(&cursor, &end))
		return false;
	if (previous)
		emit_overlap(previous, peer, start, end);
	return true;
}

/* Obeys one line; true if it was `go`. */
static bool obey(const char *line, const struct run_result *previous)
{
	const char *cursor = line;
	struct cmdline_word word;

	if (!cmdline_next(&cursor, &word))
		return false;
	if (cmdline_is(word.key, word.key_length, "go")) {
		epoch_tsc = port_cycles();
		port_wall_sync();
		epoch_ns = delay_ns = 0;
		if (next_number(&cursor, &epoch_ns))
			next_number(&cursor, &delay_ns);
		return true;
	}
	if (!cmdline_is(word.key, word.key_length, "peer") || !peer_line(cursor, previous))
		log_line("ignored line '%s': accepted are 'go [epoch_ns [delay_ns]]' and "
			 "'peer instance start_ns end_ns'",
			 line);
	return false;
}

/* Returns how long the start still has to wait. The shared clock tells how long the line took to
 * come. */
static uint64_t delay_left(void)
{
	uint64_t now = port_wall_ns(), passed = now > epoch_ns ? now - epoch_ns : 0;

	if (delay_ns > START_BOUND_S * NS_PER_S)
		delay_ns = START_BOUND_S * NS_PER_S;
	return passed < delay_ns ? delay_ns - passed : 0;
}

/* Waits for the common start by a read, which uses no CPU. No line should come; one that does is
 * too late to be obeyed. */
static void wait_for_delay(void)
{
	uint64_t left = delay_left(), start = port_cycles(), passed = 0;
	char line[LINE_BYTES];

	while (passed < left &&
	       port_read_line(line, sizeof(line), left - passed) == PORT_INPUT_LINE) {
		log_line("ignored line '%s': it came after 'go'", line);
		passed = port_cycles_to_ns(port_cycles() - start);
	}
}

bool start_wait(const struct run_result *previous)
{
	uint64_t start = port_cycles();
	uint64_t waited_ns = 0;
	enum port_input input = PORT_INPUT_LATE;
	char line[LINE_BYTES];

	log_flush();
	while (waited_ns < START_BOUND_S * NS_PER_S) {
		input = port_read_line(line, sizeof(line), START_BOUND_S * NS_PER_S - waited_ns);
		if (input != PORT_INPUT_LINE)
			break;
		if (obey(line, previous)) {
			wait_for_delay();
			return true;
		}
		waited_ns = port_cycles_to_ns(port_cycles() - start);
	}
	if (input == PORT_INPUT_ENDED)
		log_line("error: no line 'go' on serial: the input ended");
	else
		log_line("error: no line 'go' on serial within %d s", START_BOUND_S);
	return false;
}

static uint64_t launcher_ns(uint64_t tsc)
{
	return epoch_ns + port_cycles_to_ns(tsc - epoch_tsc);
}

void start_set_clock(struct run_result *result)
{
	if (result->start.wall_ns != 0) {
		result->clock = strcmp(result->plan->accel, "hosted") ? "kvmclock" : "realtime";
	} else if (epoch_ns != 0) {
		result->clock = "launcher";
		result->start.wall_ns = launcher_ns(result->start.tsc);
		result->end.wall_ns = launcher_ns(result->end.tsc);
	} else {
		result->clock = "none";
		result->end.wall_ns = 0;
	}
}
