/* SPDX-License-Identifier: MIT */
/* COM1 by the kernel's driver: see linux.h. */
#include "lib/log.h"
#include "lib/units.h"
#include "linux/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int port = -1;
static char bytes[131072];
static size_t used;

bool serial_open(void)
{
	struct termios raw;

	port = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (port < 0 || tcgetattr(port, &raw) != 0)
		return false;
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	return tcsetattr(port, TCSANOW, &raw) == 0;
}

/* What does not fit is lost, and with it a seq: the reader of the log finds out. */
void log_write(const char *text, size_t count)
{
	if (count > sizeof(bytes) - used)
		log_flush();
	if (count > sizeof(bytes) - used)
		return;
	memcpy(bytes + used, text, count);
	used += count;
}

void log_flush(void)
{
	size_t done = 0;

	while (done < used) {
		ssize_t n = write(port, bytes + done, used - done);

		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	used = 0;
	tcdrain(port);
}

bool serial_read_line(char *line, size_t size, int ms)
{
	uint64_t last = clock_ns() + (uint64_t)ms * NS_PER_MS;
	size_t length = 0;

	for (;;) {
		struct pollfd input = {.fd = port, .events = POLLIN};
		uint64_t now = clock_ns();
		char byte;

		if (now >= last)
			return false;
		if (poll(&input, 1, (int)((last - now) / NS_PER_MS) + 1) <= 0 ||
		    read(port, &byte, 1) != 1)
			continue;
		if (byte == '\n' || length == size - 1) {
			line[length] = '\0';
			return true;
		}
		if (byte != '\r')
			line[length++] = byte;
	}
}
