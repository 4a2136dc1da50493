/* SPDX-License-Identifier: MIT */
/*
 * <stdatomic.h> of the guest's half of the simulated port; the include path finds it before the
 * compiler's own. Each operation that locks/ and bench/ use becomes a call of the engine
 * (port/sim/seam.h). All others are poisoned, so that their use does not compile. sim/sim.mk checks
 * the object code for atomic instructions that are left.
 *
 * The engine models x86's order: every load is an acquire, every store a release; a sequentially
 * consistent store is a locked instruction, as compilers make it.
 */
#ifndef PVSPIN_PORT_SIM_STDATOMIC_H
#define PVSPIN_PORT_SIM_STDATOMIC_H

#include_next <stdatomic.h>

#include "port/sim/seam.h"

#undef atomic_init
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_thread_fence
#undef atomic_signal_fence

/* Nobody uses these: poisoned. */
#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_fetch_or
#undef atomic_fetch_and
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_flag_test_and_set
#undef atomic_flag_test_and_set_explicit
#undef atomic_flag_clear
#undef atomic_flag_clear_explicit
#pragma GCC poison atomic_load atomic_store atomic_exchange atomic_compare_exchange_strong
#pragma GCC poison atomic_compare_exchange_weak atomic_compare_exchange_weak_explicit
#pragma GCC poison atomic_fetch_add atomic_fetch_sub atomic_fetch_or atomic_fetch_and
#pragma GCC poison atomic_fetch_xor atomic_fetch_xor_explicit atomic_flag_test_and_set
#pragma GCC poison atomic_flag_test_and_set_explicit atomic_flag_clear atomic_flag_clear_explicit

/* The type without _Atomic and const. */
#define SIM_PLAIN(p) __typeof__((void)0, *(p))

/* A value of any scalar type to the seam's 64 bits and back. */
#define SIM_BITS(type, value)                                                  \
	__extension__({                                                        \
		type sim_value_ = (value);                                     \
		uint64_t sim_bits_ = 0;                                        \
		__builtin_memcpy(&sim_bits_, &sim_value_, sizeof(sim_value_)); \
		sim_bits_;                                                     \
	})
#define SIM_VALUE(type, bits)                                            \
	__extension__({                                                  \
		uint64_t sim_from_ = (bits);                             \
		type sim_to_;                                            \
		__builtin_memcpy(&sim_to_, &sim_from_, sizeof(sim_to_)); \
		sim_to_;                                                 \
	})

#define atomic_init(p, v) atomic_store_explicit(p, v, memory_order_relaxed)

#define atomic_load_explicit(p, order) \
	((void)(order), SIM_VALUE(SIM_PLAIN(p), sim_load((p), sizeof(*(p)))))

#define atomic_store_explicit(p, v, order)                                                   \
	((order) == memory_order_seq_cst                                                     \
		 ? (void)sim_rmw((p), sizeof(*(p)), SIM_EXCHANGE, SIM_BITS(SIM_PLAIN(p), v)) \
		 : sim_store((p), sizeof(*(p)), SIM_BITS(SIM_PLAIN(p), v)))

#define SIM_RMW(p, operation, v, order)                                               \
	((void)(order), SIM_VALUE(SIM_PLAIN(p), sim_rmw((p), sizeof(*(p)), operation, \
							SIM_BITS(SIM_PLAIN(p), v))))

#define atomic_exchange_explicit(p, v, order)  SIM_RMW(p, SIM_EXCHANGE, v, order)
#define atomic_fetch_add_explicit(p, v, order) SIM_RMW(p, SIM_ADD, v, order)
#define atomic_fetch_sub_explicit(p, v, order) SIM_RMW(p, SIM_SUB, v, order)
#define atomic_fetch_or_explicit(p, v, order)  SIM_RMW(p, SIM_OR, v, order)
#define atomic_fetch_and_explicit(p, v, order) SIM_RMW(p, SIM_AND, v, order)

#define atomic_compare_exchange_strong_explicit(p, expected, v, good, bad)            \
	__extension__({                                                               \
		__typeof__(expected) sim_expected_ = (expected);                      \
		uint64_t sim_found_ = SIM_BITS(SIM_PLAIN(p), *sim_expected_);         \
		bool sim_done_ = sim_compare_exchange((p), sizeof(*(p)), &sim_found_, \
						      SIM_BITS(SIM_PLAIN(p), v));     \
		(void)(good), (void)(bad);                                            \
		if (!sim_done_)                                                       \
			*sim_expected_ = SIM_VALUE(SIM_PLAIN(p), sim_found_);         \
		sim_done_;                                                            \
	})

/* On x86 a weaker fence only orders the compiler, which a call of the engine does anyway. */
#define atomic_thread_fence(order) ((order) == memory_order_seq_cst ? sim_fence() : (void)0)
#define atomic_signal_fence(order) ((void)(order))

#endif
