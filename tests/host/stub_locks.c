/* SPDX-License-Identifier: MIT */
/* A registry, tunables and a key for test_plan.c. The locks have names and flags, but no code. They
 * are sorted by name like the real ones. */
#include "bench/plan_keys.h"
#include "lib/cmdline.h"
#include "locks/core/registry.h"
#include "locks/core/tunables.h"

#define STUB(name_, flags_)                                \
	{                                                  \
		.ops = &(const struct lock_ops)            \
		{                                          \
			.name = (name_), .flags = (flags_) \
		}                                          \
	}

static const struct lock_entry locks[] = {
	STUB("clh", LOCK_FIFO), STUB("mcs", LOCK_FIFO),        STUB("null", LOCK_NO_EXCLUSION),
	STUB("paq", LOCK_PV),   STUB("pv-qspinlock", LOCK_PV), STUB("qspinlock", LOCK_QUEUED),
	STUB("tas", 0),         STUB("ticket", LOCK_FIFO),     STUB("virt-spin", 0),
};

size_t lock_count_registered(void)
{
	return sizeof(locks) / sizeof(locks[0]);
}

const struct lock_entry *lock_registered(size_t i)
{
	return &locks[i];
}

const struct lock_entry *lock_find(const char *name, size_t length)
{
	for (size_t i = 0; i < lock_count_registered(); i++) {
		if (cmdline_is(name, length, locks[i].ops->name))
			return &locks[i];
	}
	return NULL;
}

/* A key like those of the broken image (guest/broken/). */
char extra[8];
static const char *const extra_names[] = {"none", "some"};
PLAN_KEY(extra, .name = "extra", .kind = KEY_NAME, .value = extra, .bytes = sizeof(extra),
	 .names = extra_names, .name_count = 2);

struct lock_tunables lock_tunables;

static const struct tunable tunables[] = {
	{"spin_threshold", "tas", &lock_tunables.spin_threshold, 32768, 1, 1000000},
	{"prev_check_mask", "tas", &lock_tunables.prev_check_mask, 255, 0, 65535},
};

size_t tunable_count(void)
{
	return 2;
}

const struct tunable *tunable_at(size_t i)
{
	return &tunables[i];
}

const struct tunable *tunable_find(const char *name, size_t length)
{
	for (size_t i = 0; i < tunable_count(); i++) {
		if (cmdline_is(name, length, tunables[i].name))
			return &tunables[i];
	}
	return NULL;
}

void tunables_reset(void)
{
	for (size_t i = 0; i < tunable_count(); i++)
		*tunables[i].value = tunables[i].initial;
}
