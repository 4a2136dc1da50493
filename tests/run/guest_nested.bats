#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The guest on real Linux KVM, nested in an emulated CPU, on both
# Debian kernels. Tests behaviour, not times: kicks, halts, exclusion, and counts that agree with
# the hypervisor's.
# shellcheck disable=SC2016,SC2154 # $names in single quotes are jq's; common.bash sets stdout, out

load served

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
}

# Compares the guest's own counts of hypercalls, vCPU by vCPU, with KVM's statistics (query-stats).
hypercalls_agree() {
  local own kvm
  own=$(grep -a '"type":"counts"' "$log" | jq -c .hypercalls)
  kvm=$(jq -c '[.instances[0].vcpus[].kvm.hypercalls]' "$out/manifest.json")
  if [ "$own" != "$kvm" ]; then
    printf 'hypercalls by vCPU: the guest counts %s\nKVM counts %s\n' "$own" "$kvm" >&2
    return 1
  fi
  # Every hypercall of a measurement is a kick or a yield. One more, at boot, finds the instruction.
  records "([.[] | select(.type == \"run\") | .kicks_total + .yields_total] | add) + 1 == ($own | add)"
}

# A HLT is an exit. KVM counts at least as many as the guest, which counts those of its locks: firmware
# halts before it, and CPU 0 wherever it waits for the others, for the UART, and for run.sh at the end.
# The other vCPUs are woken for each run.
halts_agree() {
  local own
  own=$(grep -a '"type":"counts"' "$log" | jq -c .halts)
  jq -e --argjson own "$own" '[.instances[0].vcpus[].kvm.halt_exits] as $kvm
    | [range($own | length)] | all($kvm[.] >= $own[.] and (. == 0 or $kvm[.] <= $own[.] + 20))' \
    "$out/manifest.json" >/dev/null || {
    echo "the guest counts $own halts" >&2
    jq -c '[.instances[0].vcpus[].kvm.halt_exits]' "$out/manifest.json" >&2
    return 1
  }
}

# One of each family, as far as KVM is concerned: spins, queues, halts and kicks (two ways), yields, all.
families=tas,clh,pv-ticket,pv-qspinlock,ppc-qspinlock,paq

locks_hold() { # LOCKS HOW-MANY VCPUS ARGUMENT...
  nested 0 -smp "$3" -append "locks=$1 ms=50 reps=1 warmup_ms=10" "${@:4}"
  records ".[0] | .vcpus_online == $3 and .apic_mode == \"x2apic\" and .pv_backend == \"kvm\""
  records "[.[] | select(.type == \"run\")] | length == $2 and all(.exclusion == \"ok\")"
  no_line 'log=virtio:' # the warning that it is not there
  hypercalls_agree
}

@test "6.12: every lock keeps exclusion on 8 vCPUs, kicks agree with KVM's count" {
  locks_hold all "$(all_locks)" 8
}

@test "28 vCPUs: a lock of each family keeps exclusion, kicks and yields agree with KVM's count" {
  locks_hold "$families" 6 28
}

@test "6.1: a lock of each family keeps exclusion on 8 vCPUs, kicks agree with KVM's count" {
  needs_kernel 6.1
  locks_hold "$families" 6 8 --l1-kernel=6.1
}

@test "6.1, --pv=off, xAPIC: lock tests pass where nothing can halt; the cases about halts are skipped" {
  needs_kernel 6.1
  nested 0 --l1-kernel=6.1 --pv=off -smp 4 -cpu host,-x2apic \
    -append "tests=locks.pv-qspinlock,locks.mcs,locks.qspinlock test_ms=20"
  records '.[0] | .apic_mode == "xapic" and .pv_backend == "none"'
  no_line '^not ok'
  says "$stdout" 'storm_4 every wait halts, 4 threads # SKIP needs a backend that halts, has none'
  no_line '\(calm_4\|interrupted_4\).*SKIP'
  hypercalls=$(grep -a '"type":"counts"' "$log" | jq '.hypercalls | add')
  [ "$hypercalls" -eq 1 ] # the one at boot that finds the instruction
}

@test "pv-qspinlock that always halts: kicks and halts agree with KVM's counts; preemption is seen" {
  nested 0 -smp 4 -append "locks=pv-qspinlock,tas ms=300 reps=2 spin_threshold=1 hold=2000"
  records '[.[] | select(.type == "run" and .lock == "pv-qspinlock")]
    | all(.exclusion == "ok" and .halts > 0 and .kicks > 0 and .events.pv_kick_unlock > 0)'
  records '[.[] | select(.type == "run" and .lock == "tas") | .halts_total + .kicks_total] | add == 0'
  records '[.[] | select(.type == "run") | .steal_ns] | add > 0'
  hypercalls_agree
  halts_agree
}

