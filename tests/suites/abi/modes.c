/* SPDX-License-Identifier: MIT */
/* Code run in another mode until an exception stops it. */
#include "tests/suites/abi/modes.h"

#include "kernel/cpu.h"
#include "kernel/hypercall.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "lib/string.h"

#define STACK_WORDS 1024 /* handlers of ring-0 exceptions run on it, too */

const uint8_t modes_vmcall[] = {0x0f, 0x01, 0xc1}, modes_vmmcall[] = {0x0f, 0x01, 0xd9};
static const uint8_t ud2[] = {0x0f, 0x0b};

void abi_enter(const struct trap_frame *start); /* enter.asm */
extern char abi_landing[];
extern uint64_t abi_landing_rsp;

uint8_t modes_code[2 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static uint64_t entered_stack[STACK_WORDS], from_ring3_stack[STACK_WORDS];
static struct stop *stopping; /* result of the current run; NULL: none */

static const struct {
	uint16_t code, data;
} selectors[] = {
	[MODE_64] = {SELECTOR_CODE64, SELECTOR_DATA},
	[MODE_32] = {SELECTOR_CODE32, SELECTOR_DATA},
	[MODE_64_RING3] = {SELECTOR_USER_CODE64 | 3, SELECTOR_USER_DATA | 3},
	[MODE_32_RING3] = {SELECTOR_USER_CODE32 | 3, SELECTOR_USER_DATA | 3},
};

const uint8_t *modes_native(void)
{
	return hypercall_is_vmmcall ? modes_vmmcall : modes_vmcall;
}

const uint8_t *modes_wrong(void)
{
	return hypercall_is_vmmcall ? modes_vmcall : modes_vmmcall;
}

uint8_t *modes_place(size_t offset, const uint8_t *bytes, size_t count)
{
	uint8_t *at = modes_code + offset;

	memcpy(at, bytes, count);
	memcpy(at + count, ud2, sizeof(ud2));
	return at;
}

void modes_rights(uint32_t page, enum paging_rights rights)
{
	paging_set((uint64_t)modes_code + (uint64_t)page * PAGE_BYTES, PAGE_BYTES, rights);
}

void modes_reset(void)
{
	modes_rights(0, PAGING_WRITE);
	modes_rights(1, PAGING_WRITE);
}

struct trap_frame modes_start(enum mode mode, const uint8_t *code)
{
	return (struct trap_frame){
		.rip = (uint64_t)code,
		.cs = selectors[mode].code,
		.rflags = RFLAGS_FIXED,
		.rsp = (uint64_t)&entered_stack[STACK_WORDS - 2],
		.ss = selectors[mode].data,
	};
}

/* Saves the frame and makes the handler's IRETQ return to the landing. */
static void stop_here(struct trap_frame *frame)
{
	if (stopping == NULL)
		panic_trap(frame);
	stopping->frame = *frame;
	stopping->cr2 = read_cr2();
	__asm__ volatile("movq %%dr6, %0" : "=r"(stopping->dr6));
	frame->rip = (uint64_t)abi_landing;
	frame->cs = SELECTOR_CODE64;
	frame->rflags = RFLAGS_FIXED;
	frame->rsp = abi_landing_rsp;
	frame->ss = SELECTOR_DATA;
}

struct stop modes_run(const struct trap_frame *start)
{
	static const uint8_t vectors[] = {VECTOR_DB, VECTOR_UD, VECTOR_GP, VECTOR_PF};
	uint64_t flags = read_flags();
	struct stop stop = {.cr2 = 0};

	irq_disable();
	this_cpu()->tss.rsp[0] = (uint64_t)&from_ring3_stack[STACK_WORDS];
	stopping = &stop;
	for (size_t i = 0; i < sizeof(vectors); i++)
		traps_handle(vectors[i], stop_here);
	abi_enter(start);
	for (size_t i = 0; i < sizeof(vectors); i++)
		traps_handle(vectors[i], NULL);
	stopping = NULL;
	if (flags & RFLAGS_IF)
		irq_enable();
	return stop;
}

struct stop modes_hypercall(enum mode mode, const uint8_t *instruction, enum paging_rights rights,
			    uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	struct trap_frame start = modes_start(mode, modes_place(0, instruction, HYPERCALL_BYTES));
	struct stop stop;

	start.rax = number;
	start.rbx = a0;
	start.rcx = a1;
	start.rdx = a2;
	start.rsi = a3;
	modes_rights(0, rights);
	stop = modes_run(&start);
	modes_reset();
	if (modes_through(&stop, modes_code, HYPERCALL_BYTES))
		this_cpu()->hypercalls++;
	return stop;
}
