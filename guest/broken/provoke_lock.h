/* SPDX-License-Identifier: MIT */
#ifndef PVSPIN_GUEST_BROKEN_PROVOKE_LOCK_H
#define PVSPIN_GUEST_BROKEN_PROVOKE_LOCK_H

#include "bench/plan.h"

/* Puts a lock into the plan that provokes the failure `name` while it is held. */
void provoke_in_lock(struct plan *plan, const char *name);

#endif
