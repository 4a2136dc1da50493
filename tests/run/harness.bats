#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The harness of `make check`: whatever one program does, the others run and all are counted.

setup() {
  mkdir "$BATS_TEST_TMPDIR"/{tests,tools,p}
  cp "$BATS_TEST_DIRNAME"/../{Harness.pm,run-one.sh} "$BATS_TEST_TMPDIR/tests/"
  cp "$BATS_TEST_DIRNAME"/../../tools/environment.sh "$BATS_TEST_TMPDIR/tools/"
  cd "$BATS_TEST_TMPDIR" || return 1
  echo '2 *hangs' >tests/bounds
  echo '60 *' >>tests/bounds
}

program() { # NAME COMMANDS
  printf '#!/bin/bash\n%s\n' "$2" >"p/$1"
  chmod +x "p/$1"
}

@test "a program that bails out, hangs, dies or leaves a process spoils only its own result" {
  program hangs 'echo 1..2; echo ok 1; setsid sleep 1007 & trap "" TERM; sleep 1007'
  program bails-out 'echo 1..3; echo ok 1; echo "Bail out! a lock hangs # SKIP"; exit 1'
  program leaves 'echo 1..1; echo ok 1; setsid sleep 1007 &'
  program says-nothing true
  program dies 'echo 1..2; echo ok 1; kill -SEGV $$'
  program passes 'echo TAP version 14; echo 1..2; echo ok 1; echo ok 2'
  PERL5LIB=tests run timeout 100 prove --harness=Harness --jobs=2 --timer --failures --exec tests/run-one.sh \
    p/{hangs,bails-out,leaves,says-nothing,dies,passes}
  echo "$output"
  [ "$status" -ne 0 ]
  grep -qE '\] p/passes \.+ ok .* ms' <<<"$output"
  grep -qF 'not ok 2 - p/hangs: Bail out! still running after 2 s: killed' <<<"$output"
  grep -qF 'not ok 2 - p/bails-out: Bail out! a lock hangs' <<<"$output"
  grep -qF 'not ok 2 - p/leaves: Bail out! left running, now killed: sleep' <<<"$output"
  for name in hangs bails-out leaves says-nothing dies; do
    grep -qE "^p/$name +\(Wstat: " <<<"$output"
  done
  grep -qF 'Files=6, Tests=' <<<"$output"
  [ -z "$(pgrep -fx 'sleep 1007')" ]
}
