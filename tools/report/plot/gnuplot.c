/* SPDX-License-Identifier: MIT */
/* gnuplot_run() of plot.h: a child process with a file on stdin, a pipe on stdout, and a time
 * limit. */
#include "tools/report/plot/plot.h"

#include "tools/report/base/system.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct child {
	pid_t pid;
	int out;          /* the reading end of its stdout */
	FILE *complaints; /* its stderr, in an unnamed file */
};

static int64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Starts the child. Returns 0 or an errno. -d keeps gnuplot from reading its init files
 * (gnuplot 5.4 manual, "Command-line options"). GNUTERM must be unset, because gnuplot-nox ends if
 * it names a terminal that gnuplot-nox lacks. */
static int start(const char *program, FILE *script, struct child *child)
{
	char *arguments[] = {(char *)program, (char *)"-d", (char *)"-", NULL};
	posix_spawn_file_actions_t actions;
	int pipe_ends[2], error;

	unsetenv("GNUTERM");
	if (pipe(pipe_ends) != 0)
		return errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fileno(child->complaints), STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
	posix_spawn_file_actions_addclose(&actions, pipe_ends[1]);
	error = posix_spawnp(&child->pid, program, &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_ends[1]);
	child->out = pipe_ends[0];
	if (error != 0)
		close(pipe_ends[0]);
	return error;
}

/* Reads until the child closes its stdout. Returns false after a timeout, an error or too much
 * output.
 */
static bool read_output(const struct child *child, FILE *output)
{
	const int64_t deadline = now_ms() + GNUPLOT_MS;
	size_t total = 0;

	for (;;) {
		struct pollfd wait = {.fd = child->out, .events = POLLIN};
		int64_t left = deadline - now_ms();
		char buffer[65536];
		ssize_t got;

		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
			return false;
		if (wait.revents == 0)
			continue;
		got = read(child->out, buffer, sizeof(buffer));
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		if (got < 0)
			continue;
		total += (size_t)got;
		if (total > GNUPLOT_MAX_BYTES)
			return false;
		fwrite(buffer, 1, (size_t)got, output);
	}
}

/* Copies the first line of the child's stderr that is not blank. */
static void first_complaint(FILE *complaints, char line[static 200])
{
	rewind(complaints);
	line[0] = '\0';
	while (fgets(line, 200, complaints) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[strspn(line, " \t")] != '\0')
			return;
	}
}

/* Waits for a child that has closed its stdout, and kills it if it does not end soon. Kernels
 * before 5.3 have no pidfd; there it waits without a bound. */
static int reap(const struct child *child)
{
	struct pollfd wait = {.fd = (int)syscall(SYS_pidfd_open, child->pid, 0), .events = POLLIN};
	int status;

	if (wait.fd >= 0) {
		if (poll(&wait, 1, GNUPLOT_MS) != 1)
			kill(child->pid, SIGKILL);
		close(wait.fd);
	}
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static enum gnuplot_status finish(const char *program, struct child *child, FILE *output,
				  char **error)
{
	bool whole = read_output(child, output);
	char line[200];
	int status;

	close(child->out);
	if (!whole)
		kill(child->pid, SIGKILL);
	status = reap(child);
	if (!whole) {
		*error = memory_print(
			"%s was stopped: not done after %d s, or more than %u MiB of output",
			program, GNUPLOT_MS / 1000, GNUPLOT_MAX_BYTES >> 20);
		return GNUPLOT_FAILED;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		*error = memory_print("%s cannot be started", program);
		return GNUPLOT_MISSING;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		first_complaint(child->complaints, line);
		*error = memory_print("%s failed: %s", program,
				      line[0] != '\0' ? line : "it gave no reason");
		return GNUPLOT_FAILED;
	}
	return GNUPLOT_OK;
}

enum gnuplot_status gnuplot_run(const char *program, const char *script, char **output,
				size_t *bytes, char **error)
{
	FILE *input = tmpfile(), *memory = open_memstream(output, bytes);
	struct child child = {.complaints = tmpfile()};
	enum gnuplot_status status = GNUPLOT_FAILED;
	int failure = 0;

	*error = NULL;
	if (input == NULL || memory == NULL || child.complaints == NULL) {
		*error = memory_print("no temporary file for %s: %s", program, strerror(errno));
	} else {
		fputs(script, input);
		rewind(input);
		failure = start(program, input, &child);
		if (failure == 0)
			status = finish(program, &child, memory, error);
		else
			*error = memory_print("%s cannot be started: %s", program,
					      strerror(failure));
		if (failure == ENOENT || failure == EACCES)
			status = GNUPLOT_MISSING;
	}
	if (input != NULL)
		fclose(input);
	if (child.complaints != NULL)
		fclose(child.complaints);
	if (memory != NULL)
		fclose(memory);
	return status;
}
