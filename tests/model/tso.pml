/* SPDX-License-Identifier: MIT */
/*
 * The machine under the models: x86's memory model (TSO), and HLT with KVM's kick.
 *
 * A plain store goes into its CPU's store buffer and reaches memory in order, some time later; a
 * load sees its own CPU's youngest buffered store, else memory; a locked instruction waits until
 * its CPU's buffer is empty and works on memory. (Sewell et al., "x86-TSO", CACM 53(7), 2010.) A
 * buffer here holds DEPTH stores, and a store into a full one waits.
 *
 * kick() sets the target's token; halt() waits for its own token and takes it. The token is KVM's
 * pv_unhalted, which remembers a kick that comes before the HLT (Linux arch/x86/kvm/x86.c:
 * kvm_pv_kick_cpu_op, kvm_emulate_halt). Both are VM exits, so the buffer is empty after them. One
 * stray wake-up, of any CPU at any time, stands for NMIs and for kicks that came too late.
 *
 * The including file defines CPUS, CELLS and proctype cpu(me); `me` is in scope in all that
 * follows.
 */
#ifndef DEPTH
#define DEPTH 2
#endif

byte mem[CELLS];

typedef store_buffer {
	byte cell[DEPTH];
	byte value[DEPTH];
	byte used
};
store_buffer buffer[CPUS];
bool token[CPUS];

#define drained	(buffer[me].used == 0)
#define BUFFERED(i, c)	(buffer[me].used > (i) && buffer[me].cell[i] == (c))

#if DEPTH == 1
#define LOAD(c)	(BUFFERED(0, c) -> buffer[me].value[0] : mem[c])
#elif DEPTH == 2
#define LOAD(c) \
	(BUFFERED(1, c) -> buffer[me].value[1] : (BUFFERED(0, c) -> buffer[me].value[0] : mem[c]))
#else
#error "LOAD is written for one or two buffered stores"
#endif

inline store(c, v)
{
	d_step {
		buffer[me].used < DEPTH ->
		buffer[me].cell[buffer[me].used] = c;
		buffer[me].value[buffer[me].used] = v;
		buffer[me].used++
	}
}

/* The oldest store of `from` reaches memory. */
inline commit(from)
{
	d_step {
		buffer[from].used > 0 ->
		mem[buffer[from].cell[0]] = buffer[from].value[0];
#if DEPTH == 2
		buffer[from].cell[0] = buffer[from].cell[1];
		buffer[from].value[0] = buffer[from].value[1];
#endif
		buffer[from].cell[DEPTH - 1] = 0;
		buffer[from].value[DEPTH - 1] = 0;
		buffer[from].used--
	}
}

inline exchange(c, v, old)
{
	d_step {
		drained ->
		old = mem[c];
		mem[c] = v
	}
}

inline compare_exchange(c, expected, v, success)
{
	d_step {
		drained ->
		success = (mem[c] == (expected));
		if
		:: success -> mem[c] = v
		:: else
		fi
	}
}

inline kick(whom)
{
	d_step {
		drained ->
		token[whom] = true
	}
}

inline halt()
{
	d_step {
		drained && token[me] ->
		token[me] = false
	}
}

/* pv_wait of locks/core/pv.h: the backend looks once more before it halts. */
inline pv_wait(c, seen)
{
	if
	:: LOAD(c) == (seen) -> halt()
	:: else
	fi
}

active proctype memory()
{
end:
	do
	:: commit(0)
	:: commit(1)
#if CPUS == 3
	:: commit(2)
#endif
	od
}

active proctype stray()
{
	if
	:: token[0] = true
	:: token[1] = true
#if CPUS == 3
	:: token[2] = true
#endif
	:: skip
	fi
}
