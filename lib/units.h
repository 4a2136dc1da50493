/* SPDX-License-Identifier: MIT */
/* Units of time. */
#ifndef PVSPIN_LIB_UNITS_H
#define PVSPIN_LIB_UNITS_H

#include <stdint.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

#endif
