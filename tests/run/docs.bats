#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Compares README, docs/locks.md and docs/abi-coverage.md with the program: every lock has its
# section, every setting, tunable and lock event is described, every clause has a test or a reason
# why not. (guest_tcg.bats compares docs/serial-log.md with a guest's log.)

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/hosted/pvspin >&2
}

# Prints the names after "accepted:" in the error about KEY=?, one per line.
accepted() { # KEY
  { build/hosted/pvspin "$1" || [ $? -eq 2 ]; } |
    sed -n 's/^error: .*; accepted: //p' | tr -d ' ' | tr ',' '\n'
}

# Fails unless docs/locks.md, or a row of README or docs/kbuild.md, has each word of stdin, as
# `word`, and there are at least COUNT of them.
described() { # COUNT
  local word words=0 missing=0
  while read -r word; do
    words=$((words + 1))
    grep -qF "\`$word\`" docs/locks.md || grep -q "^| .*\`$word=.* |" README.md docs/kbuild.md ||
      { echo "docs/locks.md, README.md, docs/kbuild.md: no \`$word\`" >&2; missing=1; }
  done
  [ "$words" -ge "$1" ] || { echo "only $words words to look for" >&2; return 1; }
  return "$missing"
}

@test "docs/locks.md has one section for each lock, in order, and no other" {
  accepted 'locks=?' | grep -vx 'all\|linux' >"$BATS_TEST_TMPDIR/locks"
  sed -n 's/^## \([a-z0-9-]*\)$/\1/p' docs/locks.md | sort >"$BATS_TEST_TMPDIR/sections"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/locks")" -ge 7 ]
  diff "$BATS_TEST_TMPDIR/locks" "$BATS_TEST_TMPDIR/sections"
}

@test "docs/locks.md describes every tunable, README every setting" {
  # All keys but those that only bench/plan.c names.
  sed -n 's/.*\(NUMBER\|NAMED\)[A-Z_]*([^"]*"\([a-z_]*\)".*/\2=/p; s/.*\.name = "\([a-z]*\)".*/\1=/p' \
    bench/plan.c | sort >"$BATS_TEST_TMPDIR/plan"
  accepted '?=?' | grep '=' | sort | comm -23 - "$BATS_TEST_TMPDIR/plan" | tr -d '=' | described 3
}

@test "pv_kick_ipi is a tunable of each lock that halts" {
  grep -l 'LOCK_PV' locks/*.c | sed 's|locks/||; s|\.c$||' | sort >"$BATS_TEST_TMPDIR/halt"
  sed -n '/^TUNABLE(pv_kick_ipi/,/;/p' port/guest/pv_kvm.c | grep -o '"[^"]*"' | tr -d '"' | tr ',' '\n' | sort |
    diff "$BATS_TEST_TMPDIR/halt" -
}

# Prints docs/results.md's block NAME.
block() { # NAME [FILE]
  sed -n "/<!-- make results: $1 -->/,/<!-- end -->/p" "${2:-docs/results.md}"
}

@test "docs/contended.svg shows what docs/results.md says" {
  # ratios, with their locks, in the order of the table
  block contended | sed -n 's/^| \([^|]*\) |[^|]*|[^|]*| \([0-9.]*\) (.*/\1 \2/p' >"$BATS_TEST_TMPDIR/table"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/table")" -ge 4 ]
  sed -n 's/.*text-anchor="end">\(.*\)<\/text>.*/\1/p' docs/contended.svg | paste -d' ' - - |
    diff "$BATS_TEST_TMPDIR/table" -
}

@test "docs/locks.svg has the locks of docs/results.md, in the same order" {
  ! block locks_table | grep '^Not measured' || skip 'make results was not run'
  block locks_table | sed -n 's/^| \([a-z0-9-]*\) | .*±.*/\1/p' >"$BATS_TEST_TMPDIR/locks"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/locks")" -ge 20 ]
  sed -n 's/.*text-anchor="end">\(.*\)<\/text>.*/\1/p' docs/locks.svg | diff "$BATS_TEST_TMPDIR/locks" -
}

