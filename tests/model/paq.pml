/* SPDX-License-Identifier: MIT */
/*
 * paq: a queue lock whose waiters may overtake those that look inactive. One 64-bit word holds
 * locked, owner, head and tail; each change of it is one CAS, so one d_step here. Nodes are read
 * and written by plain accesses, one per step.
 *
 *	head	the waiter entitled to the lock; nobody else may edit links
 *	head 0, tail not: links are being edited, by an owner that promotes or a usurper
 *	locked	3 (SLOW): the unlocker kicks the head
 *
 * Whether a CPU is inactive is a hint that may lie: every decision that depends on it goes either
 * way. MAXSKIP bounds how often a node is overtaken in one wait. A waiter may halt at any poll, at
 * most HALTS times as a waiter and once more as the head.
 *
 * Memory is sequentially consistent here. Of the plain stores only `state` is in a Dekker pair
 * (halt_unless against grant) and has a fence after it; mutant 2 behaves like a missing fence.
 * Every link store is followed by a locked CAS of the word, or is the waiter's own link, on which
 * no other CPU relies before it sees it.
 *
 * Checked: mutual exclusion, the owner field inside the section, no stuck state (a CPU that halts
 * for ever), skips within MAXSKIP, the word at the end as at the beginning. Not modelled: MUSTQ
 * (fairness only), yields, nested contexts.
 *
 * check-models reads these:
 * check: CPUS=2 TIMES=2
 * check: CPUS=2 TIMES=3
 * check: CPUS=3 TIMES=1
 * mutant 1: kick dropped
 * mutant 2: a waiter's state published after its look at head
 * mutant 3: unlock reads head in a step of its own
 * mutant 4: usurped without claiming the links
 * mutant 5: grant does not look whether the waiter has halted
 * mutant 6: the head halts without a look at locked
 * mutant 7: headship of a free lock given back without a kick
 * mutant 8: how often it was overtaken is not read again
 */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef TIMES
#define TIMES 2 /* acquisitions by each CPU */
#endif
#ifndef MAXSKIP
#define MAXSKIP 1
#endif
#ifndef HALTS
#define HALTS 1
#endif
#ifndef MUTANT
#define MUTANT 0
#endif

#define HELD	1
#define SLOW	3
#define RUNNING	0
#define HALTED	1

/* the word; CPUs are 1..CPUS, 0 is none */
byte locked, owner, head, tail;

/* the nodes; index 0 stays unused */
byte next[CPUS + 1];
byte skips[CPUS + 1];
bool state[CPUS + 1];

bool token[CPUS + 1]; /* pv_unhalted: a kick is remembered until the next HLT */
byte inside, finished;

inline kick(whom)
{
	token[whom] = true
}

inline halt()
{
	d_step {
		token[me] ->
		token[me] = false
	}
}

/* Moves tail from `from` to `whom`, unless another CPU has queued up behind `from`. */
inline move_tail(from, whom)
{
	d_step {
		ok = (tail == from);
		if
		:: ok -> tail = whom
		:: else
		fi
	}
}

/* A waiter that is not the head halts. Dekker with grant. */
inline halt_waiting()
{
#if MUTANT == 2
	if
	:: head == me -> state[me] = HALTED
	:: else ->
		state[me] = HALTED;
		halt()
	fi;
#else
	state[me] = HALTED;
	if
	:: head == me
	:: else -> halt()
	fi;
#endif
	state[me] = RUNNING
}

/* The head halts, once SLOW says so to the unlocker. */
inline halt_heading()
{
	state[me] = HALTED;
	d_step {
		ok = (head == me && locked != 0);
		if
		:: ok -> locked = SLOW
		:: else
		fi
	}
	if
#if MUTANT == 6
	:: true -> halt() /* even if the lock has just become free */
#else
	:: ok ->
		if
		:: locked == SLOW && head == me -> halt()
		:: else
		fi
#endif
	:: else
	fi;
	state[me] = RUNNING
}

/* Makes `whom` the head. If it has halted, the unlocker or this CPU must kick it. */
inline grant(whom)
{
	head = whom;
	if
#if MUTANT != 5
	:: state[whom] == HALTED ->
		d_step {
			ok = (locked == 0);
			if
			:: !ok -> locked = SLOW
			:: else
			fi
		}
		if
#if MUTANT == 7
		:: ok /* free: no unlock will come to kick it */
#else
		:: ok -> kick(whom)
#endif
		:: else
		fi
#endif
	:: else
	fi
}

