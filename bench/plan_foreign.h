/* SPDX-License-Identifier: MIT */
/* Words of the command line that are meant for Linux. plan_foreign.c says which VMMs add them. */
#ifndef PVSPIN_BENCH_PLAN_FOREIGN_H
#define PVSPIN_BENCH_PLAN_FOREIGN_H

#include "bench/plan.h"
#include "lib/cmdline.h"
#include <stdbool.h>

bool plan_foreign(const struct cmdline_word *word);

/* Adds the word to plan->ignored, if there is room. */
void plan_ignore(struct plan *plan, const struct cmdline_word *word);

#endif
