#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# bench-peers builds, runs and covers every registered lock. Its measurements are not judged here.

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/peers/bench-peers >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  table="$BATS_TEST_TMPDIR/table"
}

locks() { # prints all locks
  ./run.sh --list | sed -n '1,/^workloads/s/^  \([a-z0-9-]*\)$/\1/p'
}

@test "one round: both tables have every lock, beside those of other libraries, and all exclude" {
  timeout 200 build/peers/bench-peers --rounds=1 --overcommit-rounds=1 --window-ms=20 --threads=4 \
    >"$table"
  [ -n "$(locks)" ]
  for lock in $(locks) ck-fas ck-cas ck-ticket ck-mcs ck-clh glibc-spin; do
    grep -qE "^$lock  .*[0-9]\.[0-9] \(" "$table" || { echo "$lock: no pairs" >&2; return 1; }
    [ "$lock" = null ] || grep -qE "^$lock( \(halts.*)?$" "$table" ||
      { echo "$lock: not overcommitted" >&2; return 1; }
  done
  [ "$(grep -c 'DID NOT EXCLUDE' "$table")" -eq 0 ]
}

@test "the locked instructions of a pair are counted" {
  timeout 60 build/peers/bench-peers --rounds=1 --threads=none >"$table"
  grep -qE '^floor-rmw-store +1 ' "$table"
  grep -qE '^floor-two-rmws +2 ' "$table"
  grep -qE '^mcs +2 ' "$table"
  grep -qE '^null +0 ' "$table"
}

@test "a usage error is 2" {
  for word in --rounds=0 --rounds=1x --threads= '--threads=4,' --threads=999 nonsense; do
    status=0
    build/peers/bench-peers "$word" >"$table" 2>&1 || status=$?
    [ "$status" -eq 2 ] || { echo "$word: $status" >&2; return 1; }
  done
}
