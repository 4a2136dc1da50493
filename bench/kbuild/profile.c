/* SPDX-License-Identifier: MIT */
/*
 * The profile of a kernel compile. Source: every spinlock acquisition of `make -j4 lib/` of Linux
 * 6.1.192 (tinyconfig, gcc 12, 80 objects, tmpfs), traced by a TCG plug-in in a guest of 2 vCPUs
 * with a stock Debian 6.1 kernel: 3.75 M acquisitions after scaling what follows wall time, 43 per
 * million instructions, about 170 k per second and busy CPU; see docs/kbuild.md.
 *
 * Measured are: `share`, `hold_mean`, the holds' p50, p90 and p99, and with `away` and `burst` how
 * often another CPU was the last owner. Ours are: the holds' lowest value, p10 and maximum (chosen
 * so that the mean comes out), the numbers of locks (chosen for the measured skew), the nesting
 * (from the kernel's source, its frequency an assumption), and what makes a job.
 */
#include "bench/kbuild/profile.h"

const uint32_t kbuild_rank[KBUILD_RANKS] = {0, 1000, 5000, 9000, 9900, 10000};

/*
 * How `away` follows from "another CPU was the last owner", with two vCPUs. A task that takes
 * another task's lock with probability q makes two such acquisitions, its own and the owner's next
 * one, each with the other vCPU half of the time: a share of q. For another vCPU's lock the share
 * is 2q. A lock without an owner was last on the other vCPU half of the time. Bursts divide the
 * share by their length. Where there are nodes, nine of ten pages are the vCPU's own node's (our
 * assumption). Measured: page tables 0.6 %, pi and rq together 11.7, dcache 3.2, files 0.3, misc
 * 7.6, lru 19.6, signals 1.1, wait queues 10.4, timer 3.4, RCU 31, zone 33.5.
 */
/*
 * Interrupts are off where Linux 6.1 takes the lock by _irq or _irqsave: __schedule() and
 * try_to_wake_up() (kernel/sched/core.c), folio_lruvec_lock_irqsave() (mm/memcontrol.c),
 * __lock_task_sighand() (kernel/signal.c), __wake_up_common_lock() and prepare_to_wait()
 * (kernel/sched/wait.c), lock_timer_base() (kernel/time/timer.c), raw_spin_lock_irqsave_rcu_node()
 * (kernel/rcu/rcu.h), rmqueue_buddy() and rmqueue_bulk() (mm/page_alloc.c). Those of pcp have been
 * enabled since 6.2; in misc both kinds are mixed.
 */
