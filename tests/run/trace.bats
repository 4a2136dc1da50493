#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# trace=N from the lock to the picture: the records of hosted runs, and
# pvspin-report's pictures of them.
# shellcheck disable=SC2016 # $names in single quotes are jq's

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/hosted/pvspin build/pvspin-report >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  log="$BATS_TEST_TMPDIR/serial-0.log"
}

# hosted KEY=VALUE...: runs four threads, with long sections and a low threshold, so that waiters
# halt
hosted() {
  timeout 60 build/hosted/pvspin threads=4 warmup_ms=0 reps=1 spin_threshold=64 "hold=${hold:-1000000}" \
    think=0 "$@" >"$log" </dev/null
}

# all FILTER: fails unless the filter is true of the array of all records
all() {
  grep '^{' "$log" | jq -se "$1" >"$BATS_TEST_TMPDIR/answer" || { echo "not so: $1" >&2; return 1; }
}

@test "trace=N logs the last N events of each vCPU after its run, in order" {
  hosted locks=pv-ticket,tas ops=30 trace=40
  all '[.[] | select(.type == "event")] | length == 320 and all(
    .run > 0 and .cpu < 4 and .tsc > 0 and (.lock | IN("pv-ticket", "tas")))'
  all '[.[] | select(.type == "event")] |
    group_by([.run, .cpu]) | all(length == 40 and (map(.tsc) | . == sort))'
  all '[.[] | select(.type == "event") | .what] | unique | contains(["acquire", "release", "wait",
    "halt", "wake", "kick"])'
  all '[.[] | select(.what == "kick")] | all(.to < 4 and .to != .cpu)'
  all '[.[] | select(.type == "run")] | all(.trace == 40)'
  all '[.[] | select(.type == "run" or .type == "event") | .run] | . == sort'
}

@test "no two vCPUs hold a traced lock at once" {
  # `release` is recorded before the release, `acquire` after the acquisition: TSCs must not
  # overlap.
  for dispatch in inline patched indirect; do
    hold=20000 hosted locks=mcs trace=200 ops=60 dispatch=$dispatch latency=on
    all '[.[] | select(.what == "acquire" or .what == "release")] | group_by(.cpu) |
      map([_nwise(2)] | .[] | {from: .[0].tsc, to: .[1].tsc, first: .[0].what}) |
      length == 244 and all(.first == "acquire") and
      (sort_by(.from) | . as $held | all(range(1; length); $held[.].from > $held[. - 1].to))'
    all '[.[] | select(.type == "hist" and .what == "wait")] | length == 1 and all(.count >= 240)'
  done
}

@test "without trace= no events are recorded, and such runs are no repetitions of traced ones" {
  hosted locks=tas ms=5
  all '[.[] | select(.type == "event" or .trace)] == []'
  cp "$log" "$BATS_TEST_TMPDIR/serial-1.log"
  hosted locks=tas ms=5 trace=3
  build/pvspin-report "$log" "$BATS_TEST_TMPDIR/serial-1.log" --format=csv >"$BATS_TEST_TMPDIR/csv"
  grep -q 'trace=3' "$BATS_TEST_TMPDIR/csv"
  [ "$(grep -c '^tas,' "$BATS_TEST_TMPDIR/csv")" -eq 2 ]
}

@test "too many events are refused, with the accepted range" {
  run timeout 60 build/hosted/pvspin threads=1,4 trace=65537
  [ "$status" -eq 2 ]
  [[ $output == *"trace=65537: too many for this number of vCPUs; accepted: 0..65536"* ]]
}

