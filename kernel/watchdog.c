/* SPDX-License-Identifier: MIT */
/*
 * Why the HPET: the local APIC's timer sends maskable interrupts only, performance counters are
 * missing in most VMs, and another vCPU that watched CPU 0 would have to run in the measured phase.
 * The HPET's timer 0 in legacy replacement mode raises the I/O APIC's pin 2 (IA-PC HPET
 * Specification 1.0a, 2.3.3, 2.3.9), whose entry may say NMI (82093AA I/O APIC data sheet, 3.2.4).
 * That mode also takes the 8254's tick, which the firmware has left running, off the pin.
 */
#include "kernel/watchdog.h"

#include "kernel/apic.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "pvspin/layout.h"
#include <stdatomic.h>
#include <stddef.h>

/* HPET registers, 2.3.1; accessed by halves, which all implementations allow (2.3.2). */
#define HPET_CAPABILITIES   0x000 /* bit 15: legacy replacement, bit 13: 64-bit counter */
#define HPET_PERIOD         0x004 /* of a tick, in fs */
#define HPET_CONFIGURATION  0x010
#define HPET_COUNTER        0x0f0
#define HPET_TIMER0         0x100 /* configuration */
#define HPET_TIMER0_COMPARE 0x108
#define HPET_TIMER_STRIDE   0x20

#define LAST_TIMER(low)  ((low) >> 8 & 0x1f)
#define CAPABLE_LEGACY   (1u << 15)
#define CAPABLE_64       (1u << 13)
#define CONFIGURE_RUN    (1u << 0)
#define CONFIGURE_LEGACY (1u << 1)
#define TIMER_INTERRUPTS (1u << 2) /* one-shot and edge-triggered with all other bits 0 */
#define TIMER_CAPABLE_64 (1u << 5)
#define TIMER_MESSAGES   (1u << 14) /* by the FSB, 2.3.8: past the I/O APIC */
#define PERIOD_MAX_FS    100000000  /* 2.3.4 */
#define FS_PER_MS        1000000000000
#define NS_PER_MS        1000000

/* I/O APIC: an index and a data register; two words for each pin. */
#define IOAPIC_DATA         0x10
#define IOAPIC_VERSION      0x01
#define IOAPIC_LAST_PIN(v)  ((v) >> 16 & 0xff)
#define IOAPIC_PIN_LOW(pin) (0x10 + 2 * (pin))
#define IOAPIC_MASKED       (1u << 16)
#define IOAPIC_MODE         (7u << 8)
#define IOAPIC_SMI          (2u << 8)
#define IOAPIC_NMI          (4u << 8) /* edge-triggered, active high, physical destination */
#define IOAPIC_DESTINATION  24
#define IOAPIC_MAX_ID       0xfe
#define LEGACY_TIMER_PIN    2

static volatile uint32_t *hpet; /* NULL: no watchdog */
static uint64_t period_fs;
static uint64_t deadline; /* by the HPET: the TSC's rate may be badly known; 0: none set */
static uint64_t span_ns;
static bool late; /* time was up when the bound was lifted: its NMI may be under way */
static void (*callback)(void *arg);
static void *callback_argument;

static volatile uint32_t *map_registers(uint64_t address)
{
	uint64_t page = address & ~(uint64_t)(PAGE_BYTES - 1);

	if (address == 0 || address >= MEMORY_MAPPED_END)
		return NULL;
	paging_set(page, PAGE_BYTES, PAGING_DEVICE);
	return (volatile uint32_t *)address;
}

static void set(uint32_t offset, uint32_t value)
{
	hpet[offset / 4] = value;
}

static uint32_t ioapic_read(volatile uint32_t *ioapic, uint32_t index)
{
	ioapic[0] = index;
	return ioapic[IOAPIC_DATA / 4];
}

static void ioapic_write(volatile uint32_t *ioapic, uint32_t index, uint32_t value)
{
	ioapic[0] = index;
	ioapic[IOAPIC_DATA / 4] = value;
}

/*
 * What firmware has left running goes on under us (UEFI's tick is often an HPET's): an interrupt by
 * a vector that nobody here knows is a panic, by one that we use too it comes into measured phases.
 * An SMI is the firmware's own business.
 */
