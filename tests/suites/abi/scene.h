/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs, one scene: CPU 1, the target, halts with interrupts masked and says so; CPU 0, the
 * controller, does something to it and watches whether the HLT returns. That a vCPU stays halted
 * can only be seen by waiting: WATCH_MS, long against a wake-up (some microseconds; milliseconds on
 * an overcommitted host). A wake-up is awaited up to WAKE_BOUND_MS. A target that nothing wakes is
 * got back by an NMI, so that a failing test ends too.
 */
#ifndef PVSPIN_TESTS_SUITES_ABI_SCENE_H
#define PVSPIN_TESTS_SUITES_ABI_SCENE_H

#include "tests/suites/tap.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WATCH_MS      100
#define WAKE_BOUND_MS 7000

struct scene {
	struct test_result *result;
	void (*target)(struct scene *scene);     /* on CPU 1, interrupts masked, latch empty */
	void (*controller)(struct scene *scene); /* on CPU 0, once the target is ready */
	_Atomic uint32_t ready;   /* the target has emptied its latch: kicks count from here on */
	_Atomic uint32_t go;      /* written by the controller */
	_Atomic uint32_t halts;   /* the target is about to execute its n-th HLT */
	_Atomic uint32_t wakes;   /* ... and has returned from it */
	_Atomic uint32_t through; /* the target has nothing left to do */
	uint64_t interrupts;      /* taken by the target after its last HLT, on sti */
	uint64_t extra[4];        /* the test's own, written by the target before it returns */
};

uint32_t scene_get(_Atomic uint32_t *word);
void scene_put(_Atomic uint32_t *word, uint32_t value);
/* True as soon as *word has reached `value`, false after `ms` milliseconds. */
bool scene_reaches(_Atomic uint32_t *word, uint32_t value, uint32_t ms);

/* Plays it; returns `interrupts`, and the whole scene in *after if that is not NULL. */
uint64_t scene_play(struct test_result *result, void (*target)(struct scene *scene),
		    void (*controller)(struct scene *scene), struct scene *after);

/* Where no kick can wake: the target halts once, call() must not wake it (`how` says on what), an
 * NMI then must. */
void scene_control_by_nmi(struct test_result *result, void (*call)(struct scene *scene),
			  const char *how);

uint32_t scene_target_id(void); /* the target's APIC ID */

/* Target: one HLT with interrupts masked, announced and acknowledged. */
void scene_halt_once(struct scene *scene);
/* Target: the same by STI; HLT. Returns RFLAGS behind the HLT; interrupts are masked again. */
uint64_t scene_halt_enabled(struct scene *scene);
/* Target: one HLT with them masked, then interrupts are let in and counted in scene->interrupts. */
void scene_target_halts_once(struct scene *scene);
/* Any CPU: empties its kick latch, whatever was in it. Takes interrupts meanwhile. */
void scene_drain_self(void);

/* CPU 0, no scene: the target's CPU is reset and idles again; an error if it does not come back. */
bool scene_rejoin_target(struct test_result *result);

/* A controller: HLT 1 is reached and stays, and a kick ends it. */
void scene_controller_kicks(struct scene *scene);
/* Controller: a kick of the target that must return 0. */
void scene_kick_target(struct scene *scene);
/* Controller: HLT `nth` is reached and does not return for WATCH_MS; else a failure "... `after`".
 */
bool scene_stays_halted(struct scene *scene, uint32_t nth, const char *after);
/* Controller: HLT `nth` returns within the bound; else a failure. */
void scene_wakes(struct scene *scene, uint32_t nth, const char *after);

#endif
