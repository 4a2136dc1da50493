#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How the guest is loaded (--boot=), and whether it works on other machines than run.sh's: bare metal
# as far as QEMU can imitate it, no serial port, old CPUs. All under plain emulation.
# shellcheck disable=SC2016,SC2154 # $x in single quotes is the guest's; common.bash sets stdout, out

load guest

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
  serial=$BATS_TEST_TMPDIR/serial
}

short='locks=mcs ms=10 reps=1 warmup_ms=5'

tcg() { # EXPECTED ARGUMENTS...
  local expected=$1
  shift
  guest "$expected" --accel=tcg --timeout=100 "$@"
}

# bare EXPECTED ARGUMENT...: runs QEMU without run.sh; it must end with status EXPECTED. Log:
# $serial.
bare() {
  local expected=$1 status=0
  shift
  make -s >&2
  timeout 60 qemu-system-x86_64 -accel tcg,thread=single -m 128 -display none -nodefaults -no-user-config \
    -no-reboot -serial "file:$serial" "$@" >&2 || status=$?
  [ "$status" -eq "$expected" ] || { echo "status $status" >&2; cat "$serial" >&2; return 1; }
}

@test "--boot=pvh: on a PC and on microvm" {
  tcg 0 --boot=pvh -smp 2 -append "$short"
  records '.[0].loader == "pvh" and .[0].vcpus_online == 2 and .[-1].verdict == "ok"'
  tcg 0 --boot=pvh -M microvm -smp 2 -append "$short"
  records '.[0].loader == "pvh" and .[0].vcpus_online == 2 and .[0].tsc_khz > 100000'
}

@test "words that a VMM adds for Linux are ignored, and the log says so" {
  tcg 0 --boot=pvh -M microvm,acpi=off -device virtio-rng-device -append "$short"
  says "$stdout" 'warning: ignored, as words that a VMM adds for Linux: virtio_mmio.device=512@'
}

@test "--boot=iso: GRUB on a BIOS; each word of -append reaches the guest as it is" {
  tcg 2 --boot=iso -smp 2 -append 'threads=2;reboot $x ${y} {a} <b> #c *?[z] ~ `w` ! & | (d)'
  records '.[0] | .loader == "multiboot2" and (.loader_name | startswith("GRUB")) and .vcpus_online == 2'
  records '.[0].cmdline == "pvspin.elf threads=2;reboot $x ${y} {a} <b> #c *?[z] ~ `w` ! & | (d) accel=tcg end=wait"'
  says "$stdout" 'threads=2;reboot'
}

@test "--boot=uefi: GRUB on UEFI, where only the loader tells where ACPI is" {
  tcg 0 --boot=uefi -smp 2 -append "$short"
  records '.[0].loader == "multiboot2" and .[0].vcpus_online == 2 and .[-1].verdict == "ok"'
}

@test "a command line or machine that a loader cannot handle is a usage error that says so" {
  make -s >&2
  run_sh 2 --accel=tcg --boot=iso -append "locks='mcs'"
  says "$stderr" "--boot=iso" 'printable ASCII'
  for line in $'locks=mcs\tms=5' 'a\b' 'locks="mcs"' 'locks=mcs ms=5µ'; do
    run_sh 2 --accel=tcg --boot=uefi -append "$line"
    says "$stderr" 'printable ASCII'
  done
  run_sh 2 --accel=tcg --boot=iso -M microvm
  says "$stderr" 'microvm has no CD' '--boot=pvh'
  run_sh 2 --accel=tcg --boot=pvh -kernel build/pvspin.elf
  says "$stderr" 'by multiboot' 'build/pvspin-pvh.elf'
  run_sh 2 --boot=floppy
  says "$stderr" 'multiboot pvh iso uefi'
}

@test "bare metal: no hypervisor, native locks, and ACPI switches the machine off" {
  for machine in pc q35; do
    bare 0 -M "$machine" -cpu max,-hypervisor -smp 2 -kernel build/pvspin.elf -append "$short"
    records '.[0] | .hypervisor == "none" and .accel == "bare" and .pv_backend == "none"' "$serial"
    records '.[0].vcpus_online == 2 and .[-1].verdict == "ok"' "$serial"
    grep -q '^- accel bare: no hypervisor shows itself' "$serial"
    records '.[0].plan | contains("accel=bare")' "$serial"
  done
  # hardware-reduced ACPI
  bare 0 -M microvm -cpu max,-hypervisor -kernel build/pvspin-pvh.elf -append "$short"
  records '.[-1].verdict == "ok"' "$serial"
}

