# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with check-faults
# Reads the table of faults, writes the rows for in-l1, and writes the table of results in
# docs/abi.md. Sourced by check-faults.

# Sets names (in order), clauses_of, keys_of.
read_table() {
  local name clauses keys
  declare -gA clauses_of=() keys_of=() properties_of=()
  names=()
  while read -r name clauses keys; do
    [[ -n $name && $name != '#'* ]] || continue
    names+=("$name")
    clauses_of[$name]=$clauses keys_of[$name]=$keys
  done <"$here/faults.table"
}

key() { # FAULT KEY DEFAULT; sets value
  value=$3
  if [[ " ${keys_of[$1]} " =~ \ $2=([^ ]+)\  ]]; then value=${BASH_REMATCH[1]}; fi
}

# Prints the guest's command line: the clauses, and the facts that run.sh would tell it.
append_of() { # CLAUSES PROPERTIES KERNEL
  local what="tests=$1" enforce=''
  [[ $1 != run ]] || what='locks=tas reps=1 ms=20 warmup_ms=0'
  [[ $2 != *kvm-pv-enforce-cpuid=on* ]] || enforce=' vmm_enforce=on'
  echo "$what accel=nested vmm_kernel=$((${3%%.*} * 1000 + ${3#*.}))$enforce"
}

# Sets rows: first, for each set of properties, rows without a fault (none-1, none-2, ...) with all
# clauses of its faults; then the faults. Also sets properties_of, so it must not run in a subshell.
write_rows() { # KERNEL
  local fault properties module n cpu smp rows=''
  local -A clauses=()
  for fault in "${chosen[@]}"; do
    key "$fault" fault "$fault" && module=$value
    key "$fault" n 3 && n=$value
    key "$fault" cpu 1 && cpu=$value
    key "$fault" smp 2 && smp=$value
    key "$fault" props - && properties=$value
    rows+="$fault $module $n $cpu $smp $properties $(append_of "${clauses_of[$fault]}" "$properties" "$1")"$'\n'
    properties_of[$fault]=$properties
    [[ ${clauses_of[$fault]} == run ]] || clauses[$properties]+=${clauses_of[$fault]},
  done
  references=0
  for properties in "${!clauses[@]}"; do
    reference_rows "$1" "$properties" "$(tr , '\n' <<<"${clauses[$properties]}" | sort -u)"
  done
  printf %s "$rows"
}

# Splits the clauses over several rows, because tests= has at most 255 bytes (bench/plan.h).
reference_rows() { # KERNEL PROPERTIES CLAUSES
  local clause list=''
  for clause in $3 ''; do
    if [[ -z $clause ]] || ((${#list} + ${#clause} > 250)); then
      properties_of[none-$((++references))]=$2
      echo "none-$references none 3 1 2 $2 $(append_of "${list#,}" "$2" "$1")"
      list=''
    fi
    list+=,$clause
  done
}

# Writes one line for each fault between the marks in FILE. A fault that was not run on both kernels
# keeps its old line.
write_table() { # FILE
  local fault new today
  local -A line_of=()
  new=$(mktemp "$scratch/table.XXXXXX")
  TZ=UTC printf -v today '%(%Y-%m-%d)T' -1
  for fault in "${names[@]}"; do
    line_of[$fault]=$(grep -F "| \`$fault\` |" "$1" || true)
    [[ -z ${result[6.12/$fault]:-} || -z ${result[6.1/$fault]:-} ]] ||
      line_of[$fault]="| \`$fault\` | ${result[6.12/$fault]} | ${result[6.1/$fault]} | $today |"
  done
  {
    sed '/<!-- faults: begin/q' "$1"
    echo
    echo '| fault | red on 6.12 | red on 6.1 | run on |'
    echo '|---|---|---|---|'
    for fault in "${names[@]}"; do
      echo "${line_of[$fault]:-| \`$fault\` | not run | not run | |}"
    done
    echo
    sed -n '/<!-- faults: end/,$p' "$1"
  } >"$new"
  cat "$new" >"$1"
}
