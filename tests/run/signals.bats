#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Signals to run.sh at moments when not everything that it started is known to it yet. (Those in the middle of
# a run: verdict.bats, nested.bats.)
# shellcheck disable=SC2154 # out, tree: common.bash

load common

setup() {
  private_tmpdir
  mkdir "$BATS_TEST_TMPDIR/bin"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# A program of this name that first says in the file `at` that it is called, and then waits for as long as a
# test may take, if its words have WORD in them.
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

# Starts run.sh, sends it a SIGTERM when the slow program is called: it must be gone in SECONDS, with 130, and
# all that it started with it.
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

@test "before an instance has its QEMU: the read that waits for the guest is ended, too" {
  build_fixture
  slow mkfifo qmp.in
  stopped_within 10 --accel=tcg -kernel "$GUEST" -append case=hang
  jq -e '.verdict == "interrupted"' "$out/manifest.json"
}

@test "while the L1 of an experiment starts: it is not left behind" {
  # As if its kernel had been fetched.
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
  mkdir -p "$XDG_CACHE_HOME/pvspin/nested/6.12/modules"
  touch "$XDG_CACHE_HOME/pvspin/nested/6.12/vmlinuz"
  slow qemu-system-x86_64 virtio-serial-pci
  stopped_within 10 --accel=nested --experiment=baseline --runs=1
}