@test "--perfetto writes sound slices, sorted tracks and paired flows" {
  hosted locks=pv-qspinlock,pv-ticket,tas ops=40 trace=60
  build/pvspin-report "$log" --perfetto="$BATS_TEST_TMPDIR/trace.json" >/dev/null
  sound() { jq -e "$1" "$BATS_TEST_TMPDIR/trace.json" >"$BATS_TEST_TMPDIR/answer" ||
    { echo "not so: $1" >&2; return 1; }; }
  sound '.otherData | .left_out_unpaired + .left_out_unknown + .sorted_in == 0'
  sound '[.traceEvents[] | select(.ph == "X")] | length > 200 and all(.dur >= 0 and .ts >= 0)'
  sound '[.traceEvents[] | select(.ph == "X")] | group_by([.pid, .tid]) | length == 24 and all(
    . as $track | all(range(1; length); $track[.].ts >= $track[. - 1].ts + $track[. - 1].dur))'
  sound '[.traceEvents[] | select(.ph == "X").name] | unique |
    contains(["halted", "holds lock", "running", "waits for lock"])'
  sound '[.traceEvents[] | select(.ph == "s" or .ph == "f")] | group_by(.id) |
    length > 0 and all(map(.ph) == ["s", "f"] and .[0].ts <= .[1].ts and .[0].tid != .[1].tid)'
  # An arrow must end in a `running` slice of the woken vCPU; viewers drop it otherwise.
  sound '[.traceEvents[] | select(.name == "running" or .ph == "f")] | group_by([.pid, .tid]) | all(
    [.[] | select(.ph == "X") | [.ts, .ts + .dur + 0.001]] as $running |
    all(.[] | select(.ph == "f").ts; . as $ts | any($running[]; .[0] <= $ts and $ts <= .[1])))'
  sound '[.traceEvents[] | select(.name == "thread_sort_index") | .args.sort_index == .tid] | all'
  sound '[.traceEvents[] | select(.name == "process_name")] | map(.args.name) ==
    ["1 serial-0.log, run 1: pv-qspinlock", "1 serial-0.log, run 2: pv-ticket",
     "1 serial-0.log, run 3: tas"]'
}

@test "a log that was cut and shuffled still gives sound JSON, which says how much was left out" {
  hosted locks=pv-ticket ops=40 trace=100
  { grep '"type":"boot"' "$log"; grep '"type":"event"' "$log" | sed -n '1~3d; p' | sort -r; } \
    >"$BATS_TEST_TMPDIR/cut.log"
  run build/pvspin-report "$BATS_TEST_TMPDIR/cut.log" --perfetto="$BATS_TEST_TMPDIR/cut.json"
  jq -e '.otherData.left_out_unpaired > 0 and (.traceEvents | length > 50)' "$BATS_TEST_TMPDIR/cut.json"
  jq -e '[.traceEvents[] | select(.ph == "X")] | all(.dur >= 0)' "$BATS_TEST_TMPDIR/cut.json"
}

@test "--perfetto puts a host's trace on the guest's clock by scale and offset; anything in it stays valid JSON" {
  hosted locks=pv-ticket ops=40 trace=60
  local host=$BATS_TEST_TMPDIR/host-schedule.tsv file=$BATS_TEST_TMPDIR/trace.json
  # The guest's TSC runs half as fast and is 7000 ahead. The first slice is 1000 cycles of the guest,
  # of which 900 are traced.
  first=$(grep '"type":"event"' "$log" | jq -s 'map(.tsc) | min')
  at() { echo $((($1 - 7000) * 2)); }
  {
    printf '# vm 0 tsc-offset 7000 ratio 2 frac 2\n# vm 1 tsc-offset 1 ratio 1 frac 0\n'
    printf '%s\t%s\t3\t0\t2\t-\tVM 0, vCPU 1\n' "$(at $((first - 100)))" "$(at $((first + 900)))"
    printf '%s\t%s\t4\t0\t2\texit\thlt\n' "$(at $((first + 300)))" "$(at $((first + 500)))"
    printf '%s\t%s\t5\t-\t-\tb\377d"\\-17\t-\n' "$(at $((first + 300)))" "$(at $((first + 500)))"
    printf '5\n-\t-\n%s\t%s\t99999\t0\t2\n# vm\n\t\t\t\t\t\t\t\n' "$(at "$first")" "$(at $((first + 9)))"
  } >"$host"
  build/pvspin-report "$log" --perfetto="$file" >/dev/null
  khz=$(grep '"boot"' "$log" | jq .tsc_khz)
  jq -e --argjson khz "$khz" '[.traceEvents[] | select(.pid == 2)] as $host
    | ($host | map(select(.ph == "M").args.name) | contains(["CPUs of the host", "CPU 3", "CPU 4 exits", "CPU 5"]))
    and ($host | map(select(.ph == "X")) | length == 3
      and (.[0] | .name == "VM 0, vCPU 2" and .args.in_place_of == "VM 0, vCPU 1" and .ts == 0
        and (.dur * $khz / 1000 - 900 | fabs) < 0.01 * $khz / 1000)
      and (.[1] | .name == "hlt of VM 0, vCPU 2" and (.ts * $khz / 1000 - 300 | fabs) < 0.01 * $khz / 1000)
      and .[2].name == "b?d\"\\-17")' "$file"
}
