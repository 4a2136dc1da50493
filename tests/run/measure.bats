#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a log says of the measurement itself, on Linux threads and on simulated CPUs, whose speed is
# known exactly.
# shellcheck disable=SC2016 # $names in single quotes are jq's

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/hosted/pvspin sim >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  log=$BATS_TEST_TMPDIR/log
}

hosted() { # KEY=VALUE...
  timeout 60 build/hosted/pvspin "$@" >"$log" </dev/null || { cat "$log"; false; }
}

sim() { # OPTION... VCPUS KEYS
  timeout 100 build/sim/pvspin-sim "$@" >"$log" || { cat "$log"; false; }
}

all() { # FILTER: fails unless it is true of the array of all records
  grep '^{' "$log" | jq -se "$1" >/dev/null || { echo "not so: $1"; grep '"type":"run"' "$log"; false; }
}

@test "the speed of PAUSE and of the plan's work: at boot, before and after each set of runs" {
  # the model: 10 cycles a PAUSE on the study's machine, a cycle an iteration
  sim --host=machine=study,cpus=4 4 'locks=tas threads=2,4 ms=3 reps=2'
  all '.[0].pause_cycles == 10'
  all '[.[] | select(.type == "speed") | [.when, .threads, .pause_cycles, .work_cycles / .work_iterations]] ==
    [["before", 2, 10, 1], ["after", 2, 10, 1], ["before", 4, 10, 1], ["after", 4, 10, 1]]'
  hosted locks=tas threads=1 ms=20 reps=1
  all '.[0].pause_cycles > 1 and .[0].pause_cycles < 2000'
  all '[.[] | select(.type == "speed") | .work_min_cycles <= .work_cycles and .work_cycles <= .work_max_cycles] ==
    [true, true]'
  hosted locks=tas threads=1 ms=5 reps=1 pause_gap=5000
  all '.[0].pause_cycles > 5000'
}

@test "spin_us= is a time: as many polls as PAUSEs take it, and waiters halt after it" {
  local keys='locks=pv-qspinlock,pv-ticket,oticket,i-spinlock,tas ms=20 reps=1 think=20000'
  sim --host=machine=study,cpus=8 8 "$keys spin_us=100 hold=20000"
  # 100 us of the boot record's kHz, 10 cycles each; tas does not halt
  all '(.[0].tsc_khz / 100) as $polls | [.[] | select(.type == "run") | [.lock, .spin_us_polls]] ==
    [["pv-qspinlock", $polls], ["pv-ticket", $polls], ["oticket", $polls], ["i-spinlock", $polls], ["tas", null]]'
  # a section is 10 us: seven are before the last in the queue, so nobody waits 100 us
  all '[.[] | select(.type == "run") | .halts] == [0, 0, 0, 0, 0]'
  sim --host=machine=study,cpus=8 8 "$keys spin_us=5 hold=20000"
  # with oticket the next 18 in the line have a bound of their own, 2^34 polls halved for each
  all '[.[] | select(.type == "run" and .lock != "tas") | .halts > 50] == [true, true, false, true]'
  sim --host=machine=study,cpus=8 8 "$keys spin_us=0 hold=20000"
  all '[.[] | select(.type == "run") | has("spin_us_polls")] | any | not'
}

@test "latency=on: waits without what the host took of them, each vCPU's quantiles, its windows" {
  # mcs, twice as many vCPUs as CPUs: nearly all stolen time is in a wait
  sim --host=cpus=4 8 'locks=mcs ms=200 reps=1 latency=on'
  all '(map(select(.type == "run"))[0]) as $run | (.[0].tsc_khz / 1e6 * $run.steal_ns) as $stolen |
    (map(select(.what == "wait"))[0]) as $wait | (map(select(.what == "wait_net"))[0]) as $net |
    $net.count == $wait.count and ($wait.sum - $net.sum) / $stolen > 0.8 and ($wait.sum - $net.sum) / $stolen < 1.1'
  all '[.[] | select(.type == "vcpu") | (.window_ops | length) == 16 and (.window_ops | add) == .ops and
    .wait_p50_cycles <= .wait_p99_cycles and .wait_p99_cycles <= 79000000] | length == 8 and all'
  hosted locks=tas threads=2 ops=1000 reps=1 latency=on
  all '[.[] | has("window_ops") or .what == "wait_net"] | any | not'
}

@test "order=seed: each repetition runs all locks, in an order that follows from the seed" {
  local keys='locks=tas,mcs,ticket,clh,paq threads=1 ms=1 warmup_ms=0 reps=4' orders
  order() { grep '"type":"run"' "$log" | jq -rs 'group_by(.rep) | map(map(.lock) | join(" ")) | .[]'; }
  sim 2 "$keys order=seed"
  orders=$(order)
  [ "$(sort -u <<<"$orders" | wc -l)" -gt 2 ] # of 4
  [ "$(for line in $orders; do echo "$line"; done | sort | uniq -c | awk '$1 != 4' | wc -l)" = 0 ]
  all '[.[] | select(.type == "run") | .order == "seed"] | all'
  sim 2 "$keys order=seed"
  [ "$(order)" = "$orders" ]
  sim 2 "$keys order=seed seed=2"
  [ "$(order)" != "$orders" ]
  sim 2 "$keys"
  [ "$(order | sort -u)" = 'tas mcs ticket clh paq' ]
}
