# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # stdout, out: common.bash
# For tests that run the real guest: common.bash, and checks of the serial log.

load common

teardown() {
  keep_failed
}

# guest STATUS ARGUMENT...: runs run.sh, which must end with STATUS. Sets log to instance 0's serial
# log.
guest() {
  local want=$1
  shift
  rm -rf "$out"
  log=$out/serial-0.log
  patience=${patience:-600} run_sh "$want" --out="$out" "$@"
}

# Prints how many locks locks=all stands for: all but null.
all_locks() {
  grep -l '^LOCK_REGISTER' "$tree"/locks/*.c | grep -vc /null.c
}

# records FILTER [LOG]: fails unless the jq filter is true of the array of all records. The filter
# may use `overlap`: ns that the two runs of an overlap record had in common.
records() {
  local overlap='def overlap: ([.end_ns, .peer_end_ns] | min) - ([.start_ns, .peer_start_ns] | max);'
  if ! grep -a '^{' "${2:-$log}" | jq -se "$overlap $1" >/dev/null; then
    echo "not so: $1" >&2
    grep -a '^{' "${2:-$log}" | cut -c1-600 >&2
    return 1
  fi
}

# no_line PATTERN: fails if a line of stdout matches. (In bats, a `!` never fails a test.)
no_line() {
  if grep -e "$1" <<<"$stdout" >&2; then
    echo "there should be no such line: $1" >&2
    return 1
  fi
}
