/* SPDX-License-Identifier: MIT */
/*
 * paq: a queue whose front hands the lock to a waiter that runs and removes the others, and a byte
 * that anybody may take when it is 0. The parking place is here by its contract, which tas_park.pml
 * checks of locks/park.c: who parks halts only if the byte is 2 at that moment, and a release that
 * has found 2 wakes somebody who is parked. A step is one access to shared memory. A waiter may be
 * flagged as preempted at any look. It may run out of patience at any poll, but no more than HINTS
 * times in one wait, so that a waiter nobody grants is seen to be stuck. A CPU has one node; while
 * that is in a queue, another wait of the CPU polls the byte, as one without a node.
 * Checked: mutual exclusion, no stuck state (a CPU that halts for ever, or waits for a link or a
 * grant that does not come), and at the end nobody queues or is parked. Not modelled: nested
 * contexts, a second lock, the length of turns (the end of one may wake somebody at any hand-over).
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2 HINTS=2
 * check: CPUS=3 TIMES=1 HINTS=1 DEPTH=1
 * mutant 1: the release does not mind the 2
 * mutant 2: a front that gives up takes the queue with it
 * mutant 3: a node is out before its successor is known
 * mutant 4: an unlinked successor is taken for the end
 * mutant 5: gives up by a store
 * mutant 6: a node that is passed over does not find out
 * mutant 7: takes the lock as 1 after it was woken, without an exchange
 * mutant 8: joins again though its node is in the queue
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
#define STATE	(NEXT + CPUS)
#define CELLS	(STATE + CPUS)

#define OUT	0
#define WAITING	1
#define ASLEEP	2
#define FRONT	3
#define OWNER	4

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

/* Wakes anybody, if there is one. */
inline wake()
{
	if
	:: IS_PARKED(0) -> unpark(0)
	:: IS_PARKED(1) -> unpark(1)
#if CPUS == 3
	:: IS_PARKED(2) -> unpark(2)
#endif
	:: parked == 0
	fi
}

/* next: what is behind `node` (CPU + 1); 0: nothing, the queue is empty now. */
inline next_or_end(node)
{
	next = LOAD(NEXT + node - 1);
	if
	:: next == 0 ->
		compare_exchange(TAIL, node, 0, done);
		if
		:: done
		:: else ->
#if MUTANT != 4
			LOAD(NEXT + node - 1) != 0;
#endif
			next = LOAD(NEXT + node - 1)
		fi
	:: else
	fi;
	done = false
}

inline pass(as)
{
	passed = false;
	next_or_end(me + 1);
	id = next;
	do
	:: id == 0 || passed -> break
	:: id != 0 && !passed ->
		if
		:: compare_exchange(STATE + id - 1, WAITING, as, passed)
		:: skip /* flagged */
		fi;
		if
		:: passed
		:: else ->
#if MUTANT == 3
			store(STATE + id - 1, OUT);
#endif
			next_or_end(id);
#if MUTANT != 3 && MUTANT != 6
			store(STATE + id - 1, OUT);
#endif
			id = next
		fi
	od;
	store(STATE + me, OUT);
	id = 0;
	next = 0
}

inline join()
{
	store(NEXT + me, 0);
	store(STATE + me, WAITING);
	exchange(TAIL, me + 1, old);
	if
	:: old != 0 -> store(NEXT + old - 1, me + 1)
	:: else -> front = true
	fi;
	old = 0
}

/* Queues until it owns the lock with its node in front, or is out of patience. */
inline queue()
{
#if MUTANT == 8
	join();
#else
	compare_exchange(STATE + me, ASLEEP, WAITING, done);
	if
	:: done -> done = false
	:: else -> join()
	fi;
#endif
	do
	:: front || queued || done -> break
	:: !front && !queued && !done ->
		if
		:: LOAD(STATE + me) == OUT -> join()
		:: LOAD(STATE + me) == FRONT -> front = true
		:: LOAD(STATE + me) == OWNER -> queued = true
		:: LOAD(STATE + me) == WAITING && hints < HINTS ->
			hints++;
#if MUTANT == 5
			store(STATE + me, ASLEEP);
			done = true
#else
			compare_exchange(STATE + me, WAITING, ASLEEP, done)
#endif
		fi
	od;
	done = false;
	do
	:: !front -> break
	:: front && LOAD(BYTE) == 0 ->
		compare_exchange(BYTE, 0, as, queued);
		front = !queued
	:: front && hints < HINTS ->
		hints++;
#if MUTANT == 2
		compare_exchange(TAIL, me + 1, 0, done);
		done = false;
		store(STATE + me, OUT);
#else
		pass(FRONT);
		passed = false;
#endif
		front = false
	od;
	skip
}

inline acquire()
{
	compare_exchange(BYTE, 0, 1, success);
	as = 1;
	if
	:: success
	:: !success && LOAD(STATE + me) != OUT -> /* no node */
		do
		:: success -> break
		:: !success && LOAD(BYTE) == 0 -> compare_exchange(BYTE, 0, 1, success)
		od
	:: !success && LOAD(STATE + me) == OUT ->
		do
		:: success -> break
		:: !success ->
			if
			:: queue()
			:: hints < HINTS -> hints++ /* retires */
			fi;
			if
			:: queued -> success = true
			:: else ->
				exchange(BYTE, 2, old);
				if
				:: old == 0 -> success = true
				:: else ->
					park();
#if MUTANT != 7
					as = 2;
					exchange(BYTE, 2, old);
					success = (old == 0)
#endif
				fi;
				old = 0
			fi
		od
	fi;
	hints = 0;
	as = 0
}

inline release()
{
	if
	:: queued ->
		queued = false;
		pass(OWNER);
		if
		:: passed -> wake() /* the end of a turn */
		:: passed
		:: else
		fi
	:: else
	fi;
	if
	:: passed -> passed = false
	:: else ->
		exchange(BYTE, 0, old);
		if
#if MUTANT != 1
		:: old == 2 -> wake()
#endif
		:: old == 1 || MUTANT == 1
		fi;
		old = 0
	fi
}

active [CPUS] proctype cpu()
{
	byte me = _pid - 2; /* after memory and stray */
	byte times, old, id, next, hints, as;
	bool success, queued, front, done, passed;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		acquire();
		d_step {
			success = false;
			inside++
		}
		d_step {
			assert(inside == 1);
			inside--
		}
		release();
		times++
	od;
	atomic {
		drained ->
		finished++;
		if
		:: finished == CPUS ->
			assert(mem[BYTE] == 0 && mem[TAIL] == 0 && parked == 0 &&
			       mem[STATE] == OUT && mem[STATE + 1] == OUT)
		:: else
		fi
	}
}