@test "pv_kick_ipi=1: an IPI wakes in place of a hypercall" {
  nested 0 -smp 4 -append "locks=pv-qspinlock ms=300 reps=1 spin_threshold=1 hold=2000 pv_kick_ipi=1"
  records '.[] | select(.type == "run")
    | .exclusion == "ok" and .halts_total > 0 and .kicks_total > 0 and .tunables.pv_kick_ipi == 1'
  records '.[] | select(.type == "counts") | .hypercalls | add == 1' # at boot
}

@test "--pv=off: no PV_UNHALT, pv-qspinlock never halts and says so" {
  nested 0 --pv=off -smp 4 -append "locks=pv-qspinlock ms=100 reps=1 spin_threshold=1"
  records '.[0].pv_unhalt == false and .[0].pv_backend == "none"'
  records '.[] | select(.type == "run") | .halts_total == 0 and .kicks_total == 0'
  says "$stdout" 'pv-qspinlock never halted: no PV_UNHALT'
  hypercalls_agree
}

# yields_on ARGUMENT...: tests=pv must pass, and KVM's count of directed yields must equal the
# guest's.
yields_on() {
  nested 0 -smp 2 "$@"
  [ "$(grep -c '^ok ' <<<"$stdout")" -eq 3 ]
  no_line '# SKIP\|^not ok'
  records '.[0].pv_yield'
  records '.[] | select(.type == "counts") | .hypercalls == [17, 0]' # one at boot
  jq -e '.instances[0].vcpus[0].kvm | .directed_yield_attempted == 16 and .hypercalls == 17' \
    "$out/manifest.json"
}

@test "directed yields and preempted flags work with PV_UNHALT, without it, and with nopvspin" {
  yields_on -append "tests=pv"
  records '.[0].pv_backend == "kvm"'
  yields_on --pv=off -append "tests=pv"
  records '.[0].pv_backend == "none"'
  yields_on -append "tests=pv nopvspin"
  records '.[0].pv_backend == "none"'
}

