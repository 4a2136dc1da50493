#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The measurement engine, on Linux threads: the records of a run must
# agree with each other and with the keys that asked for it.
# shellcheck disable=SC2016 # $names in single quotes are jq's

load objects

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/hosted/pvspin >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  log="$BATS_TEST_TMPDIR/log"
}

# hosted KEY=VALUE...: runs the hosted build into $log; fails unless its status is $expected (0)
hosted() {
  local status=0

  timeout 60 "${binary:-build/hosted/pvspin}" "$@" >"$log" </dev/null || status=$?
  if [ "$status" -ne "${expected:-0}" ]; then
    echo "pvspin $* ended with $status, not ${expected:-0}:" >&2
    cat "$log" >&2
    return 1
  fi
}

# all FILTER: fails unless the filter is true of the array of all records
all() {
  if ! grep '^{' "$log" | jq -se "$1" >"$BATS_TEST_TMPDIR/answer"; then
    echo "not so: $1" >&2
    grep '"type":"run"' "$log" >&2
    return 1
  fi
}

@test "like the guest, the hosted build uses no vector registers" {
  objdump -d build/hosted/pvspin >"$log"
  grep -q '<measure_plain>:' "$log"
  [ "$(grep -cE '%[xyz]mm[0-9]' "$log")" -eq 0 ]
}

@test "every record parses, seq has no gap, end comes last and counts them" {
  hosted locks=all threads=1,2 ms=20 warmup_ms=5 reps=1
  all '[.[].seq] == [range(1; length + 1)]'
  all '.[0].type == "boot" and .[0].accel == "hosted"'
  all '.[-1].type == "end" and .[-1].records == length and .[-1].verdict == "ok"'
}

@test "a run record has every field that the log's description promises" {
  hosted locks=tas threads=2 ms=20 warmup_ms=5 reps=1
  for field in lock workload dispatch threads tasks rep hold think elapsed_cycles elapsed_ns \
    ops ops_min ops_max halts kicks spurious_wakeups yields lock_steals lhp_events \
    lhp_cycles lhp_max_cycles lhp_waits lhp_wait_cycles lwp_events lwp_cycles steal_ns lhp_samples \
    lwp_samples lhp_flagged waits \
    wait_cycles wait_max_cycles halt_cycles kick_cycles events tunables pv_backend \
    latency seed exclusion clock start_wall_ns end_wall_ns start_tsc end_tsc; do
    all "[.[] | select(.type == \"run\") | has(\"$field\")] | all"
  done
  all '[.[] | select(.type == "vcpu") | has("cpu", "ops", "wait_cycles",
    "wait_max_cycles", "halts", "kicks", "spurious_wakeups", "yields", "steal_ns")] | all'
}

