/* SPDX-License-Identifier: MIT */
/*
 * The hypercall instruction: VMCALL on Intel, VMMCALL on AMD. KVM overwrites the other vendor's
 * instruction with the CPU's own (KVM_X86_QUIRK_FIX_HYPERCALL_INSN, on in every VMM so far). Linux
 * Documentation/virt/kvm/x86/hypercalls.rst, arch/x86/kvm/x86.c (emulator_fix_hypercall),
 * arch/x86/kvm/emulate.c (group7_rm0, group7_rm3).
 */
#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/modes.h"

static void fail_stop(struct test_result *result, const char *what, const struct stop *stop)
{
	test_fail(result, "%s: vector %lu, error %#lx, at %+ld, CR2 %#lx, RAX %#lx", what,
		  stop->frame.vector, stop->frame.error,
		  (int64_t)(stop->frame.rip - (uint64_t)modes_code), stop->cr2, stop->frame.rax);
}

static bool is(const uint8_t *at, const uint8_t *bytes)
{
	return memcmp(at, bytes, HYPERCALL_BYTES) == 0;
}

static struct stop poll(enum mode mode, const uint8_t *instruction, enum paging_rights rights)
{
	return modes_hypercall(mode, instruction, rights, 1, 0, 0, 0, 0);
}

/* Returns whether KVM patches. If not (the quirk is off, and the instruction is #UD), skips the
 * clause, which is about patching. */
static bool patches(struct test_result *result)
{
	struct stop stop = poll(MODE_64, modes_wrong(), PAGING_WRITE_EXECUTE);

	if (stop.frame.vector != VECTOR_UD || stop.frame.rip != (uint64_t)modes_code)
		return true;
	test_skip(result, "the other vendor's instruction is #UD here: KVM does not patch");
	return false;
}

/* ABI-INSN-01: the CPU's own instruction makes the call; its bytes stay as they are. */
static void native_works(struct test_result *result)
{
	struct stop stop = poll(MODE_64, modes_native(), PAGING_WRITE_EXECUTE);

	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) || stop.frame.rax != 0)
		fail_stop(result, "the native instruction", &stop);
	if (!is(modes_code, modes_native()))
		test_fail(result, "its bytes have changed");
}
ABI_CLAUSE(native_works, "ABI-INSN-01", "abi.insn.native_works", ABI_MUST);

/* ABI-INSN-02: the other vendor's instruction, in writable code at CPL 0, works and is overwritten.
 */
static void wrong_is_patched(struct test_result *result)
{
	struct stop stop;

	if (!patches(result))
		return;
	stop = poll(MODE_64, modes_wrong(), PAGING_WRITE_EXECUTE);
	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) || stop.frame.rax != 0)
		fail_stop(result, "the other vendor's instruction", &stop);
	if (!is(modes_code, modes_native()))
		test_fail(result, "it has not been overwritten with the native one");
}
ABI_CLAUSE(wrong_is_patched, "ABI-INSN-02", "abi.insn.wrong_is_patched", ABI_KVM);

/* ABI-INSN-03: patching is an ordinary store: it makes the page dirty. */
static void patching_dirties(struct test_result *result)
{
	struct trap_frame start =
		modes_start(MODE_64, modes_place(0, modes_wrong(), HYPERCALL_BYTES));
	uint64_t *entry = paging_entry((uint64_t)modes_code);
	struct stop stop;

	if (!patches(result))
		return;
	modes_place(0, modes_wrong(), HYPERCALL_BYTES);
	start.rax = 1;
	modes_rights(0, PAGING_WRITE_EXECUTE);
	*entry &= ~PAGING_ENTRY_DIRTY;
	invlpg((uint64_t)modes_code);
	stop = modes_run(&start);
	this_cpu()->hypercalls++;
	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES))
		fail_stop(result, "the other vendor's instruction", &stop);
	else if (!(*(volatile uint64_t *)entry & PAGING_ENTRY_DIRTY))
		test_fail(result, "the page was patched and is not dirty");
	modes_reset();
}
ABI_CLAUSE(patching_dirties, "ABI-INSN-03", "abi.insn.patching_sets_dirty", ABI_KVM);

/* ABI-INSN-04: in read-only code KVM's store faults, though the instruction itself stores nothing:
 * #PF, error code 3, the instruction's address in CR2; code and RAX are unchanged. */
static void read_only_faults(struct test_result *result)
{
	struct stop stop;

	if (!patches(result))
		return;
	stop = poll(MODE_64, modes_wrong(), PAGING_EXECUTE);
	if (stop.frame.vector != VECTOR_PF || stop.frame.error != (PF_PRESENT | PF_WRITE) ||
	    stop.cr2 != (uint64_t)modes_code || stop.frame.rip != (uint64_t)modes_code ||
	    stop.frame.rax != 1)
		fail_stop(result, "in read-only code", &stop);
	if (!is(modes_code, modes_wrong()))
		test_fail(result, "read-only code was overwritten");
}
ABI_CLAUSE(read_only_faults, "ABI-INSN-04", "abi.insn.wrong_in_read_only_code", ABI_KVM);

/* ABI-INSN-05: with CR0.WP = 0 the store to read-only code succeeds. */
#define CR0_WP (1ull << 16)

static void without_write_protect(struct test_result *result)
{
	uint64_t cr0;
	struct stop stop;

	if (!patches(result))
		return;
	__asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0 & ~CR0_WP) : "memory");
	stop = poll(MODE_64, modes_wrong(), PAGING_EXECUTE);
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) || !is(modes_code, modes_native()))
		fail_stop(result, "in read-only code with CR0.WP = 0", &stop);
}
ABI_CLAUSE(without_write_protect, "ABI-INSN-05", "abi.insn.wrong_in_read_only_code_wp0", ABI_KVM);

