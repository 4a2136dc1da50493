/* SPDX-License-Identifier: MIT */
/* The locks of the profile, all of the kind under test: their numbers, acquisition and release, and
 * counts. From acquire to release the task stays on its vCPU. */
#ifndef PVSPIN_BENCH_KBUILD_KLOCK_H
#define PVSPIN_BENCH_KBUILD_KLOCK_H

#include "bench/kbuild/world.h"

/* The number of locks of a class that `tasks` tasks and `vcpus` vCPUs have. */
size_t klock_count(enum kbuild_class class, uint32_t tasks, uint32_t vcpus);

/* Initialises all of world's locks, according to world.ops, .vcpus and .tasks. */
void klock_init_all(void);

/* The k-th lock of an owner. */
struct klock *klock_of(enum kbuild_class class, uint32_t owner, uint32_t k);

/* Draws a lock for `task` on vCPU `cpu`, by the class's sharing. Always makes the same number of
 * draws. */
struct klock *klock_draw(enum kbuild_class class, const struct task *task, uint32_t cpu,
			 struct random *random);

void klock_acquire(struct vcpu *me, enum kbuild_class class, struct klock *lock);
void klock_release(struct vcpu *me); /* releases the lock acquired last */

/* The lock's own state, for describe(). */
const void *klock_state(const struct klock *lock);

const char *klock_class(const struct klock *lock);

/* The number of a lock within the run, 1, 2, 3..., by which the trace identifies it. */
uint32_t klock_number(const struct klock *lock);
const struct klock *klock_numbered(uint32_t number);

/* After the run: whether all sections excluded each other. */
bool klock_excluded(const struct class_count count[CLASS_COUNT]);

#endif