@test "README says what docs/results.md says" {
  local lock figure
  for lock in 'pv-qspinlock of 4.12' pv-qspinlock paq; do
    figure=$(block contended | sed -n "s/^| $lock |[^|]*|[^|]*| \([^|]*\) |.*/\1/p")
    [[ $figure == *' to '* ]]
    block readme README.md | tr '\n' ' ' | grep -qF "$figure"
  done
}

@test "make results fills each of its places in docs/results.md and README.md, and has no others" {
  sed -n 's/^<!-- make results: \([a-z_]*\) -->$/\1/p' docs/results.md README.md | sort >"$BATS_TEST_TMPDIR/places"
  { sed -n "/^readonly BLOCKS=/,/'\$/p" tools/results/results.sh | sed "s/.*://; s/'\$//" | tr ' ' '\n'; echo readme; } |
    sort | diff "$BATS_TEST_TMPDIR/places" -
}

@test "docs/locks.md describes every lock event" {
  # Those with a field of their own are in docs/serial-log.md.
  sed -n 's/.*\[EV_.*\] = "\(.*\)",/\1/p' locks/core/stats.c | while read -r event; do
    grep -qF "\`$event\`" docs/serial-log.md || echo "$event"
  done | described 10
}

@test "docs/abi-coverage.md agrees with the suite, and every clause has a test or a reason" {
  tools/abi-coverage.sh --check
}

@test "the check of docs/abi-coverage.md notices a clause that has no test, and a test that has no clause" {
  mkdir -p "$BATS_TEST_TMPDIR/docs" "$BATS_TEST_TMPDIR/tests/suites"
  cp -r tools "$BATS_TEST_TMPDIR/" && cp -r tests/suites/abi "$BATS_TEST_TMPDIR/tests/suites/"
  cd "$BATS_TEST_TMPDIR"
  tools/abi-coverage.sh && tools/abi-coverage.sh --check
  sed -i 's/ABI-NR-02/ABI-NR-99/' tests/suites/abi/numbers.c
  run tools/abi-coverage.sh --check
  [ "$status" -ne 0 ]
  [[ $output == *'ABI-NR-02 has neither a test nor a reason'* ]]
  [[ $output == *'ABI-NR-99 is no clause'* ]]
}

@test "make lint's check of the folders follows the table of docs/design.md, and notices an include against it" {
  mkdir -p "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/new"
  echo '#include "lib/printf.h"' >"$BATS_TEST_TMPDIR/kernel/right.c"
  echo '#include "locks/core/pv.h"' >"$BATS_TEST_TMPDIR/kernel/wrong.c"
  echo '#include <stdint.h>' >"$BATS_TEST_TMPDIR/new/folder.c"
  # shellcheck disable=SC2016 # backticks of Markdown
  sed 's,^| `lib/` | nothing |,| `lib/` | `port/` |,' docs/design.md >"$BATS_TEST_TMPDIR/circle.md"
  cp docs/design.md "$BATS_TEST_TMPDIR/"
  local layers="$PWD/tools/layers.sh"
  cd "$BATS_TEST_TMPDIR"
  "$layers" design.md kernel/right.c
  run "$layers" design.md kernel/right.c kernel/wrong.c
  [ "$status" -eq 1 ]
  [ "$output" = 'kernel/wrong.c:1: kernel/ may not include "locks/core/pv.h" (design.md)' ]
  run "$layers" design.md new/folder.c
  [ "$status" -eq 1 ]
  [[ $output == *'no row for its folder' ]]
  run "$layers" circle.md kernel/right.c
  [ "$status" -eq 1 ]
  [[ $output == *'lib/ may include port/, which has no row above' ]]
  run "$layers" new/folder.c kernel/right.c
  [ "$status" -eq 1 ]
  [[ $output == *'no table of folders' ]]
}
