/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/watchdog.c, hpet.c and ioapic.c with HPETs as firmware may leave them: with running
 * timers, with only 32 bits, switched off. The registers are plain memory, so only the last access
 * to an I/O APIC can be checked.
 */
#include "kernel/watchdog.h"

#include "kernel/apic.h"
#include "kernel/hpet.h"
#include "kernel/ioapic.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "kernel/traps.h"
#include "tests/host/test.h"
#include <string.h>
#include <sys/mman.h>

#define IOAPIC          0x10000000 /* anywhere below 4 GiB */
#define HPET            0x10001000
#define IOAPIC_2        0x10002000
#define BYTES           0x3000
#define TIMERS          3
#define PERIOD_FS       10000000            /* 10 ns */
#define CAPABLE_32      0x00008000          /* legacy replacement */
#define CAPABLE         0x0000a000          /* the same, and 64 bits */
#define RUNNING         0x0000406c          /* by messages, periodic, enabled, capable of 64 bits */
#define STOPPED         (RUNNING & ~0x4004) /* 2.3.8: capability and mode bits stay */
#define TIMER(i)        (0x100 + 0x20 * (i)) /* configuration register */
#define NS_TO_TICKS(ns) ((ns) / 10)

static uint32_t bitten;
static bool listed;

static uint32_t id(void)
{
	return 7;
}

static const struct apic_ops ops = {.id = id};
const struct apic_ops *apic = &ops;

void paging_set(uint64_t address, size_t bytes, enum paging_rights rights)
{
	assert_true(address % 4096 == 0 && bytes == 4096 && rights == PAGING_DEVICE);
}

static bool (*nmi_first)(struct trap_frame *frame);

void traps_handle_nmi_first(bool (*is_its)(struct trap_frame *frame))
{
	nmi_first = is_its;
}

void traps_leave_nmi(struct trap_frame *frame, void (*fn)(const struct trap_frame *frame))
{
	fn(frame);
}

const void *memory_map_physical(uint64_t address, size_t length)
{
	(void)address;
	(void)length;
	return NULL;
}

enum acpi_status acpi_find_hpet(acpi_map_fn map, uint64_t rsdp, uint64_t *address, char *detail,
				size_t detail_size)
{
	(void)map;
	(void)rsdp;
	(void)detail;
	(void)detail_size;
	*address = HPET;
	return listed ? ACPI_OK : ACPI_NO_HPET;
}

static uint32_t *reg(uint64_t address)
{
	return (uint32_t *)address;
}

static void set_counter(uint64_t ticks)
{
	memcpy(reg(HPET + 0xf0), &ticks, sizeof(ticks));
}

static uint64_t compare(void)
{
	uint64_t ticks;

	memcpy(&ticks, reg(HPET + 0x108), sizeof(ticks));
	return ticks;
}

static void init(uint32_t capabilities, uint32_t period)
{
	const struct boot_info boot = {.rsdp = 0};
	const struct acpi_cpus cpus = {
		.ioapic = {{.address = IOAPIC_2, .first_interrupt = 24}, {.address = IOAPIC}},
		.ioapics = 2,
	};

	memset(reg(IOAPIC), 0, BYTES);
	*reg(HPET) = capabilities | (TIMERS - 1) << 8;
	*reg(HPET + 4) = period;
	*reg(IOAPIC_2 + 0x10) = 0x00010000; /* read as the version: 2 pins */
	for (int i = 0; i < TIMERS; i++)
		*reg(HPET + TIMER(i)) = RUNNING;
	listed = true;
	bitten = 0;
	hpet_init(&boot);
	ioapic_init(&cpus);
	watchdog_init();
}

static void bite(void *unused)
{
	(void)unused;
	bitten++;
}

static bool bites(void)
{
	struct trap_frame frame = {.rip = 0};

	return nmi_first != NULL && nmi_first(&frame);
}

