#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Some seconds of each fuzzer, from the corpus in the tree: `make fuzz-plan FUZZ_SECONDS=600` for more.

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
}

fuzz() { # TARGET LEAST_RUNS
  make -s "$1" FUZZ_SECONDS=4 >"$BATS_TEST_TMPDIR/said" 2>&1 || { tail -n 40 "$BATS_TEST_TMPDIR/said" >&2; return 1; }
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$BATS_TEST_TMPDIR/said")
  echo "# $1: $runs inputs" >&3
  [ "$runs" -ge "$2" ]
}

@test "command lines of any form: an error of one line, or a plan that prints to itself" {
  fuzz fuzz-plan 500
}

@test "ACPI tables of any content: a status, no read beside a table, no CPU twice" {
  fuzz fuzz-acpi 500
}
