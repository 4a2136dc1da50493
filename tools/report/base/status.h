/* SPDX-License-Identifier: MIT */
/* The exit statuses of pvspin-report; docs/report.md and --help have the same list. */
#ifndef PVSPIN_TOOLS_REPORT_BASE_STATUS_H
#define PVSPIN_TOOLS_REPORT_BASE_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_USAGE = 2,   /* and: what may not be compared */
	STATUS_DAMAGED = 3, /* a log is not whole; what it has was printed, and marked */
	STATUS_UNREADABLE = 4,
};

#endif
