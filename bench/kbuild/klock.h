/* SPDX-License-Identifier: MIT */
/* The locks of the profile, all of the kind under test: which there are, taking and releasing one,
 * what is counted then. From acquire to release the task stays on its vCPU. */
#ifndef PVSPIN_BENCH_KBUILD_KLOCK_H
#define PVSPIN_BENCH_KBUILD_KLOCK_H

#include "bench/kbuild/world.h"

/* How many locks of a class `tasks` tasks and `vcpus` vCPUs have. */
size_t klock_count(enum kbuild_class class, uint32_t tasks, uint32_t vcpus);

/* All of world's locks as new: world.ops, .vcpus and .tasks say what they are. */
void klock_init_all(void);

/* The k-th lock of an owner. */
struct klock *klock_of(enum kbuild_class class, uint32_t owner, uint32_t k);

/* A lock for `task` on vCPU `cpu`, by the class's sharing. The same number of draws for all. */
struct klock *klock_draw(enum kbuild_class class, const struct task *task, uint32_t cpu,
			 struct random *random);

void klock_acquire(struct vcpu *me, enum kbuild_class class, struct klock *lock);
void klock_release(struct vcpu *me); /* the one acquired last */

/* The lock proper, for describe(). */
const void *klock_state(const struct klock *lock);

const char *klock_class(const struct klock *lock);

/* Of the run's locks, 1, 2, 3...: what the trace knows a lock by. */
uint32_t klock_number(const struct klock *lock);
const struct klock *klock_numbered(uint32_t number);

/* After the run: whether all sections excluded each other. */
bool klock_excluded(const struct class_count count[CLASS_COUNT]);

#endif
