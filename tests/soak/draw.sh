# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # shared with soak
# A random boot: draw SEED sets the boot and its expected end, from SEED alone. Sourced by soak.
#
#   qemu      array: -smp, -machine, -m and the like    append   the guest's command line
#   accepted  run.sh's exit statuses that are right       runs     number of run records; '' any
#
# The lists come from the program: locks from run.sh --list, tunables with range and initial value
# from the hosted build, which has the same tunables.

draw_prepare() {
  local word name low high value
  declare -gA tunable_low tunable_high tunable_initial
  tunable_names=()
  mapfile -t lock_names < <("$tree/run.sh" --list |
    sed -n '/^locks/,/^workloads/s/^  \([a-z0-9-]*\)$/\1/p' | grep -vx null)
  # In the canonical plan, all tunables with their values follow end=.
  for word in $("$hosted" locks=tas ms=1 warmup_ms=0 reps=1 | sed -n '1s/.*"plan":"[^"]* end=exit \([^"]*\)".*/\1/p'); do
    name=${word%=*} value=${word#*=}
    read -r low high < <({ "$hosted" "$name=?" || true; } |
      sed -n 's/^error: .*; accepted: \([0-9]*\)\.\.\([0-9]*\)$/\1 \2/p')
    tunable_names+=("$name")
    tunable_low[$name]=$low tunable_high[$name]=$high tunable_initial[$name]=$value
  done
  ((${#lock_names[@]} >= 7 && ${#tunable_names[@]} >= 7)) || { echo "soak: no lists from $hosted" >&2; return 4; }
}

# Sets n to a random number in 0..MAX-1. (A subshell would restart RANDOM.)
roll() { # MAX
  n=$(((RANDOM << 15 | RANDOM) % $1))
}

choose() { # WORD...: sets chosen
  roll $#
  chosen=${*:n+1:1}
}

draw() { # SEED ACCEL
  RANDOM=$1
  qemu=() append='' accepted=' 0 ' runs=''
  draw_vcpus "$2"
  draw_topology
  choose pc pc q35
  qemu+=(-machine "$chosen")
  choose 64 128 300
  qemu+=(-m "$chosen")
  roll 10
  case $n in
  0) draw_bad ;;
  1 | 2) draw_tests ;;
  3) draw_failure ;;
  *) draw_plan ;;
  esac
}

draw_vcpus() { # ACCEL
  choose 4 4 4 16 16 64
  roll "$chosen"
  vcpus=$((n + 1))
}

# Mostly sockets, cores and threads whose product is the number of vCPUs; sometimes with room for
# more.
draw_topology() {
  local threads=1 cores=1
  roll 3
  if ((n == 0)); then
    roll 4
    qemu+=(-smp "$vcpus,maxcpus=$((vcpus + n))")
    return
  elif ((n == 1)); then
    qemu+=(-smp "$vcpus")
    return
  fi
  ((vcpus % 2)) || threads=2
  for cores in 7 5 3 2 1; do
    ((vcpus / threads % cores)) || break
  done
  qemu+=(-smp "$vcpus,sockets=$((vcpus / threads / cores)),cores=$cores,threads=$threads")
}

draw_locks() { # MAX: sets locks and count
  local i
  locks='' count=0
  roll "$1"
  for ((i = n; i >= 0; i--)); do
    choose "${lock_names[@]}"
    [[ ,$locks, != *",$chosen,"* ]] || continue
    locks+=${locks:+,}$chosen
    count=$((count + 1))
  done
}

draw_threads() { # sets threads and points
  local half=$(((vcpus + 1) / 2))
  threads=$vcpus points=1
  roll 3
  ((n)) || { threads=$half; }
  if ((n == 1 && half < vcpus)); then threads=$half,$vcpus points=2; fi
}

draw_plan() {
  local locks count threads points reps name low high i
  draw_locks 3
  draw_threads
  choose 1 1 2
  reps=$chosen
  choose contended contended uncontended
  append="locks=$locks threads=$threads reps=$reps workload=$chosen"
  choose 0 1 10 100 1000
  append+=" hold=$chosen"
  choose 0 10 200 1000
  append+=" think=$chosen"
  choose ms=1 ms=5 ms=20 ops=1 ops=20
  append+=" $chosen"
  choose 0 1 5
  append+=" warmup_ms=$chosen"
  choose '' '' latency=on nopvspin
  append+=" $chosen"
  choose inline inline patched indirect
  append+=" dispatch=$chosen"
  roll "$vcpus"
  append+=" nodes=$((n + 1))"
  for ((i = 0; i < 3; i++)); do
    choose "${tunable_names[@]}"
    [[ " $append" == *" $chosen="* ]] || draw_tunable "$chosen"
  done
  runs=$((count * points * reps))
}

# A value from the least to four times the initial one, within the range.
draw_tunable() { # NAME
  local low=${tunable_low[$1]} high=${tunable_high[$1]} most=$((tunable_initial[$1] * 4 + 4))
  ((most < high)) || most=$high
  ((most - low < 1 << 30)) || most=$((low + (1 << 30) - 1))
  roll $((most - low + 1))
  append+=" $1=$((low + n))"
}

draw_tests() {
  local locks count
  draw_locks 2
  append="tests=locks.${locks//,/,locks.} test_ms=5"
  accepted=' 0 77 ' # 77: too few vCPUs for all the tests
  roll 4
  ((n)) || append='tests=text,pv'
}

# A word that the guest must refuse.
draw_bad() {
  accepted=' 2 '
  choose locks=tas,no-such locks= locks=tas,tas 'ms=5 ops=5' ms=0 ms=-1 ms=1x threads=0 \
    "threads=$((vcpus + 1))" threads=1, 'locks=tas locks=mcs' frobnicate frobnicate=1 =5 reps= \
    hold=99999999999999999999 workload=contend latency=maybe dispatch= tests=nothing.here nodes=0 \
    nopvspin=1 start=later 'spin_threshold=0' seed=0x "locks=$(printf 'x%.0s' {1..300})" 'ms=1 ms=1'
  append=$chosen
}

draw_failure() {
  accepted=' 5 '
  choose panic ud pf nx stack
  append="provoke=$chosen"
  qemu+=(-kernel "$tree/build/pvspin-broken.elf")
}
