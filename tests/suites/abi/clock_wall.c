/* SPDX-License-Identifier: MIT */
/*
 * MSR WALL_CLOCK: each write makes KVM fill 12 bytes with the time at which kvmclock was 0. Runs on
 * CPU 0 and restores the guest's own value. Linux Documentation/virt/kvm/x86/msr.rst
 * (MSR_KVM_WALL_CLOCK_NEW), arch/x86/kvm/x86.c (kvm_write_wall_clock).
 */
#include "kernel/cpu.h"
#include "kernel/kvm.h"
#include "kernel/layout.h"
#include "kernel/paging.h"
#include "kernel/timer.h"
#include "lib/string.h"
#include "tests/suites/abi/abi.h"
#include "tests/suites/abi/pv_msrs.h"

#define WALL_NEEDS .features = KVM_FEATURE_CLOCKSOURCE2

#define FILL       0xcc
#define WALL_BYTES sizeof(struct kvm_wall_clock)
#define SECOND     1000000000ull
#define YEAR_2020  1577836800u /* seconds since 1970 */
#define NOISE_NS   1000000     /* between two writes, as the host's clock is being adjusted */
#define WRITES     5
#define BETWEEN_NS 20000000ull /* ... for longer than NOISE_NS */

static uint8_t page[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

struct wall {
	uint32_t version, sec, nsec;
};

static struct wall read_at(size_t offset)
{
	struct wall wall;

	__asm__ volatile("" : : : "memory"); /* KVM has written */
	memcpy(&wall, page + offset, sizeof(wall));
	return wall;
}

/* Makes KVM write at `offset` of a page full of FILL, with the old version `version`. */
static struct wall write_at(struct test_result *result, size_t offset, uint32_t version)
{
	memset(page, FILL, sizeof(page));
	memcpy(page + offset, &version, sizeof(version));
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, (uint64_t)(page + offset));
	return read_at(offset);
}

static void looks_right(struct test_result *result, size_t offset, struct wall wall)
{
	if (wall.version == 0 || (wall.version & 1) || wall.sec < YEAR_2020 || wall.nsec >= SECOND)
		test_fail(result, "at offset %zu: version %u, %u s %u ns", offset, wall.version,
			  wall.sec, wall.nsec);
	for (size_t i = 0; i < sizeof(page); i++)
		if ((i < offset || i >= offset + WALL_BYTES) && page[i] != FILL) {
			test_fail(result, "wrote to offset %ld of the %zu bytes at %#zx",
				  (int64_t)(i - offset), WALL_BYTES, offset);
			return;
		}
}

/* The three words at physical address 0, where C has no objects. */
static struct wall read_at_0(void)
{
	struct wall wall;
	uint64_t from = 0, count = sizeof(wall);
	void *to = &wall;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	return wall;
}

/* Address 0 disables: nothing is written there. */
static void address_0(struct test_result *result)
{
	struct wall before, after;

	paging_set(0, PAGE_BYTES, PAGING_READ); /* normally unmapped, so that null pointers fault */
	before = read_at_0();
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, 0);
	after = read_at_0();
	paging_set(0, PAGE_BYTES, PAGING_NONE);
	if (memcmp(&before, &after, sizeof(before)) != 0)
		test_fail(result, "writes to address 0: %#x %#x %#x", after.version, after.sec,
			  after.nsec);
}

/* ABI-CLK-11: a write fills 12 bytes at once, at any alignment (bit 0 is part of the address). 0
 * and an address without RAM are accepted, and nothing is written. A read returns the value. */
static void fills(struct test_result *result)
{
	static const size_t offsets[] = {0, 1, 2, 7, PAGE_BYTES - WALL_BYTES};
	uint64_t guests = pv_read(result, MSR_KVM_WALL_CLOCK_NEW);

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		looks_right(result, offsets[i], write_at(result, offsets[i], 0));
		pv_expect(result, MSR_KVM_WALL_CLOCK_NEW, (uint64_t)(page + offsets[i]));
	}
	address_0(result);
	pv_expect(result, MSR_KVM_WALL_CLOCK_NEW, 0);
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, ABI_NO_RAM);
	pv_expect(result, MSR_KVM_WALL_CLOCK_NEW, ABI_NO_RAM);
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, guests);
}
ABI_CLAUSE(fills, "ABI-CLK-11", "abi.clk.wall_clock_fills_12_bytes", ABI_KVM, WALL_NEEDS);

