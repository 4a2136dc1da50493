/* SPDX-License-Identifier: MIT */
/* What the parts of the guest's half share. */
#ifndef PVSPIN_PORT_SIM_GUEST_H
#define PVSPIN_PORT_SIM_GUEST_H

#include <stdbool.h>
#include <stdint.h>

/* Call it before anything else of the port. nodes: the value of nodes=; 0: one node. */
void port_sim_init(uint32_t nodes);
/* For tests: puts CPU c on node c % nodes; 0: as port_sim_init() said. */
void port_sim_pretend_nodes(uint32_t nodes);

/* Chooses and sets pv_backend by what the modelled KVM offers. `hyperv`: Hyper-V's hypercalls are
 * in use in place of KVM's. */
void pv_sim_select(bool nopvspin, bool hyperv);

#endif
