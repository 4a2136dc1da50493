#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --accel=sim: the same seed gives the same bytes, its logs are like any accelerator's, and a wrong
# lock or parameter ends it with a message.
bats_require_minimum_version 1.5.0

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s sim report build/sim/guest-broken.so >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  log=$BATS_TEST_TMPDIR/log out=$BATS_TEST_TMPDIR/out
}

# sim OPTION... VCPUS KEYS: into $log; fails unless its status is $expected (0)
sim() {
  local status=0
  timeout 100 build/sim/pvspin-sim "$@" >"$log" 2>"$BATS_TEST_TMPDIR/errors" || status=$?
  if [ "$status" -ne "${expected:-0}" ]; then
    echo "pvspin-sim $* ended with $status, not ${expected:-0}:" >&2
    cat "$BATS_TEST_TMPDIR/errors" "$log" >&2
    return 1
  fi
}

@test "the same seed gives the same bytes, another seed others" {
  local keys='locks=virt-spin,mcs,pv-qspinlock,paq ms=3 warmup_ms=1 reps=1'
  sim --host=cpus=4 6 "$keys"
  cp "$log" "$log.1"
  sim --host=cpus=4 6 "$keys"
  cmp "$log" "$log.1"
  sim --seed=2 --host=cpus=4 6 "$keys"
  run -1 cmp -s "$log" "$log.1"
}

@test "the compiler does not matter" {
  command -v clang >/dev/null || skip 'no clang'
  local keys='locks=ticket,pv-qspinlock,paq ms=3 warmup_ms=1 reps=1'
  make -s sim HOSTCC=clang SIM_BUILD="$BATS_TEST_TMPDIR/clang" >&2
  sim --host=cpus=4 6 "$keys"
  cp "$log" "$log.1"
  sim --image="$BATS_TEST_TMPDIR/clang/guest.so" --host=cpus=4 6 "$keys"
  cmp "$log" "$log.1"
  grep -q '"type":"run"' "$log"
}

@test "pause_gap= above the host's ple_gap: there are no pause-loop exits" {
  local gap keys='locks=virt-spin,mcs,pv-qspinlock ms=5 warmup_ms=1 reps=1'
  for gap in 100 129; do
    sim --host=cpus=4,ple=0 8 "$keys pause_gap=$gap"
    grep '"type":"run"' "$log" >"$log.$gap.off"
    sim --host=cpus=4,ple=1 8 "$keys pause_gap=$gap"
    grep '"type":"run"' "$log" >"$log.$gap.on"
  done
  run -1 cmp -s "$log.100.off" "$log.100.on"
  cmp "$log.129.off" "$log.129.on"
}

@test "pinned=1: the k-th vCPU of each VM runs on CPU k alone" {
  sim --host=cpus=4,pinned=1,daemon_ms=0 --schedule="$log.schedule" --out="$BATS_TEST_TMPDIR" \
    6 'locks=tas ms=20 warmup_ms=1 reps=1' 4 'locks=tas ms=20 warmup_ms=1 reps=1'
  # start, end, CPU, VM, vCPU: each vCPU ran, and on its CPU only
  awk '$4 != "-" { print $4, $5, $3 }' "$log.schedule" | sort -u |
    diff <(printf '%s\n' '0 0 0' '0 1 1' '0 2 2' '0 3 3' '0 4 0' '0 5 1' '1 0 0' '1 1 1' '1 2 2' '1 3 3') -
}

@test "polls simulated many at once have the same results as one by one" {
  local lock
  for lock in virt-spin ticket-backoff mcs cna shfllock pv-qspinlock paq s390-spinlock; do
    sim --seed=3 --host=cpus=4 9 "locks=$lock ms=3 warmup_ms=1 reps=1"
    cp "$log" "$log.1"
    sim --follow-polls --seed=3 --host=cpus=4 9 "locks=$lock ms=3 warmup_ms=1 reps=1"
    cmp "$log" "$log.1"
  done
  sim --host=cpus=4,ple=0 9 'locks=hv-notify hyperv hv_notify_spins=333 ms=3 warmup_ms=1 reps=1'
  cp "$log" "$log.1"
  sim --follow-polls --host=cpus=4,ple=0 9 'locks=hv-notify hyperv hv_notify_spins=333 ms=3 warmup_ms=1 reps=1'
  cmp "$log" "$log.1"
  # With this seed an interrupt meets a vCPU on its first way into the guest.
  local keys='locks=virt-spin,mcs,pv-qspinlock,paq ms=3 warmup_ms=1 reps=1'
  sim --seed=2 --host=cpus=4 9 "$keys"
  cp "$log" "$log.1"
  sim --follow-polls --seed=2 --host=cpus=4 9 "$keys"
  cmp "$log" "$log.1"
}

