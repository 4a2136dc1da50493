#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Reports of failures, each provoked by a key or by QEMU's monitor, under plain emulation. All must
# end by themselves in bounded time, with a report that names the place. docs/failures.md has the
# table.
# shellcheck disable=SC2154 # stdout, out: common.bash

load guest

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
  make -s build/pvspin-broken.elf >&2
}

# provoked NAME KEYS QEMU_ARGUMENT...: the guest itself must end with 5, long before the time-out.
provoked() {
  local name=$1 keys=$2
  shift 2
  guest 5 --accel=tcg --timeout=60 -kernel build/pvspin-broken.elf "$@" -append "provoke=$name locks=tas ms=200 reps=1 warmup_ms=0 $keys"
}

# Fails unless the last record is a panic and all lines before it are whole.
whole_panic() { # FILTER
  records ".[-1] | .type == \"panic\" and ($1)"
  records '[.[].seq] == [range(1; length + 1)]'
}

@test "a triple fault: QEMU ends with 0; run.sh calls it a reset and names the last record: 5" {
  provoked triple-fault ''
  says "$stdout" 'QEMU ended by itself with status 0' 'a triple fault most likely' \
    'behind the record "boot"' 'cpu_reset'
}

@test "a double fault, a machine check, an NMI nobody sent: panics on stacks of their own: 5" {
  provoked double-fault ''
  whole_panic '.reason | contains("#DF")'
  says "$stdout" provoke_double_fault
  provoked machine-check ''
  whole_panic '(.reason | contains("#MC")) and .mcg_status != null'
  provoked nmi ''
  whole_panic '.reason | contains("NMI") and contains("nobody here has sent it")'
  says "$stdout" provoke_nmi
  provoked early-nmi ''
  whole_panic '.reason | contains("NMI")'
  says "$stdout" provoke_early_nmi
}

@test "an MSR that the CPU refuses: a panic that names it: 5" {
  provoked msr ''
  whole_panic '.reason | contains("#GP") and contains("MSR 0x6e1 is refused")'
}

@test "an exception and a stack overflow on another vCPU than 0: 5" {
  provoked ap-ud '' -smp 2
  whole_panic '.cpu == 1 and (.reason | contains("#UD"))'
  provoked ap-stack '' -smp 2
  whole_panic '.cpu == 1 and (.reason | contains("stack overflow"))'
  provoked stack ''
  whole_panic '.cpu == 0 and (.reason | contains("stack overflow"))'
}

@test "the owner of a lock crashes while others wait: the report has lock and holder: 5" {
  provoked owner-ud '' -smp 3
  whole_panic '.cpu == 1 and .lock == "tas" and .holder == 1'
  says "$stdout" owner_crashes 'lock tas, holder 1'
}

@test "vCPUs that loop with interrupts masked are found, in a run and outside of one: 5" {
  provoked owner-loop hang_ms=1000 -smp 3
  says "$stdout" 'CPU 1 owns' provoke_owner_loop 'owner: CPU 1; 3 threads' 'a lock hung'
  provoked ap-loop hang_ms=1000 -smp 3
  says "$stdout" 'the guest hung: between two runs or tests' 'CPU 1 is busy' provoke_loop 'CPU 2 idle'
}

@test "kbuild: a lock that CPU 0 waits for with interrupts off is found without a tick: 5" {
  guest 5 --accel=tcg --timeout=60 -kernel build/pvspin-broken.elf -smp 2 \
    -append "provoke=owner-loop workload=kbuild locks=tas reps=1 hang_ms=2000"
  says "$stdout" 'CPU 0 takes no ticks' 'the lock shown: rq' 'CPU 0 waits' 'owner: CPU 1' provoke_owner_loop
  records '[.[] | select(.type == "hang_cpu") | .interrupts] == [false, false]'
}

@test "the HPET's NMI finds a looping CPU 0, alone or with others, in a run or outside: 5" {
  provoked loop hang_ms=1000
  says "$stdout" 'CPU 0 is busy' provoke_loop
  provoked hang hang_ms=1000 -smp 2 -machine q35
  says "$stdout" 'CPU 0 is busy' provoke_hang
  provoked owner-loop-0 hang_ms=1000 -smp 2
  says "$stdout" 'CPU 0 has interrupts masked' 'CPU 0 owns' provoke_owner_loop
  records '.[0].watchdog == "hpet"'
}

