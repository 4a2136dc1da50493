/* SPDX-License-Identifier: MIT */
/* The machines that --host=machine= names: what is published of each, or guessed. */
#ifndef PVSPIN_SIM_PRESETS_H
#define PVSPIN_SIM_PRESETS_H

#include "sim/host.h"
#include <stddef.h>

struct preset {
	const char *name, *vendor, *model, *meaning;
	struct host host; /* a value of 0 stands for preset_common's */
};

extern const struct preset presets[];
extern const size_t preset_count;
extern const struct host preset_common;

#endif
