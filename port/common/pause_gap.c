/* SPDX-License-Identifier: MIT */
/* pause_gap=, for all ports: port/inline.h. */
#include "port/inline.h"

uint32_t port_pause_gap;

void port_wait_gap(void);

/* Without a PAUSE. On simulated CPUs the engine does it. */
void port_wait_gap(void)
{
	uint64_t start = port_cycles();

	while (port_cycles() - start < port_pause_gap)
		;
}
