/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_GUEST_BROKEN_PROVOKE_LOCK_H
#define PVSPIN_GUEST_BROKEN_PROVOKE_LOCK_H

#include "bench/plan.h"

/* What fails while a lock is held: puts a lock that does so into the plan. */
void provoke_in_lock(struct plan *plan, const char *name);

#endif
