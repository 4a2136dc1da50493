#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The guest under plain emulation (no KVM): boot, vCPUs, exclusion, and reports of failures.
# shellcheck disable=SC2016,SC2154 # $names in single quotes are jq's; common.bash sets stdout, out

load guest

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
  make -s build/pvspin-broken.elf >&2
}

tcg() { # EXPECTED ARGUMENTS...
  local expected=$1
  shift
  guest "$expected" --accel=tcg --timeout=250 "$@"
}

@test "1, 2, 4 and 28 vCPUs come up and every lock keeps exclusion" {
  for n in 1 2 4 28; do
    tcg 0 -smp "$n" -append "locks=all ms=20 reps=1 warmup_ms=5"
    records ".[0].vcpus == $n and .[0].vcpus_online == $n and .[0].accel == \"tcg\""
    records "[.[] | select(.type == \"run\")] | length == $(all_locks) and all(.exclusion == \"ok\")"
    records "[.[] | select(.type == \"vcpu\")] | length == $(all_locks) * $n"
  done
}

@test "sparse APIC IDs get a dense index, disabled MADT entries are no vCPUs" {
  # sockets of 3 cores leave a hole of one ID each
  tcg 0 -smp 12,sockets=4,cores=3,threads=1 -append "locks=mcs ms=10 reps=1"
  records '.[0].apic_ids == [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]'
  records '[.[] | select(.type == "vcpu") | .cpu] == [range(12)]'
  tcg 0 -smp 12,sockets=3,cores=2,threads=2 -append "locks=mcs ms=10 reps=1"
  records '.[0].vcpus_online == 12'
  tcg 0 -smp 3,maxcpus=7 -append "locks=mcs ms=10 reps=1"
  records '.[0].vcpus == 3 and .[0].vcpus_online == 3'
}

@test "NUMA nodes come from the SRAT, nodes= overrides them" {
  local numa=(-m 128 -object "memory-backend-ram,id=m,size=128M" -numa "node,nodeid=0,memdev=m"
    -numa "node,nodeid=1" -numa "cpu,node-id=0,socket-id=1" -numa "cpu,node-id=1,socket-id=0"
    -numa "cpu,node-id=1,socket-id=2")
  tcg 0 -smp 6,sockets=3,cores=2,threads=1 "${numa[@]}" -append "locks=tas ms=10 reps=1"
  records '.[0] | .nodes == 2 and .node_source == "srat" and .cpu_nodes == [1, 1, 0, 0, 1, 1]'
  tcg 0 -smp 6,sockets=3,cores=2,threads=1 "${numa[@]}" -append "locks=tas ms=10 reps=1 nodes=4"
  records '.[0] | .nodes == 4 and .node_source == "key" and .cpu_nodes == [0, 0, 1, 2, 2, 3]'
  tcg 0 -smp 2 -append "locks=tas ms=10 reps=1"
  records '.[0] | .nodes == 1 and .node_source == "none" and .cpu_nodes == [0, 0]'
  tcg 2 -smp 2 -append "nodes=3"
  says "$stdout" 'nodes=3' 'accepted: 1..2'
}

# two_nodes MiB_OF_NODE_0 MiB_OF_NODE_1: four vCPUs, the first and the last on node 1
two_nodes() {
  tcg 0 -smp 4,sockets=4,cores=1,threads=1 -m $(($1 + $2)) \
    -object "memory-backend-ram,id=m,size=${1}M,reserve=off" -numa node,nodeid=0,memdev=m \
    -object "memory-backend-ram,id=n,size=${2}M,reserve=off" -numa node,nodeid=1,memdev=n \
    -numa cpu,node-id=1,socket-id=0 -numa cpu,node-id=0,socket-id=1 \
    -numa cpu,node-id=0,socket-id=2 -numa cpu,node-id=1,socket-id=3 -append "tests=numa.memory"
  says "$stdout" 'ok 1 - numa.memory.own_memory_is_near NUMA-MEMORY-01' '; 0 vCPUs'
}

@test "a vCPU's stacks, statistics and lock nodes are on its NUMA node, below and beyond 4 GiB" {
  two_nodes 32 64
  two_nodes 64 32
  two_nodes 5120 64
  says "$stdout" 'up to 0x18'
  tcg 77 -smp 2 -append "tests=numa.memory" # without an SRAT
}

@test "only the boot CPU accepts the 8259s' interrupts; a trap's backtrace has the caller anywhere in a function" {
  tcg 0 -smp 3 -append "tests=apic.lint0,trap.backtrace"
}

@test "without KVM nothing halts, kicks or counts preemption, and the table says so" {
  tcg 0 -smp 4 -append "locks=pv-qspinlock ms=50 reps=1 spin_threshold=1"
  records '.[0].pv_backend == "none" and .[0].tsc_source == "pit"'
  records '.[] | select(.type == "run") | .halts_total == 0 and .kicks_total == 0'
  says "$stdout" 'pv-qspinlock never halted: no PV_UNHALT'
}

