/* SPDX-License-Identifier: MIT */
/*
 * The wait/kick protocol of locks/pv-qspinlock.c, with that file's names. A step here is one access
 * to shared memory there. A waiter may reach its threshold, or find its predecessor halted, at any
 * poll. One lock, so the hash table is one entry, which must never be needed twice.
 *
 * Checked: mutual exclusion; a lock that is held is released by its owner; no stuck state (a CPU
 * that halts for ever); SLOW always has its entry; at the end the state is as at the beginning.
 * Not modelled: nested contexts, waiting without a node, fairness.
 *
 * Mutants 3 and 4 are errors only because stores are buffered.
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2
 * check: CPUS=2 TIMES=3
 * check: CPUS=3 TIMES=1
 * mutant 1: kick dropped
 * mutant 2: no look at granted before a waiter halts
 * mutant 3: wait_node: state stored without a full barrier
 * mutant 4: promote: the CAS of state is no full barrier
 * mutant 5: unlock overwrites SLOW
 * mutant 6: hash entry after SLOW
 * mutant 7: the head halts without a look at locked
 * mutant 8: unlock frees the lock before the hash entry
 * mutant 9: a waiter gives up without a look at granted
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

#define LOCKED	0
#define PENDING	1
#define TAIL	2 /* node + 1 */
#define ENTRY	3 /* whether the hash entry's lock is in use */
#define HASHED_NODE 4
#define NEXT	5
#define GRANTED	(NEXT + CPUS)
#define STATE	(GRANTED + CPUS)
#define CELLS	(STATE + CPUS)

#define Q_LOCKED 1
#define Q_SLOW	3
#define RUNNING	0
#define HALTED	1
#define HASHED	2

#include "tso.pml"

byte inside, finished;
byte owner; /* CPU + 1; a ghost */

inline hash_insert(node)
{
	d_step {
		drained ->
		assert(mem[ENTRY] == 0);
		mem[ENTRY] = 1
	}
	store(HASHED_NODE, node)
}

/* The wait before becoming the head. Each round must look at granted before it gives up: a head
 * that halted as a waiter and finds HASHED must not halt as a waiter again (spin_threshold
 * >= 1). */
inline wait_node()
{
	do
	:: LOAD(GRANTED + me) -> break
#if MUTANT == 9
	:: true ->
#else
	:: LOAD(GRANTED + me) == 0 ->
#endif
#if MUTANT == 3
		store(STATE + me, HALTED);
#else
		exchange(STATE + me, HALTED, old);
#endif
		if
#if MUTANT != 2
		:: LOAD(GRANTED + me) /* granted meanwhile: do not halt */
#endif
		:: LOAD(GRANTED + me) == 0 || MUTANT == 2 -> pv_wait(STATE + me, HALTED)
		fi;
		compare_exchange(STATE + me, HALTED, RUNNING, success)
	od
}

/* Polls with pending set. On success this CPU owns the lock. */
inline poll_head()
{
	store(PENDING, 1);
	success = false;
	do
	:: LOAD(LOCKED) == 0 ->
		d_step {
			drained ->
			success = (mem[LOCKED] == 0 && mem[PENDING] == 1);
			if
			:: success -> mem[LOCKED] = Q_LOCKED; mem[PENDING] = 0
			:: else
			fi
		}
		if
		:: success -> break
		:: else
		fi
	:: true -> store(PENDING, 0); break
	od
}

/* On success the lock was free, and this CPU owns it. */
inline arm()
{
#if MUTANT != 6
	hash_insert(me);
#endif
	exchange(LOCKED, Q_SLOW, old);
#if MUTANT == 6
	hash_insert(me);
#endif
	success = (old == 0);
	if
	:: success ->
		store(LOCKED, Q_LOCKED);
		store(ENTRY, 0)
	:: else
	fi
}

inline wait_head()
{
	armed = (LOAD(STATE + me) == HASHED);
	do
	:: store(STATE + me, RUNNING);
		poll_head();
		if
		:: success -> break
		:: else
		fi;
		if
		:: !armed ->
			arm();
			if
			:: success -> break
			:: else
			fi
		:: else
		fi;
		armed = true;
		store(STATE + me, HASHED);
#if MUTANT == 7
		halt()
#else
		pv_wait(LOCKED, Q_SLOW)
#endif
	od;
	armed = false
}

