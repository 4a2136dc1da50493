# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # tree, stdout, patience: common.bash
# For files with many nested runs: one L1 for each kernel serves them all (tools/nested/nested.sh
# --serve). It starts when first needed. Defines setup_file and teardown_file.

load guest
# shellcheck source=tools/nested/serve.sh
source "$tree/tools/nested/serve.sh"

setup_file() {
  export PVSPIN_L1=$BATS_FILE_TMPDIR/l1
  export PVSPIN_BOOT_LIMIT=60 # 28 vCPUs need about ten seconds
  mkdir "$PVSPIN_L1"
}

teardown_file() {
  local kernel
  for kernel in 6.1 6.12; do
    stop_l1 "$kernel"
  done
}

stop_l1() { # KERNEL
  local ready=$PVSPIN_L1/$1/ready
  [[ ! -e $ready ]] || serve_stop "$(<"$ready")"
}

# Starts the L1 unless it runs.
serve_l1() { # KERNEL
  ! serve_answers "$PVSPIN_L1/$1" || return 0
  serve_start "$PVSPIN_L1" "$1" --timeout=3000 --rw="$BATS_RUN_TMPDIR" --memory=2560 \
    --console="$PVSPIN_L1/$1.console" && return
  cat "$PVSPIN_L1/$1.err" >&2
  echo "no L1 with kernel $1" >&2
  return 1
}

# nested STATUS ARGUMENT...: runs run.sh in the L1 of the kernel of --l1-kernel= (default 6.12).
#
# With SeaBIOS, one virtual machine in a hundred hung before the first instruction of pvspin;
# docs/boot.md, "Nested", has the reason and run.sh's remedy. If that happens nevertheless, such a
# run (and no other) is repeated in a new L1, and the test's output says so.
nested() {
  local want=$1 kernel=6.12 got=0
  shift
  [[ " $* " != *' --l1-kernel=6.1 '* ]] || kernel=6.1
  serve_l1 "$kernel"
  patience=$((${bound:-200} + 60))
  guest "$want" --accel=nested --timeout="${bound:-200}" "$@" || got=$?
  ((got != 0)) || return 0
  grep -q 'the guest never started' <<<"$stdout" || return 1
  echo "# tried once more: $BATS_TEST_DESCRIPTION: run.sh $*: ${stdout//$'\n'/$'\n# '}" >&3
  stop_l1 "$kernel" # in the same L1 it may happen again
  serve_l1 "$kernel"
  guest "$want" --accel=nested --timeout="${bound:-200}" "$@"
}
