#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --meet: calls of run.sh that were started separately and measure
# together. Most members are the hosted build alone (--instances=0 --host-peer), which needs no
# QEMU. `other`, a call that the test controls, plays the failures.
# shellcheck disable=SC2030,SC2031,SC2154 # stdout, stderr, out, tree: common.bash, set in each test

load guest

setup_file() {
  make -s -C "$BATS_TEST_DIRNAME/../.." all hosted report >&2
}

setup() {
  private_tmpdir
  place="$BATS_TEST_TMPDIR/me et,x"
  mkdir "$place"
}

teardown() {
  keep_failed
  [[ -z ${other:-} ]] || kill "$other" 2>/dev/null || true
}

hosted=(--accel=tcg --instances=0 --host-peer --timeout=60)
keys="locks=tas ms=20 reps=2 warmup_ms=1 threads=1"

# Starts a call in the background. Its files are $BATS_TEST_TMPDIR/NAME.out, NAME.err and the
# directory NAME.
begin() { # NAME ARGUMENT...
  local name=$1
  shift
  "$tree/run.sh" --out="$BATS_TEST_TMPDIR/$name" "$@" >"$BATS_TEST_TMPDIR/$name.out" \
    2>"$BATS_TEST_TMPDIR/$name.err" </dev/null 3>&- &
  job=$!
}

