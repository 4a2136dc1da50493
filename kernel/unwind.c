/* SPDX-License-Identifier: MIT */
/*
 * See unwind.h. The table is a list of entries. A common entry (CIE) has what functions share, a
 * frame entry (FDE) the rows of one function as a small program. Format: Linux Standard Base Core
 * 5.0, 10.6.1; the program: DWARF 5, 6.4.2 and 7.24; register numbers: System V ABI AMD64, 3.6.2.
 */
#include "kernel/unwind.h"

#define RBP 6
#define RSP 7

#define POINTER_ABSOLUTE 0x03 /* udata4 */
#define POINTER_RELATIVE 0x1b /* pcrel, sdata4 */

enum opcode {
	NOP = 0x00,
	ADVANCE_LOC1 = 0x02,
	ADVANCE_LOC2 = 0x03,
	ADVANCE_LOC4 = 0x04,
	REMEMBER_STATE = 0x0a,
	RESTORE_STATE = 0x0b,
	DEF_CFA = 0x0c,
	DEF_CFA_REGISTER = 0x0d,
	DEF_CFA_OFFSET = 0x0e,
	GNU_ARGS_SIZE = 0x2e,
	/* the low 6 bits are the operand */
	ADVANCE_LOC = 0x40,
	OFFSET = 0x80,
	RESTORE = 0xc0,
};

struct cursor {
	const uint8_t *at, *end; /* at > end never; reading past the end gives zeros */
};

static uint64_t number(struct cursor *c, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes && c->at < c->end; i++)
		value |= (uint64_t)*c->at++ << 8 * i;
	return value;
}

/* ULEB128, or SLEB128 if `is_signed` (DWARF 5, 7.6). */
static uint64_t leb(struct cursor *c, bool is_signed)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)number(c, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && (byte & 0x40) && shift < 64)
		value |= UINT64_MAX << shift;
	return value;
}

struct cie {
	uint64_t code_unit;
	int64_t data_unit;
	uint8_t pointers;
	struct cursor program;
};

/* Version 1 with augmentation "zR", which all compilers write for C. */
static bool read_cie(struct cursor c, struct cie *cie)
{
	if (number(&c, 4) != 0 || number(&c, 1) != 1 || number(&c, 3) != ('z' | 'R' << 8))
		return false;
	cie->code_unit = leb(&c, false);
	cie->data_unit = (int64_t)leb(&c, true);
	if (leb(&c, false) != 16 || leb(&c, false) != 1) /* return address, augmentation's bytes */
		return false;
	cie->pointers = (uint8_t)number(&c, 1);
	cie->program = c;
	return cie->pointers == POINTER_ABSOLUTE || cie->pointers == POINTER_RELATIVE;
}

/* The rule under construction. Two remembered ones are more than compilers were seen to nest. */
struct state {
	struct unwind_rule rule, remembered[4];
	size_t depth;
};

static bool set_base(struct state *state, uint64_t reg)
{
	state->rule.from_rsp = reg == RSP;
	return reg == RSP || reg == RBP;
}

/* An opcode without operand in its low bits, except the advances. */
static bool extended(struct cursor *c, uint8_t opcode, struct state *state)
{
	switch (opcode) {
	case NOP:
		return true;
	case GNU_ARGS_SIZE:
		leb(c, false);
		return true;
	case DEF_CFA:
		if (!set_base(state, leb(c, false)))
			return false;
		state->rule.offset = leb(c, false);
		return true;
	case DEF_CFA_REGISTER:
		return set_base(state, leb(c, false));
	case DEF_CFA_OFFSET:
		state->rule.offset = leb(c, false);
		return true;
	case REMEMBER_STATE:
		if (state->depth == sizeof(state->remembered) / sizeof(state->remembered[0]))
			return false;
		state->remembered[state->depth++] = state->rule;
		return true;
	case RESTORE_STATE:
		if (state->depth == 0)
			return false;
		state->rule = state->remembered[--state->depth];
		return true;
	default:
		return false;
	}
}

/* How far `opcode` advances, in code units. */
static uint64_t advance(struct cursor *c, uint8_t opcode)
{
	switch (opcode) {
	case ADVANCE_LOC1:
		return number(c, 1);
	case ADVANCE_LOC2:
		return number(c, 2);
	case ADVANCE_LOC4:
		return number(c, 4);
	default:
		return (opcode & 0xc0) == ADVANCE_LOC ? opcode & 0x3f : 0;
	}
}

/* Runs the program until it is past the instruction `distance` bytes from the function's start. */
static bool run(struct cursor c, const struct cie *cie, uint64_t distance, struct state *state)
{
	for (uint64_t at = 0; c.at < c.end;) {
		uint8_t opcode = (uint8_t)number(&c, 1), reg = opcode & 0x3f;
		uint64_t step = advance(&c, opcode) * cie->code_unit;

		at += step;
		if (at > distance)
			return true;
		if (step != 0)
			continue;
		if ((opcode & 0xc0) == OFFSET) {
			int64_t offset = (int64_t)leb(&c, false) * cie->data_unit;

			if (reg == RBP)
				state->rule.caller_rbp = offset;
		} else if ((opcode & 0xc0) == RESTORE) {
			if (reg == RBP)
				state->rule.caller_rbp = 0;
		} else if (!extended(&c, opcode, state)) {
			return false;
		}
	}
	return true;
}

/* Sets *entry to what follows the length in the entry at *at, and moves *at past it. */
static bool next_entry(struct cursor *at, struct cursor *entry)
{
	uint64_t length = number(at, 4);

	if (length < 4 || length > (uint64_t)(at->end - at->at))
		return false; /* a length of 0 ends the table */
	*entry = (struct cursor){at->at, at->at + length};
	at->at += length;
	return true;
}

/* If the entry is the FDE of `rip`: reads its CIE, and leaves *entry at its program. */
static bool covers(struct cursor *entry, struct cursor table, uint64_t pointer, uint64_t rip,
		   struct cie *cie, uint64_t *distance)
{
	const uint8_t *id = entry->at;
	uint64_t back = number(entry, 4); /* from here to the CIE; 0: this is one */
	uint64_t start, size, augmentation;
	struct cursor common;

	if (back == 0 || back > (uint64_t)(id - table.at))
		return false;
	table.at = id - back;
	if (!next_entry(&table, &common) || !read_cie(common, cie))
		return false;
	start = number(entry, 4);
	if (cie->pointers == POINTER_RELATIVE)
		start = pointer + (uint64_t)(int32_t)start;
	size = number(entry, 4);
	augmentation = leb(entry, false);
	*distance = rip - start;
	if (*distance >= size || augmentation > (uint64_t)(entry->end - entry->at))
		return false;
	entry->at += augmentation;
	return true;
}

bool unwind_rule_at(const uint8_t *table, size_t bytes, uint64_t address, uint64_t rip,
		    struct unwind_rule *rule)
{
	struct cursor all = {table, table + bytes}, at = all, entry;
	struct state state = {.depth = 0};
	uint64_t distance;
	struct cie cie;

	while (next_entry(&at, &entry)) {
		/* where a pointer would be that is relative to itself */
		uint64_t pointer = address + (uint64_t)(entry.at + 4 - table);

		if (!covers(&entry, all, pointer, rip, &cie, &distance))
			continue;
		if (!run(cie.program, &cie, UINT64_MAX, &state) ||
		    !run(entry, &cie, distance, &state))
			return false;
		*rule = state.rule;
		return true;
	}
	return false;
}
