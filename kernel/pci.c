/* SPDX-License-Identifier: MIT */
/* See pci.h. Registers: PCI Local Bus Specification 3.0, chapter 6. */
#include "kernel/pci.h"

#include "kernel/cpu.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  (1u << 31)
#define DEVICES        32
#define DEVICE_SHIFT   11

#define CONFIG_ID      0x00
#define CONFIG_COMMAND 0x04
#define CONFIG_BAR0    0x10

#define COMMAND_IO_PORTS   (1u << 0)
#define COMMAND_BUS_MASTER (1u << 2)
#define BAR_IO_PORTS       (1u << 0)
#define BAR_PORT_MASK      0xfffcu

/* Where firmware begins to give out ports on QEMU's pc and q35. It gives them to all devices or to
 * none. */
#define FREE_PORTS 0xc000

static void select(uint32_t device, uint32_t reg)
{
	out32(CONFIG_ADDRESS, CONFIG_ENABLE | device << DEVICE_SHIFT | reg);
}

static uint32_t config_read(uint32_t device, uint32_t reg)
{
	select(device, reg);
	return in32(CONFIG_DATA);
}

static void config_write(uint32_t device, uint32_t reg, uint32_t value)
{
	select(device, reg);
	out32(CONFIG_DATA, value);
}

static uint16_t enable(uint32_t device)
{
	uint32_t bar = config_read(device, CONFIG_BAR0);

	if (!(bar & BAR_IO_PORTS))
		return 0;
	if ((bar & BAR_PORT_MASK) == 0) {
		bar = FREE_PORTS | BAR_IO_PORTS;
		config_write(device, CONFIG_BAR0, bar);
	}
	/* The upper half is the status register, whose bits are cleared by ones. */
	config_write(device, CONFIG_COMMAND,
		     (config_read(device, CONFIG_COMMAND) & 0xffff) | COMMAND_IO_PORTS |
			     COMMAND_BUS_MASTER);
	return (uint16_t)(bar & BAR_PORT_MASK);
}

uint16_t pci_find_ports(uint16_t vendor, uint16_t device)
{
	uint32_t id = (uint32_t)device << 16 | vendor;

	for (uint32_t i = 0; i < DEVICES; i++)
		if (config_read(i, CONFIG_ID) == id)
			return enable(i);
	return 0;
}
