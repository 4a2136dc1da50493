# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # tree, stdout, patience: common.bash
# For files with many nested runs: one L1 for each kernel serves them all (tools/nested/nested.sh
# --serve). It starts when first needed. Defines setup_file and teardown_file.

load guest
# shellcheck source=tools/nested/serve.sh
source "$tree/tools/nested/serve.sh"

setup_file() {
  export PVSPIN_L1=$BATS_FILE_TMPDIR/l1
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

# nested STATUS ARGUMENT...: runs run.sh in an L1 (of --l1-kernel=, if given). A call takes 5 to
# 40 s of L1's CPU time, which take longer on a busy machine.
nested() {
  local want=$1 kernel=6.12
  shift
  [[ " $* " != *' --l1-kernel=6.1 '* ]] || kernel=6.1
  serve_l1 "$kernel"
  patience=660
  guest "$want" --accel=nested --timeout=600 "$@"
}
