/* SPDX-License-Identifier: MIT */
/* printf into a string of its own, to be freed; NULL when there is no memory. */
#ifndef PVSPIN_TOOLS_REPORT_TEXT_OF_H
#define PVSPIN_TOOLS_REPORT_TEXT_OF_H

char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