#if MUTANT == 8
#define usurpable(whom)	(next[whom] == me) /* its number of skips was read earlier */
#else
#define usurpable(whom)	(next[whom] == me && skips[whom] < MAXSKIP)
#endif

/* The head's successor finds the head inactive and takes its place; the old head follows right
 * behind. On return head may be anything: the caller reads it. */
inline usurp()
{
	other = head;
	if
	:: other != 0 && other != me && next[other] == me && skips[other] < MAXSKIP ->
		/* claim the links; fails if the head has acquired or been usurped meanwhile */
#if MUTANT == 4
		ok = (head == other);
#else
		d_step {
			ok = (head == other);
			if
			:: ok -> head = 0
			:: else
			fi
		}
#endif
		if
		:: !ok
		/* Meanwhile it may have been granted headship and then overtaken, or have left and
		 * come again. So check again, now that nobody else edits, whether it may be
		 * overtaken. */
		:: ok && !usurpable(other) -> grant(other)
		:: ok && usurpable(other) ->
			rest = next[me];
			if
			:: rest == 0 ->
				next[other] = 0;
				move_tail(me, other);
				if
				:: ok
				:: else ->
					next[me] != 0; /* whoever has queued up will link itself */
					rest = next[me]
				fi
			:: else
			fi;
			if
			:: rest != 0 -> next[other] = rest
			:: else
			fi;
			next[me] = other;
			skips[other]++;
			rest = 0;
			head = me
		fi
	:: else
	fi;
	other = 0
}

/* Waits until the lock is ours; then head is 0 and the links are ours to edit. */
inline wait()
{
	do
	:: head != me -> /* a waiter polls */
		if
		:: head == me
		:: halts < HALTS ->
			halts++;
			halt_waiting()
		:: usurp()
		fi
	:: d_step {
			head == me && locked == 0 ->
			locked = HELD;
			owner = me;
			head = 0
		}
		break
	:: head == me && halts <= HALTS ->
		halts++;
		halt_heading()
	od
}

/* The owner, fresh from the queue, chooses the next head. */
inline promote()
{
	successor = next[me];
	if
	:: successor == 0 ->
		move_tail(me, 0);
		if
		:: ok
		:: else ->
			next[me] != 0;
			successor = next[me]
		fi
	:: else
	fi;
	if
	:: successor == 0
	:: else ->
		if
		:: true /* it looks active */
		:: skips[successor] < MAXSKIP -> /* sinks by one place, if there is one */
			other = next[successor];
			if
			:: other == 0
			:: else ->
				rest = next[other];
				if
				:: rest != 0 -> next[successor] = rest
				:: else ->
					next[successor] = 0;
					move_tail(other, successor);
					if
					:: ok
					:: else -> next[successor] = other; other = 0
					fi
				fi;
				if
				:: other != 0 ->
					next[other] = successor;
					skips[successor]++;
					successor = other
				:: else
				fi;
				rest = 0;
				other = 0
			fi
		fi;
		grant(successor);
		successor = 0
	fi
}

inline queue_up()
{
	d_step {
		next[me] = 0;
		skips[me] = 0;
		state[me] = RUNNING
	}
	d_step {
		other = tail;
		tail = me;
		if
		:: other == 0 -> head = me
		:: else
		fi
	}
	if
	:: other != 0 -> next[other] = me
	:: else
	fi;
	other = 0
}

inline release()
{
#if MUTANT == 3
	other = (locked == SLOW -> head : 0);
#endif
	d_step {
		assert(locked != 0);
#if MUTANT != 3
		other = (locked == SLOW -> head : 0);
#endif
		locked = 0;
		owner = 0
	}
	if
#if MUTANT == 1
	:: other != 0
#else
	:: other != 0 -> kick(other)
#endif
	:: else
	fi;
	other = 0
}

active [CPUS] proctype cpu()
{
	byte me = _pid + 1;
	byte times, halts, other, successor, rest;
	bool ok;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		if
		/* fast path, or a theft past a head that looks inactive */
		:: d_step {
				locked == 0 ->
				locked = HELD;
				owner = me
			}
		:: queue_up();
			wait();
			promote();
			halts = 0
		fi;
		d_step {
			ok = false;
			inside++
		}
		d_step {
			assert(inside == 1);
			assert(owner == me);
			assert(skips[me] <= MAXSKIP);
			inside--
		}
		release();
		times++
	od;
	atomic {
		finished++;
		if
		:: finished == CPUS -> assert(locked == 0 && head == 0 && tail == 0)
		:: else
		fi
	}
}