static void stops_timers_that_firmware_left_running(void **state)
{
	(void)state;
	for (uint32_t capabilities = 0; capabilities <= CAPABLE; capabilities += CAPABLE_32) {
		init(capabilities, PERIOD_FS);
		for (int i = 0; i < TIMERS; i++)
			assert_int_equal(*reg(HPET + TIMER(i)), STOPPED);
		assert_string_equal(watchdog_source(), capabilities ? "hpet" : "none");
		assert_int_equal(*reg(HPET + 0x10) & 1, 1); /* it counts in any case */
	}
	init(CAPABLE, PERIOD_FS);
	assert_int_equal(*reg(IOAPIC_2), 0x12);              /* its second and last pin */
	assert_int_equal(*reg(IOAPIC_2 + 0x10), 0x00010000); /* masked */
	assert_int_equal(*reg(HPET + 0x10), 3);              /* runs, in legacy replacement mode */
	assert_int_equal(*reg(IOAPIC), 0x14);                /* pin 2 */
	assert_int_equal(*reg(IOAPIC + 0x10), 0x400);        /* an NMI, not masked */
}

static void leaves_a_disabled_hpet_alone(void **state)
{
	(void)state;
	init(0xffffffff, 0xffffffff);
	assert_string_equal(watchdog_source(), "none");
	assert_int_equal(*reg(HPET + TIMER(1)), RUNNING);
	init(CAPABLE, 0);
	assert_string_equal(watchdog_source(), "none");
	watchdog_start(1000000, bite, NULL);
	assert_false(bites());
}

static void it_bites_when_time_is_up(void **state)
{
	(void)state;
	init(CAPABLE, PERIOD_FS);
	set_counter(UINT64_C(0x1ffffffff));
	watchdog_start(5000000, bite, NULL);
	assert_true(compare() == UINT64_C(0x1ffffffff) + NS_TO_TICKS(5000000) + 1);
	assert_int_equal(*reg(HPET + TIMER(0)), 4);
	set_counter(compare() - 1);
	assert_false(bites()); /* an NMI from another source */
	set_counter(compare());
	assert_true(bites());
	assert_int_equal(bitten, 1);
	assert_false(bites()); /* once */
	assert_int_equal(bitten, 1);
}

/* If the bound is longer than the counter's range, the watchdog waits in steps and bites after the
 * last. */
static void a_counter_of_32_bits(void **state)
{
	const uint64_t wanted = NS_TO_TICKS(UINT64_C(100000000000)) + 1; /* two ranges and more */
	uint64_t ticks = 0xfffff000, waited = 0;

	(void)state;
	init(CAPABLE_32, PERIOD_FS);
	set_counter(ticks);
	watchdog_start(UINT64_C(100000000000), bite, NULL);
	for (int step = 0; bitten == 0; step++) {
		uint32_t next = (uint32_t)(compare() - ticks);

		assert_true(step < 6 && compare() <= UINT32_MAX);
		set_counter((uint32_t)(ticks + next - 1));
		assert_false(bites());
		ticks += next;
		waited += next;
		set_counter((uint32_t)ticks);
		assert_true(bites());
	}
	assert_true(waited == wanted);
}

/* If the bounded step ends just as time is up, an NMI may be under way. The watchdog takes it, but
 * does not bite. */
static void takes_the_nmi_of_a_bound_just_lifted(void **state)
{
	(void)state;
	init(CAPABLE, PERIOD_FS);
	watchdog_start(5000000, bite, NULL);
	set_counter(compare() + 1);
	watchdog_stop();
	assert_int_equal(*reg(HPET + TIMER(0)), 0);
	assert_true(bites());
	assert_false(bites());
	watchdog_start(5000000, bite, NULL);
	watchdog_stop();
	assert_false(bites());
	assert_int_equal(bitten, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_timers_that_firmware_left_running),
		cmocka_unit_test(leaves_a_disabled_hpet_alone),
		cmocka_unit_test(it_bites_when_time_is_up),
		cmocka_unit_test(a_counter_of_32_bits),
		cmocka_unit_test(takes_the_nmi_of_a_bound_just_lifted),
	};

	if (mmap(reg(IOAPIC), BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != reg(IOAPIC))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
