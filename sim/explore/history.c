/* SPDX-License-Identifier: MIT */
/* The last steps of a run, in words. */
#include "sim/explore/explore.h"

#include <stdio.h>
#include <string.h>

#define EVENTS 64
#define NAMES  40

static struct {
	uint64_t step;
	const char *what;
	const volatile void *at;
	uint64_t value;
	uint32_t vcpu;
} event[EVENTS];

static struct {
	const volatile char *at;
	size_t bytes;
	const char *name;
	uint32_t number;
} named[NAMES];
static uint32_t names;

void explore_name(const volatile void *at, size_t bytes, const char *name, uint32_t number)
{
	if (names == NAMES)
		names = 0;
	named[names].at = at;
	named[names].bytes = bytes;
	named[names].name = name;
	named[names++].number = number;
}

void history_add(const struct vcpu *vcpu, const char *what, const volatile void *at, uint64_t value)
{
	uint64_t i;

	if (!vcpu->working)
		return; /* it runs alone: there was nothing to choose */
	i = explore->history_count++ % EVENTS;
	event[i].step = explore->step;
	event[i].what = what;
	event[i].at = at;
	event[i].value = value;
	event[i].vcpu = vcpu->index;
}

static void name_of(const volatile void *at, char *text, size_t size)
{
	const volatile char *byte = at;

	for (uint32_t i = 0; i < names; i++)
		if (byte >= named[i].at && byte < named[i].at + named[i].bytes) {
			snprintf(text, size, "%s %u + %zu", named[i].name, named[i].number,
				 (size_t)(byte - named[i].at));
			return;
		}
	snprintf(text, size, "%#llx", (unsigned long long)(uintptr_t)at);
}

bool explore_history(uint32_t i, char *text, size_t size)
{
	uint64_t at;
	char name[64];

	if (i >= EVENTS || i >= explore->history_count)
		return false;
	at = (explore->history_count - 1 - i) % EVENTS;
	if (!event[at].at) {
		snprintf(text, size, "step %llu: vCPU %u %s (%llu)",
			 (unsigned long long)event[at].step, event[at].vcpu, event[at].what,
			 (unsigned long long)event[at].value);
		return true;
	}
	name_of(event[at].at, name, sizeof(name));
	snprintf(text, size, "step %llu: vCPU %u %s %#llx at %s",
		 (unsigned long long)event[at].step, event[at].vcpu, event[at].what,
		 (unsigned long long)event[at].value, name);
	return true;
}
