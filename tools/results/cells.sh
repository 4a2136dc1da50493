#!/bin/bash -p
# SPDX-License-Identifier: MIT
# Simulates the cells of tools/results/cells for results.sh: VMs on one modelled host, each cell
# with the seeds 1 to N. build/results/cells/KEY/ has a file for each run, named by all that decides
# its figures. KEY is a sum over the sources of the simulator, its guest, the analyser and this
# program, so that a run that is there need not be made again.
#
#   cells.sh list PART...       the runs of these parts, one a line, in the order of their seeds:
#                      MACHINE KEYS LEVEL NEIGHBOUR LOCK SEED
#   cells.sh run PART...        makes those that are missing (JOBS at a time: 2)
#   cells.sh parts              the names of the plan's parts
#   cells.sh key                the sum KEY
#   cells.sh print              all runs of the plan, an array of JSON objects
# SEEDS=N: only seeds up to N, for a trial.
#   cells.sh one DIR RUN        (internal) makes one
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly PLAN=${CELLS_PLAN:-tools/results/cells} # CELLS_PLAN: for its test
declare -A CPUS=([study]=28 [skylake]=40 [milan]=64)

# A sum over the sources that decide a figure: other sources, other figures.
key() {
  find bench experiments lib locks port run.sh sim tools/report tools/results tools/run -type f \
    ! -name '*.o' ! -path tools/results/results.sh ! -path "$PLAN" ! -path tools/results/plans \
    \( ! -path 'tools/results/*.jq' -o -name cell.jq \) -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-16
}

# Prints the words of a list "A/B/C", one a line. "all": every lock but null, which excludes nobody, and
# those that look at more than the lock in each poll: the simulator cannot take their polls many at
# once, and needs 20 times as long.
words() {
  local word
  tr '/' '\n' <<<"$1" | while read -r word; do
    if [[ $word == all ]]; then
      sed -n 's/^LOCK_REGISTER.*//; s/.*\.name = "\([a-z0-9-]*\)".*/\1/p' locks/*.c | grep -vx 'null\|i-spinlock\|mcs-tp\|preemptable-ticket'
    else
      echo "$word"
    fi
  done
}

list() { # PART...
  local part seeds machines keys levels neighbour locks machine key level lock seed
  while read -r part seeds machines keys levels neighbour locks; do
    [[ $part != '#'* && -n $part && " $* " == *" $part "* ]] || continue
    for machine in $(words "$machines"); do
      for key in $(words "$keys"); do
        for level in $(words "$levels"); do
          for lock in $(words "$locks"); do
            for ((seed = 1; seed <= seeds && seed <= ${SEEDS:-99}; seed++)); do echo "$machine $key $level $neighbour $lock $seed"; done
          done
        done
      done
    done
  done <"$PLAN" | awk '!seen[$0]++' | sort -s -n -k6,6
}

parts() {
  awk '$1 !~ /^#/ && NF && !seen[$1]++ { print $1 }' "$PLAN"
}

# The guest's command line: KEYS and LOCK are "NAME,KEY=VALUE,..."; these keys have defaults here.
command_line() { # KEYS LOCK
  local word line="reps=1 accel=sim ${1//,/ } locks=${2//,/ }"
  if [[ $1 != workload=kbuild* ]]; then
    for word in hold=1000 ms=60 warmup_ms=15 latency=on; do
      [[ " $line" == *" ${word%=*}="* ]] || line+=" $word"
    done
  fi
  echo "$line"
}

# Simulates one run and writes its figures to FILE. 1.5: two VMs with three quarters of the CPUs
# each; 1, 2, 4: so many VMs with as many vCPUs as CPUs; 2in: one VM with twice as many; 6vcpus: one
# VM of six. With a NEIGHBOUR, every second VM has that lock, or KEY=VALUE in place of the last of KEYS, and does not
# count.
run_cell() { # FILE MACHINE KEYS LEVEL NEIGHBOUR LOCK SEED
  local file=$1 machine=$2 keys=$3 level=$4 neighbour=$5 lock=$6 seed=$7 vms=1 vcpus out i words=() logs=()
  vcpus=${CPUS[${machine%%,*}]}
  case $level in
  1.5) vms=2 vcpus=$((vcpus * 3 / 4)) ;;
  1.5in) vcpus=$((vcpus * 3 / 2)) ;;
  *vcpus) vcpus=${level%vcpus} ;;
  *in) vcpus=$((vcpus * ${level%in})) ;;
  *) vms=$level ;;
  esac
  out=$(mktemp -d build/results/run.XXXXXX)
  for ((i = 0; i < vms; i++)); do
    if [[ $neighbour == - ]] || ((i % 2 == 0)); then
      words+=("$vcpus" "$(command_line "$keys" "$lock")") logs+=("$out/serial-$i.log")
    elif [[ $neighbour == *=* ]]; then
      words+=("$vcpus" "$(command_line "${keys/,"${neighbour%%=*}"=[0-9]*/},$neighbour" "$lock")")
    else
      words+=("$vcpus" "$(command_line "$keys" "$neighbour")")
    fi
  done
  timeout 600 build/sim/pvspin-sim --seed="$seed" --host="machine=$machine,jitter=5" --out="$out" "${words[@]}" >/dev/null ||
    { grep -h '^error' "${logs[@]}" >&2 || true; echo "cells.sh: $out failed" >&2; return 1; }
  { build/pvspin-report --format=json "${logs[@]}"
    grep -h '"type":"boot"\|"cpu":"all","what":"wait_net"' "${logs[@]}"; } |
    jq -cs -L tools/results --arg cell "$machine $keys $level $neighbour $lock $seed" \
      'include "cell"; cell($cell)' >"$file.new"
  mv "$file.new" "$file"
  rm -rf "$out"
}

main() {
  local dir line file command=${1-}
  shift || true
  case $command in
  list) list "$@" ;;
  key) key ;;
  parts) parts ;;
  run)
    dir=build/results/cells/$(key)
    mkdir -p "$dir"
    list "$@" | while read -r line; do
      file=$dir/${line// /:}
      [[ -s $file ]] || echo "$line"
    done | tr '\n' '\0' | xargs -0 -r -n1 -P "${JOBS:-2}" "$0" one "$dir"
    ;;
  one)
    read -ra words <<<"$2"
    run_cell "$1/${2// /:}" "${words[@]}"
    ;;
  print)
    dir=build/results/cells/$(key)
    mapfile -t all < <(parts)
    list "${all[@]}" | while read -r line; do
      cat "$dir/${line// /:}" || { echo "cells.sh: $line was not run" >&2; exit 2; }
    done | jq -cs .
    ;;
  *) echo "cells.sh: list, parts, key, run or print" >&2; exit 2 ;;
  esac
}

main "$@"
