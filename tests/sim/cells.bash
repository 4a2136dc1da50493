# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the programs use them
# Shared by the programs of this folder: runs on the simulated host, and expectations of figures.
#
#   simulate HOST-KEYS VCPUS COMMAND-LINE [VCPUS COMMAND-LINE]...
#     prints the run records of all VMs, one a line: VM LOCK THREADS OPS NS
#   rate ...   takes the same arguments, with one lock; prints the operations a second of all VMs
#
# Expectations are lines of TAP with their figures, so that a miss explains itself.

tree=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
simulator=${PVSPIN_SIM:-$tree/build/sim/pvspin-sim}
# Host keys without noise: costs have no jitter, there are no daemons and no late ticks.
quiet=jitter=0,daemon_ms=0,tick_late_ns=0
tests=0 failures=0

simulate() {
  local keys=$1 out
  shift
  out=$(mktemp -d "$scratch/XXXXXX")
  "$simulator" --seed="${seed:-1}" --host="$keys" --out="$out" "$@" >"$out/stdout" 2>&1 ||
    { echo "pvspin-sim --host=$keys $*: $(tail -n 3 "$out/stdout")" >&2; return 1; }
  jq -rR 'select(contains("\"type\":\"run\"")) | sub("^[^{]*"; "") | fromjson |
    [input_filename, .lock, .threads, .ops, .elapsed_ns] | @tsv' "$out"/serial-*.log |
    sed -E 's/^.*serial-([0-9]+)\.log/\1/'
  rm -rf "$out"
}

rate() {
  simulate "$@" | awk '{ sum += $4 / $5 * 1e9 } END { if (!NR) exit 1; printf "%.6g\n", sum }'
}

calc() { # EXPRESSION of awk
  awk "BEGIN { printf \"%.6g\\n\", ($1) }"
}

verdict() { # STATUS NAME COMMENT
  tests=$((tests + 1))
  if (($1)); then
    failures=$((failures + 1))
    echo "not ok $tests - $2 # $3"
  else
    echo "ok $tests - $2 # $3"
  fi
}

# near NAME PREDICTED GOT PER-CENT: expects GOT to differ from PREDICTED by PER-CENT at most
near() {
  local off
  off=$(calc "($3) / ($2) * 100 - 100")
  awk "BEGIN { exit !($off <= $4 && $off >= -($4)) }"
  verdict $? "$1" "predicted $2, got $3 ($off %, $4 % allowed)"
}

# within NAME LEAST MOST GOT: expects GOT in that range
within() {
  awk "BEGIN { exit !($4 >= $2 && $4 <= $3) }"
  verdict $? "$1" "from $2 to $3, got $4"
}

finish() {
  echo "1..$tests"
  exit $((failures > 0))
}
