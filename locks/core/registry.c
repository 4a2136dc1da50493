/* SPDX-License-Identifier: MIT */
/*
 * The locks that are linked in. Each lock's file puts one entry into the ELF section lock_registry
 * (register.h); the linker provides the section's bounds under the two names below. There are only
 * about twenty, so ranks are counted at each call instead of kept: no set-up, no state.
 */
#include "locks/core/registry.h"
#include "lib/string.h"
#include <stdbool.h>
#include <stdint.h>

extern const struct lock_entry __start_lock_registry[];
extern const struct lock_entry __stop_lock_registry[];

size_t lock_count_registered(void)
{
	/* as integers: to the compiler the two symbols are unrelated objects */
	return ((uintptr_t)__stop_lock_registry - (uintptr_t)__start_lock_registry) /
	       sizeof(struct lock_entry);
}

/* Returns how many entries come before `entry`. Equal names are in the order of addresses. */
static size_t rank(const struct lock_entry *entry)
{
	size_t before = 0;

	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_entry *other = &__start_lock_registry[i];
		int order = strcmp(other->ops->name, entry->ops->name);

		if (order < 0 || (order == 0 && other < entry))
			before++;
	}
	return before;
}

const struct lock_entry *lock_registered(size_t i)
{
	for (size_t k = 0; k < lock_count_registered(); k++)
		if (rank(&__start_lock_registry[k]) == i)
			return &__start_lock_registry[k];
	return NULL;
}

const struct lock_entry *lock_find(const char *name, size_t length)
{
	for (size_t i = 0; i < lock_count_registered(); i++) {
		const struct lock_entry *entry = &__start_lock_registry[i];

		if (strlen(entry->ops->name) == length &&
		    strncmp(entry->ops->name, name, length) == 0)
			return entry;
	}
	return NULL;
}
