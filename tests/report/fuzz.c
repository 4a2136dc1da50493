/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: any bytes are a log. Reads them as pvspin-report does, prints every format to
 * nowhere. Built by `make fuzz-report`; tests/host/test_report_corpus.c runs the corpus with gcc.
 */
#include "tools/report/base/data.h"
#include "tools/report/print/print.h"
#include "tools/report/timeline/timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Formats that need other files of the tools (html) have tests of their own. */
static void print_all(const struct set *set)
{
	static FILE *nowhere;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	if (nowhere == NULL)
		abort();
	for (int format = FORMAT_TEXT; format <= FORMAT_JSON; format++) {
		const struct set pair[2] = {*set, *set};

		if (!output_set(nowhere, format, set) || !output_comparison(nowhere, format, pair))
			abort();
	}
	perfetto_write(nowhere, set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	char path[32];
	const char *paths[] = {path};
	struct set set;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!set_read(paths, 1, &set))
		abort(); /* one readable file, so one class: nothing may be refused */
	print_all(&set);
	set_free(&set);
	close(fd);
	return 0;
}
