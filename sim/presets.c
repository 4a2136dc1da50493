/* SPDX-License-Identifier: MIT */
/* See presets.h. A mark beside a figure says where the figure is from:
 *	[cc]   nviennot/core-to-core-latency, one way
 *	[pmu]  Wanpeng Li's series on PMU and hypercalls, and lkml 2012.2/00527
 *	[irq]  Linux commit 0c5f81dad46c: exits by external interrupts
 *	[fog]  A. Fog, "Instruction tables", 2022
 *	[kvm]  parameters and defaults of Linux's kvm, kvm_intel, kvm_amd of that version
 *	[guess] nothing is published: vary it
 */
#include "sim/presets.h"

#define KHZ_2_0     2000000
#define WINDOW_MOST UINT32_MAX

const struct preset presets[] = {
	{
		"study",
		"GenuineIntel",
		"simulated: 2 x 14 Broadwell CPUs (E5-2660 v4)",
		"2 x 14 Broadwell at 2.0 GHz without SMT, Linux 4.12, as in the study of 2017",
		{
			.scheduler = SCHED_CFS,
			.cpus = 28,
			.sockets = 2,
			.khz = KHZ_2_0,
			.near_ns = 44,      /* [cc] E5-2695 v4 */
			.socket_ns = 44,    /* one last-level cache */
			.far_ns = 118,      /* [cc] */
			.pause_cycles = 10, /* [fog] */
			.rmw_cycles = 20,   /* [fog] lock cmpxchg */
			.fence_cycles = 33, /* [fog] mfence */
			.exit_cycles = 800, /* [pmu] 1540 for both ways on Skylake */
			.entry_cycles = 740,
			.preempted_always = 1, /* [kvm] until 5.19 */
			.ple = 1,
			.ple_gap = 128, /* [kvm] */
			.ple_window = 4096,
			.ple_window_grow = 2,
			.ple_window_max = WINDOW_MOST,
		},
	},
	{
		"skylake",
		"GenuineIntel",
		"simulated: 2 x 20 Cascade Lake CPUs",
		"2 x 20 Skylake-SP (Cascade Lake) at 2.4 GHz, Linux 6.12",
		{
			.scheduler = SCHED_EEVDF,
			.cpus = 40,
			.sockets = 2,
			.khz = 2400000,
			.near_ns = 47, /* [cc] Cascade Lake */
			.socket_ns = 47,
			.far_ns = 134,       /* [cc] */
			.pause_cycles = 140, /* [fog] */
			.rmw_cycles = 18,    /* [fog] */
			.fence_cycles = 33,  /* [fog] */
			.exit_cycles = 800,  /* [pmu] */
			.entry_cycles = 740,
			.pv_yield = 1,   /* [kvm] since 5.3 */
			.kick_yield = 1, /* [kvm] since 5.3, 266e85a5ec91 */
			.ple = 1,
			.ple_gap = 128, /* [kvm] */
			.ple_window = 4096,
			.ple_window_grow = 2,
			.ple_window_max = WINDOW_MOST,
			.halt_poll_shrink = 2, /* [kvm] since 6.11 */
		},
	},
	{
		"milan",
		"AuthenticAMD",
		"simulated: 2 x 32 Zen 3 CPUs (Milan)",
		"2 x 32 Zen 3 at 2.45 GHz, 8 CPUs to a cache, Linux 6.12",
		{
			.scheduler = SCHED_EEVDF,
			.cpus = 64,
			.sockets = 2,
			.cache_cpus = 8,
			.khz = 2450000,
			.near_ns = 23,      /* [cc] in a CCX */
			.socket_ns = 107,   /* [cc] */
			.far_ns = 197,      /* [cc] */
			.pause_cycles = 65, /* [fog] */
			.rmw_cycles = 8,    /* [fog] lock cmpxchg */
			.fence_cycles = 33, /* [guess] */
			.exit_cycles = 700, /* lkml 2012.2/00527: 1344 to 1376 for both ways */
			.entry_cycles = 660,
			.pv_yield = 1,
			.kick_yield = 1,
			.ple = 1,
			.ple_gap = 128, /* [kvm] pause_filter_thresh */
			.pause_filter = 3000,
			.ple_window_grow = 2,
			.ple_window_max = UINT16_MAX,
			.halt_poll_shrink = 2,
		},
	},
};

const size_t preset_count = sizeof(presets) / sizeof(presets[0]);

const struct host preset_common = {
	.memory_ns = 80,              /* [guess] */
	.shared_read = 25,            /* [guess] */
	.load_cycles = 2,             /* [guess] a hit takes 4 to 5, half of it hidden */
	.store_cycles = 1,            /* [fog] */
	.interrupt_exit_cycles = 700, /* [irq] both ways take 0.44 us at least */
	.switch_cycles = 3000,        /* [guess] with VMCS and FPU; lkml 1708.3/03774 bounds it */
	.wake_cycles = 1500,          /* [guess] */
	.tick_work_cycles = 2000,     /* [guess] */
	.tick_late_ns = 1000,         /* [guess] */
	.ipi_ns = 500,                /* [guess] */
	.kick_us = 5,                 /* [guess] 1 to 50 */
	.pv_unhalt = 1,
	.steal_time = 1,
	.halt_poll = 200, /* [kvm] halt_poll_ns and its three companions */
	.halt_poll_start_us = 10,
	.halt_poll_grow = 2,
	.groups = 1,
	.jitter = 5,      /* [guess] */
	.daemon_ms = 100, /* [guess] */
	.daemon_us = 50,
};