@test "without ACPI: the CPUs of the MP table, and a warning" {
  tcg 0 -smp 3,sockets=3 -M pc,acpi=off -append "$short"
  records '.[0] | .vcpus_online == 3 and .watchdog == "none"'
  says "$stdout" 'warning: no ACPI: 3 CPUs from the MP table'
  tcg 0 --boot=pvh -M microvm,acpi=off -bios qboot.rom -smp 2 -append "$short"
  records '.[0].vcpus_online == 2'
}

@test "without a PIT the HPET measures the TSC, without HPET the ACPI timer; without any: 4" {
  tcg 0 -M q35,pit=off -append "$short"
  records '.[0] | .tsc_source == "hpet" and .watchdog == "hpet" and .tsc_khz > 100000'
  tcg 0 -M pc,pit=off,hpet=off -append "$short"
  records '.[0] | .tsc_source == "acpi-pm" and .tsc_khz > 100000'
  tcg 4 --boot=pvh -M microvm,pit=off -append "$short"
  says "$stdout" 'error: TSC frequency unknown' 'the guest said so (tsc-unknown)'
}

@test "a CPU that lacks a needed feature: an error that names it, not a reset or a panic: 4" {
  local cpu
  for cpu in 'pentium3 sse2 nx lm' '486 tsc msr pae apic cmov sse2 nx lm' 'max,-apic apic' 'max,-tsc tsc' 'max,-cmov,-sse2 cmov sse2'; do
    bare 39 -cpu "${cpu%% *}" -kernel build/pvspin.elf -device isa-debug-exit,iobase=0xf4,iosize=4
    says "$(<"$serial")" "lacks what pvspin needs: ${cpu#* }"
    records 'length == 1 and .[0].verdict == "error" and .[0].reason == "cpu-features"' "$serial"
  done
  tcg 4 -cpu athlon
  says "$stdout" 'error: this CPU lacks what pvspin needs: nx lm' 'the guest said so (cpu-features)'
}

# on_screen ARGUMENT...: sets text to the content of VGA text memory when the guest has ended.
on_screen() {
  local monitor n
  make -s >&2
  rm -f "$BATS_TEST_TMPDIR"/{monitor,screen}
  mkfifo "$BATS_TEST_TMPDIR/monitor"
  timeout 60 qemu-system-x86_64 -accel tcg,thread=single -m 128 -display none -nodefaults \
    -no-user-config -no-reboot -vga std -monitor stdio "$@" \
    -kernel build/pvspin.elf -append "locks=mcs ms=10 reps=1" \
    <"$BATS_TEST_TMPDIR/monitor" >/dev/null 2>&1 3>&- &
  exec {monitor}>"$BATS_TEST_TMPDIR/monitor"
  for ((n = 0; n < 100; n++)); do
    echo "pmemsave 0xb8000 4000 \"$BATS_TEST_TMPDIR/screen\"" >&"$monitor"
    sleep 0.3 # the monitor does not tell when the file is whole
    # characters at even offsets, attributes at odd ones
    text=$(tr '\000-\037' ' ' <"$BATS_TEST_TMPDIR/screen" | sed 's/\(.\)./\1/g' || true)
    [[ $text != *'safe to switch off'* ]] || break
  done
  echo quit >&"$monitor"
  exec {monitor}>&-
  wait
}

@test "without a serial port, or a hypervisor, the text is on the screen, and the machine stays on" {
  local text
  on_screen -serial none
  says "$text" 'no serial port answers at 0x3f8' 'mcs ' '1 repetition' 'safe to switch off (the screen is kept)'
  [[ $text != *'"type"'* ]]
  on_screen -serial "file:$serial" -cpu max,-hypervisor
  says "$text" 'mcs ' '1 repetition' 'safe to switch off (the screen is kept)'
  records '.[-1].verdict == "ok"' "$serial"
}
