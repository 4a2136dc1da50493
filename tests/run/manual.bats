#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Compares man pages and completion with --help, the authoritative list; and tests --gdb, which they
# describe.
# shellcheck disable=SC2154 # tree, stdout: common.bash

load common

setup() {
  private_tmpdir
  cd "$tree" || return 1
}

# Prints the options of a help text on stdin, one per line: --name, or --name= if it takes a value.
options() {
  grep -E '^  +--[a-z]' | grep -oE '(^ +|, )--[a-z][a-z0-9-]*\[?=?' | tr -d ' ,[' | sort -u
}

# Fails unless the page names each option of stdin as .Fl -name, with a value if the help has one.
page_has() { # PAGE
  local option count=0 text
  text=$(mandoc -T ascii -O width=200 "$1" | col -b | sed "s,\[=,=,g")
  while read -r option; do
    count=$((count + 1))
    grep -qE -- "(^|[^a-z-])$option" <<<"$text" || { echo "$1: no $option" >&2; return 1; }
  done
  echo "$count"
}

@test "man pages: without a warning, and with every option of --help" {
  if ! command -v mandoc >/dev/null; then skip 'no mandoc'; fi
  mandoc -T lint -W warning man/*.1
  [ "$(./run.sh --help | options | page_has man/pvspin.1)" -ge 13 ]
  if [ -x build/pvspin-report ]; then
    [ "$(build/pvspin-report --help | options | page_has man/pvspin-report.1)" -ge 6 ]
  fi
}

@test "man page: the exit statuses are those of --help" {
  local status
  ./run.sh --help | sed -n '/^Exit status/,$p' | tr -d '\n' | grep -oE '(: |; )[0-9]+' | tr -dc '0-9\n' >"$BATS_TEST_TMPDIR/statuses"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/statuses")" -ge 8 ]
  while read -r status; do
    grep -qx "\.It $status" man/pvspin.1 || { echo "man/pvspin.1: no exit status $status" >&2; return 1; }
  done <"$BATS_TEST_TMPDIR/statuses"
}

# Prints the completions for these words, the last of which is being typed; sorted, on one line.
offered() { # WORD...
  bash -c '
    source completions/pvspin.bash
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _pvspin ./run.sh "${COMP_WORDS[COMP_CWORD]}" x
    printf "%s\n" "${COMPREPLY[@]}"' completion "$@" | sort | paste -sd' '
}

@test "completion offers every option of --help, and the values that it lists" {
  [ "$(offered run.sh --)" = "$(./run.sh --help | options | paste -sd' ')" ]
  [ "$(offered run.sh --accel =)" = 'auto kvm nested sim tcg' ]
  [ "$(offered run.sh --accel = n)" = nested ]
  [ "$(offered run.sh --pv =)" = 'hyperv off on' ]
  [ "$(offered run.sh --ti)" = --timeout= ]
  [ "$(offered run.sh -kernel READ)" = README.md ]
}

@test "--gdb: the command it prints connects, and a breakpoint at kmain is hit" {
  if ! command -v gdb >/dev/null; then skip 'no gdb'; fi
  local said=$BATS_TEST_TMPDIR/said run
  make -s build/pvspin.elf
  ./run.sh --accel=tcg --gdb --timeout=120 --out="$out" -append "locks=tas ms=5 reps=1" >"$said" 2>&1 &
  run=$!
  wait_for "$said" 'debugger: gdb'
  # Runs the printed command as a person would, with commands of our own added.
  eval "$(sed -n 's/^.*debugger: \(gdb .*\)$/timeout 60 \1/p' "$said") -batch -nx -ex 'break kmain' -ex continue \
    -ex backtrace -ex 'delete' -ex 'continue'" </dev/null >"$BATS_TEST_TMPDIR/gdb" 2>&1 || true
  wait "$run" || { cat "$said" "$BATS_TEST_TMPDIR/gdb" >&2; return 1; }
  grep -E '^Breakpoint 1, kmain ' "$BATS_TEST_TMPDIR/gdb"
  grep -F 'guest/kmain.c' "$BATS_TEST_TMPDIR/gdb"
  grep -F 'verdict: ok' "$said"
  nothing_left
}
