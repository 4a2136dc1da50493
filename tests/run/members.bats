#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Members of a call that run at once, with the real guest under TCG:
# several VMs and the host peer. (guest_nested.bats does so under KVM, verdict.bats with a scripted
# guest.)
# shellcheck disable=SC2030,SC2031,SC2154 # stdout, stderr, out, tree: common.bash, set in each test

load guest

setup_file() {
  make -s -C "$BATS_TEST_DIRNAME/../.." all hosted >&2
}

setup() {
  private_tmpdir
}

tcg() { # STATUS ARGUMENT...
  local want=$1
  shift
  guest "$want" --accel=tcg --timeout=60 "$@"
}

manifest() { # FILTER: must be true of manifest.json
  jq -e "$1" "$out/manifest.json" >/dev/null || {
    echo "manifest.json: not $1" >&2
    jq . "$out/manifest.json" >&2
    return 1
  }
}

# Starts run.sh in the background; sets job.
begin() { # ARGUMENT...
  "$tree/run.sh" --accel=tcg --timeout=60 --out="$out" "$@" >"$BATS_TEST_TMPDIR/stdout" \
    2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- &
  job=$!
}

# Kills the process of this member: the child of the `timeout` that bounds it.
kill_member() { # MEMBER
  kill -KILL "$(pgrep -P "$(<"$(find "$TMPDIR" -path "*/$1/qemu.pid")")")"
}

finish() { # STATUS
  local got=0
  wait "$job" || got=$?
  stdout=$(<"$BATS_TEST_TMPDIR/stdout")
  [ "$got" -eq "$1" ]
}

@test "--host-peer: contradictory arguments are usage errors" {
  run_sh 2 --instances=0
  says "$stderr" --instances=0 '--host-peer'
  run_sh 2 --host-peer -append tests=locks
  says "$stderr" 'tests= and provoke= are for the guest'
  run_sh 2 --instances=0 --host-peer --gdb
  run_sh 2 --conformance --host-peer
}

@test "--host-peer: held and released with the VM, other keys, both logs prove the overlap" {
  tcg 0 --host-peer='locks=qspinlock ms=1200' -smp 2 -append "locks=tas ops=60000 reps=2 warmup_ms=5"
  says "$stdout" 'host peer: the hosted build on the host itself' 'verdict: ok: the host peer said so' \
    'instance 0' 'tas / qspinlock'
  records '.[0].accel == "hosted" and (.[0].cmdline
    | test("^reps=2 warmup_ms=5 locks=qspinlock ms=1200 (vmm_cpu_percent=[0-9]+ )?start=serial-each$"))' \
    "$out/host-peer.log"
  for log in serial-0 host-peer; do
    records '[.[] | select(.type == "overlap")] | length == 2 and all(overlap > 0)' "$out/$log.log"
  done
  manifest '(.instances | map(.role) == ["vm", "host-peer"]) and .instances[1].log == "host-peer.log"
    and (.overlaps | length == 2 and all(.overlap_us > 0))'
  nothing_left
}

@test "--instances=0 --host-peer: alone, pinned by --pin; its refusal of a key is the call's" {
  tcg 0 --instances=0 --host-peer --pin=0 -append "locks=mcs ms=20 reps=1"
  records '.[0].vcpus == 1 and .[-1].verdict == "ok"' "$out/host-peer.log"
  manifest '.instances[0].command[:3] == ["taskset", "-c", "0"] and .pin == "0"'
  [ ! -e "$out/serial-0.log" ]
  tcg 2 --instances=0 --host-peer=mss=20
  says "$stdout" "mss" 'verdict: error: the host peer said so (usage)'
}

@test "a VM killed half-way: the others go on, and both logs are kept" {
  begin --instances=2 --host-peer -smp 1 -append "locks=tas ms=400 reps=3 threads=1 warmup_ms=5"
  wait_for "$out/serial-1.log" '"type":"run"'
  kill_member 1
  finish 5
  manifest '.instances | map(.verdict) == ["ok", "crash", "ok"]'
  records '[.[] | select(.type == "run")] | length == 3' "$out/serial-0.log"
  records '[.[] | select(.type == "run")] | length == 3' "$out/host-peer.log"
  records '[.[] | select(.type == "run")] | length >= 1' "$out/serial-1.log"
  says "$stdout" 'instance 1' 'was killed' 'together'
  nothing_left
}

@test "the host peer killed half-way: the VM goes on" {
  begin --host-peer -smp 1 -append "locks=tas ms=400 reps=3 threads=1 warmup_ms=5"
  wait_for "$out/host-peer.log" '"type":"run"'
  kill_member 1
  finish 5
  manifest '.instances | map(.verdict) == ["ok", "crash"]'
  says "$stdout" 'crash: the host peer was killed'
  nothing_left
}

@test "eight instances: all are held for the last, each log has seven peers" {
  tcg 0 --instances=8 -smp 1 -append "locks=tas ms=500 reps=1 warmup_ms=5"
  manifest '.instances | length == 8 and all(.verdict == "ok")'
  manifest 'all(.instances[]; .runs | length == 1 and all(.[].vcpus[]; .kvm == null and .host.run_ns > 0))
    and .host.settings["/sys/devices/system/cpu/online"] == "'"$(</sys/devices/system/cpu/online)"'"
    and (.host.load | map_values(length)) == {before: 3, after: 3}'
  manifest '.overlaps | length == 28 and (map(select(.overlap_us > 0)) | length > 14)'
  for i in {0..7}; do
    records '[.[] | select(.type == "overlap") | .peer] | unique | length == 7' "$out/serial-$i.log"
    records 'map(select(.type == "ready" and .run == 1)) | length == 1' "$out/serial-$i.log"
  done
  says "$stdout" 'together' 'instance 7'
  nothing_left
}

# Joins logs of runs of 1 s, in log.jq's format. Each argument is a member, its words LOCK:OPS.
together() { # MEMBER...
  local member files=() n=0
  for member; do
    files+=("$BATS_TEST_TMPDIR/$((n++)).json")
    jq -n --arg runs "$member" '{runs: [$runs | split(" ")[] | split(":")
      | {lock: .[0], threads: 2, ops: (.[1] | tonumber), elapsed_ns: 1000000000}]}' >"${files[-1]}"
  done
  jq -rs --argjson names "$(jq -nc "[range($#) | \"VM \\(.)\"]")" -f "$tree/tools/run/members.jq" "${files[@]}" | tr '\t' ,
}

@test "together: means and sums; a member without a run has a dash, and then there is no sum" {
  diff - <(together 'tas:10 mcs:30 tas:20' 'tas:1 mcs:3 tas:2') <<'END'
together,threads,VM 0,VM 1,all
tas,2,15,1.5,16.5,ops/s
mcs,2,30,3,33,ops/s
END
  diff - <(together 'tas:10 mcs:30 tas:20' 'tas:1' 'tas:100 mcs:300 tas:200') <<'END'
together,threads,VM 0,VM 1,VM 2,all
tas,2,15,1,150,111,ops/s
mcs,2,30,-,300,-,ops/s
END
  diff - <(together 'tas:10' '') <<'END'
together,threads,VM 0,VM 1,all
tas,2,10,-,-,ops/s
END
  diff - <(together 'tas:10' 'mcs:1') <<'END'
together,threads,VM 0,VM 1,all
tas / mcs,2,10,1,11,ops/s
END
}
