/* SPDX-License-Identifier: MIT */
/* The log: a buffer in memory, which goes to the VM's log. And port.h's input: lines from the
 * launcher, which is the engine itself. */
#include "lib/log.h"
#include "lib/string.h"
#include "port/port.h"
#include "port/sim/seam.h"

#define BUFFER_BYTES 131072

static char buffer[BUFFER_BYTES];
static size_t used;

void log_flush(void)
{
	if (used)
		sim_write(buffer, used);
	used = 0;
}

/* Passes on whole lines only, because each call writes a whole record. */
void log_write(const char *bytes, size_t count)
{
	if (count > sizeof(buffer) - used)
		log_flush();
	if (count > sizeof(buffer)) {
		sim_write(bytes, count);
		return;
	}
	memcpy(buffer + used, bytes, count);
	used += count;
}

enum port_input port_read_line(char *line, size_t size, uint64_t timeout_ns)
{
	(void)timeout_ns;
	return sim_read_line(line, size) ? PORT_INPUT_LINE : PORT_INPUT_ENDED;
}