/* ABI-INSN-06: across a page boundary the instruction is patched if both pages are writable. If the
 * second page is not, the store is #PF there, and nothing is patched. */
static void across_pages(struct test_result *result)
{
	size_t offset = PAGE_BYTES - 2;
	uint8_t *code = modes_code + offset;
	struct trap_frame start = modes_start(MODE_64, code);
	struct stop stop;

	if (!patches(result))
		return;
	start.rax = 1;
	modes_place(offset, modes_wrong(), HYPERCALL_BYTES);
	modes_rights(0, PAGING_WRITE_EXECUTE);
	modes_rights(1, PAGING_EXECUTE);
	stop = modes_run(&start);
	if (stop.frame.vector != VECTOR_PF || stop.cr2 != (uint64_t)modes_code + PAGE_BYTES)
		fail_stop(result, "with the second page read-only", &stop);
	if (!is(code, modes_wrong()))
		test_fail(result, "half of it was patched");
	modes_rights(1, PAGING_WRITE_EXECUTE);
	stop = modes_run(&start);
	this_cpu()->hypercalls++;
	if (!modes_through(&stop, code, HYPERCALL_BYTES) || !is(code, modes_native()))
		fail_stop(result, "with both pages writable", &stop);
	modes_reset();
}
ABI_CLAUSE(across_pages, "ABI-INSN-06", "abi.insn.wrong_across_pages", ABI_KVM);

/* ABI-INSN-07: with the quirk off (KVM_CAP_DISABLE_QUIRKS2, Linux 5.19) it is #UD and not patched.
 */
static void quirk_off(struct test_result *result)
{
	struct test_result probe = {.verdict = VERDICT_OK};

	if (patches(&probe)) {
		test_skip(result, "KVM patches here: ABI-INSN-02");
		return;
	}
	if (!is(modes_code, modes_wrong()))
		test_fail(result, "#UD, but the bytes have changed");
}
ABI_CLAUSE(quirk_off, "ABI-INSN-07", "abi.insn.wrong_with_the_quirk_off", ABI_KVM);

/* ABI-INSN-08: at CPL 3 on AMD, VMCALL is #GP(0) and not patched: KVM decodes it as privileged.
 */
static void wrong_in_ring3_amd(struct test_result *result)
{
	struct stop stop;

	if (!patches(result))
		return;
	stop = poll(MODE_64_RING3, modes_wrong(), PAGING_USER_WRITE_EXECUTE);
	if (stop.frame.vector != VECTOR_GP || stop.frame.error != 0 ||
	    stop.frame.rip != (uint64_t)modes_code)
		fail_stop(result, "VMCALL at CPL 3", &stop);
	if (!is(modes_code, modes_wrong()))
		test_fail(result, "it was patched from CPL 3");
}
ABI_CLAUSE(wrong_in_ring3_amd, "ABI-INSN-08", "abi.insn.vmcall_in_ring3", ABI_KVM,
	   .conditions = ABI_AMD);

/* ABI-INSN-09: at CPL 3 on Intel, VMMCALL is patched and returns -1, or is a user's write fault.
 */
static void wrong_in_ring3_intel(struct test_result *result)
{
	struct stop stop;

	if (!patches(result))
		return;
	stop = poll(MODE_64_RING3, modes_wrong(), PAGING_USER_WRITE_EXECUTE);
	if (!modes_through(&stop, modes_code, HYPERCALL_BYTES) || stop.frame.rax != UINT64_MAX)
		fail_stop(result, "VMMCALL at CPL 3, writable", &stop);
	stop = poll(MODE_64_RING3, modes_wrong(), PAGING_USER_EXECUTE);
	if (stop.frame.vector != VECTOR_PF || !(stop.frame.error & PF_USER))
		fail_stop(result, "VMMCALL at CPL 3, read-only", &stop);
}
ABI_CLAUSE(wrong_in_ring3_intel, "ABI-INSN-09", "abi.insn.vmmcall_in_ring3", ABI_KVM,
	   .conditions = ABI_INTEL);

/* ABI-INSN-10: with a prefix, the patch starts at the prefix: 66 0f 01 c1 becomes 0f 01 d9 c1, and
 * the last byte begins the next instruction. Here that is one without effect: rol eax, 0. */
static void prefix_is_overwritten(struct test_result *result)
{
	static const uint8_t code[] = {0x66, 0x0f, 0x01, 0xc1, 0xc0, 0x00};
	struct trap_frame start = modes_start(MODE_64, modes_code);
	struct stop stop;

	if (!patches(result))
		return;
	modes_place(0, code, sizeof(code));
	modes_rights(0, PAGING_WRITE_EXECUTE);
	start.rax = 1;
	stop = modes_run(&start);
	this_cpu()->hypercalls++;
	if (!modes_through(&stop, modes_code, sizeof(code)))
		fail_stop(result, "66 VMCALL", &stop);
	if (is(modes_code, modes_vmmcall) && modes_code[3] == 0xc1)
		test_info(result, "the prefix was overwritten");
	else
		test_fail(result, "66 0f 01 c1 became %02x %02x %02x %02x", modes_code[0],
			  modes_code[1], modes_code[2], modes_code[3]);
	modes_reset();
}
ABI_CLAUSE(prefix_is_overwritten, "ABI-INSN-10", "abi.insn.wrong_with_a_prefix", ABI_INFO,
	   .conditions = ABI_AMD);