# Two VMs that exchange CPUs by pause-loop exits and kicks, and look at each other's steal time.
@test "polls simulated many at once have the same results with two VMs" {
  local follow keys='locks=mcs,tas-park,ppc-qspinlock,pv-qspinlock ms=6 warmup_ms=1 reps=1'
  for follow in '' --follow-polls; do
    mkdir "$out$follow"
    sim $follow --seed=2 --host=cpus=4 --out="$out$follow" --schedule="$out$follow/schedule" 4 "$keys" 4 "$keys"
  done
  diff -r "$out" "$out--follow-polls"
}

# vCPUs that boost each other stop a switch before it has ended. The stopped vCPU owed the rest
# each time, and was never done with it.
@test "two VMs whose vCPUs boost each other every few microseconds both get on" {
  local keys='limit_s=5 locks=virt-spin,qspinlock ms=300 reps=1'
  sim --host=cpus=4 --out="$BATS_TEST_TMPDIR" 4 "$keys" 4 "$keys"
}

@test "hyperv: waiters notify the modelled KVM, nobody kicks; without it hv-notify is ttas" {
  local lock keys='ms=10 warmup_ms=1 reps=1 spin_threshold=9'
  sim --host=cpus=4,ple=0 8 "locks=hv-notify,pv-qspinlock,s390-spinlock hyperv $keys"
  grep '^{' "$log" | jq -es '
    (.[0] | .pv_backend == "hyperv" and .pv_long_spin == 8191 and .pv_yield == false) and
    (map(select(.type == "run")) | length == 3
      and all(.exclusion == "ok" and .halts_total + .kicks_total == 0)
      and .[0].yields > 0 and .[0].yields == .[0].events.long_spins
      and .[1].yields + .[2].yields == 0)'
  for lock in hv-notify ttas; do
    sim --host=cpus=4,ple=0 8 "locks=$lock $keys"
    grep '^{' "$log" | jq -es '.[0] | .pv_backend == "sim" and (has("pv_long_spin") | not)'
    grep '^{' "$log" | jq -c 'select(.type == "run") | [.ops, .yields, .wait_cycles, .steal_ns]' >"$log.$lock"
  done
  cmp "$log.hv-notify" "$log.ttas"
}

@test "two VMs with different locks: logs, manifest, table, class sim" {
  ./run.sh --accel=sim -smp 4 --instances=2 --host=cpus=4 --vm=1:locks=mcs \
    -append 'locks=tas ms=10 warmup_ms=1 reps=1' --out="$out" >"$log"
  [ "$(grep -h '"type":"boot"' "$out"/serial-{0,1}.log | jq -r '.accel, .host.cpus' | sort | uniq -c | tr -s ' \n' ' ')" = ' 2 4 2 sim ' ]
  grep -q '"lock":"tas"' "$out/serial-0.log"
  grep -q '"lock":"mcs"' "$out/serial-1.log"
  jq -e '.accel.class == "sim" and .code == 0 and .timeout_s == 3600 and (.instances | length) == 2' "$out/manifest.json"
  grep -q 'a simulated host' "$log"
}

@test "a deadlock is found at once and reported as a hang" {
  expected=5 sim --image=build/sim/guest-broken.so --host=cpus=4 4 'locks=stuck ms=100 reps=1'
  grep '"type":"hang"' "$log" | jq -e '(.what | startswith("deadlock")) and .lock == "stuck" and (.history | length) > 0'
  [ "$(grep -c '"type":"hang_cpu"' "$log")" -eq 4 ]
}

@test "a guest half that traps ends its VM as a crash, and no other VM" {
  mkdir "$out"
  expected=5 sim --image=build/sim/guest-broken.so --out="$out" --host=cpus=4 \
    2 'locks=trap ms=2 reps=1' 2 'locks=mcs ms=2 reps=1'
  grep '"type":"panic"' "$out/serial-0.log" | jq -e '.lock == "trap"'
  tail -n 1 "$out/serial-1.log" | jq -e '.verdict == "ok"'
}

