/* SPDX-License-Identifier: MIT */
/* KVM_HC_SEND_IPI at the target: its APIC's registers, a disabled APIC, illegal vectors, INIT and
 * start-up. */
#include "tests/suites/abi/ipi.h"

#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "kernel/tsc.h"
#include "lib/string.h"
#include "tests/suites/abi/scene.h"

#define TPR_ABOVE_TEST ((VECTOR_TEST / 16 + 1) * 16u) /* the next priority class, SDM 11.8.3.1 */
#define SVR_DISABLED   VECTOR_SPURIOUS                /* software enable, bit 8, is 0: SDM 11.9 */

/* CPU 1's work while CPU 0 sends to it, step by step. */
struct exchange {
	struct test_result *result;
	_Atomic uint32_t ready, go;                    /* the last step done by CPU 1, by CPU 0 */
	void (*target)(struct exchange *exchange);     /* IF=0 */
	void (*controller)(struct exchange *exchange); /* IF=1 */
	int64_t sent[2];                               /* the controller's calls */
	bool masked_irr, masked_isr, unmasked_isr;
	uint32_t masked_taken, unmasked_taken;
	bool second_irr, second_isr;
	uint32_t second_taken, eoi_taken;
};

/* CPU 1: announces that step n is done and waits for CPU 0's step. */
static void hand_over(struct exchange *exchange, uint32_t n)
{
	scene_put(&exchange->ready, n);
	scene_reaches(&exchange->go, n, WAKE_BOUND_MS);
}

static bool step_begun(struct exchange *exchange, uint32_t n)
{
	if (scene_reaches(&exchange->ready, n, WAKE_BOUND_MS))
		return true;
	test_error(exchange->result, "CPU 1 did not come to step %u", n);
	return false;
}

static void both(void *argument)
{
	struct exchange *exchange = argument;

	if (this_cpu()->index == 1) {
		exchange->target(exchange);
		return;
	}
	exchange->controller(exchange);
	scene_put(&exchange->go, UINT32_MAX); /* release it whatever happened */
}

static void play(struct exchange *exchange)
{
	ipi_begin();
	smp_run_on(2, both, exchange);
	ipi_end(exchange->result);
}

static _Atomic uint32_t kept; /* VECTOR_TESTs taken and not yet ended by an EOI */

static void take_without_eoi(struct trap_frame *frame)
{
	(void)frame;
	atomic_fetch_add_explicit(&kept, 1, memory_order_release);
}

/* Takes pending interrupts. The NOP is there because sti's shadow covers one instruction. */
static void let_interrupts_in(void)
{
	irq_enable();
	__asm__ volatile("nop");
	irq_disable();
}

/* ABI-IPI-21: for the target it is an ordinary interrupt: it waits in IRR while TPR masks it, is in
 * ISR once taken, and blocks the next one until its EOI. SDM vol. 3A, 11.8. */
static void ordinary_target(struct exchange *exchange)
{
	apic->write(APIC_TPR, TPR_ABOVE_TEST);
	hand_over(exchange, 1);
	let_interrupts_in();
	exchange->masked_irr = interrupts_bit(APIC_IRR, VECTOR_TEST);
	exchange->masked_isr = interrupts_bit(APIC_ISR, VECTOR_TEST);
	exchange->masked_taken = scene_get(&kept);
	apic->write(APIC_TPR, 0);
	let_interrupts_in();
	exchange->unmasked_taken = scene_get(&kept);
	exchange->unmasked_isr = interrupts_bit(APIC_ISR, VECTOR_TEST);
	hand_over(exchange, 2);
	let_interrupts_in();
	exchange->second_irr = interrupts_bit(APIC_IRR, VECTOR_TEST);
	exchange->second_taken = scene_get(&kept);
	apic_eoi();
	let_interrupts_in();
	exchange->eoi_taken = scene_get(&kept);
	exchange->second_isr = interrupts_bit(APIC_ISR, VECTOR_TEST);
	apic_eoi();
}

static void ordinary_controller(struct exchange *exchange)
{
	for (uint32_t step = 1; step <= 2; step++) {
		if (!step_begun(exchange, step))
			return;
		exchange->sent[step - 1] = ipi_call(exchange->result, ipi_to(ipi_id(1), ipi_id(1)));
		scene_put(&exchange->go, step);
	}
}

