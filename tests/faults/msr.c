// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include "fault.h"

const struct fault msr_faults[] = {
	{},
};
