/* SPDX-License-Identifier: MIT */
/*
 * The wait/kick protocol of locks/pv_ticket_wait.c: Linux 4.0's (arch/x86/kernel/kvm.c:
 * kvm_lock_spinning, kvm_unlock_kick; the flag in head: d6abfdb20223). Differences: a record has
 * lock and ticket in one word and a byte `asleep`, on which the waiter halts. A step is one access
 * to shared memory; a waiter may reach its threshold at any poll after its first look.
 *
 * Tickets go up by 2; bit 0 of head says that a waiter may be halted. TICKETS is small, so tickets
 * wrap. Checked: mutual exclusion, FIFO order, no stuck state (a CPU that halts for ever), and at
 * the end no waiter is recorded. Not modelled: nested contexts, a second lock, kicks ahead.
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2
 * check: CPUS=3 TIMES=1
 * mutant 1: kick dropped
 * mutant 2: unlock reads the flag in a step of its own
 * mutant 3: looks at head before it sets the flag
 * mutant 4: record published late, and the OR of the flag is no barrier
 * mutant 5: no look at head before it halts
 * mutant 6: the last but one clears the flag
 * mutant 7: kicks the one behind the next
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

#define TICKETS	8 /* a power of two, twice as many as CPUs or more */
#define FLAG	1
#define NEXT(t)	(((t) + 2) % TICKETS)
#define TURN(h)	((h) - (h) % 2)

/* head and tail are two halves of one word: a locked instruction can change both at once */
#define HEAD	0
#define TAIL	1
#define WAITING	2 /* a bit for each CPU whose record is in use */
/* a CPU's record: its ticket + 1, 0: none; whether it may halt */
#define KEY	3
#define ASLEEP	(KEY + CPUS)
#define CELLS	(ASLEEP + CPUS)

#include "tso.pml"

byte inside, finished;
byte turn; /* ghost variable: the ticket that owns or is next */

inline set_flag()
{
	d_step {
#if MUTANT != 4
		drained ->
#endif
		mem[HEAD] = mem[HEAD] | FLAG
	}
}

/* The waiter has reached its threshold: it announces that, looks again, halts, and the caller polls
 * again. */
inline halt_in_record()
{
	store(ASLEEP + me, 1);
#if MUTANT == 4
	d_step { /* indivisible, but no barrier */
		mem[WAITING] = mem[WAITING] | (1 << me)
	}
	store(KEY + me, mine + 1);
#else
	store(KEY + me, mine + 1);
	d_step {
		drained ->
		mem[WAITING] = mem[WAITING] | (1 << me)
	}
#endif
	/* Dekker with release: stores record and flag before it reads head; the locked OR is the
	 * full barrier. */
#if MUTANT == 3
	head = LOAD(HEAD);
#endif
	set_flag();
#if MUTANT != 3
	head = LOAD(HEAD);
#endif
	if
#if MUTANT != 5
	:: TURN(head) == mine
#endif
	:: TURN(head) != mine || MUTANT == 5 -> pv_wait(ASLEEP + me, 1)
	fi;
	store(KEY + me, 0);
	d_step {
		drained ->
		mem[WAITING] = mem[WAITING] & ~(1 << me)
	}
}

inline acquire()
{
	d_step {
		drained ->
		mine = mem[TAIL];
		mem[TAIL] = NEXT(mine)
	}
	head = LOAD(HEAD);
	if
	:: head == mine
	:: else -> /* the flag may be set, even if it is our turn */
		do
		:: TURN(LOAD(HEAD)) == mine -> break
		:: TURN(LOAD(HEAD)) != mine -> halt_in_record()
		od;
		/* the last one in the queue clears the flag */
		head = LOAD(HEAD);
		if
		:: head & FLAG ->
#if MUTANT == 6
			d_step {
				drained ->
				mem[HEAD] = mine
			}
#else
			d_step {
				drained ->
				if
				:: mem[HEAD] == head && mem[TAIL] == NEXT(mine) -> mem[HEAD] = mine
				:: else
				fi
			}
#endif
		:: else
		fi
	fi
}

inline release()
{
#if MUTANT == 2
	head = LOAD(HEAD); /* the flag is read in a step of its own */
#endif
	d_step {
		drained ->
#if MUTANT != 2
		head = mem[HEAD];
#endif
		turn = NEXT(turn);
		mem[HEAD] = NEXT(TURN(mem[HEAD])) + (mem[HEAD] & FLAG)
	}
	if
	:: head & FLAG ->
		head = NEXT(TURN(head));
		bits = LOAD(WAITING);
		i = 0;
		do
		:: i == CPUS -> break
		:: i < CPUS ->
			if
			:: bits & (1 << i) ->
				if
#if MUTANT == 7
				:: LOAD(KEY + i) == NEXT(head) + 1 ->
#else
				:: LOAD(KEY + i) == head + 1 ->
#endif
					store(ASLEEP + i, 0);
#if MUTANT != 1
					kick(i);
#endif
					break
				:: else
				fi
			:: else
			fi;
			i++
		od;
		i = 0;
		bits = 0
	:: else
	fi
}

active [CPUS] proctype cpu()
{
	byte me = _pid - 2; /* after memory and stray */
	byte times, mine, head, bits, i;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		acquire();
		d_step {
			head = 0;
			inside++
		}
		d_step {
			assert(inside == 1);
			assert(turn == mine);
			inside--
		}
		release();
		d_step {
			head = 0;
			mine = 0;
			times++
		}
	od;
	atomic {
		drained ->
		finished++;
		assert(mem[KEY + me] == 0);
		if
		:: finished == CPUS -> assert(TURN(mem[HEAD]) == mem[TAIL] && mem[WAITING] == 0)
		:: else
		fi
	}
}
