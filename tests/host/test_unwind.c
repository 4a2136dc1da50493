/* SPDX-License-Identifier: MIT */
/* Tests kernel/unwind.c: rows of a table with one function, and tables that are cut or unknown. */
#include "tests/host/test.h"

#include "kernel/unwind.h"
#include <stdlib.h>
#include <string.h>

#define ADDRESS 0x100000u /* of the table in memory */
#define START   0x200000u /* of the function, 0x2000 bytes long */

/* DWARF 5, 7.24; a register's number in the low bits is rbp's, 6. */
#define ADVANCE(n)   (0x40 | (n))
#define SAVED_RBP    0x86, 2 /* at frame - 2 * 8 */
#define RESTORED_RBP 0xc6
#define FRAME(r, n)  0x0c, (r), (n)
#define FRAME_REG(r) 0x0d, (r)
#define FRAME_OFF(n) 0x0e, (n)
#define REMEMBER     0x0a
#define RECALL       0x0b
#define RBP          6
#define RSP          7

#define U32(n) (n) & 0xff, (n) >> 8 & 0xff, (n) >> 16 & 0xff, (n) >> 24 & 0xff
#define CIE(pointers) \
	U32(20u), U32(0u), 1, 'z', 'R', 0, 1, 0x78, 16, 1, (pointers), FRAME(RSP, 8), 0x90, 1, 0, 0
#define FDE_AT 24u
/* bytes of the FDE, back to the CIE */
#define FDE(bytes)    U32((bytes) + 13u), U32(FDE_AT + 4)
#define PROGRAM_BYTES 35u

static const uint8_t table[] = {
	CIE(0x1b), FDE(PROGRAM_BYTES), U32(START - (ADDRESS + FDE_AT + 8)), U32(0x2000u),
	0, /* no augmentation */
	/* 0: a path without frame; 4: push rbp; 5: mov rsp, rbp */
	ADVANCE(5), FRAME_OFF(16), SAVED_RBP, ADVANCE(3), FRAME_REG(RBP), REMEMBER,
	/* 0x48: popped; 0x49: behind the return, with the frame again */
	ADVANCE(63), ADVANCE(1), RESTORED_RBP, FRAME(RSP, 8), ADVANCE(1), RECALL, 0x2e,
	0x10, /* bytes of arguments: no rule */
	/* 0x149, 0x1149, 0x114a */
	0x03, 0x00, 0x01, FRAME_OFF(24), 0x04, U32(0x1000u), FRAME_OFF(32), 0x02, 1, FRAME_OFF(40),
	U32(0u), /* the end */
};

static struct unwind_rule rule_at(uint64_t rip)
{
	struct unwind_rule rule = {0};

	assert_true(unwind_rule_at(table, sizeof(table), ADDRESS, rip, &rule));
	return rule;
}

static void expect(uint64_t distance, bool from_rsp, uint64_t offset, int64_t caller_rbp)
{
	struct unwind_rule rule = rule_at(START + distance);

	assert_int_equal(rule.from_rsp, from_rsp);
	assert_int_equal(rule.offset, offset);
	assert_int_equal(rule.caller_rbp, caller_rbp);
}

static void rows_hold_until_the_next_one(void **state)
{
	(void)state;
	expect(0, true, 8, 0);
	expect(4, true, 8, 0);
	expect(5, true, 16, -16);
	expect(7, true, 16, -16);
	expect(8, false, 16, -16);
	expect(0x47, false, 16, -16);
	expect(0x48, true, 8, 0);
	expect(0x49, false, 16, -16);
	expect(0x148, false, 16, -16);
	expect(0x149, false, 24, -16);
	expect(0x1149, false, 32, -16);
	expect(0x114a, false, 40, -16);
	expect(0x1fff, false, 40, -16);
}

static void other_functions_have_no_rule(void **state)
{
	struct unwind_rule rule;

	(void)state;
	assert_false(unwind_rule_at(table, sizeof(table), ADDRESS, START - 1, &rule));
	assert_false(unwind_rule_at(table, sizeof(table), ADDRESS, START + 0x2000, &rule));
	assert_false(unwind_rule_at(table, 0, ADDRESS, START, &rule));
}

/* Each byte changed and each length, in memory of exactly that length for the address sanitizer. */
static void damaged_tables_end(void **state)
{
	struct unwind_rule rule;

	(void)state;
	for (size_t length = 0; length <= sizeof(table); length++) {
		uint8_t *copy = malloc(length + 1);

		memcpy(copy + 1, table, length);
		unwind_rule_at(copy + 1, length, ADDRESS, START + 0x1fff, &rule);
		for (size_t i = 1; length == sizeof(table) && i <= length; i++) {
			copy[i] ^= 0xff;
			unwind_rule_at(copy + 1, length, ADDRESS, START + 0x1fff, &rule);
			copy[i] ^= 0xff;
		}
		free(copy);
	}
}

static void unknown_kinds_have_no_rule(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} changes[] = {
		{8, 3},              /* the CIE's version */
		{10, 'S'},           /* its augmentation */
		{16, 0x50},          /* its kind of pointers */
		{FDE_AT + 17, 0},    /* instead of the first advance: a NOP, so no row ends */
		{FDE_AT + 24, 3},    /* a frame from rbx */
		{FDE_AT + 18, 0x0f}, /* an expression */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct unwind_rule rule = {0};
		uint8_t copy[sizeof(table)];
		bool known;

		memcpy(copy, table, sizeof(table));
		copy[changes[i].at] = changes[i].byte;
		known = unwind_rule_at(copy, sizeof(copy), ADDRESS, START + 0x20, &rule);
		assert_int_equal(known, changes[i].byte == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_hold_until_the_next_one),
		cmocka_unit_test(other_functions_have_no_rule),
		cmocka_unit_test(damaged_tables_end),
		cmocka_unit_test(unknown_kinds_have_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