@test "a run's figures are the sums of its vCPUs'" {
  hosted locks=tas,mcs,pv-qspinlock threads=2,5 ms=30 reps=2 spin_threshold=16
  for field in ops halts kicks waits wait_cycles lock_steals; do
    all ". as \$r | [.[] | select(.type == \"run\")] | length == 12 and all(
      . as \$run | .$field == ([\$r[] | select(.type == \"vcpu\" and
      .run == \$run.run) | .$field // 0] | add))" # absent: zero
  done
  all '. as $r | [.[] | select(.type == "run")] | all(. as $run |
    [$r[] | select(.type == "vcpu" and .run == $run.run) | .ops] |
    length == $run.threads and min == $run.ops_min and max == $run.ops_max)'
  all '. as $r | [.[] | select(.type == "run")] | all(. as $run |
    [$r[] | select(.type == "vcpu" and .run == $run.run)] |
    (map(.streak_max // 0) | max) == $run.streak_max and all((.streak_max // 0) <= .ops))'
  all '[.[] | select(.type == "run") | .exclusion == "ok"] | all'
}

@test "the longest streak is recorded where vCPUs compete for a lock, and only there" {
  hosted locks=null,tas threads=1,2 ms=20 reps=1
  all '[.[] | select(.type == "run") | has("streak_max") == (.lock == "tas" and .threads == 2)] | all'
  all '.[] | select(.type == "run" and .lock == "tas" and .threads == 2) | .streak_max > 0'
  # A FIFO lock whose waiters never think. With ops= the last one goes on alone, which is no streak.
  hosted locks=ticket threads=2 ops=20000 hold=0 think=0 warmup_ms=0 reps=1
  all '.[] | select(.type == "run") | .ops == 40000 and .streak_max > 0 and .streak_max <= 20000'
  hosted locks=tas threads=2 workload=uncontended ms=20 reps=1
  all '[.[] | select(.type == "run" or .type == "vcpu") | has("streak_max")] | any | not'
  hosted locks=tas threads=2 workload=kbuild jobs=4 reps=1
  all '[.[] | select(.type == "run" or .type == "vcpu") | has("streak_max")] | any | not'
}

@test "ms= measures that long, apart from the warm-up" {
  hosted locks=tas threads=1 ms=100 warmup_ms=50 reps=1
  all '.[] | select(.type == "run") | .elapsed_ns >= 99000000 and .ops > 1000 and
    (.end_wall_ns - .start_wall_ns - .elapsed_ns | fabs) < 5000000'
  before=$(date +%s%N)
  hosted locks=tas threads=1 ms=10 warmup_ms=300 reps=1
  all ".[] | select(.type == \"run\") | .start_wall_ns - $before >= 300000000"
  hosted locks=null threads=1 ms=30 warmup_ms=0 reps=1
  all '.[] | select(.type == "run") | .elapsed_ns >= 29000000 and .exclusion == "not-checked"'
}

@test "ops= is reached exactly by each vCPU, warmed up or not" {
  for warmup in 0 10; do
    hosted locks=tas threads=3 ops=5000 warmup_ms=$warmup reps=1
    all '[.[] | select(.type == "vcpu") | .ops] == [5000, 5000, 5000]'
    all '.[] | select(.type == "run") | .ops == 15000 and .complete and
      .elapsed_cycles == .end_tsc - .start_tsc and .elapsed_cycles > 0'
  done
}

@test "a section longer than the watchdog's bound is no hang" {
  hosted locks=ticket threads=2 hold=1000000000 think=0 ms=1 warmup_ms=0 reps=1 hang_ms=1
  all '.[-1].verdict == "ok"'
}

@test "indirect dispatch and uncontended locks exclude, too" {
  hosted locks=all threads=2 ms=20 reps=1 dispatch=indirect
  all '[.[] | select(.type == "run") | .dispatch == "indirect" and .exclusion == "ok"] | all'
  hosted locks=all threads=4 ops=1000 reps=1 workload=uncontended
  all '[.[] | select(.type == "run") | .workload == "uncontended" and .exclusion == "ok" and
    .ops == 4000 and .waits == 0] | all'
}

@test "dispatch=patched: every lock in turn, and a lock that leaves junk in all registers" {
  locks=$(grep -l '^LOCK_REGISTER' locks/*.c | grep -vc /null.c)
  hosted locks=all threads=1 ops=100 reps=1 dispatch=patched
  all "[.[] | select(.type == \"run\") | .dispatch == \"patched\" and .ops == 100] |
    length == $locks and all"
  hosted locks=all threads=3 ms=20 reps=1 dispatch=patched
  all "[.[] | select(.type == \"run\") | .dispatch == \"patched\" and .exclusion == \"ok\"] |
    length == $locks and all"
  binary="$BATS_TEST_TMPDIR/pvspin-junk"
  # shellcheck disable=SC2046 # object names have no spaces
  gcc -std=c11 -O2 -pthread -fno-omit-frame-pointer -I. tests/run/fixtures/junk-lock.c \
    $(objects_in build/hosted) -o "$binary"
  for latency in off on; do
    hosted locks=junk,tas threads=2 ops=2000 reps=2 dispatch=patched latency=$latency
    all '[.[] | select(.type == "run") | .exclusion == "ok" and .complete and .ops == 4000] |
      length == 4 and all'
  done
  all '[.[] | select(.type == "hist" and .what == "hold") | .count == 4000] | length == 4 and all'
}

@test "locks=linux is the lock that Linux takes here, decided by CPUID" {
  hosted locks=linux threads=2 ms=20 reps=1
  all '.[0].linux_lock as $lock | [.[] | select(.type == "run") | .lock] == [$lock]'
  if grep -qw hypervisor /proc/cpuinfo; then
    all '.[0].linux_reason != "bare metal"'
  else
    all '.[0] | .linux_lock == "qspinlock" and .linux_reason == "bare metal"'
  fi
}

@test "nodes= splits the threads into runs" {
  hosted locks=tas threads=3,5 nodes=2 ms=10 reps=1
  all '.[0] | .nodes == 2 and .node_source == "key" and .cpu_nodes == [0, 0, 0, 1, 1]'
  hosted locks=tas threads=2 ms=10 reps=1
  all '.[0] | .nodes == 1 and .node_source == "none" and .cpu_nodes[0:2] == [0, 0]'
  expected=2 hosted locks=tas threads=3 nodes=4
  grep -q '^error: nodes=4: .*accepted: 1..3' "$log"
}

@test "latency=on: histograms hold each acquisition, and the waits that the stop cut short" {
  hosted locks=tas threads=2 ms=30 reps=1 latency=on
  all '(.[] | select(.type == "run") | .ops) as $ops |
    ([.[] | select(.type == "hist" and .what == "hold")] | length == 1 and
      .[0].count == $ops) and
    ([.[] | select(.type == "hist" and .what == "wait")] | length == 1 and
      .[0].count >= $ops and .[0].count <= $ops + 2)'
  all '[.[] | select(.type == "hist") | .count == ([.buckets[][2]] | add) and
    .buckets[0][0] <= .min and .min <= .buckets[0][1] and
    .buckets[-1][0] <= .max and .max <= .buckets[-1][1]] | all'
  hosted locks=tas threads=2 ms=20 reps=1 latency=off
  all '[.[] | select(.type == "hist")] | length == 0'
}

@test "latency=on: held and gaps add up to the measured phase, whatever the lock's queue" {
  local parts='[.held_cycles, .gap_nobody_cycles, .gap_passed_cycles, .gap_stolen_cycles,
    .gap_halted_cycles, .gap_running_cycles]'
  # a hundredth: the timer's thread may lose its CPU between the mark and the change of the phase
  hosted locks=tas,mcs,ticket,pv-qspinlock,paq threads=3 ms=50 reps=1 latency=on
  all "[.[] | select(.type == \"run\") | ($parts | add) / .elapsed_cycles | . > 0.99 and . < 1.01] |
    length == 5 and all"
  all "[.[] | select(.type == \"run\") | ($parts | all(. >= 0)) and .held_cycles > 0 and
    .gap_stolen_cycles == 0] | all"
  all '[.[] | select(.type == "vcpu") | .held_cycles // 0] as $held |
    ([.[] | select(.type == "run") | .held_cycles] | add) == ($held | add)'
  hosted locks=tas threads=3 ms=20 reps=1
  all '[.[] | has("held_cycles")] | any | not'
  # where nobody competes, or all have the lock at once, there is no such sum
  hosted locks=null threads=2 ms=20 reps=1 latency=on
  all '[.[] | has("held_cycles")] | any | not'
  # with ops= from the first worker's start to the end of the last one, which has nobody beside it
  for warmup in 0 5; do
    hosted locks=tas,paq threads=3 ops=20000 reps=1 warmup_ms=$warmup latency=on
    all "[.[] | select(.type == \"run\") | ($parts | add) / .elapsed_cycles | . > 0.99 and . < 1.01] |
      length == 2 and all"
    all '[.[] | has("window_ops")] | any | not'
  done
}

@test "a lock's own histograms are in the log, empty ones too" {
  hosted locks=i-spinlock threads=2 ms=20 reps=1
  all '[.[] | select(.type == "hist" and .lock == "i-spinlock") | [.what, .unit, .count, .buckets]] ==
    [["slice", "cycles", 0, []], ["slice_error_over", "cycles", 0, []],
     ["slice_error_under", "cycles", 0, []]]'
}

@test "latency=on: the table says where each lock's time went, and adds up; off: it does not" {
  hosted locks=tas,mcs threads=2 ms=100 reps=2 latency=on
  run awk '/^where the lock/ {on = 1} on && /^(tas|mcs) / {sum = 0; for (i = 2; i <= NF; i++) sum += $i
    n += NF == 8 && sum > 98 && sum < 101} END {print n}' "$log"
  [ "$output" = 2 ] || { cat "$log"; false; }
  hosted locks=tas,mcs threads=2 ms=20 reps=1
  ! grep -q '^where the lock' "$log" || false
}

@test "many more threads than CPUs: fair locks crawl; the run still ends and says so" {
  # The warm-up is long enough for all threads to start; otherwise one might have the phase to
  # itself.
  hosted locks=tas,ticket threads=24 ms=50 warmup_ms=500 reps=1
  grep -q '^- hardly any progress: ticket\.' "$log"
  all '[.[] | select(.type == "run") | .exclusion == "ok"] == [true, true]'
  all '.[] | select(.type == "run" and .lock == "ticket") | .wait_max_cycles > 0'
  grep -q '^== table$' "$log"
  grep -q '^== end$' "$log"
}

@test "a lock that does not exclude fails the run" {
  binary="$BATS_TEST_TMPDIR/pvspin-open"
  # shellcheck disable=SC2046 # object names have no spaces
  gcc -std=c11 -O2 -pthread -I. tests/run/fixtures/open-lock.c \
    $(objects_in build/hosted) -o "$binary"
  # both threads have work for many of the scheduler's slices
  expected=3 hosted locks=open,tas threads=2 ops=200000 hold=2000 think=0 reps=1
  all '[.[] | select(.type == "run") | .exclusion] == ["broken", "ok"]'
  all '.[-1].verdict == "fail" and .[-1].reason == "exclusion"'
  grep -q '^open .* NO EXCLUSION$' "$log"
}

@test "a bad key ends with a usage error that names it" {
  expected=2 hosted locks=nonsense
  grep -q '^error: .*nonsense' "$log"
  all '.[-1].verdict == "error" and .[-1].reason == "usage"'
}

@test "start=serial-each: a ready record before each run, overlaps with the peer's" {
  printf 'go 1\npeer 1 1 9000000000000000000\ngo 1\npeer 1 1 2\npeer 2 3 x\ngo\n' |
    timeout 20 build/hosted/pvspin locks=tas,ticket threads=1 ms=20 reps=1 \
      start=serial-each >"$log"
  all '[.[] | select(.type == "ready") | [.run, .lock, .last]] ==
    [[1, "tas", null], [2, "ticket", null], [3, null, true]]'
  # jq computes in doubles, which are exact to 256 ns for nanoseconds since 1970
  all '[.[] | select(.type == "overlap")] | length == 2 and
    .[0].lock == "tas" and .[0].end_ns - .[0].start_ns >= 19000000 and
    ([.[] | [.peer, .peer_start_ns, .peer_end_ns]] == [[1, 1, 9000000000000000000], [1, 1, 2]]) and
    .[1].lock == "ticket" and .[1].start_ns > 2'
  grep -q "^ignored line 'peer 2 3 x'" "$log"
}

@test "start=serial: go's delay counts from the launcher's clock; lines that come later are ignored" {
  local epoch in go
  mkfifo "$BATS_TEST_TMPDIR/in"
  exec {in}<>"$BATS_TEST_TMPDIR/in"
  epoch=${EPOCHREALTIME/[.,]/}000
  printf -v go '%s\n' "go $epoch 1000000000" 'go 1'
  printf %s "$go" >&"$in"
  timeout 20 build/hosted/pvspin locks=tas threads=1 ms=20 reps=1 warmup_ms=1 start=serial \
    <&"$in" >"$log" {in}>&-
  all "[.[] | select(.type == \"run\") | .start_wall_ns / 1e6 - $epoch / 1e6] | .[0] >= 1000 and .[0] < 10000"
  grep -q "^ignored line 'go 1': it came after 'go'" "$log"
  # Longer ago than its delay: at once.
  printf 'go 1 60000000000\n' >&"$in"
  timeout 20 build/hosted/pvspin locks=tas threads=1 ms=20 reps=1 warmup_ms=1 start=serial \
    <&"$in" >"$log" {in}>&-
  all '.[-1].verdict == "ok"'
}

@test "start=serial: if the input ends without go, an error at once and no run" {
  expected=4 hosted locks=tas threads=1 ms=20 reps=1 start=serial
  grep -q "^error: no line 'go' on serial: the input ended" "$log"
  all '[.[] | select(.type == "run")] | length == 0'
}

@test "start=serial: CR ends a line, and so does the end of the input" {
  for typed in 'go\r' '\r\ngo\r\n' 'go'; do
    # shellcheck disable=SC2059 # the escapes are for printf
    printf "$typed" | timeout 20 build/hosted/pvspin locks=tas threads=1 ms=1 reps=1 \
      start=serial >"$log"
    all '.[-1].verdict == "ok"'
  done
}

@test "spinning real-time threads do not starve the timer; more of them than CPUs are refused" {
  # A limit on real-time CPU, in us: another process might not get a CPU to end this one.
  local bound=(prlimit --rttime=5000000:5000000)
  "${bound[@]}" chrt -f 1 true || skip 'no real-time priority here'
  for policy in -f -r; do
    for priority in 1 10 99; do
      "${bound[@]}" chrt "$policy" "$priority" build/hosted/pvspin locks=tas ms=20 reps=1 >"$log"
      all '.[-1].verdict == "ok"'
    done
  done
  status=0
  "${bound[@]}" chrt -f 10 build/hosted/pvspin locks=tas threads=$(($(nproc) + 1)) >"$log" || status=$?
  [ "$status" -eq 2 ]
  grep -q '^error: threads=.* under SCHED_FIFO: .*accepted: 1\.\.' "$log"
}

@test "notes below the table mention nice and SCHED_IDLE" {
  nice -n 5 build/hosted/pvspin locks=tas threads=1 ms=1 reps=1 >"$log"
  grep -q '^- nice [0-9]*: other threads' "$log"
  chrt -i 0 build/hosted/pvspin locks=tas threads=1 ms=1 reps=1 >"$log"
  grep -q '^- SCHED_IDLE: every other thread' "$log"
}

@test "time for which a cgroup's CPU quota stopped threads is recorded and noted" {
  local group=/sys/fs/cgroup/cpu/pvspin-$$
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    group=/sys/fs/cgroup/pvspin-$$
  fi
  mkdir "$group" 2>/dev/null || skip 'no cgroup can be made here'
  if [ -e "$group/cpu.cfs_quota_us" ]; then
    echo 5000 >"$group/cpu.cfs_quota_us"
  elif ! echo '5000 100000' 2>/dev/null >"$group/cpu.max"; then
    rmdir "$group"
    skip 'no CPU controller here'
  fi
  (
    echo "$BASHPID" >"$group/cgroup.procs"
    exec timeout 60 build/hosted/pvspin locks=tas threads=1 ms=300 reps=1 >"$log"
  )
  rmdir "$group"
  all '.[] | select(.type == "run") | .throttled_ns > 1000000'
  grep -q '^- a quota of CPU time (cgroup) stopped threads for ' "$log"
  hosted locks=tas threads=1 ms=1 reps=1
  all '.[] | select(.type == "run") | .throttled_ns == null'
}
