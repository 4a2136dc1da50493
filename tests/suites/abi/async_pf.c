/* SPDX-License-Identifier: MIT */
/*
 * Async page faults, MSRs 0x4b564d02, 06 and 07: which values are accepted, and `page ready'.
 * Enabled on CPU 0 and only during these tests, because a completed fault ends a HLT. Missing pages
 * (ABI-APF-07, 09) would need a host that swaps the guest's memory out. Linux
 * Documentation/virt/kvm/x86/msr.rst (MSR_KVM_ASYNC_PF_EN, _INT, _ACK), arch/x86/kvm/x86.c
 * (kvm_pv_enable_async_pf, kvm_pv_enable_async_pf_int).
 */
#include "kernel/apic.h"
#include "kernel/timer.h"
#include "kernel/traps.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"
#include "tests/suites/abi/scene.h"

/* MSR_KVM_ASYNC_PF_EN, msr.rst */
#define APF_ENABLE    (1ull << 0)
#define APF_AS_VMEXIT (1ull << 2) /* as a #PF VM exit to a nested hypervisor */
#define APF_BY_INT    (1ull << 3) /* `page ready' comes by interrupt */
#define APF_RESERVED1 (1ull << 4)
#define APF_RESERVED2 (1ull << 5)

#define APF_NEEDS .features = KVM_FEATURE_ASYNC_PF, .conditions = ABI_IRQCHIP
#define INT_NEEDS \
	.features = KVM_FEATURE_ASYNC_PF | KVM_FEATURE_ASYNC_PF_INT, .conditions = ABI_IRQCHIP

#define TOKEN_ALL UINT32_MAX /* all pages are ready: msr.rst */
#define SLEEP_NS  20000000ull

static struct {
	_Atomic uint32_t flags, token;
	uint32_t pad[14];
} area __attribute__((aligned(64)));

static _Atomic uint32_t taken; /* `page ready' interrupts */

static uint64_t address(void)
{
	return (uint64_t)&area;
}

static uint32_t token(void)
{
	return scene_get(&area.token);
}

static void set_token(uint32_t value)
{
	scene_put(&area.token, value);
}

static void disable(struct test_result *result)
{
	pv_write(result, MSR_KVM_ASYNC_PF_EN, 0);
}

/* ABI-APF-01: bits 5:4 must be 0: else #GP. */
static void reserved_bits(struct test_result *result)
{
	static const uint64_t bits[] = {APF_RESERVED1, APF_RESERVED2,
					APF_RESERVED1 | APF_RESERVED2};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | bits[i]);
		pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | bits[i] | APF_ENABLE);
	}
}
ABI_CLAUSE(reserved_bits, "ABI-APF-01", "abi.apf.reserved_bits_fault", ABI_MUST, APF_NEEDS);

static void handler(struct trap_frame *frame)
{
	(void)frame;
	scene_put(&taken, scene_get(&taken) + 1);
	apic_eoi();
}

/* Disabled, `page ready' by VECTOR_TEST, no token in the area. */
static void begin(struct test_result *result)
{
	disable(result);
	scene_put(&taken, 0);
	set_token(0);
	traps_handle(VECTOR_TEST, handler);
	pv_write(result, MSR_KVM_ASYNC_PF_INT, VECTOR_TEST);
}

static void end(struct test_result *result)
{
	disable(result);
	timer_sleep(SLEEP_NS); /* interrupts under way arrive while there is a handler */
	pv_write(result, MSR_KVM_ASYNC_PF_INT, 0);
	traps_handle(VECTOR_TEST, NULL);
}

/* Fails unless exactly `count` interrupts have come so far. */
static void expect_taken(struct test_result *result, uint32_t count, const char *after)
{
	if (count > 0 && !scene_reaches(&taken, count, WAKE_BOUND_MS))
		test_fail(result, "interrupt %u did not come %s", count, after);
	timer_sleep(SLEEP_NS);
	if (scene_get(&taken) > count)
		test_fail(result, "interrupt %u came %s", count + 1, after);
}

/* ABI-APF-02: bit 0 without bit 3 is accepted, and since Linux 5.9 does nothing. */
static void inert(struct test_result *result)
{
	begin(result);
	if (pv_write(result, MSR_KVM_ASYNC_PF_EN, address() | APF_ENABLE))
		pv_expect(result, MSR_KVM_ASYNC_PF_EN, address() | APF_ENABLE);
	expect_taken(result, 0, "without bit 3");
	if (token() != 0)
		test_fail(result, "token %#x, expected none", token());
	end(result);
}
ABI_CLAUSE(inert, "ABI-APF-02", "abi.apf.enable_without_interrupt_is_inert", ABI_KVM, INT_NEEDS);

/* ABI-APF-03: the vector has 8 bits; any higher bit is #GP. */
static void vector(struct test_result *result)
{
	static const uint64_t good[] = {VECTOR_TEST, 0xff, 0};
	static const uint64_t bad[] = {0x100, 0x1ff, 1ull << 32, 1ull << 63};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (pv_write(result, MSR_KVM_ASYNC_PF_INT, good[i]))
			pv_expect(result, MSR_KVM_ASYNC_PF_INT, good[i]);
	pv_write(result, MSR_KVM_ASYNC_PF_INT, VECTOR_TEST);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		pv_write_faults(result, MSR_KVM_ASYNC_PF_INT, bad[i]);
	pv_write(result, MSR_KVM_ASYNC_PF_INT, 0);
}
ABI_CLAUSE(vector, "ABI-APF-03", "abi.apf.vector_is_8_bits", ABI_MUST, INT_NEEDS);

