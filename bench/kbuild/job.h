/* SPDX-License-Identifier: MIT */
/* A task's life: it takes jobs until there are none. A job is KBUILD_JOB_SECTIONS acquisitions and
 * the work between them, drawn from (seed, number of the job): the same work, whichever task does
 * it, under every lock. */
#ifndef PVSPIN_BENCH_KBUILD_JOB_H
#define PVSPIN_BENCH_KBUILD_JOB_H

void job_task_main(void *task);

#endif
