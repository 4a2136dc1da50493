/* SPDX-License-Identifier: MIT */
/* See qspinlock_word.h. */
#include "locks/qspinlock_word.h"

#include "lib/printf.h"

static const char *locked_text(uint32_t locked)
{
	switch (locked) {
	case 0:
		return "free";
	case Q_LOCKED:
		return "held";
	case Q_SLOW:
		return "held, head to be kicked";
	default:
		return "impossible";
	}
}

void q_describe(const void *lock, char *text, size_t size)
{
	uint32_t value = q_load(lock);
	uint32_t tail = value >> Q_TAIL_SHIFT;
	int used = ksnprintf(text, size, "word 0x%08x: locked %u (%s), pending %u, ", value,
			     value & Q_LOCKED_MASK, locked_text(value & Q_LOCKED_MASK),
			     (value & Q_PENDING_MASK) >> Q_PENDING_BIT);

	if (used < 0 || (size_t)used >= size)
		return;
	if (tail == 0)
		ksnprintf(text + used, size - (size_t)used, "no queue");
	else
		ksnprintf(text + used, size - (size_t)used, "tail CPU %u level %u", (tail >> 2) - 1,
			  tail & 3);
}
