#!/bin/bash -p
# SPDX-License-Identifier: MIT
# Runs one test program for prove, with TAP on stdout, whichever
# framework the program uses (bats, cmocka, our own). A program can spoil only its own result: "Bail
# out!", which would make prove stop all others, becomes a failed test, and so does running longer
# than its bound (tests/bounds). When this script ends, all processes that the program started have
# ended. Killing leftover ones is a failure, too.
set -euo pipefail
# shellcheck source=tools/environment.sh
source "${BASH_SOURCE[0]%/*}/../tools/environment.sh" || exit 4
readonly GRACE_SECONDS=10 # for a clean end: virtual machines stop, files are removed

bound_of() { # PROGRAM: see tests/bounds
  local seconds pattern
  while read -r seconds pattern _; do
    # shellcheck disable=SC2053 # a pattern
    [[ $seconds == '#' || $1 != $pattern ]] || { echo "$seconds"; return; }
  done <"${BASH_SOURCE[0]%/*}/bounds"
}

# Passes on TAP, as version 13: Debian 12's prove knows no newer one, and the programs use nothing
# newer.
filter() {
  local line tests=0 planned=0
  while IFS= read -r line; do
    case $line in
    'TAP version 14') line='TAP version 13' ;;
    1..[0-9]*) planned=1 ;;
    'ok '* | 'not ok '*) tests=$((tests + 1)) ;;
    'Bail out!'*)
      tests=$((tests + 1))
      line="not ok $tests - $program: ${line//#/\\#}" # escaped, so that "# SKIP" in it is no excuse
      ;;
    esac
    printf '%s\n' "$line"
  done
  ((tests || planned)) || echo "not ok $((++tests)) - $program: no test, no plan"
  ((planned)) || echo "1..$tests"
}

# Prints the processes that the program has left: they have its mark in their environment.
left() {
  grep -lszxF "CHECK_MARK=$mark" /proc/[0-9]*/environ | cut -d / -f 3 || true
}

# Gives leftover processes some time to end, then kills them and names them.
end_the_rest() { # SECONDS
  local pids names
  SECONDS=0
  until pids=$(left) && [[ -z $pids ]] || ((SECONDS >= $1)); do
    sleep 0.2
  done
  [[ -n $pids ]] || return 0
  names=$(ps -o comm= -p "${pids//$'\n'/,}" | sort -u | paste -sd' ') || return 0
  while [[ -n $pids ]]; do
    # shellcheck disable=SC2086 # numbers
    kill -KILL $pids 2>/dev/null || true
    pids=$(left)
  done
  echo "Bail out! left running, now killed: $names"
}

program=$1 mark=$1:$$
bound=$(bound_of "$program")
command=("$program")
case $program in
*.bats) command=(bats --tap --timing "$program") ;;
*/host/*) export CMOCKA_MESSAGE_OUTPUT=TAP ;;
*/tsan/*) # without null, which does not exclude and so has data races
  export TSAN_OPTIONS=halt_on_error=0:exitcode=66
  command+=(--without-null --budget-ms=40)
  ;;
# A tenth of what check-locks has by itself: races are looked for under chosen schedules.
*/plain/*) command+=(--budget-ms=12) ;;
esac
exec {tap}> >(filter)
filter=$! status=0
# timeout makes it a process group of its own, which a Ctrl-C at the terminal does not reach.
CHECK_MARK=$mark timeout --kill-after="$GRACE_SECONDS" "$bound" "${command[@]}" >&"$tap" {tap}>&- &
timeout=$!
trap 'kill -TERM "$timeout"' INT TERM HUP
until wait "$timeout"; status=$?; ! kill -0 "$timeout" 2>/dev/null; do :; done
grace=$GRACE_SECONDS
if ((status == 124 || status == 137)); then # the program's own status is a failure, too
  echo "Bail out! still running after $bound s: killed" >&"$tap"
  grace=0
fi
end_the_rest "$grace" >&"$tap"
exec {tap}>&-
wait "$filter" || true
exit "$status"