const struct class_profile kbuild_classes[CLASS_COUNT] = {
	/* page-table locks (pmd, pte): thousands, private to a process */
	[CLASS_PAGE_TABLE] = {.name = "page_table",
			      .share = 2960,
			      .hold = {{20, 40, 933, 2377, 19500, 19600}},
			      .hold_mean = 1624,
			      .owner = OWNER_TASK,
			      .each = 16,
			      .away = 60,
			      .burst = 10},
	/* per-CPU lists of free pages */
	[CLASS_PCP] = {.name = "pcp",
		       .share = 2030,
		       .hold = {{37, 123, 242, 347, 1990, 39800}},
		       .hold_mean = 405,
		       .owner = OWNER_VCPU,
		       .each = 1,
		       .away = 0,
		       .burst = 10},
	/* task_struct.pi_lock, and the run queue's lock taken inside it */
	[CLASS_PI] = {.name = "pi",
		      .share = 745,
		      .hold = {{99, 199, 1174, 1996, 2898, 3767}},
		      .hold_mean = 1117,
		      .owner = OWNER_TASK,
		      .each = 1,
		      .away = 1200,
		      .burst = 10,
		      .irqs_off = true},
	[CLASS_RQ] = {.name = "rq",
		      .share = 745,
		      .hold = {{99, 199, 1174, 1996, 2898, 3767}},
		      .hold_mean = 1117,
		      .owner = OWNER_VCPU,
		      .each = 1,
		      .away = 0,
		      .burst = 10,
		      .irqs_off = true},
	/* dentries: lockref and hash chains */
	[CLASS_DCACHE] = {.name = "dcache",
			  .share = 1240,
			  .hold = {{51, 102, 104, 133, 139, 222}},
			  .hold_mean = 109,
			  .owner = OWNER_TASK,
			  .each = 4,
			  .shared = 256,
			  .away = 640,
			  .burst = 10},
	/* files_struct.file_lock */
	[CLASS_FILES] = {.name = "files",
			 .share = 670,
			 .hold = {{7, 14, 112, 142, 150, 165}},
			 .hold_mean = 84,
			 .owner = OWNER_TASK,
			 .each = 1,
			 .away = 30,
			 .burst = 10},
	/* fork, exec, exit, pid, cgroup, workqueue... */
	[CLASS_MISC] = {.name = "misc",
			.share = 450,
			.hold = {{46, 92, 182, 334, 465, 604}},
			.hold_mean = 197,
			.owner = OWNER_TASK,
			.each = 4,
			.shared = 64,
			.away = 1520,
			.burst = 10},
	/* lruvec.lru_lock: one for each node, taken for batches of pages */
	[CLASS_LRU] = {.name = "lru",
		       .share = 350,
		       .hold = {{8, 10, 4145, 8507, 11100, 11200}},
		       .hold_mean = 3472,
		       .owner = OWNER_NODE,
		       .each = 1,
		       .away = 1000,
		       .burst = 26,
		       .irqs_off = true},
	/* sighand_struct.siglock */
	[CLASS_SIGNAL] = {.name = "signal",
			  .share = 350,
			  .hold = {{15, 30, 91, 121, 173, 224}},
			  .hold_mean = 81,
			  .owner = OWNER_TASK,
			  .each = 1,
			  .away = 110,
			  .burst = 10,
			  .irqs_off = true},
	/* pipes and child exits: one for every two tasks, which really wait there for each other
	 */
	[CLASS_WAITQ] = {.name = "waitq",
			 .share = 300,
			 .hold = {{34, 43, 73, 102, 291, 2910}},
			 .hold_mean = 88,
			 .owner = OWNER_PAIR,
			 .each = 1,
			 .away = 0,
			 .burst = 10,
			 .irqs_off = true},
	/* timer bases */
	[CLASS_TIMER] = {.name = "timer",
			 .share = 110,
			 .hold = {{60, 121, 167, 238, 508, 20320}},
			 .hold_mean = 232,
			 .owner = OWNER_VCPU,
			 .each = 1,
			 .away = 170,
			 .burst = 10,
			 .irqs_off = true},
	/* rcu_node.lock: one */
	[CLASS_RCU] = {.name = "rcu",
		       .share = 30,
		       .hold = {{4, 7, 249, 466, 547, 557}},
		       .hold_mean = 219,
		       .owner = OWNER_NOBODY,
		       .shared = 1,
		       .burst = 16,
		       .irqs_off = true},
	/* zone.lock: one for each node, taken to refill a CPU's page list */
	[CLASS_ZONE] = {.name = "zone",
			.share = 20,
			.hold = {{1000, 5000, 12300, 15700, 19800, 20500}},
			.hold_mean = 10800,
			.owner = OWNER_NODE,
			.each = 1,
			.away = 1000,
			.burst = 10,
			.irqs_off = true},
};

/* rmqueue and free_unref_page under a page-table lock; rmqueue_bulk under a CPU's page list, as
 * often as the measured share of zone.lock requires; try_to_wake_up. */
const struct nesting kbuild_nestings[] = {
	{CLASS_PAGE_TABLE, CLASS_PCP, 1000},
	{CLASS_PCP, CLASS_ZONE, 100},
	{CLASS_PI, CLASS_RQ, KBUILD_WHOLE},
};
const size_t kbuild_nesting_count = sizeof(kbuild_nestings) / sizeof(kbuild_nestings[0]);

/* Measured: p10, p50, p90, p99 and the mean: one acquisition every 23 k instructions, 906 of them
 * inside. */
const struct distribution kbuild_gap = {{16, 82, 560, 15000, 270000, 3900000}};
const uint32_t kbuild_gap_mean = 22100;