@test "without Hyper-V's interface hv-notify notifies nobody and says so; hyperv is refused" {
  tcg 0 -smp 2 -append "locks=hv-notify ms=20 reps=1 hv_notify_spins=1"
  records '.[] | select(.type == "run") | .exclusion == "ok" and .yields_total == 0'
  records '.[0] | has("pv_long_spin") | not'
  says "$stdout" 'hv-notify told no hypervisor of its long spins' '--pv=hyperv'
  tcg 4 --pv=hyperv -smp 2 -append "locks=hv-notify ms=20 reps=1"
  says "$stdout" "error: hyperv: this hypervisor does not offer Hyper-V's hypercalls"
}

@test "locks=linux beside the lock it stands for runs it once; another hypervisor: virt-spin" {
  tcg 0 -smp 2 -append "locks=linux,tas,virt-spin ms=20 reps=1 warmup_ms=5"
  records '[.[] | select(.type == "run") | .lock] == ["virt-spin", "tas"]'
  records '.[0].linux_lock == "virt-spin"'
  says "$stdout" 'linux is virt-spin here: a hypervisor without PV lock code.'
  tcg 0 -smp 2 -cpu max,-hypervisor -append "locks=linux ms=20 reps=1 warmup_ms=5"
  records '[.[] | select(.type == "run") | .lock] == ["qspinlock"]'
}

