#!/bin/bash
# SPDX-License-Identifier: MIT
# Counts the instructions that one uncontended acquire and release take: `make fastpath`.
#
#   tools/fastpath.sh [LOCK...]        default: all; prints a table in Markdown
#
# valgrind's callgrind counts the instructions of the measured loop of build/hosted/pvspin with one
# thread; the lock is inlined as it is in the guest. The counts for N and 2N acquisitions differ by
# N turns of the loop. A lock's figure is a turn with it less a turn with the null lock. For one
# compiler and its options the figures are exact and repeatable. They are not cycles: a locked
# instruction counts as one and costs twenty or more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=build/hosted/pvspin
pairs=1000

die() {
  echo "fastpath: $*" >&2
  exit 4
}

# Prints how many instructions the measured loop executes for PAIRS acquisitions and releases.
count_instructions() { # LOCK PAIRS
  local out count
  out=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=measure_plain \
    "$program" locks="$1" threads=1 ops="$2" reps=1 warmup_ms=0 hold=0 think=0 latency=off \
    dispatch=inline 2>&1) || die "$1 under valgrind: status $?; $out"
  grep -q '"verdict":"ok"' <<<"$out" || die "$1 did not run: $out"
  count=$(sed -n 's/^==[0-9]*== Collected : \([0-9]*\)$/\1/p' <<<"$out")
  [[ -n $count && $count != 0 ]] || die "$1: valgrind counted nothing: $out"
  echo "$count"
}

# Prints the instructions of one turn of the loop with this lock.
per_pair() { # LOCK
  local once twice
  once=$(count_instructions "$1" $pairs)
  twice=$(count_instructions "$1" $((2 * pairs)))
  (((twice - once) % pairs == 0)) ||
    die "$1: $once and $twice instructions for $pairs and $((2 * pairs)) pairs: the pairs differ"
  echo $(((twice - once) / pairs))
}

command -v valgrind >/dev/null || die 'valgrind is missing: make setup'
[[ -x $program ]] || die "$program is missing: make hosted"

locks=("$@")
if ((!$#)); then
  mapfile -t locks < <("$program" locks=all threads=1 ops=1 reps=1 warmup_ms=0 |
    sed -n 's/^{"type":"run",.*"lock":"\([^"]*\)".*/\1/p')
fi
((${#locks[@]})) || die "$program names no locks"

null=$(per_pair null)
echo '| lock | instructions, acquire + release |'
echo '| --- | ---: |'
for lock in "${locks[@]}"; do
  [[ $lock == null ]] && continue
  loop=$(per_pair "$lock")
  echo "| $lock | $((loop - null)) |"
done
build=$("$program" locks=null threads=1 ops=1 reps=1 warmup_ms=0 |
  sed -n 's/^{"type":"boot",.*"build":"\([^"]*\)".*/\1/p')
echo
echo "$build, -O2; the loop itself ($null) is subtracted. $(valgrind --version)."
