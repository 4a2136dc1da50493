/* SPDX-License-Identifier: MIT */
/*
 * The wait/wake protocol of locks/park.c, and tas-park over it. A step is one access to shared
 * memory; a waiter may reach its threshold at any poll. Checked: mutual exclusion, no stuck state
 * (a CPU that halts for ever), and at the end nobody is recorded. Not modelled: nested contexts, a
 * second lock.
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2
 * check: CPUS=3 TIMES=1
 * mutant 1: kick dropped
 * mutant 2: takes the lock as 1 after it was woken
 * mutant 3: looks at the byte before it sets its bit
 * mutant 4: the bit is set without a barrier
 * mutant 5: no look at the byte before it halts
 * mutant 6: the release is a look and a store
 * mutant 7: takes the record out after the wake-up
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef TIMES
#define TIMES 2 /* acquisitions by each CPU */
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

#define BYTE	0 /* 0 free, 1 held, 2 held and somebody may be parked */
#define SET	1 /* a bit for each CPU with a record */
/* a CPU's record: 1: to be woken; whether it may halt */
#define KEY	2
#define PARKED	(KEY + CPUS)
#define CELLS	(PARKED + CPUS)

#include "tso.pml"

byte inside, finished;

inline set_bit()
{
	d_step {
#if MUTANT != 4
		drained ->
#endif
		mem[SET] = mem[SET] | (1 << me)
	}
}

inline park()
{
	store(PARKED + me, 1);
	store(KEY + me, 1);
#if MUTANT == 3
	old = LOAD(BYTE);
#endif
	set_bit();
#if MUTANT == 5
	old = 2;
#elif MUTANT != 3
	old = LOAD(BYTE); /* Dekker with release: bit, then byte */
#endif
	if
	:: old == 2 -> pv_wait(PARKED + me, 1)
	:: else
	fi;
	store(KEY + me, 0);
	d_step {
		drained ->
		mem[SET] = mem[SET] & ~(1 << me)
	}
}

inline acquire()
{
	compare_exchange(BYTE, 0, 1, success);
	as = 1;
	do
	:: success -> break
	:: !success && LOAD(BYTE) == 0 -> compare_exchange(BYTE, 0, as, success)
	:: !success -> /* at the threshold */
		exchange(BYTE, 2, old);
		if
		:: old == 0 -> success = true
		:: else ->
#if MUTANT != 2
			as = 2;
#endif
			park()
		fi
	od;
	skip /* a break must not lead into a d_step */
}

/* Wakes the first that it finds, from the CPU after its own on. */
inline wake()
{
	bits = LOAD(SET);
	n = 1;
	do
	:: n > CPUS -> break
	:: n <= CPUS ->
		i = (me + n) % CPUS;
		if
		:: (bits & (1 << i)) && LOAD(KEY + i) == 1 ->
#if MUTANT != 7
			store(KEY + i, 0);
#endif
			store(PARKED + i, 0);
#if MUTANT != 1
			kick(i);
#endif
#if MUTANT == 7
			store(KEY + i, 0);
#endif
			break
		:: else
		fi;
		n++
	od;
	skip;
	d_step {
		bits = 0;
		i = 0;
		n = 0
	}
}

inline release()
{
#if MUTANT == 6
	old = LOAD(BYTE);
	store(BYTE, 0);
#else
	exchange(BYTE, 0, old);
#endif
	if
	:: old == 2 -> wake()
	:: else
	fi
}

active [CPUS] proctype cpu()
{
	byte me = _pid - 2; /* after memory and stray */
	byte times, old, as, bits, i, n;
	bool success;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		acquire();
		d_step {
			old = 0;
			as = 0;
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
			success = false;
			times++
		}
	od;
	atomic {
		drained ->
		finished++;
		assert(mem[KEY + me] == 0);
		if
		:: finished == CPUS -> assert(mem[BYTE] == 0 && mem[SET] == 0)
		:: else
		fi
	}
}
