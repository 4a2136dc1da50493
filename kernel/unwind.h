/* SPDX-License-Identifier: MIT */
/*
 * Reads .eh_frame, in which the compiler says for each instruction where its function has the
 * return address. A frame pointer says so only between a function's prologue and its epilogue.
 */
#ifndef PVSPIN_KERNEL_UNWIND_H
#define PVSPIN_KERNEL_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unwind_rule {
	bool from_rsp;      /* frame = rsp + offset, otherwise rbp + offset */
	uint64_t offset;    /* the return address is in the 8 bytes below `frame` */
	int64_t caller_rbp; /* at frame + caller_rbp; 0: still in rbp */
};

/* Sets the rule for the instruction at `rip`; false if the table, which is mapped at `address`, has
 * none or one of a kind that C code without variable arrays does not need. Pure. */
bool unwind_rule_at(const uint8_t *table, size_t bytes, uint64_t address, uint64_t rip,
		    struct unwind_rule *rule);

#endif
