/* SPDX-License-Identifier: MIT */
/*
 * Which logs are meant by a path: a file itself; of an --out directory each serial-<instance>.log,
 * in run-<n>/ too, with the manifest.json beside it; of a directory of those, all of them.
 */
#ifndef PVSPIN_TOOLS_REPORT_READ_FIND_H
#define PVSPIN_TOOLS_REPORT_READ_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct found {
	char *path;
	char *manifest; /* NULL: none beside it */
	unsigned instance, instances, call_run;
	size_t call; /* the same for logs of one directory */
	dev_t device;
	ino_t inode;
};

struct found_list {
	struct found *list;
	size_t count, calls;
	size_t seen; /* with those named twice */
};

/* Appends, but nothing twice: a log under two names would double every sample. False, with a
 * message on stderr: there is no such path or no log below it. */
bool find_logs(const char *path, struct found_list *found);
void find_free(struct found_list *found);

#endif
