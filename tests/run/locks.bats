#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tests of check-locks itself.

load objects

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/locks/plain/check-locks >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
}

@test "cases with interrupts end even if signals get lost" {
  program=$BATS_TEST_TMPDIR/check-locks
  # shellcheck disable=SC2046 # object names have no spaces
  gcc -std=c11 -O2 -pthread tests/run/fixtures/lossy-signals.c $(objects_in build/locks/plain) -o "$program"
  run timeout 60 "$program" --case-seconds=20 --case=interrupted_4 tas mcs pv-qspinlock
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(grep -c '^ok ' <<<"$output")" -eq 4 ]
}

# Links check-locks with an mcs that forgets the newcomer who has just put itself behind the owner.
break_mcs() { # PROGRAM
  local objects=(build/sim/host/sim/explore/*.o build/sim/host/port/common/task.o build/sim/host/sim/tso.o build/sim/host/tests/locks/sim/*.o)
  mkdir -p "$BATS_TEST_TMPDIR/locks"
  sed 's/if (\(atomic_compare_exchange_strong_explicit(\)\(&lock->tail\), &expected, NULL,/if (atomic_load_explicit(\2, memory_order_relaxed) == expected ? (atomic_store_explicit(\2, NULL, memory_order_release), true) : \1\2, \&expected, NULL,/' \
    locks/mcs.c >"$BATS_TEST_TMPDIR/locks/mcs.c"
  ! cmp -s locks/mcs.c "$BATS_TEST_TMPDIR/locks/mcs.c"
  gcc -std=gnu11 -O2 -fPIC -fno-strict-aliasing -mgeneral-regs-only -Iport/sim/include -I. \
    -c "$BATS_TEST_TMPDIR/locks/mcs.c" -o "$BATS_TEST_TMPDIR/mcs.o"
  mapfile -t -O "${#objects[@]}" objects < <(make -s explore-guest-objects | tr ' ' '\n' | grep -v 'locks/mcs\.o$')
  gcc -no-pie "${objects[@]}" "$BATS_TEST_TMPDIR/mcs.o" -o "$1"
}

@test "a failure under a chosen schedule names its seed, which plays it again" {
  make -s build/sim/check-locks >&2
  broken=$BATS_TEST_TMPDIR/check-locks
  break_mcs "$broken"
  run timeout 100 "$broken" --case=drains_3 mcs
  echo "$output"
  [ "$status" -eq 1 ]
  again=$(sed -n 's/^# again: build.sim.check-locks //p' <<<"$output" | head -n 1)
  [[ $again =~ ^--seed=[0-9]+\ --case=[a-z0-9_]+\ mcs$ ]]
  first=$(grep '^#' <<<"$output")
  read -ra words <<<"$again"
  run timeout 100 "$broken" "${words[@]}"
  [ "$status" -eq 1 ]
  [ "$(grep '^#' <<<"$output")" = "$first" ]
}

@test "a search finds the schedule that breaks a lock, and the same one again" {
  make -s build/sim/check-locks >&2
  broken=$BATS_TEST_TMPDIR/check-locks
  break_mcs "$broken"
  # without a deviation nobody comes between the owner's look and its store
  run timeout 100 "$broken" --search=0 mcs
  echo "$output"
  [ "$status" -eq 0 ]
  run timeout 100 "$broken" --search=1 --case=once_2 mcs
  echo "$output"
  [ "$status" -eq 1 ]
  [[ $output == *'not ok 1 - mcs: 2 vCPUs, once each, '*' schedules (deadlock)'* ]]
  [[ $output == *$'\n# again: build/sim/check-locks --search=1 --case=once_2 mcs\n'* ]]
  first=$output
  run timeout 100 "$broken" --search=1 --case=once_2 mcs
  [ "$output" = "$first" ]
}

@test "a search makes every schedule once, the same number in each process" {
  make -s build/sim/check-locks >&2
  run build/sim/check-locks --search=2 tas mcs
  echo "$output"
  [ "$status" -eq 0 ]
  # docs/sim.md has these numbers
  [[ $output == *'mcs: 2 vCPUs, once each, 215 schedules'* ]]
  [[ $output == *'tas: 2 vCPUs, once each, 91 schedules'* ]]
  grep -qF '| mcs, 2 vCPUs, once each | 18 | 215 |' docs/sim.md
  grep -qF '| tas, 2 vCPUs, once each | 12 | 91 |' docs/sim.md
}

@test "check-locks under chosen schedules refuses what it does not know" {
  make -s build/sim/check-locks >&2
  run build/sim/check-locks --sneeds=3
  [ "$status" -eq 2 ]
  run build/sim/check-locks no-such-lock
  [ "$status" -eq 2 ]
  [[ $output == *'no-such-lock: no such lock'* ]]
}
