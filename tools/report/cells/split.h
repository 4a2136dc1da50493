/* SPDX-License-Identifier: MIT */
/* Where the vCPUs' time went in a run: running, spinning, halted, idle, stolen, as shares. */
#ifndef PVSPIN_TOOLS_REPORT_CELLS_SPLIT_H
#define PVSPIN_TOOLS_REPORT_CELLS_SPLIT_H

#include "tools/report/base/data.h"

struct split {
	double running, spinning, halted, idle, stolen; /* add up to 1; NAN: the log cannot say */
	double beyond; /* how much more than all there was the parts were, before they were cut */
};

/* `vcpu`: the run's vcpu records, `count` of them. */
struct split split_of_run(const struct log *log, const struct record *run,
			  const struct record *const *vcpu, size_t count);

#endif
