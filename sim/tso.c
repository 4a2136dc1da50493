/* SPDX-License-Identifier: MIT */
/* See tso.h. */
#include "sim/tso.h"

enum store_hit store_find(struct store_buffer *stores, const volatile void *at, uint32_t size,
			  uint64_t *value)
{
	const volatile char *from = at;

	for (uint32_t i = stores->count; i-- > 0;) {
		const struct store *store = store_at(stores, i);
		const volatile char *start = store->at;

		if (from + size <= start || start + store->size <= from)
			continue;
		if (from < start || from + size > start + store->size)
			return STORE_OVERLAPS;
		*value = store->value >> (from - start) * 8;
		if (size < 8)
			*value &= (UINT64_C(1) << size * 8) - 1;
		return STORE_COVERS;
	}
	return STORE_NONE;
}

uint64_t tso_apply(uint64_t old, enum sim_rmw operation, uint64_t operand)
{
	switch (operation) {
	case SIM_EXCHANGE:
		return operand;
	case SIM_ADD:
		return old + operand;
	case SIM_SUB:
		return old - operand;
	case SIM_OR:
		return old | operand;
	case SIM_AND:
		return old & operand;
	}
	return old;
}
