/* SPDX-License-Identifier: MIT */
/*
 * flexguard: the queue that a waiter may leave from any place in it. The parking place is here by
 * its contract, which tas_park.pml checks of locks/park.c: who parks halts only if the byte is 2 at
 * that moment, and a release that has found 2 wakes somebody who is parked. A step is one access to
 * shared memory. The hint that somebody is preempted is true at any look, but makes a CPU stop
 * queueing no more than HINTS times in one wait, so that a waiter nobody grants is seen to be stuck.
 * Checked: mutual exclusion, no stuck state (a CPU that halts for ever, or waits for a link or a
 * grant that does not come), and at the end nobody queues or is parked. A CPU uses one node again
 * and again, so stale grants happen. Not modelled: nested contexts, a second lock, owner and head
 * (they are hints).
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2 HINTS=2
 * check: CPUS=3 TIMES=1 HINTS=1 DEPTH=1
 * mutant 1: the release does not mind the 2
 * mutant 2: leaves the queue without passing the headship
 * mutant 3: leaves the queue without waiting for a link
 * mutant 4: queues again after it was woken, without an exchange
 * mutant 5: the head takes the lock by a look and a store
 * mutant 6: the fast path erases the 2
 * mutant 7: reset after joining
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef TIMES
#define TIMES 2 /* acquisitions by each CPU */
#endif
#ifndef HINTS
#define HINTS 1
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

#define BYTE	0 /* 0 free, 1 held, 2 held and somebody may be parked */
#define TAIL	1 /* CPU + 1; 0: no queue */
/* a CPU's node */
#define NEXT	2
#define WAITING	(NEXT + CPUS)
#define CELLS	(WAITING + CPUS)

#include "tso.pml"

byte inside, finished;
byte parked; /* a bit for each CPU */

#define IS_PARKED(c)	(parked & (1 << (c)))

inline unpark(c)
{
	parked = parked & ~(1 << (c))
}

inline park()
{
	d_step {
		drained ->
		if
		:: mem[BYTE] == 2 -> parked = parked | (1 << me)
		:: else
		fi
	}
	if
	:: !IS_PARKED(me)
	:: IS_PARKED(me) && token[me] -> /* stray */
		d_step {
			token[me] = false;
			unpark(me)
		}
	fi
}

inline reset()
{
	store(NEXT + me, 0);
	store(WAITING + me, 1)
}

inline leave()
{
	old = LOAD(NEXT + me);
	if
	:: old == 0 ->
		compare_exchange(TAIL, me + 1, 0, left)
	:: else -> left = false
	fi;
	if
	:: left
	:: else ->
#if MUTANT != 3
		LOAD(NEXT + me) != 0;
#endif
		old = LOAD(NEXT + me);
#if MUTANT != 2
		if
		:: old != 0 -> store(WAITING + old - 1, 0)
		:: else
		fi
#endif
	fi;
	left = false
}

/* Queues until it owns the lock, or wants to park. */
inline queue()
{
#if MUTANT != 7
	reset();
#endif
	exchange(TAIL, me + 1, old);
#if MUTANT == 7
	reset();
#endif
	if
	:: old != 0 ->
		store(NEXT + old - 1, me + 1);
		if
		:: LOAD(WAITING + me) == 0 -> old = 0
		:: hints < HINTS ->
			hints++;
			old = 1
		fi
	:: else
	fi;
	if
	:: old == 0 ->
		do
#if MUTANT == 5
		:: LOAD(BYTE) == 0 ->
			store(BYTE, 1);
			success = true;
			break
#else
		:: LOAD(BYTE) == 0 ->
			compare_exchange(BYTE, 0, 1, success);
			if
			:: success -> break
			:: else
			fi
#endif
		:: hints < HINTS ->
			hints++;
			break
		od
	:: else
	fi;
	leave()
}

inline acquire()
{
#if MUTANT == 6
	exchange(BYTE, 1, old);
	success = (old == 0);
#else
	compare_exchange(BYTE, 0, 1, success);
#endif
	do
	:: success -> break
	:: !success ->
		if
		:: queue()
		:: hints < HINTS -> hints++
		fi;
		do
		:: success -> break
		:: !success ->
			exchange(BYTE, 2, old);
			if
			:: old == 0 -> success = true
			:: old != 0 -> break /* queues again */
			:: old != 0 ->
				park();
#if MUTANT == 4
				break
#endif
			fi
		od;
		skip
	od;
	hints = 0
}

inline release()
{
	exchange(BYTE, 0, old);
	if
#if MUTANT != 1
	:: old == 2 && IS_PARKED(0) -> unpark(0)
	:: old == 2 && IS_PARKED(1) -> unpark(1)
#if CPUS == 3
	:: old == 2 && IS_PARKED(2) -> unpark(2)
#endif
#endif
	:: old == 1 || parked == 0 || MUTANT == 1
	fi
}

active [CPUS] proctype cpu()
{
	byte me = _pid - 2; /* after memory and stray */
	byte times, old, hints;
	bool success, left;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		acquire();
		d_step {
			old = 0;
			success = false;
			inside++
		}
		d_step {
			assert(inside == 1);
			inside--
		}
		release();
		d_step {
			old = 0;
			times++
		}
	od;
	atomic {
		drained ->
		finished++;
		if
		:: finished == CPUS -> assert(mem[BYTE] == 0 && mem[TAIL] == 0 && parked == 0)
		:: else
		fi
	}
}
