#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals to run.sh at moments when it does not yet know all processes
# that it has started. (verdict.bats and nested.bats send signals in the middle of a run.)
# shellcheck disable=SC2154 # out, tree: common.bash

load common

setup() {
  private_tmpdir
  mkdir "$BATS_TEST_TMPDIR/bin"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# Makes a fake program NAME. If its arguments contain WORD, it writes to the file `at` that it was
# called, then waits as long as a test may take.
slow() { # NAME WORD
  local real
  real=$(command -v "$1")
  cat >"$BATS_TEST_TMPDIR/bin/$1" <<PROGRAM
#!/bin/bash
if [[ "\$*" == *${2@Q}* ]]; then
  echo here >${BATS_TEST_TMPDIR@Q}/at
  exec sleep 60
fi
exec ${real@Q} "\$@"
PROGRAM
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

# Starts run.sh and sends it a SIGTERM when the slow program has been called. Within SECONDS it must
# end with 130, and all its processes must be gone.
stopped_within() { # SECONDS ARGUMENT...
  local seconds=$1 began status=0
  shift
  "$tree/run.sh" --timeout=60 --out="$out" "$@" >"$BATS_TEST_TMPDIR/stdout" 2>&1 </dev/null 3>&- &
  local pid=$!
  wait_for "$BATS_TEST_TMPDIR/at" here
  kill -TERM "$pid"
  began=$EPOCHSECONDS
  wait "$pid" || status=$?
  echo "status $status after $((EPOCHSECONDS - began)) s: $(<"$BATS_TEST_TMPDIR/stdout")"
  [ "$status" -eq 130 ]
  ((EPOCHSECONDS - began <= seconds))
  nothing_left
}

@test "before an instance has its QEMU: the process that waits for the guest ends, too" {
  build_fixture
  slow mkfifo qmp.in
  stopped_within 10 --accel=tcg -kernel "$GUEST" -append case=hang
  jq -e '.verdict == "interrupted"' "$out/manifest.json"
}

@test "while the L1 of an experiment starts: it is not left behind" {
  # Makes it look as if the L1's kernel had been fetched.
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
  mkdir -p "$XDG_CACHE_HOME/pvspin/nested/6.12/modules"
  touch "$XDG_CACHE_HOME/pvspin/nested/6.12/vmlinuz"
  slow qemu-system-x86_64 virtio-serial-pci
  stopped_within 10 --accel=nested --experiment=baseline --runs=1
}

@test "a conformance run that is stopped still ends with its table" {
  "$tree/run.sh" --accel=tcg --conformance --timeout=60 --out="$out" >"$BATS_TEST_TMPDIR/stdout" 2>&1 </dev/null 3>&- &
  local pid=$! status=0
  wait_for "$out/host/default.txt" 'verdict: skip'
  kill -TERM "$pid"
  wait "$pid" || status=$?
  [ "$status" -eq 130 ]
  grep -q '1 kernels: 0 ok' "$out/conformance.txt"
  nothing_left
}
