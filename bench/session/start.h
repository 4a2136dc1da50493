/* SPDX-License-Identifier: MIT */
/*
 * The launcher's control over the start (start=serial, start=serial-each): before a run the guest
 * writes a `ready` record and waits for a line on serial. The launcher sends
 *
 *	peer <instance> <start_ns> <end_ns>   another VM's last measured phase; several
 *	go [<epoch_ns> [<delay_ns>]]          start, `delay_ns` (0) after the launcher's clock
 *	                                      showed `epoch_ns` (since 1970)
 *
 * A `peer` line becomes an `overlap` record against this VM's own last run. The delay lets all VMs
 * start at once. Without it the first one would take the CPUs from those that are still receiving
 * their line, of which each byte is a VM exit.
 */
#ifndef PVSPIN_BENCH_SESSION_START_H
#define PVSPIN_BENCH_SESSION_START_H

#include "bench/result.h"
#include <stdbool.h>
#include <stdint.h>

#define START_BOUND_S 120 /* how long to wait for `go` */

/* Writes out the log and waits for `go`. `previous` is the previous run, or NULL. False if no `go`
 * came in time, after an error line. */
bool start_wait(const struct run_result *previous);

/* Sets the clock of the run's marks; on a machine without one, by the last `go`. */
void start_set_clock(struct run_result *result);

#endif
