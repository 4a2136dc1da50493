/* SPDX-License-Identifier: MIT */
/* port.h's patching of code over Linux: mprotect. */
#define _GNU_SOURCE
#include "port/hosted/hosted.h"
#include "port/port.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void protect(const struct port_text_patch *patch, int rights)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)patch->address / page * page;
	uintptr_t end = (uintptr_t)patch->address + patch->count;

	if (mprotect((void *)start, end - start, rights) == 0)
		return;
	fprintf(stderr, "pvspin: mprotect of code: %s; dispatch=patched is not possible here\n",
		strerror(errno));
	exit(4);
}

/* The pages stay executable, because this code may be in the same page. No other thread runs the
 * patched code; those of the next run are not started yet and serialise first (port.c). */
void port_patch_text(const struct port_text_patch *patch, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		protect(&patch[i], PROT_READ | PROT_WRITE | PROT_EXEC);
		memcpy(patch[i].address, patch[i].bytes, patch[i].count);
		protect(&patch[i], PROT_READ | PROT_EXEC);
	}
	hosted_serialise();
}
