/* SPDX-License-Identifier: MIT */
/* Instances that ran at once: their n-th runs as one repetition. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_TOGETHER_H
#define PVSPIN_TOOLS_REPORT_CELLS_TOGETHER_H

#include "tools/report/cells/cells.h"

struct together;

struct together *together_new(void);
/* Logs in their order, runs in theirs. Copies what it needs. Lone instances are ignored. */
void together_add(struct together *together, const struct repetition *repetition);
/* Those runs that every instance of the call has, under the same key; owned by `together`. */
struct repetition *together_sums(struct together *together, size_t *count);
void together_free(struct together *together);

#endif