inline promote()
{
	LOAD(NEXT + me) != 0;
	next = LOAD(NEXT + me) - 1;
	store(GRANTED + next, 1);
#if MUTANT == 4
	d_step {
		success = (mem[STATE + next] == HALTED);
		if
		:: success -> mem[STATE + next] = HASHED
		:: else
		fi
	}
#else
	compare_exchange(STATE + next, HALTED, HASHED, success);
#endif
	if
	:: success ->
		store(LOCKED, Q_SLOW);
		hash_insert(next)
	:: else
	fi;
	next = 0
}

/* The new owner leaves the queue: the last one clears the tail, others promote their successor. */
inline leave_queue()
{
	/* a load of the whole word waits for buffered stores to its bytes */
	d_step {
		drained ->
		success = (mem[TAIL] == me + 1);
		old = mem[LOCKED]
	}
	if
	:: success ->
		d_step {
			drained ->
			success = (mem[TAIL] == me + 1 && mem[LOCKED] == old && mem[PENDING] == 0);
			if
			:: success -> mem[TAIL] = 0; mem[LOCKED] = Q_LOCKED
			:: else
			fi
		}
	:: else
	fi;
	if
	:: success
	:: else -> promote()
	fi
}

inline acquire_queued()
{
	/* nobody reads these before the exchange of tail, which drains the buffer */
	d_step {
		mem[NEXT + me] = 0;
		mem[GRANTED + me] = 0;
		mem[STATE + me] = RUNNING
	}
	/* steal(): goes on polling while the lock is held and the queue has a head that does not
	 * poll */
	do
	:: d_step {
			(mem[LOCKED] == 0 && mem[PENDING] == 0) || mem[TAIL] == 0 || mem[PENDING] != 0 ->
			success = (mem[LOCKED] == 0 && mem[PENDING] == 0);
			old = (mem[TAIL] == 0 || mem[PENDING] != 0)
		}
		if
		:: success ->
			compare_exchange(LOCKED, 0, Q_LOCKED, success);
			if
			:: success -> break
			:: else
			fi
		:: else
		fi;
		if
		:: old -> break
		:: else
		fi
	od;
	if
	:: success
	:: else ->
		exchange(TAIL, me + 1, old);
		if
		:: old ->
			store(NEXT + old - 1, me + 1);
			old = 0;
			wait_node()
		:: else
		fi;
		wait_head();
		leave_queue()
	fi
}

inline release()
{
#if MUTANT == 5
	store(LOCKED, 0);
#else
	compare_exchange(LOCKED, Q_LOCKED, 0, success);
	if
	:: success
	:: else -> /* release_slow */
		assert(LOAD(LOCKED) == Q_SLOW);
		assert(LOAD(ENTRY) == 1);
		next = LOAD(HASHED_NODE);
#if MUTANT == 8
		store(LOCKED, 0);
		store(ENTRY, 0);
#else
		store(ENTRY, 0);
		store(LOCKED, 0);
#endif
#if MUTANT != 1
		kick(next);
#endif
		next = 0
	fi
#endif
}

active [CPUS] proctype cpu()
{
	byte me = _pid - 2; /* after memory and stray */
	byte times, old, next;
	bool success, armed;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		d_step {
			drained ->
			success = (mem[LOCKED] == 0 && mem[PENDING] == 0 && mem[TAIL] == 0);
			if
			:: success -> mem[LOCKED] = Q_LOCKED
			:: else
			fi
		}
		if
		:: success
		:: else -> acquire_queued()
		fi;
		d_step {
			old = 0;
			success = false;
			inside++;
			owner = me + 1
		}
		d_step {
			assert(inside == 1);
			assert(owner == me + 1);
			assert(LOAD(LOCKED) != 0);
			inside--
		}
		release();
		d_step {
			success = false;
			times++
		}
	od;
	atomic {
		drained ->
		finished++;
		if
		:: finished == CPUS ->
			assert(mem[LOCKED] == 0 && mem[PENDING] == 0 && mem[TAIL] == 0);
			assert(mem[ENTRY] == 0)
		:: else
		fi
	}
}