/* ABI-CLK-12: the version is even afterwards; an odd one is first made even: 5, 6, then 8. */
static void version(struct test_result *result)
{
	static const uint32_t versions[][2] = {{0, 2}, {4, 6}, {5, 8}, {UINT32_MAX, 2}};
	uint64_t guests = pv_read(result, MSR_KVM_WALL_CLOCK_NEW);

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		uint32_t got = write_at(result, 0, versions[i][0]).version;

		if (got != versions[i][1])
			test_fail(result, "version %#x became %#x, expected %#x", versions[i][0],
				  got, versions[i][1]);
	}
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, guests);
}
ABI_CLAUSE(version, "ABI-CLK-12", "abi.clk.wall_clock_version_is_even", ABI_KVM, WALL_NEEDS);

/*
 * The real-time clock, Motorola MC146818: index at 0x70 (bit 7 would mask NMIs), data at 0x71. Only
 * minutes and seconds are used, because time zones differ by whole quarters of an hour.
 */
#define RTC_INDEX       0x70
#define RTC_DATA        0x71
#define RTC_SECONDS     0x00
#define RTC_MINUTES     0x02
#define RTC_STATUS_A    0x0a
#define RTC_UPDATING    0x80 /* in status A */
#define RTC_STATUS_B    0x0b
#define RTC_BINARY      0x04 /* in status B; otherwise BCD */
#define RTC_TRIES       100
#define QUARTER         900 /* seconds */
#define RTC_SECONDS_OFF 2

static uint8_t rtc(uint8_t index)
{
	out8(RTC_INDEX, index);
	return in8(RTC_DATA);
}

static uint32_t from_bcd(uint8_t byte)
{
	return (rtc(RTC_STATUS_B) & RTC_BINARY) ? byte : (byte >> 4) * 10u + (byte & 0xf);
}

/* Sets the seconds within the quarter of an hour; false if there is no such clock. */
static bool rtc_quarter(uint32_t *seconds)
{
	for (int i = 0; i < RTC_TRIES; i++) {
		uint8_t second = rtc(RTC_SECONDS), minute = rtc(RTC_MINUTES);

		if ((rtc(RTC_STATUS_A) & RTC_UPDATING) || rtc(RTC_SECONDS) != second)
			continue;
		*seconds = (from_bcd(minute) * 60 + from_bcd(second)) % QUARTER;
		return from_bcd(minute) < 60 && from_bcd(second) < 60;
	}
	return false;
}

static void compare_with_rtc(struct test_result *result)
{
	uint64_t now;
	uint32_t rtc_now, ahead;

	if (!rtc_quarter(&rtc_now)) {
		test_info(result, "no real-time clock to compare with");
		return;
	}
	now = kvm_clock_wall_ns() / SECOND;
	ahead = (QUARTER + (uint32_t)(now % QUARTER) - rtc_now) % QUARTER;
	if (ahead > RTC_SECONDS_OFF && ahead < QUARTER - RTC_SECONDS_OFF)
		test_fail(result,
			  "%lu s since 1970, and the real-time clock is at %u s of a "
			  "quarter of an hour: %u s apart",
			  now, rtc_now, ahead);
}

static uint64_t wall_ns(struct test_result *result)
{
	struct wall wall = write_at(result, 0, 0);

	return wall.sec * SECOND + wall.nsec;
}

/* ABI-CLK-13: KVM always writes the same time, that of the VM's boot; adding kvmclock gives the
 * present time. Before 6.7, KVM subtracts two clocks that it has not always read at one instant, so
 * the test takes the closest two of several writes. */
static void is_boot_time(struct test_result *result)
{
	uint64_t guests = pv_read(result, MSR_KVM_WALL_CLOCK_NEW), first, second;
	uint64_t closest = UINT64_MAX;

	second = wall_ns(result);
	for (int i = 0; i < WRITES; i++) {
		uint64_t apart;

		first = second;
		timer_sleep(BETWEEN_NS);
		second = wall_ns(result);
		apart = first > second ? first - second : second - first;
		if (apart < closest)
			closest = apart;
	}
	pv_write(result, MSR_KVM_WALL_CLOCK_NEW, guests);
	test_info(result, "%llu s, two writes %lu ns apart", second / SECOND, closest);
	if (closest > NOISE_NS)
		test_fail(result, "writes %llu ms apart differ by %lu ns and more",
			  BETWEEN_NS / 1000000, closest);
	compare_with_rtc(result);
}
ABI_CLAUSE(is_boot_time, "ABI-CLK-13", "abi.clk.wall_clock_is_boot_time", ABI_KVM, WALL_NEEDS);