@test "a key or value that makes no sense is refused by its name" {
  local word words
  for word in tests=locks dispatch=patched; do
    expected=2 sim 2 "$word"
    grep -q "^error: ${word%%=*}=" "$log"
  done
  for word in --host=cpus=0 --host=cpus=6,sockets=4 --host=colour=red --pin=99 --seed=x --vm=0 \
    --vm=1:locks=tas '-smp x' '-smp 0' '-smp 1025' -enable-kvm --meet=x; do
    read -ra words <<<"$word"
    run -2 --separate-stderr ./run.sh --accel=sim "${words[@]}"
    # shellcheck disable=SC2154 # set by run
    [[ $stderr == *"${word%%=*}"* || $stderr == *"${word#*=}"* || $stderr == *"(-smp): 1025"* || $stderr == *colour* ]]
  done
  run -2 --separate-stderr ./run.sh --accel=tcg --host=cpus=4
  [[ $stderr == *--host* ]]
}

@test "boots side by side give the same logs as one after the other" {
  local n
  for n in 1 2; do
    ./run.sh --accel=sim -smp 4 --host=cpus=4 --runs=2 --jobs="$n" --out="$out-$n" -append 'locks=mcs ms=3 reps=1' >"$log"
    grep -q '^run 2$' "$log"
  done
  for n in 1 2; do cmp "$out-1/run-$n/serial-0.log" "$out-2/run-$n/serial-0.log"; done
  run -1 cmp -s "$out-1/run-1/serial-0.log" "$out-1/run-2/serial-0.log"
}

@test "an interrupt ends boots side by side, and leaves no process" {
  run -130 timeout --preserve-status -s INT 5 ./run.sh --accel=sim -smp 4 --host=cpus=4 --runs=4 --jobs=2 --out="$out" \
    -append 'locks=tas ms=100000 reps=1'
  run -1 pgrep -f -- "--out=$out"
}

@test "the host peer: kernel threads, which keep their CPUs in sections" {
  ./run.sh --accel=sim -smp 4 --host=cpus=4,ple=0 --host-peer --out="$out" -append 'locks=ticket ms=200 reps=1 hold=1000' >"$log"
  grep '"type":"boot"' "$out/host-peer.log" | jq -e '.hypervisor == "none" and .accel == "sim" and .kvm_features == 0'
  # 1 ms at 2 GHz: preempting a holder or a ticket's waiter would cost slices of several ms
  grep '"type":"run"' "$out/host-peer.log" | jq -e '.wait_max_cycles < 2000000'
  grep '"type":"run"' "$out/serial-0.log" | jq -e '.wait_max_cycles > 2000000'
  grep -q '^host peer: kernel threads' "$log"
}

@test "an experiment: its calls at the size of the modelled host, and verdicts that say that they are simulated" {
  ./run.sh --accel=sim --experiment=host-vs-tas --host=cpus=4 --runs=2 --trace=off --out="$out" -append jobs=20 >"$log"
  jq -e '.host_cpus == 4 and .vcpus == 4' "$out/experiment.json"
  grep -q 'simulated: ' "$log"
  run -1 grep -q 'not judged' "$log"
  [ -s "$out/both/rep-2/host-peer.log" ]
}

@test "the timeline has the host's side: a vCPU that the guest sees preempted has no CPU there" {
  ./run.sh --accel=sim --instances=2 -smp 4 --host=cpus=4 --out="$out" -append 'locks=mcs ms=20 reps=1 trace=200 hold=1000' >"$log"
  build/pvspin-report "$out" --perfetto="$log.json" >/dev/null
  jq -e '
    (.traceEvents | map(select(.name == "process_name")) | map(.args.name)) as $names
    | [.traceEvents[] | select(.ph == "X")] as $spans
    | [$spans[] | select(.pid == 1 and .cat == "preempted")] as $preempted
    | ($names | index("CPUs of the simulated host")) and ($preempted | length) > 0
      and any($spans[]; .pid == 3 and .name == "VM 1, vCPU 0")
      and all($preempted[]; . as $p | "VM 0, vCPU \(($p.tid - 1) / 2)" as $name | all($spans[];
        .name != $name or .pid != 3 or .ts + .dur < $p.ts + 10 or .ts > $p.ts + $p.dur - 10))' "$log.json"
}
