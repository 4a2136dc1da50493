/* SPDX-License-Identifier: MIT */
/*
 * The registry of tunables, and those that locks share. Initial values are Linux 6.12's:
 * SPIN_THRESHOLD 1 << 15 (arch/x86/include/asm/spinlock.h), PV_PREV_CHECK_MASK 0xff
 * (kernel/locking/qspinlock_paravirt.h), _Q_PENDING_LOOPS 1 << 9
 * (arch/x86/include/asm/qspinlock.h), steal_spins 1 << 5 (arch/powerpc/lib/qspinlock.c).
 */
#include "locks/core/tunables.h"

#include "lib/cmdline.h"
#include "lib/string.h"

#define SPIN_THRESHOLD  (1u << 15)
#define PREV_CHECK_MASK 0xffu
#define PENDING_LOOPS   (1u << 9)
#define STEAL           (1u << 5)

struct lock_tunables lock_tunables = {
	.spin_threshold = SPIN_THRESHOLD,
	.prev_check_mask = PREV_CHECK_MASK,
	.pending_loops = PENDING_LOOPS,
	.steal = STEAL,
};

uint32_t spin_us_polls = SPIN_THRESHOLD;

#define SHARED(field_, of_, initial_, min_) \
	TUNABLE_ENTRY(field_, #field_, of_, &lock_tunables.field_, initial_, min_, UINT32_MAX)

SHARED(spin_threshold, "pv-qspinlock,pv-ticket,oticket,i-spinlock", SPIN_THRESHOLD, 1);
/* 0: a look at every poll; else use one less than a power of two */
SHARED(prev_check_mask, "pv-qspinlock", PREV_CHECK_MASK, 0);
SHARED(pending_loops, "qspinlock,cna", PENDING_LOOPS, 1);
SHARED(spin_us, "pv-qspinlock,pv-ticket,oticket,i-spinlock", 0, 0);
SHARED(steal, "ppc-qspinlock", STEAL, 0);

#define TUNABLES_MOST 128

extern const struct tunable __start_tunable_registry[];
extern const struct tunable __stop_tunable_registry[];

size_t tunable_count(void)
{
	/* as integers: to the compiler the two symbols are unrelated objects */
	return ((uintptr_t)__stop_tunable_registry - (uintptr_t)__start_tunable_registry) /
	       sizeof(struct tunable);
}

/* By name, because within a file each compiler orders them in its own way. */
const struct tunable *tunable_at(size_t i)
{
	static const struct tunable *by_name[TUNABLES_MOST];
	static size_t sorted;

	while (sorted < tunable_count()) {
		const struct tunable *next = &__start_tunable_registry[sorted];
		size_t place = sorted++;

		if (place == TUNABLES_MOST)
			__builtin_trap();
		for (; place > 0 && strcmp(by_name[place - 1]->name, next->name) > 0; place--)
			by_name[place] = by_name[place - 1];
		by_name[place] = next;
	}
	return by_name[i];
}

const struct tunable *tunable_find(const char *name, size_t length)
{
	for (size_t i = 0; i < tunable_count(); i++) {
		if (cmdline_is(name, length, tunable_at(i)->name))
			return tunable_at(i);
	}
	return NULL;
}

bool tunable_is_of(const struct tunable *tunable, const char *lock)
{
	const char *cursor = tunable->of, *end = cursor + strlen(cursor), *item;
	size_t length;

	while (cmdline_list_next(&cursor, end, &item, &length)) {
		if (cmdline_is(item, length, lock))
			return true;
	}
	return false;
}

void tunables_reset(void)
{
	for (size_t i = 0; i < tunable_count(); i++)
		*tunable_at(i)->value = tunable_at(i)->initial;
}