@test "dispatch=patched: call sites become direct calls and back, text stays read-only, locks exclude" {
  tcg 0 -smp 4 -append "tests=text"
  [ "$(grep -c '^ok ' <<<"$stdout")" -eq 3 ]
  tcg 0 -smp 4 -append "locks=all threads=1,4 ms=20 reps=1 warmup_ms=5 dispatch=patched"
  records "[.[] | select(.type == \"run\")] | length == 2 * $(all_locks) and
    all(.exclusion == \"ok\" and .dispatch == \"patched\" and (.threads > 1 or .ops > 0))"
}

@test "the ABI tests are skipped without KVM: 77" {
  tcg 77 -smp 2 -append "tests=abi"
  says "$stdout" '# SKIP no KVM signature'
  records '.[-1].verdict == "skip" and .[-1].skipped > 150 and .[-1].failed == 0'
}

@test "a panic is reported with its symbols: 5" {
  tcg 5 -smp 4 -kernel build/pvspin-broken.elf -append "provoke=panic"
  says "$stdout" 'provoked on purpose'
  says "$stdout" 'provoke_panic'
  says "$stdout" 'kmain'
  records '.[-1].type == "panic" and .[-1].cpu == 0'
}

@test "an exception, a write to text, a jump to data and a stack overflow are panics with registers: 5" {
  tcg 5 -kernel build/pvspin-broken.elf -append "provoke=ud"
  records '.[-1].reason | contains("#UD")'
  tcg 5 -kernel build/pvspin-broken.elf -append "provoke=pf"
  records '.[-1] | (.reason | contains("error code 0x3")) and .registers.cr2 == "0x100000"'
  tcg 5 -kernel build/pvspin-broken.elf -append "provoke=nx" # present, instruction fetch
  records '.[-1] | .reason | contains("error code 0x11")'
  tcg 5 -kernel build/pvspin-broken.elf -append "provoke=stack"
  records '.[-1].reason | contains("#DF") or contains("#PF")'
  says "$stdout" 'provoke_stack_overflow'
}

@test "every lock passes its tests, except those that need halts; a lock and a case can be chosen" {
  tcg 0 -smp 4 -append "tests=locks"
  [ "$(grep -c '^ok ' <<<"$stdout")" -gt 60 ]
  no_line '^not ok'
  says "$stdout" 'excludes_16 excludes, 16 threads # SKIP needs 16 vCPUs, has 4' \
    'locks.pv-qspinlock.storm_4 every wait halts, 4 threads # SKIP needs a backend that halts, has none'
  tcg 0 -smp 2 -append "tests=ABI-NR-01,locks.mcs.excludes_2,locks.tas.excludes_2,locks.mcs.drains_2"
  [ "$(grep -o '^ok [0-9] - [a-z0-9_.]*' <<<"$stdout" | sort)" = "ok 1 - abi.nr.unknown_returns_enosys
ok 2 - locks.mcs.drains_2
ok 3 - locks.mcs.excludes_2
ok 4 - locks.tas.excludes_2" ]
  tcg 2 -append "tests=locks.mcs.excludes"
  says "$stdout" 'tests=locks.mcs.excludes: no such test' 'locks.LOCK.CASE'
  [ "$(grep -c '^error' <<<"$stdout")" -lt 30 ]
}

@test "a lock that hangs: test, lock, its state, each vCPU's place, and no end record: 5" {
  tcg 5 -smp 3 -kernel build/pvspin-broken.elf -append "tests=locks.stuck.excludes_2,locks.tas hang_ms=5000"
  says "$stdout" 'not ok 1 - locks.stuck.excludes_2' 'Bail out! locks.stuck.excludes_2' \
    'a lock hung' 'stuck: taken 1; owner: nobody; 2 threads' 'CPU 1 waits' 'stuck_acquire' 'CPU 2 idle'
  no_line 'locks.tas'
  records '[.[] | select(.type == "hang_cpu")] | length == 3 and all(.answered) and .[1].in_hlt == false'
  records '[.[] | select(.type == "end")] == []'
}

@test "a test whose CPU 0 sleeps for ever, or masks interrupts, is found and named: 5" {
  tcg 5 -kernel build/pvspin-broken.elf -append "tests=locks.stuck.naps hang_ms=1500 test_ms=1"
  says "$stdout" 'Bail out! locks.stuck.naps: hangs' 'given 1501 ms' test_naps
  no_line 'interrupts masked'
  tcg 5 -kernel build/pvspin-broken.elf -append "tests=locks.stuck.masked hang_ms=1500 test_ms=1"
  says "$stdout" 'Bail out! locks.stuck.masked: hangs, CPU 0 with interrupts masked' 'given 1501 ms' test_masked
}

@test "a lock that hangs in a measured run: the same report, as a crash: 5" {
  tcg 5 -smp 2 -kernel build/pvspin-broken.elf -append "locks=stuck ms=50 reps=1"
  says "$stdout" 'hang: run 1:' 'stuck: taken 1; owner: nobody' 'CPU 0 waits' 'CPU 1 waits' \
    'stuck_acquire' 'a lock hung'
  records '[.[] | select(.type == "run")] == []'
}

@test "a lock that finds its state impossible: the panic names test, lock and state: 5" {
  tcg 5 -smp 2 -kernel build/pvspin-broken.elf -append "tests=locks.trap.drains_2"
  says "$stdout" '#UD' 'test locks.trap.drains_2, lock trap, lock_state impossible' 'trap_acquire'
}

@test "a vCPU that does not start is named by its APIC ID: 4" {
  tcg 4 -smp 4 -kernel build/pvspin-broken.elf -append "provoke=lost-vcpu"
  says "$stdout" 'APIC ID 3) did not start'
  records '.[0].vcpus_online == 3 and .[0].apic_ids_missing == [3]'
  records '.[-1].verdict == "error" and .[-1].reason == "vcpu-missing"'
}

@test "a bad key or value is named, with the accepted ones, and nothing is run: 2" {
  tcg 2 -append "lock=tas"
  says "$stdout" "lock"
  says "$stdout" "locks"
  tcg 2 -append "locks=tas,foo"
  says "$stdout" "foo"
  says "$stdout" "pv-qspinlock"
  tcg 2 -smp 2 -append "threads=3"
  says "$stdout" "threads"
  tcg 2 -append "ms=0"
  tcg 2 -append "tests=abi.nosuch"
  says "$stdout" "abi.nosuch"
  records '[.[] | select(.type == "run")] == []'
}

@test "a guest that hangs is ended by the time-out, its log kept: 124" {
  guest 124 --accel=tcg --timeout=8 -machine pc,hpet=off -kernel build/pvspin-broken.elf -append "provoke=hang" # else: provoke.bats
  says "$stdout" 'when time was up' provoke_hang
  records '.[0].type == "boot"'
}

@test "every field the guest writes is described in docs/serial-log.md" {
  tcg 0 -smp 2 -append "latency=on trace=5 ms=20 reps=1"
  grep -a '^{' "$log" | jq -r 'del(.registers, .tunables, .events) | keys[]' | sort -u >"$BATS_TEST_TMPDIR/fields"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/fields")" -gt 80 ]
  while read -r field; do
    grep -q "\`$field\`" docs/serial-log.md || { echo "not described: $field" >&2; missing=1; }
  done <"$BATS_TEST_TMPDIR/fields"
  [ -z "${missing:-}" ]
}

@test "GRUB loads the same image" {
  make -s iso >&2
  timeout 100 qemu-system-x86_64 -accel tcg -m 128 -display none -nodefaults -no-user-config \
    -no-reboot -cdrom build/pvspin.iso -smp 2 -serial "file:$BATS_TEST_TMPDIR/serial" \
    -device isa-debug-exit,iobase=0xf4,iosize=4 || status=$?
  [ "$status" -eq 33 ]
  records '(.[0].loader_name | startswith("GRUB")) and .[-1].verdict == "ok"' \
    "$BATS_TEST_TMPDIR/serial"
}

@test "start=serial: go and Enter on a serial terminal, which sends CR" {
  local pid status=0
  coproc vm { exec timeout 100 qemu-system-x86_64 -accel tcg -m 128 -display none -nodefaults -no-user-config \
    -no-reboot -kernel build/pvspin.elf -append "locks=tas ms=20 reps=1 warmup_ms=5 start=serial" \
    -serial stdio -device isa-debug-exit,iobase=0xf4,iosize=4; }
  pid=$vm_PID
  while read -r line; do
    printf '%s\n' "$line" >>"$BATS_TEST_TMPDIR/serial"
    [[ $line != *'"type":"ready"'* ]] || printf 'go\r' >&"${vm[1]}"
  done <&"${vm[0]}"
  wait "$pid" || status=$?
  [ "$status" -eq 33 ]
  records '[.[] | select(.type == "run")] | length == 1' "$BATS_TEST_TMPDIR/serial"
}