static void mask_pins(volatile uint32_t *ioapic)
{
	uint32_t last = IOAPIC_LAST_PIN(ioapic_read(ioapic, IOAPIC_VERSION));

	for (uint32_t pin = 0; pin <= last; pin++) {
		uint32_t entry = ioapic_read(ioapic, IOAPIC_PIN_LOW(pin));

		if ((entry & IOAPIC_MODE) != IOAPIC_SMI)
			ioapic_write(ioapic, IOAPIC_PIN_LOW(pin), entry | IOAPIC_MASKED);
	}
}

static void stop_timers(void)
{
	uint32_t last = LAST_TIMER(hpet[HPET_CAPABILITIES / 4]);

	for (uint32_t i = 0; i <= last; i++) {
		uint32_t timer = HPET_TIMER0 + i * HPET_TIMER_STRIDE;

		set(timer, hpet[timer / 4] & ~(TIMER_INTERRUPTS | TIMER_MESSAGES));
	}
}

static void route(volatile uint32_t *ioapic, uint32_t apic_id)
{
	ioapic_write(ioapic, IOAPIC_PIN_LOW(LEGACY_TIMER_PIN), IOAPIC_MASKED);
	ioapic_write(ioapic, IOAPIC_PIN_LOW(LEGACY_TIMER_PIN) + 1, apic_id << IOAPIC_DESTINATION);
	set(HPET_CONFIGURATION, CONFIGURE_RUN | CONFIGURE_LEGACY);
	ioapic_write(ioapic, IOAPIC_PIN_LOW(LEGACY_TIMER_PIN), IOAPIC_NMI);
}

/* One that answers: where the firmware has switched it off, all reads are ones. */
static volatile uint32_t *find_hpet(const struct boot_info *boot)
{
	uint64_t address;

	if (acpi_find_hpet(memory_map_physical, boot->rsdp, &address, NULL, 0) != ACPI_OK)
		return NULL;
	hpet = map_registers(address);
	if (hpet == NULL)
		return NULL;
	period_fs = hpet[HPET_PERIOD / 4];
	return period_fs == 0 || period_fs > PERIOD_MAX_FS ? NULL : hpet;
}

static bool can_bite(void)
{
	uint32_t capabilities = hpet[HPET_CAPABILITIES / 4];

	return (capabilities & CAPABLE_LEGACY) && (capabilities & CAPABLE_64) &&
	       (hpet[HPET_TIMER0 / 4] & TIMER_CAPABLE_64) && apic->id() <= IOAPIC_MAX_ID;
}

void watchdog_init(const struct boot_info *boot, const struct machine *m)
{
	volatile uint32_t *ioapic = map_registers(m->cpus.ioapic_address);

	if (ioapic != NULL)
		mask_pins(ioapic);
	hpet = find_hpet(boot);
	if (hpet == NULL)
		return;
	stop_timers();
	if (ioapic != NULL && can_bite())
		route(ioapic, apic->id());
	else
		hpet = NULL;
}

const char *watchdog_source(void)
{
	return hpet != NULL ? "hpet" : "none";
}

static uint64_t counter(void)
{
	uint32_t high, low;

	do {
		high = hpet[HPET_COUNTER / 4 + 1];
		low = hpet[HPET_COUNTER / 4];
	} while (high != hpet[HPET_COUNTER / 4 + 1]);
	return (uint64_t)high << 32 | low;
}

void watchdog_start(uint64_t ns, void (*fn)(void *arg), void *arg)
{
	if (hpet == NULL)
		return;
	watchdog_stop();
	callback = fn;
	callback_argument = arg;
	span_ns = ns;
	deadline = counter() + ns / NS_PER_MS * (FS_PER_MS / period_fs);
	atomic_signal_fence(memory_order_seq_cst); /* all of it before the NMI can come */
	set(HPET_TIMER0_COMPARE, (uint32_t)deadline);
	set(HPET_TIMER0_COMPARE + 4, (uint32_t)(deadline >> 32));
	set(HPET_TIMER0, TIMER_INTERRUPTS);
}

void watchdog_stop(void)
{
	uint64_t lifted = deadline;

	if (hpet == NULL)
		return;
	deadline = 0;
	atomic_signal_fence(memory_order_seq_cst);
	set(HPET_TIMER0, 0);
	if (lifted != 0 && counter() >= lifted)
		late = true;
}

void watchdog_feed(void)
{
	if (deadline != 0)
		watchdog_start(span_ns, callback, callback_argument);
}

bool watchdog_bites(void)
{
	bool was_late = late;

	late = false;
	if (deadline == 0 || counter() < deadline)
		return was_late; /* an NMI that comes much sooner is not ours */
	deadline = 0;
	callback(callback_argument);
	return true;
}