# KVM counts hypercalls of either interface, and a notice of a long spin is no directed yield to it.
@test "--pv=hyperv: Hyper-V's hypercalls take the place of KVM's, waiters notify, IPIs kick" {
  nested 0 --pv=hyperv -smp 2 -append "tests=pv,abi.nr"
  [ "$(grep -c '^ok [0-9]* - pv' <<<"$stdout")" -eq 3 ]
  says "$stdout" "# SKIP Hyper-V's hypercalls are in use (hyperv)"
  records '.[0] | .pv_backend == "hyperv" and .pv_long_spin == 8191 and (.pv_yield | not) and .steal_time'
  records '.[] | select(.type == "counts") | .hypercalls == [17, 0]' # one at boot
  jq -e '.instances[0].vcpus[0].kvm | .directed_yield_attempted == 0 and .hypercalls == 17' \
    "$out/manifest.json"
  nested 0 --pv=hyperv -smp 4 -cpu host,hv-relaxed,hv-spinlocks=100 \
    -append "locks=hv-notify,pv-qspinlock,s390-spinlock hold=5000 think=10 ms=300 reps=1"
  records '[.[] | select(.type == "run")] | all(.exclusion == "ok" and .halts_total + .kicks_total == 0)
    and (map(.yields_total > 0) == [true, false, false]) and (.[0].events.long_spins // 0) == .[0].yields'
  says "$stdout" 'pv-qspinlock never halted: no PV_UNHALT (hyperv)'
  no_line 'told no hypervisor'
  hypercalls_agree
  nested 0 --pv=hyperv -smp 4 -append "locks=pv-qspinlock ms=100 reps=1 spin_threshold=1 pv_kick_ipi=1"
  records '.[] | select(.type == "run") | .exclusion == "ok" and .halts_total > 0 and .kicks_total > 0'
  records '.[] | select(.type == "counts") | .hypercalls == [1, 0, 0, 0]'
}

@test "no PV_SCHED_YIELD: no yield is issued" {
  nested 0 -smp 2 -cpu host,-kvm-pv-sched-yield -append "tests=pv"
  [ "$(grep -c '^ok ' <<<"$stdout")" -eq 3 ]
  records '.[0].pv_yield == false and .[0].pv_backend == "kvm"'
  jq -e '.instances[0].vcpus[0].kvm.directed_yield_attempted == 0' "$out/manifest.json"
}

@test "kicks reach sparse APIC IDs; the TSC's frequency is taken from CPUID if CPUID has it" {
  nested 0 -smp 12,sockets=4,cores=3,threads=1 \
    -append "locks=pv-qspinlock ms=100 reps=1 spin_threshold=1"
  records '.[0] | .apic_ids == [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14]
    and .tsc_source == "kvmclock"'
  records '.[] | select(.type == "run") | .exclusion == "ok" and .kicks_total > 0'
  hypercalls_agree
  # QEMU puts a frequency that it is given into the timing leaf. It must be the host's.
  khz=$(grep -a '"boot"' "$log" | jq .tsc_khz)
  nested 0 -smp 1 -cpu "host,tsc-frequency=${khz}000" -append "tests=ABI-NR-02"
  records ".[0] | .tsc_source == \"cpuid-0x40000010\" and .tsc_khz == $khz"
}

# With the BIOS's timer interrupt, four of five attempts hung: docs/boot.md, "Nested".
@test "--boot=iso: BIOS and GRUB come through on the emulated SVM" {
  nested 0 --boot=iso -smp 2 -append "locks=tas ms=20 reps=1 warmup_ms=5"
  records '.[0] | .loader == "multiboot2" and .accel == "nested"'
}

@test "nopvspin does the same from inside; xAPIC works; KVM is found behind Hyper-V's leaves" {
  nested 0 -smp 3 -cpu host,-x2apic,hv-relaxed,hv-vapic \
    -append "nopvspin locks=pv-qspinlock ms=50 reps=1"
  records '.[0] | .apic_mode == "xapic" and .pv_unhalt and .pv_backend == "none"'
  records '.[0] | .kvm_base == 1073742080 and .hypervisor_first == "Microsoft Hv"'
}

linux_is() { # LOCK REASON ARGUMENT...: locks=linux must run LOCK, for REASON
  local lock=$1 reason=$2
  shift 2
  nested 0 "$@"
  records ".[0] | .linux_lock == \"$lock\" and .linux_reason == \"$reason\""
  records "[.[] | select(.type == \"run\") | .lock] | unique == [\"$lock\"]"
  says "$stdout" "linux is $lock here: $reason."
}

# Each fact that the choice is made from, both ways; the table itself: tests/host/test_linux_choice.c.
@test "locks=linux is what Linux would pick for this CPUID and command line" {
  local plan='locks=linux ms=20 reps=1 warmup_ms=5'
  linux_is virt-spin 'KVM without PV_UNHALT' --pv=off -smp 2 -append "$plan"
  linux_is qspinlock nopvspin -smp 2 -append "$plan nopvspin"
  linux_is qspinlock KVM_HINTS_REALTIME -smp 2 -cpu host,kvm-hint-dedicated=on -append "$plan"
  linux_is qspinlock 'one possible CPU' -smp 1 -append "$plan"
  linux_is pv-qspinlock 'KVM with PV_UNHALT' -smp 1,maxcpus=2 -append "$plan"
  linux_is qspinlock 'bare metal' -smp 2 -cpu host,-hypervisor -append "$plan"
}

@test "dispatch=patched: sites, rights of the text and every vCPU under KVM; locks exclude" {
  nested 0 -smp 4 -append "tests=text"
  [ "$(grep -c '^ok ' <<<"$stdout")" -eq 3 ]
  nested 0 -smp 4 -append "locks=$families ms=50 reps=2 warmup_ms=10 dispatch=patched spin_threshold=64"
  records '[.[] | select(.type == "run")] | length == 2 * 6
    and all(.exclusion == "ok" and .dispatch == "patched")'
  hypercalls_agree
}

@test "two instances: each measured phase overlaps the other's, and both logs prove it" {
  # Some slices of L1's scheduler for each of 8 vCPUs, on 2 CPUs that others may use, too.
  nested 0 --instances=2 -smp 4 -append "locks=tas,pv-qspinlock ms=1500 reps=1"
  for i in 0 1; do
    records '[.[] | select(.type == "overlap")] | length == 2 and all(overlap > 0)' \
      "$out/serial-$i.log"
    records '.[-1].verdict == "ok"' "$out/serial-$i.log"
  done
  jq -e '.overlaps | length == 2 and all(.overlap_us > 0)' "$out/manifest.json"
  # What KVM and its scheduler counted in each of the two runs, and what L1 is.
  jq -e 'all(.instances[]; (.runs | map(.run)) == [1, 2]
      and all(.runs[].vcpus[]; .kvm.exits > 0 and .host.run_ns > 0)
      and ([.runs[].vcpus[].kvm.exits] | add) < ([.vcpus[].kvm.exits] | add))
    and .l1.settings["/sys/module/kvm_amd/parameters/nested"] and .l1.load.after[0] > 0
    and .host.kernel != .l1.kernel' "$out/manifest.json"
}

