/* SPDX-License-Identifier: MIT */
/* How a run ends. Of several verdicts the worst counts, which has the largest value. */
#ifndef PVSPIN_LIB_VERDICT_H
#define PVSPIN_LIB_VERDICT_H

#include <stdint.h>

enum verdict {
	VERDICT_OK,
	VERDICT_SKIP,  /* nothing could be tested here */
	VERDICT_ERROR, /* the environment or the request is wrong */
	VERDICT_FAIL,  /* the tested code is wrong */
};

/* What a whole run came to. */
struct outcome {
	enum verdict verdict;
	uint32_t failed, skipped, findings;
	const char *reason; /* "" or why: "usage", "vcpu-missing", "exclusion", ... */
};

static inline enum verdict verdict_worse(enum verdict a, enum verdict b)
{
	return a > b ? a : b;
}

#endif