static void ordinary_interrupt(struct test_result *result)
{
	struct exchange exchange = {
		.result = result, .target = ordinary_target, .controller = ordinary_controller};
	const struct exchange *seen = &exchange;

	ipi_begin();
	scene_put(&kept, 0);
	traps_handle(VECTOR_TEST, take_without_eoi);
	smp_run_on(2, both, &exchange);
	ipi_begin();
	ipi_end(result);
	if (seen->sent[0] != 1 || seen->sent[1] != 1)
		test_fail(result, "SEND_IPI returned %ld and %ld, expected 1 and 1", seen->sent[0],
			  seen->sent[1]);
	if (!seen->masked_irr || seen->masked_isr || seen->masked_taken != 0)
		test_fail(result, "masked by TPR: IRR %d, ISR %d, taken %u; expected 1, 0, 0",
			  seen->masked_irr, seen->masked_isr, seen->masked_taken);
	if (seen->unmasked_taken != 1 || !seen->unmasked_isr)
		test_fail(result, "TPR 0: taken %u, ISR %d; expected 1, 1", seen->unmasked_taken,
			  seen->unmasked_isr);
	if (!seen->second_irr || seen->second_taken != 1)
		test_fail(result, "a second one before the EOI: IRR %d, taken %u; expected 1, 1",
			  seen->second_irr, seen->second_taken);
	if (seen->eoi_taken != 2 || !seen->second_isr)
		test_fail(result, "after the EOI: taken %u, ISR %d; expected 2, 1", seen->eoi_taken,
			  seen->second_isr);
}
ABI_CLAUSE(ordinary_interrupt, "ABI-IPI-21", "abi.ipi.is_an_ordinary_interrupt", ABI_KVM,
	   IPI_NEEDS);

/* ABI-IPI-18: an APIC that is disabled, by software (SVR) or globally (IA32_APIC_BASE), accepts no
 * fixed interrupt and is not counted. */
static void off_target(struct exchange *exchange)
{
	apic->write(APIC_SPURIOUS, SVR_DISABLED);
	hand_over(exchange, 1);
	apic_enable();
	hand_over(exchange, 2);
	wrmsr(MSR_APIC_BASE,
	      rdmsr(MSR_APIC_BASE) & ~(uint64_t)(APIC_BASE_ENABLE | APIC_BASE_X2APIC));
	hand_over(exchange, 3);
	apic_enable();
	hand_over(exchange, 4);
}

static void off_controller(struct exchange *exchange)
{
	static const char *const what[] = {"software-disabled", "enabled again", "off as a whole",
					   "switched on again"};

	for (uint32_t step = 1; step <= 4; step++) {
		int64_t got, wanted = step % 2 == 0;

		if (!step_begun(exchange, step))
			return;
		got = ipi_call(exchange->result, ipi_to(ipi_id(1), ipi_id(1)));
		if (got != wanted)
			test_fail(exchange->result, "target's APIC %s: returned %ld, expected %ld",
				  what[step - 1], got, wanted);
		scene_put(&exchange->go, step);
	}
}

static void apic_off(struct test_result *result)
{
	struct exchange exchange = {
		.result = result, .target = off_target, .controller = off_controller};
	uint32_t taken;

	play(&exchange);
	taken = interrupts_taken(1, VECTOR_TEST);
	/* The interrupts of steps 2 and 4, unless one was still pending when the APIC was disabled.
	 */
	if (taken < 1 || taken > 2)
		test_fail(result, "CPU 1 took %u interrupts, expected 1 or 2", taken);
}
ABI_CLAUSE(apic_off, "ABI-IPI-18", "abi.ipi.disabled_apic_is_not_counted", ABI_KVM, IPI_NEEDS);

/* Runs on CPU 1: reads its IRR for vectors 0..31. */
static void read_irr(void *word)
{
	if (this_cpu()->index == 1)
		*(uint32_t *)word = apic->read(APIC_IRR);
}

/* ABI-IPI-15: the illegal vectors 0..15 (SDM vol. 3A, 11.5.2) are accepted and counted but never
 * delivered; they stay in IRR until INIT. */
