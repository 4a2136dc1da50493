#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tests of check-locks itself.

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
  gcc -std=c11 -O2 -pthread tests/run/fixtures/lossy-signals.c $(find build/locks/plain -name '*.o') -o "$program"
  run timeout 60 "$program" --case-seconds=20 --case=interrupted_4 tas mcs pv-qspinlock
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(grep -c '^ok ' <<<"$output")" -eq 4 ]
}
