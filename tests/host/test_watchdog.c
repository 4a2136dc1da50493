/* SPDX-License-Identifier: MIT */
/*
 * kernel/watchdog.c on HPETs as firmware may leave them: timers that run, 32 bits only, switched
 * off. The registers are plain memory here, so of the I/O APIC only the last access is seen.
 */
#include "kernel/watchdog.h"

#include "kernel/apic.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "tests/host/test.h"
#include <string.h>
#include <sys/mman.h>

#define IOAPIC          0x10000000 /* anywhere below 4 GiB */
#define HPET            0x10001000
#define BYTES           0x2000
#define TIMERS          3
#define PERIOD_FS       10000000            /* 10 ns */
#define CAPABLE         0x0000a000          /* legacy replacement, 64 bits */
#define RUNNING         0x0000406c          /* by messages, periodic, enabled, capable of 64 bits */
#define STOPPED         (RUNNING & ~0x4004) /* 2.3.8: what it can, and how it would count, stays */
#define TIMER(i)        (0x100 + 0x20 * (i)) /* its configuration */
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
	const struct machine m = {.cpus.ioapic_address = IOAPIC};

	memset(reg(IOAPIC), 0, BYTES);
	*reg(HPET) = capabilities | (TIMERS - 1) << 8;
	*reg(HPET + 4) = period;
	for (int i = 0; i < TIMERS; i++)
		*reg(HPET + TIMER(i)) = RUNNING;
	listed = true;
	bitten = 0;
	watchdog_init(&boot, &m);
}

static void bite(void *unused)
{
	(void)unused;
	bitten++;
}

static void what_firmware_left_running_is_stopped(void **state)
{
	(void)state;
	for (uint32_t capabilities = 0; capabilities <= CAPABLE; capabilities += CAPABLE) {
		init(capabilities, PERIOD_FS);
		for (int i = 0; i < TIMERS; i++)
			assert_int_equal(*reg(HPET + TIMER(i)), STOPPED);
		assert_string_equal(watchdog_source(), capabilities ? "hpet" : "none");
	}
	assert_int_equal(*reg(HPET + 0x10), 3);       /* runs, in legacy replacement mode */
	assert_int_equal(*reg(IOAPIC), 0x14);         /* pin 2 */
	assert_int_equal(*reg(IOAPIC + 0x10), 0x400); /* an NMI, not masked */
}

static void one_that_is_off_is_left_alone(void **state)
{
	(void)state;
	init(0xffffffff, 0xffffffff);
	assert_string_equal(watchdog_source(), "none");
	assert_int_equal(*reg(HPET + TIMER(1)), RUNNING);
	init(CAPABLE, 0);
	assert_string_equal(watchdog_source(), "none");
	watchdog_start(1000000, bite, NULL);
	assert_false(watchdog_bites());
}

static void it_bites_when_time_is_up(void **state)
{
	(void)state;
	init(CAPABLE, PERIOD_FS);
	set_counter(UINT64_C(0x1ffffffff));
	watchdog_start(5000000, bite, NULL);
	assert_true(compare() == UINT64_C(0x1ffffffff) + NS_TO_TICKS(5000000));
	assert_int_equal(*reg(HPET + TIMER(0)), 4);
	set_counter(compare() - 1);
	assert_false(watchdog_bites()); /* an NMI from elsewhere */
	set_counter(compare());
	assert_true(watchdog_bites());
	assert_int_equal(bitten, 1);
	assert_false(watchdog_bites()); /* once */
	assert_int_equal(bitten, 1);
}

/* What it bounds ends just as time is up: the NMI that is under way is nobody else's, and no bite.
 */
static void the_nmi_of_a_bound_just_lifted(void **state)
{
	(void)state;
	init(CAPABLE, PERIOD_FS);
	watchdog_start(5000000, bite, NULL);
	set_counter(compare() + 1);
	watchdog_stop();
	assert_int_equal(*reg(HPET + TIMER(0)), 0);
	assert_true(watchdog_bites());
	assert_false(watchdog_bites());
	watchdog_start(5000000, bite, NULL);
	watchdog_stop();
	assert_false(watchdog_bites());
	assert_int_equal(bitten, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_firmware_left_running_is_stopped),
		cmocka_unit_test(one_that_is_off_is_left_alone),
		cmocka_unit_test(it_bites_when_time_is_up),
		cmocka_unit_test(the_nmi_of_a_bound_just_lifted),
	};

	if (mmap(reg(IOAPIC), BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != reg(IOAPIC))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