@test "a panic in a panic, two at once, one during a log line: one whole report: 5" {
  provoked panic-twice ''
  whole_panic '(.reason | contains("provoked on purpose")) and (.report_failed | contains("#PF"))'
  says "$stdout" provoke_panic_twice
  provoked panic-both '' -smp 2
  whole_panic '.reason | contains("provoked on purpose")'
  records '[.[] | select(.type == "panic")] | length == 1'
  provoked panic-busy '' -smp 2
  whole_panic '.cpu == 1'
  # The line being written lost no byte and repeats none.
  [ "$(grep -ac '^a line of the log' "$log")" -ge 10 ]
  [ "$(grep -a 'being written' "$log" | sort -u | wc -l)" -eq 1 ]
}

# With -icount the guest's clock jumps ahead while all vCPUs halt, so the reports' 30 s take no real
# time.
@test "a hanging report of a hang or an NMI is ended by a bound, even with interrupts masked" {
  local name
  log=$BATS_TEST_TMPDIR/serial
  for name in hang-twice nmi-twice; do
    local status=0
    timeout 60 qemu-system-x86_64 -accel tcg,thread=single -icount shift=3,sleep=off -m 64 -display none \
      -nodefaults -no-reboot -kernel build/pvspin-broken.elf -append "provoke=$name hang_ms=1000" \
      -serial "file:$log" -device isa-debug-exit,iobase=0xf4,iosize=4 || status=$?
    [ "$status" -eq 63 ]
  done
  whole_panic '(.reason | contains("NMI")) and .report_failed == "the report hangs"'
}

@test "interrupts that firmware left pending are dropped, with a warning" {
  guest 0 --accel=tcg --timeout=60 -kernel build/pvspin-broken.elf -append "provoke=stray locks=tas ms=5 reps=1"
  says "$stdout" 'warning: firmware left 1 interrupts pending, the first by vector 0x99'
}

@test "a real machine check: the bank, its status and its address" {
  mkfifo "$BATS_TEST_TMPDIR/monitor"
  log=$BATS_TEST_TMPDIR/serial
  timeout 60 qemu-system-x86_64 -accel tcg,thread=single -cpu max,-hypervisor -S -m 64 -display none \
    -nodefaults -no-reboot -kernel build/pvspin-broken.elf -append 'provoke=loop' -serial "file:$log" \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor stdio \
    <>"$BATS_TEST_TMPDIR/monitor" >"$BATS_TEST_TMPDIR/said" 2>&1 &
  local qemu=$! status=0
  # An old error in bank 2 (valid, enabled, context corrupt), which is cleared; a corrected one in
  # bank 3.
  printf '%s\n' 'mce 0 2 0x9200000000000000 0 0 0' cont >"$BATS_TEST_TMPDIR/monitor"
  wait_for "$log" '"boot"'
  echo 'mce 0 3 0x9000000000000000 0 0 0' >"$BATS_TEST_TMPDIR/monitor"
  # Bank 4: valid, uncorrected, enabled, address valid; MCG: machine check in progress
  # (SDM vol. 3B, 16.3.2.2; 16.3.1.2).
  echo 'mce 0 4 0xb400000000000000 0x4 0xdead000 0x0' >"$BATS_TEST_TMPDIR/monitor"
  wait "$qemu" || status=$?
  [ "$status" -eq 63 ]
  records '.[-1] | .type == "panic" and (.reason | contains("#MC")) and .mc_bank == 4
    and .mc_status == "0xb400000000000000" and .mc_address == "0xdead000"'
}

@test "little memory: 28 vCPUs in 16 MiB; too little is an error that says what to give: 4" {
  guest 0 --accel=tcg --timeout=60 -m 16 -smp 28 -append "locks=mcs latency=on ms=5 reps=1"
  records '.[0].vcpus_online == 28'
  guest 4 --accel=tcg --timeout=60 -m 2 -smp 28 -append "locks=tas ms=5 reps=1"
  says "$stdout" 'error: out of memory' 'give the VM more (-m)'
  records '.[-1] | .verdict == "error" and .reason == "memory"'
}

@test "the product has no key that makes it fail: 2" {
  guest 2 --accel=tcg --timeout=60 -append "provoke=panic locks=tas ms=5 reps=1"
  says "$stdout" 'error: provoke: unknown key'
  [ "$(nm build/pvspin-broken.elf | grep -c ' t provoke_')" -ge 20 ]
  [ "$(nm build/pvspin.elf | grep -ci ' [tdb] provoke')" -eq 0 ]
}