finish() { # STATUS: that the call of begin() must end with
  local got=0
  wait "$job" || got=$?
  [ "$got" -eq "$1" ] || { cat "$BATS_TEST_TMPDIR"/*.err "$BATS_TEST_TMPDIR"/*.out >&2; return 1; }
}

# Enters another call into $place, which consists of a lock only. Messages to it can be read from
# descriptor 6. Sets other, its process ID.
other_enters() { # [CALLS [BOOT-ID]]
  local at=$place/call.other
  mkdir "$at"
  mkfifo "$at/events"
  exec 6<>"$at/events"
  flock "$at/alive" sleep 100 3>&- 6>&- &
  other=$!
  until ! flock -n "$at/alive" true; do :; done
  printf '%s\n' "$other" 1 "${1:-2}" "${2:-$(</proc/sys/kernel/random/boot_id)}" bob "$place/o" >"$at/call"
}

# Kills the other call without a message; its sleep is flock's child.
other_dies() {
  pkill -KILL -P "$other"
  wait "$other" || true
  other=''
}

other_says() { # WORD...: sends a message to the call that joined
  local at
  for at in "$place"/call.*/; do
    [[ $at == */call.other/ ]] || echo "$*" >"$at/events"
  done
}

other_hears() { # WORD: waits for this message
  local word=''
  until [[ $word == "$1" ]]; do
    read -r -t 30 -u 6 word _ || { echo "no message $1 within 30 s" >&2; return 1; }
  done
}

meeting() { # NAME FILTER: fails unless the filter is true of the meeting in NAME's manifest
  jq -e ".meeting | $2" "$BATS_TEST_TMPDIR/$1/manifest.json" >/dev/null || {
    echo "not so: $2" >&2
    jq .meeting "$BATS_TEST_TMPDIR/$1/manifest.json" >&2
    return 1
  }
}

nothing_there() {
  [[ -z $(ls -A "$place") ]] || { ls -lA "$place" >&2; return 1; }
  nothing_left
}

@test "--meet: contradictory arguments are usage errors" {
  run_sh 2 --meet
  run_sh 2 --meet= -smp 1
  run_sh 2 --meet="$place,1"
  says "$stderr" '2 to 64 calls can meet'
  run_sh 2 --meet="$place" -append tests=locks
  run_sh 2 --meet="$place" --conformance
  run_sh 2 --meet="$place" --experiment=study
  run_sh 2 --meet="$place/none" "${hosted[@]}"
  says "$stderr" "$place/none" 'no such directory'
  nothing_there
}

@test "two calls with a VM each: their logs prove that they measured at once" {
  begin a --accel=tcg --timeout=60 --meet="$place" -smp 1 -append "locks=tas,mcs ms=400 reps=1 warmup_ms=5"
  wait_for "$BATS_TEST_TMPDIR/a.err" 'waiting for 1 more'
  run_sh 0 --accel=tcg --timeout=60 --meet="$place" -smp 1 --out="$out" -append "locks=ticket ms=400 reps=2 warmup_ms=5"
  says "$stderr" "met PID $job"
  finish 0
  says "$stdout" "met PID $job" "$BATS_TEST_TMPDIR/a" '2 pairs of measured phases'
  for log in "$BATS_TEST_TMPDIR/a" "$out"; do
    records '[.[] | select(.type == "overlap")] | length == 2 and all(.peer == 1 and overlap > 0)' \
      "$log/serial-0.log"
  done
  meeting a '.calls | length == 1 and (.[0].left | . == null or . == "ended")'
  meeting a ".calls[0].out == \"$out\" and .calls[0].phases == 2 and .calls[0].overlap_us > 200000"
  says "$("$tree/build/pvspin-report" "$BATS_TEST_TMPDIR/a" "$out")" 'calls that were started separately measured at the same time' \
    'Measured at the same time as other logs'
  nothing_there
}

@test "three calls, two runs each: all wait for the last" {
  local name
  for name in a b; do
    begin "$name" "${hosted[@]}" --runs=2 --meet="$place,3" -append "$keys"
    wait_for "$BATS_TEST_TMPDIR/$name.err" 'more, at most'
  done
  run_sh 0 "${hosted[@]}" --runs=2 --meet="$place,3" --out="$out" -append "$keys"
  wait
  for name in a/run-1 b/run-2; do
    meeting "$name" '.calls | map(.phases) == [2, 2]'
    records '[.[] | select(.type == "overlap") | .peer] | sort == [1, 1, 2, 2]' "$BATS_TEST_TMPDIR/$name/host-peer.log"
  done
  nothing_there
}

@test "no other call comes: 4, nothing was started" {
  PVSPIN_MEET_LIMIT=1 run_sh 4 "${hosted[@]}" --meet="$place" --out="$out" -append "$keys"
  says "$stdout" 'verdict: error: --meet=' 'of 2 calls only 1 came'
  nothing_there
}

@test "a waiting call: its files are readable whatever the umask; a signal: 130, nothing is left" {
  umask 077
  begin a "${hosted[@]}" --meet="$place" -append "$keys"
  wait_for "$BATS_TEST_TMPDIR/a.err" 'waiting for 1 more'
  [ "$(stat -c %a "$place"/call.*/{alive,call} | paste -sd' ')" = '644 644' ]
  kill -TERM "$job"
  finish 130
  nothing_there
}

@test "the other dies, or is stopped, before the first measured phase: 4, and why" {
  local word
  for word in died stopped; do
    other_enters
    begin "$word" "${hosted[@]}" --meet="$place" -append "$keys"
    other_hears held
    if [[ $word == died ]]; then other_dies; else other_says left other stopped; fi
    finish 4
    says "$(<"$BATS_TEST_TMPDIR/$word.out")" 'verdict: error: --meet=' 'before the first measured phase'
    records 'map(.type) | index("run") == null' "$BATS_TEST_TMPDIR/$word/host-peer.log"
    [[ $word == died ]] || other_dies
    rm -rf "$place/call.other"
  done
  says "$(<"$BATS_TEST_TMPDIR/died.out")" 'died before'
  says "$(<"$BATS_TEST_TMPDIR/stopped.out")" 'was stopped before'
  nothing_there
}

@test "the other dies later: this call goes on without it, says so, and ends with 4" {
  other_enters
  begin a "${hosted[@]}" --meet="$place" -append "$keys"
  other_hears held
  other_says held other 1
  wait_for "$BATS_TEST_TMPDIR/a/host-peer.log" '"type":"run"'
  other_dies
  finish 4
  says "$(<"$BATS_TEST_TMPDIR/a.out")" 'verdict: ok' 'error: it died' 'without it'
  records '[.[] | select(.type == "run")] | length == 2' "$BATS_TEST_TMPDIR/a/host-peer.log"
  meeting a '.calls[0] | .left == "died" and .releases == 1 and .user == "bob"'
  rm -rf "$place/call.other"
  nothing_there
}

@test "the other has fewer runs: 0; its phases are peers of ours; junk is no message" {
  other_enters
  begin a "${hosted[@]}" --meet="$place" -append "$keys"
  other_hears held
  # shellcheck disable=SC2016 # must never be expanded
  other_says 'exit a[$(touch "$TMPDIR/broken")] 0'
  other_says span other 7 1 2
  other_says span other 0 1
  other_says held other 'x[0]'
  other_says held nobody 9
  other_says held other 1
  other_hears held
  other_says span other 0 1700000000000000100 1700000000500000100
  other_says left other ended
  other_dies
  finish 0
  records '[.[] | select(.type == "overlap")] | length == 1 and .[0].peer == 1 and (.[0] | overlap <= 0)' \
    "$BATS_TEST_TMPDIR/a/host-peer.log"
  meeting a '.calls[0].left == "ended"'
  rm -rf "$place/call.other"
  nothing_there
}

@test "calls that cannot meet: too many, other numbers, another machine; dead calls are removed" {
  other_enters 3
  run_sh 2 "${hosted[@]}" --meet="$place" --out="$out" -append "$keys"
  says "$stderr" 'waits for 3 calls to meet, this one for 2'
  echo "$other" >"$place/call.other/call"
  printf '%s\n' 1 2 "$(</proc/sys/kernel/random/boot_id)" bob "$place/o" >>"$place/call.other/call"
  cp -r "$place/call.other" "$place/call.ghost" # nobody holds its lock
  PVSPIN_MEET_LIMIT=1 begin a "${hosted[@]}" --meet="$place" -append "$keys"
  other_hears held
  [ ! -e "$place/call.ghost" ]
  run_sh 4 "${hosted[@]}" --meet="$place" --out="$out" -append "$keys"
  says "$stderr" '2 calls have met there already' "PID $other" "PID $job"
  other_dies
  finish 4
  rm -rf "$place/call.other"
  other_enters 2 0-another-boot
  run_sh 4 "${hosted[@]}" --meet="$place" --out="$out" -append "$keys"
  says "$stderr" 'on another machine'
  other_dies
  rm -rf "$place/call.other"
  nothing_there
}
