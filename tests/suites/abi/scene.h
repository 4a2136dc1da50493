/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs, one scene: CPU 1, the target, announces a HLT and halts with interrupts masked; CPU 0,
 * the controller, acts on it and watches whether the HLT returns. Only waiting can show that a vCPU
 * stays halted: WATCH_MS, long compared with a wake-up (some microseconds; milliseconds on an
 * overcommitted host). A wake-up is awaited up to WAKE_BOUND_MS. If nothing wakes the target, an
 * NMI does, so that a failing test ends, too.
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
	_Atomic uint32_t wakes;   /* the target has returned from its n-th HLT */
	_Atomic uint32_t through; /* the target has nothing left to do */
	uint64_t interrupts;      /* taken by the target after its last HLT, on sti */
	uint64_t extra[4];        /* the test's own, written by the target before it returns */
};

uint32_t scene_get(_Atomic uint32_t *word);
void scene_put(_Atomic uint32_t *word, uint32_t value);
/* True as soon as *word has reached `value`, false after `ms` milliseconds. */
bool scene_reaches(_Atomic uint32_t *word, uint32_t value, uint32_t ms);

/* Plays the scene. Returns `interrupts`; copies the whole scene to *after unless that is NULL. */
uint64_t scene_play(struct test_result *result, void (*target)(struct scene *scene),
		    void (*controller)(struct scene *scene), struct scene *after);

/* For cases in which no kick can wake: the target halts once. call() must not wake it (`how`: "on
 * ...", for the message); an NMI then must. */
void scene_control_by_nmi(struct test_result *result, void (*call)(struct scene *scene),
			  const char *how);

uint32_t scene_target_id(void); /* the target's APIC ID */

/* Target: one HLT with interrupts masked, announced and acknowledged. */
void scene_halt_once(struct scene *scene);
/* Target: the same by STI; HLT. Returns RFLAGS behind the HLT; interrupts are masked again. */
uint64_t scene_halt_enabled(struct scene *scene);
/* Target: one HLT with interrupts masked, then takes pending interrupts and counts them in
 * scene->interrupts. */
void scene_target_halts_once(struct scene *scene);
/* Any CPU: empties its kick latch, whatever was in it. Takes interrupts meanwhile. */
void scene_drain_self(void);

/* CPU 0, outside of scenes: resets the target's CPU, which idles again. An error if it does not. */
bool scene_rejoin_target(struct test_result *result);

/* Controller: the target reaches HLT 1 and stays in it, and a kick ends it. */
void scene_controller_kicks(struct scene *scene);
/* Controller: kicks the target; the call must return 0. */
void scene_kick_target(struct scene *scene);
/* Controller: HLT `nth` is reached and does not return for WATCH_MS. Otherwise fails, with `after`.
 */
bool scene_stays_halted(struct scene *scene, uint32_t nth, const char *after);
/* Controller: HLT `nth` returns within the bound. Otherwise fails. */
void scene_wakes(struct scene *scene, uint32_t nth, const char *after);

#endif
