#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Runs each fuzzer for some seconds from the corpus in the tree. For more: `make fuzz-plan
# FUZZ_SECONDS=600`.

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

@test "any command line gives a one-line error or a plan that prints to itself" {
  fuzz fuzz-plan 500
}

@test "any ACPI tables give a status, without a read outside a table or a CPU listed twice" {
  fuzz fuzz-acpi 500
}
