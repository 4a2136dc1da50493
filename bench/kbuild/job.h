/* SPDX-License-Identifier: MIT */
/* A task's life: it takes jobs until there are none. A job is KBUILD_JOB_SECTIONS acquisitions and
 * the work between them. Seed and number of the job determine the draws, so the work is the same
 * whichever task does it and whichever lock is used. */
#ifndef PVSPIN_BENCH_KBUILD_JOB_H
#define PVSPIN_BENCH_KBUILD_JOB_H

void job_task_main(void *task);

#endif
