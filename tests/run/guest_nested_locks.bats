#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The locks' tests (tests=locks) on real Linux KVM, nested, and the report of a hang there.
# shellcheck disable=SC2016,SC2154 # $names in single quotes are jq's; common.bash sets stdout, out

load served

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
  make -s build/pvspin-broken.elf >&2
}

# To the others KVM is a machine like TCG's, which runs the tests of all (guest_tcg.bats).
locks_that_ask_kvm() { # those that halt and kick, or read preempted flags: "locks.paq,locks.pv-ticket"
  grep -lw 'LOCK_PV\|LOCK_NEEDS_PREEMPTED' locks/*.c | sed 's|.*/\(.*\)\.c|locks.\1|' | paste -sd,
}

@test "every lock that KVM matters to passes its tests: 4 vCPUs, x2APIC" {
  [[ $(locks_that_ask_kvm) == *locks.paq*locks.pv-qspinlock*locks.s390-spinlock* ]]
  nested 0 -smp 4 -append "tests=$(locks_that_ask_kvm) test_ms=20"
  records '.[0] | .apic_mode == "x2apic" and .pv_backend == "kvm"'
  no_line '^not ok\|SKIP needs a backend'
  says "$stdout" 'locks.pv-qspinlock.interrupted_storm' 'locks.pv-qspinlock.storm_4' \
    'excludes_16 excludes, 16 threads # SKIP needs 16 vCPUs, has 4'
}

@test "28 vCPUs: FIFO and pv locks pass their tests, nothing is skipped" {
  nested 0 -smp 28 -append "tests=locks.mcs,locks.pv-qspinlock,locks.pv-ticket,locks.tas test_ms=20"
  no_line '^not ok\|# SKIP'
  says "$stdout" 'locks.mcs.excludes_all' 'locks.pv-qspinlock.storm_16'
}

@test "kicks that get lost: the hang record names the lock, the halted waiter and that nobody owns it" {
  nested 5 -smp 4 -kernel build/pvspin-broken.elf -append "tests=locks.pv-qspinlock.storm_4 provoke=lost-kick hang_ms=20000"
  says "$stdout" 'not ok 1 - locks.pv-qspinlock.storm_4' 'owner: nobody' 'waits, halted' kvm_wait \
    wait_head
  records '.[] | select(.type == "hang") | .lock == "pv-qspinlock" and .holder == -1
    and .pv_backend == "kvm" and (.lock_state | contains("locked 0"))'
  records '[.[] | select(.type == "hang_cpu")] | length == 4 and all(.answered)
    and ([.[] | select(.state == "waits" and .halted)] | length > 0)'
  grep -a '"type":"hang' "$log" | jq -r 'keys[]' | sort -u >"$BATS_TEST_TMPDIR/fields"
  while read -r field; do
    grep -q "\`$field\`" docs/serial-log.md || { echo "not described: $field" >&2; return 1; }
  done <"$BATS_TEST_TMPDIR/fields"
  nested 5 -smp 4 -kernel build/pvspin-broken.elf -append "locks=pv-qspinlock spin_threshold=1 ms=50 reps=1 hold=2000 provoke=lost-kick"
  says "$stdout" 'hang: run 1' 'waits, halted' 'a lock hung'
}