static void illegal_vectors(struct test_result *result)
{
	uint32_t irr = 0, irr_after_init = 0;
	struct ipi ipi = ipi_to(ipi_id(1), ipi_id(1));

	ipi_begin();
	ipi.icr = 0;
	ipi_expect(result, "vector 0", ipi, 1, 0, 0);
	ipi.icr = 15;
	ipi_expect(result, "vector 15", ipi, 1, 0, 0);
	smp_run_on(2, read_irr, &irr);
	ipi_end(result);
	if (!scene_rejoin_target(result))
		return;
	smp_run_on(2, read_irr, &irr_after_init);
	if (irr != 0x8001 || irr_after_init != 0)
		test_fail(result,
			  "IRR of vectors 0..31 is %#x, after INIT %#x; expected 0x8001, 0x0", irr,
			  irr_after_init);
}
ABI_CLAUSE(illegal_vectors, "ABI-IPI-15", "abi.ipi.illegal_vectors_stay_in_irr", ABI_KVM,
	   IPI_NEEDS);

#define BLOB_BASE 0xb000u /* a page of low memory whose number is a SIPI vector */
#define BLOB_WORD 0x0800u /* offset that the blob writes to */
#define BLOB_SIGN 0x5350u /* "PS" */

/* 16-bit code, cs = BLOB_BASE >> 4, ip = 0 (SDM vol. 3A, 9.4.4.1; opcodes: vol. 2). */
static const uint8_t blob[] = {
	0xfa, /* cli */
	0x2e,           0xc7, 0x06, 0x00, 0x08, BLOB_SIGN & 0xff,
	BLOB_SIGN >> 8,       /* mov word [cs:800h], 5350h */
	0xf4,                 /* hlt */
	0xeb,           0xfd, /* jmp to the hlt */
};

/* True once CPU 1 no longer accepts fixed interrupts, because INIT has disabled its APIC. */
static bool init_took_effect(struct test_result *result)
{
	uint64_t start = rdtsc(), bound = tsc_from_ns(WAKE_BOUND_MS * 1000000ull);

	while (ipi_call(result, ipi_to(ipi_id(1), ipi_id(1))) != 0)
		if (rdtsc() - start > bound)
			return false;
	return true;
}

/* INIT and start-up of CPU 1 at the blob, by SEND_IPI. */
static void init_and_start(struct test_result *result, const uint16_t *word)
{
	struct ipi ipi = ipi_to(ipi_id(1), ipi_id(1));
	uint64_t start, bound = tsc_from_ns(WAKE_BOUND_MS * 1000000ull);
	int64_t init, startup;

	ipi.icr = ICR_INIT | ICR_ASSERT;
	init = ipi_call(result, ipi);
	if (init != 1 || !init_took_effect(result)) {
		test_fail(result, "INIT returned %ld, and the target %s", init,
			  init == 1 ? "still takes interrupts" : "was not looked at");
		return;
	}
	ipi.icr = ICR_STARTUP | BLOB_BASE / 4096;
	startup = ipi_call(result, ipi);
	if (startup != 1)
		test_fail(result, "start-up returned %ld, expected 1", startup);
	start = rdtsc();
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != BLOB_SIGN)
		if (rdtsc() - start > bound) {
			test_fail(result, "the target was not started");
			return;
		}
	smp_cpu(1)->halts++; /* by the blob */
}

/* ABI-IPI-14: INIT and start-up are not filtered: the target is reset, and starts in real mode.
 * (SMI is not filtered either; it would run the firmware's handler, so it is not sent here.) */
static void init_and_startup(struct test_result *result)
{
	const uint16_t *word = (const uint16_t *)(uint64_t)(BLOB_BASE + BLOB_WORD);

	memset((void *)(uint64_t)BLOB_BASE, 0, BLOB_WORD + sizeof(*word));
	memcpy((void *)(uint64_t)BLOB_BASE, blob, sizeof(blob));
	ipi_begin();
	init_and_start(result, word);
	scene_rejoin_target(result);
	ipi_end(result);
}
ABI_CLAUSE(init_and_startup, "ABI-IPI-14", "abi.ipi.init_and_startup_are_not_filtered", ABI_KVM,
	   IPI_NEEDS);
