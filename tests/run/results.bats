#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make results: its runs are kept, made once, and made again when a source changes.

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s sim report >&2
  mkdir -p "$BATS_TEST_TMPDIR/build"
  cp -r bench experiments lib locks port run.sh sim tools "$BATS_TEST_TMPDIR/"
  cp -r build/sim build/pvspin-report "$BATS_TEST_TMPDIR/build/"
  cd "$BATS_TEST_TMPDIR" || return 1
  export CELLS_PLAN=$BATS_TEST_TMPDIR/plan
  echo 'tiny 2 study,cpus=28 think=5000,ms=2,warmup_ms=1 2 virt-spin tas/paq,paq_turns=6' >"$CELLS_PLAN"
}

@test "the runs of a plan: figures for each, the same bytes again, none made twice" {
  tools/results/cells.sh run tiny
  tools/results/cells.sh print >first
  [ "$(jq -c '[length, (map(select(.merit > 0 and .lock_time.work > 0 and .cpus == 28)) | length)]' first)" = '[4,4]' ]
  [ "$(jq -r '.[] | select(.lock == "tas") | .merit' first | sort -u | wc -l)" -eq 2 ]
  find build/results/cells -type f -printf '%p %T@\n' | sort >made
  tools/results/cells.sh run tiny
  find build/results/cells -type f -printf '%p %T@\n' | sort | diff made -
  rm -r build/results
  tools/results/cells.sh run tiny
  tools/results/cells.sh print | cmp first -
  echo '/* another lock */' >>locks/tas.c
  run tools/results/cells.sh print
  [ "$status" -eq 2 ]
  [[ $output == *'was not run'* ]]
}

@test "a run that fails is named, and fails the whole" {
  sed -i 's/think=5000/think=5000,colour=red/' "$CELLS_PLAN"
  run tools/results/cells.sh run tiny
  [ "$status" -ne 0 ]
  [[ $output == *'colour'* ]]
  run tools/results/cells.sh print
  [ "$status" -eq 2 ]
}