# In L1, as root: a VM of two runs. Between them the host's clock is set ahead by 1000 s.
set_the_clock() {
  coproc vm {
    timeout 300 qemu-system-x86_64 -accel kvm -cpu host -m 128 -display none -nodefaults -no-reboot -bios qboot.rom \
      -device isa-debug-exit,iobase=0xf4,iosize=4 -serial stdio -kernel "$1" -append 'locks=tas ms=20 reps=2 start=serial-each'
  }
  local line to=${vm[1]} ahead=0
  while read -r line; do
    echo "$line"
    [[ $line == '{"type":"ready"'* ]] || continue
    if [[ $line == *'"run":2,'* ]]; then ahead=1000; date -s "@$((EPOCHSECONDS + ahead))" >/dev/null; fi
    echo go >&"$to"
  done <&"${vm[0]}"
  date -s "@$((EPOCHSECONDS - ahead))" >/dev/null
}

@test "a run's times are by the host's clock, even if the host has set it since the VM began" {
  local image=$BATS_TEST_TMPDIR/guest.elf
  log=$BATS_TEST_TMPDIR/stdout
  serve_l1 6.12
  cp "$tree/build/pvspin.elf" "$image"
  tools/nested/nested.sh --in="$PVSPIN_L1" --kernel=6.12 --timeout=600 -- \
    bash -c "$(declare -f set_the_clock); set_the_clock $image" >"$log"
  records '[.[] | select(.type == "run") | .start_wall_ns] | length == 2 and (.[1] - .[0]) / 1e9 > 1000'
  records '[.[] | select(.type == "run") | .start_wall_ns] | (.[1] - .[0]) / 1e9 < 1300'
}

# Checks a Perfetto file of one VM: each acquisition (the start of a hold, but for one that the end of
# the trace cuts) falls into a slice of that vCPU on a CPU of the host, and into none of its exits.
acquired_while_running() { # FILE
  jq -e '
    def during($t): any(.[]; .ts - 0.001 <= $t and $t <= .ts + .dur + 0.001);
    def within($t): any(.[]; .ts + 0.001 < $t and $t < .ts + .dur - 0.001);
    [.traceEvents[] | select(.ph == "X")] as $all
    | ([.traceEvents[] | select(.args.name == "CPUs of the host").pid] | sort) as $hosts
    | [$hosts[] as $host | $all[] | select(.pid == $host - ($hosts | length) and .name == "holds lock"
        and (.args.end_not_traced | not))
      | .ts as $t | "VM 0, vCPU \((.tid - 2) / 2)" as $vcpu
      | [$all[] | select(.pid == $host and (.name | endswith($vcpu)))]
      | (map(select(.name == $vcpu)) | during($t)) and (map(select(.name != $vcpu)) | within($t) | not)]
    | length > 40 and all' "$1"
}

@test "--host-trace: who ran instead of a vCPU, on the guest's clock; both kernels" {
  local kernel
  for kernel in 6.12 6.1; do
    kernel_offered "$kernel" || continue
    nested 0 --l1-kernel="$kernel" --host-trace -smp 4 -append "locks=tas,paq trace=20 reps=1 ms=200"
    build/pvspin-report "$out" --perfetto="$BATS_TEST_TMPDIR/trace.json" >/dev/null
    acquired_while_running "$BATS_TEST_TMPDIR/trace.json"
    jq -e '[.traceEvents[] | select(.args.in_place_of) | .args.in_place_of[:10]] | unique == ["VM 0, vCPU"]' \
      "$BATS_TEST_TMPDIR/trace.json"
    grep -qE $'\texit\t(hlt|HLT)$' "$out/host-schedule.tsv"
    no_instance "$kernel"
  done
}

no_instance() { # KERNEL; of tracefs in its L1
  local left
  left=$(tools/nested/nested.sh --in="$PVSPIN_L1" --kernel="$1" --timeout=100 -- ls /sys/kernel/tracing/instances)
  [ -z "$left" ] || { echo "left in tracefs: $left" >&2; return 1; }
}

@test "--host-trace: after a signal no instance of tracefs is left" {
  serve_l1 6.12
  rm -rf "$out"
  ./run.sh --accel=nested --host-trace --out="$out" -smp 2 -append "locks=tas trace=20 reps=1 ms=60000" \
    >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- &
  local job=$! got=0
  wait_for "$out/serial-0.log" '"ready"'
  kill -TERM "$job"
  wait "$job" || got=$?
  [ "$got" -eq 130 ]
  no_instance 6.12
  nothing_left
}