/*
 * ABI-APF-04: the acknowledgement takes any value, acts on bit 0 alone, and reads 0. Its effect is
 * visible without a missing page: each time the feature is enabled, KVM at once sends `page ready'
 * for all pages, token ~0 (kvm_async_pf_wakeup_all), but the second one only after the first token
 * has been taken out of the area and acknowledged.
 */
static void acknowledge(struct test_result *result)
{
	static const uint64_t without_bit_0[] = {0, 2, ~1ull};
	uint64_t enable = address() | APF_ENABLE | APF_BY_INT;

	begin(result);
	pv_write(result, MSR_KVM_ASYNC_PF_EN, enable);
	expect_taken(result, 1, "when enabled");
	if (token() != TOKEN_ALL)
		test_fail(result, "token %#x when enabled, expected %#x", token(), TOKEN_ALL);
	pv_write(result, MSR_KVM_ASYNC_PF_EN, enable);
	expect_taken(result, 1, "while the token is in the area");
	set_token(0);
	for (size_t i = 0; i < sizeof(without_bit_0) / sizeof(without_bit_0[0]); i++) {
		pv_write(result, MSR_KVM_ASYNC_PF_ACK, without_bit_0[i]);
		pv_expect(result, MSR_KVM_ASYNC_PF_ACK, 0);
	}
	expect_taken(result, 1, "on acknowledgements without bit 0");
	pv_write(result, MSR_KVM_ASYNC_PF_ACK, 1);
	expect_taken(result, 2, "after the acknowledgement");
	pv_expect(result, MSR_KVM_ASYNC_PF_ACK, 0);
	end(result);
}
ABI_CLAUSE(acknowledge, "ABI-APF-04", "abi.apf.ack_acts_by_bit_0_and_reads_0", ABI_KVM, INT_NEEDS);

/* ABI-APF-05: enabling an address without RAM is #GP. At least up to Linux 6.12 the MSR
 * nevertheless keeps the value; sources of 2026 check the address first. */
static void without_ram(struct test_result *result)
{
	uint64_t bad = ABI_NO_RAM | APF_ENABLE | APF_BY_INT, now;
	struct abi_result wrote;

	disable(result);
	wrote = abi_wrmsr(MSR_KVM_ASYNC_PF_EN, bad);
	now = pv_read(result, MSR_KVM_ASYNC_PF_EN);
	disable(result);
	pv_expect_gp(result, "wrmsr", MSR_KVM_ASYNC_PF_EN, wrote);
	if (now != 0 && now != bad)
		test_fail(result, "after the #GP the MSR is %#lx, expected 0 or %#lx", now, bad);
	test_info(result, "the MSR reads %#lx after the #GP", now);
}
ABI_CLAUSE(without_ram, "ABI-APF-05", "abi.apf.address_without_ram_faults", ABI_KVM, INT_NEEDS);

/* ABI-APF-06: without a local APIC in KVM nothing can deliver the interrupt: the MSR accepts only
 * 0, and no vector is accepted. */
static void without_irqchip(struct test_result *result)
{
	pv_write(result, MSR_KVM_ASYNC_PF_EN, 0);
	pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | APF_ENABLE);
	pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | APF_ENABLE | APF_BY_INT);
	pv_write_faults(result, MSR_KVM_ASYNC_PF_INT, VECTOR_TEST);
	pv_write_faults(result, MSR_KVM_ASYNC_PF_INT, 0);
}
ABI_CLAUSE(without_irqchip, "ABI-APF-06", "abi.apf.needs_the_irqchip", ABI_KVM,
	   .conditions = ABI_NO_IRQCHIP | ABI_NO_ENFORCE);

/* ABI-APF-08: with enforcement, a way of delivery whose feature bit is hidden is #GP. */
static void hidden_delivery(struct test_result *result)
{
	static const struct {
		uint64_t bit;
		uint32_t feature;
	} ways[] = {{APF_AS_VMEXIT, KVM_FEATURE_ASYNC_PF_VMEXIT},
		    {APF_BY_INT, KVM_FEATURE_ASYNC_PF_INT}};
	uint32_t hidden = 0;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (machine.kvm.features & ways[i].feature) {
			pv_write(result, MSR_KVM_ASYNC_PF_EN, address() | ways[i].bit);
			disable(result);
			continue;
		}
		hidden++;
		pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | ways[i].bit);
		pv_write_faults(result, MSR_KVM_ASYNC_PF_EN, address() | ways[i].bit | APF_ENABLE);
	}
	if (hidden == 0)
		test_skip(result, "both ways of delivery are offered");
	else
		test_info(result, "%u of 2 ways of delivery are hidden", hidden);
}
ABI_CLAUSE(hidden_delivery, "ABI-APF-08", "abi.apf.hidden_delivery_faults", ABI_KVM,
	   .features = KVM_FEATURE_ASYNC_PF, .conditions = ABI_IRQCHIP | ABI_ENFORCE);
