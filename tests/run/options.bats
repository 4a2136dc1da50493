#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# run.sh's command line, its choice of the accelerator, and its
# messages about missing tools. Starts no QEMU.
# shellcheck disable=SC2030,SC2031,SC2154 # stdout, stderr, out, tree: common.bash; subshells meant

load common

setup() {
  private_tmpdir
}

@test "--help names every option of the contract and every exit status" {
  run_sh 0 --help
  says "$stdout" --setup --accel= --l1-kernel= --pv= --instances= --runs= --pin= --out= \
    --timeout= --gdb --list --version '0 ok' '2 usage' '3 a test' '4 the env' '5 the guest' \
    '77 everything' '124 out of time'
  says "$stdout" --boot= --host-peer --perfetto --conformance --experiment
  [ -z "$stderr" ]
}

@test "--version prints one line" {
  run_sh 0 --version
  [ "$(wc -l <<<"$stdout")" -eq 1 ]
  [ -n "$stdout" ]
}

@test "--list names the locks, workloads and tests that the guest has" {
  run_sh 0 --list
  says "$stdout" $'\n  tas\n' $'\n  pv-qspinlock\n' $'\n  linux (' $'\n  contended\n' $'\n  uncontended\n' \
    'abi.kick.wakes_halted_if0 (ABI-KICK-01)'
  # The image decides: the list has exactly the locks that are registered there.
  if [ -e "$tree/build/pvspin.elf" ]; then
    local registered listed
    registered=$(nm "$tree/build/pvspin.elf" | grep -c ' lock_entry$')
    listed=$(sed -n '/^locks/,/^workloads/{/^  /p}' <<<"$stdout" | wc -l)
    [ $((registered + 1)) -eq "$listed" ] # and linux
  fi
}

@test "an argument that cannot be understood is a usage error that names it" {
  run_sh 2 --frobnicate
  says "$stderr" --frobnicate --help
  run_sh 2 --smp=3
  says "$stderr" --smp=3 'one dash'
  run_sh 2 --accel=hvf
  says "$stderr" --accel=hvf auto kvm nested tcg sim
  run_sh 2 --pv=maybe
  says "$stderr" 'on off hyperv'
  run_sh 2 --instances=-1
  says "$stderr" --instances=-1 'from 1'
  run_sh 2 --instances=two
  run_sh 2 --timeout=1.5
  run_sh 2 --l1-kernel=5.10
  says "$stderr" '6.1, 6.12, and the path'
  run_sh 2 --pin=3-1
  says "$stderr" downwards
  run_sh 2 --pin=a
  says "$stderr" 0-3,8
  run_sh 2 --out=
  run_sh 2 --accel
  says "$stderr" --accel=...
  run_sh 2 --gdb=1234
  run_sh 2 guest.img
  says "$stderr" guest.img
}

@test "QEMU options that run.sh must control itself are refused" {
  run_sh 2 -append
  run_sh 2 -append a=1 -append b=2
  says "$stderr" twice
  run_sh 2 -kernel "$BATS_TEST_TMPDIR/none"
  says "$stderr" "$BATS_TEST_TMPDIR/none"
  run_sh 2 -accel kvm
  says "$stderr" --accel=kvm
  run_sh 2 -enable-kvm
  run_sh 2 -machine q35,accel=tcg
  run_sh 2 -daemonize
}

@test "an unsuitable kernel and an option of another program are named" {
  run_sh 2 --l1-kernel=/boot/none
  says "$stderr" --l1-kernel=/boot/none 'no such file'
  run_sh 2 --l1-kernel="$tree/Makefile"
  says "$stderr" "--l1-kernel=$tree/Makefile" 'not a bzImage'
  run_sh 2 --perfetto=x
  says "$stderr" --perfetto=x build/pvspin-report
}

@test "an --out that holds another run's logs is refused" {
  mkdir "$out"
  touch "$out/serial-0.log"
  run_sh 2 --accel=tcg --out="$out" -kernel /etc/passwd
  says "$stderr" "$out" 'another run'
  nothing_left
}

@test "options that QEMU answers with text go straight to QEMU: no machine, no logs" {
  local real
  real=$(command -v qemu-system-x86_64)
  for words in '-cpu help' '-M ?' '-machine q35,help' '-device isa-debug-exit,help' '-accel help' -version \
    '-smp 2 -nic model=help'; do
    read -ra words <<<"$words"
    run_sh 0 --out="$out" "${words[@]}"
    [ "$stdout" = "$("$real" "${words[@]}" 2>/dev/null)" ]
    [ -n "$stdout" ]
  done
  run_sh 2 --out="$out" -object none-such,help
  says "$stderr" none-such
  run_sh 2 -h
  says "$stderr" --help 'qemu-system-x86_64 -help'
  [ ! -e "$out" ]
}

@test "a missing tool is named with the command that installs it" {
  PATH=$(path_without jq) run_sh 4 --accel=tcg --out="$out"
  says "$stderr" jq 'apt-get install' 'package jq'
  PATH=$(path_without qemu-system-x86_64) run_sh 4 --accel=tcg --out="$out"
  says "$stderr" qemu-system-x86_64 'package qemu-system-x86'
  [ ! -e "$out" ]
}

@test "--accel=nested without a tool of its own: 4, and the command that installs it" {
  PATH=$(path_without cpio) run_sh 4 --accel=nested --out="$out" -kernel /etc/passwd
  says "$stderr" 'apt-get install --no-install-recommends cpio'
}

@test "--setup installs exactly what is missing" {
  local path
  path=$(path_without jq cpio apt-get sudo)
  # A fake apt-get that records its arguments and installs jq and cpio.
  cat >"$path/apt-get" <<STUB
#!/bin/bash
echo "\$*" >>"$BATS_TEST_TMPDIR/asked"
[[ \$* != *install* ]] || ln -sf /usr/bin/{jq,cpio} "$path/"
STUB
  printf '#!/bin/bash\nexec "$@"\n' >"$path/sudo"
  chmod +x "$path/apt-get" "$path/sudo"
  PATH=$path run_sh 2 --setup --out="$out" --accel=tcg -kernel "$BATS_TEST_TMPDIR"/none
  [ ! -e "$BATS_TEST_TMPDIR/asked" ] # an invalid call installs nothing
  : >"$BATS_TEST_TMPDIR/image"
  PATH=$path run_sh 4 --setup --out="$out" --accel=tcg -kernel "$BATS_TEST_TMPDIR/image"
  says "$(<"$BATS_TEST_TMPDIR/asked")" update ' install --no-install-recommends cpio jq'
}

@test "tools/setup.sh refuses unknown groups, and --check installs nothing" {
  run "$tree/tools/setup.sh" everything
  [ "$status" -eq 2 ]
  PATH=$(path_without bats) run "$tree/tools/setup.sh" --check test
  [ "$status" -eq 4 ]
  says "$output" 'missing: bats' 'apt-get install'
}

@test "the command that installs has the distribution's own package names" {
  command_on() { # OS-RELEASE PACKAGE...
    printf '%b' "$1" >"$BATS_TEST_TMPDIR/os-release"
    shift
    PVSPIN_OS_RELEASE=$BATS_TEST_TMPDIR/os-release bash -c '. "$1/tools/setup.sh"; printf "run:%s:\n" "${@:2}" | setup_command' \
      command_on "$tree" "$@"
  }
  [ "$(command_on 'ID=fedora\n' qemu-system-x86 jq)" = 'dnf install jq qemu-system-x86-core' ]
  [ "$(command_on 'ID="rocky"\nID_LIKE="rhel centos fedora"\n' libc6-dev)" = 'dnf install glibc-devel' ]
  [ "$(command_on 'ID=arch\n' ovmf)" = 'pacman -S --needed edk2-ovmf' ]
  [ "$(command_on 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n' xz-utils)" = 'zypper install xz' ]
  [ "$(command_on 'ID=ubuntu\nID_LIKE=debian\n' ovmf)" = 'apt-get install --no-install-recommends ovmf' ]
  [ "$(command_on 'ID=unheard-of\n' ovmf)" = 'apt-get install --no-install-recommends ovmf' ]
}

@test "--setup waits while another process holds apt's locks" {
  local path
  path=$(path_without jq apt-get sudo)
  cat >"$path/apt-get" <<STUB
#!/bin/bash
echo "\$*" >>"$BATS_TEST_TMPDIR/asked"
case \$* in
*update*)
  n=\$(grep -c update "$BATS_TEST_TMPDIR/asked")
  ((n > 1)) || { echo 'E: Sperre /var/lib/apt/lists/lock konnte nicht bekommen werden' >&2; exit 100; }
  ;;
*install*) ln -sf /usr/bin/jq "$path/" ;;
esac
STUB
  printf '#!/bin/bash\nexec "$@"\n' >"$path/sudo"
  chmod +x "$path/apt-get" "$path/sudo"
  PATH=$path run "$tree/tools/setup.sh" run
  [ "$status" -eq 0 ]
  [ "$(grep -c update "$BATS_TEST_TMPDIR/asked")" -eq 2 ]
  says "$(<"$BATS_TEST_TMPDIR/asked")" '-o DPkg::Lock::Timeout='
}

@test "UEFI firmware: the first descriptor that can start GRUB, and its format" {
  local dir=$BATS_TEST_TMPDIR/firmware
  mkdir "$dir"
  descriptor() { # FILE FEATURES MACHINE
    jq -n --arg name "$BATS_TEST_TMPDIR/$1" --arg features "$2" --arg machine "$3" '{"interface-types": ["uefi"],
      targets: [{architecture: "x86_64", machines: [$machine]}], features: ($features | split(" ")), mapping: {device: "flash",
      executable: {filename: $name, format: "qcow2"}, "nvram-template": {filename: "\($name).vars", format: "raw"}}}' >"$dir/$1.json"
    touch "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$1.vars"
  }
  find_it() {
    PVSPIN_QEMU_FIRMWARE=$dir run bash -c 'set -euo pipefail
      for part in run/say run/boot setup; do . "$1/tools/$part.sh"; done
      boot=uefi
      boot_firmware
      echo "${boot_uefi[@]}"' find_it "$tree"
  }
  descriptor 10-secure 'secure-boot requires-smm' 'pc-q35-*'
  descriptor 20-keys 'enrolled-keys' 'pc-q35-*'
  descriptor 30-micro '' microvm
  find_it
  [ "$status" -eq 4 ]
  says "$output" "$dir" ' ovmf'
  descriptor 50-good acpi-s3 'pc-i440fx-*'
  descriptor 60-later acpi-s3 'pc-i440fx-*'
  find_it
  [ "$output" = "$BATS_TEST_TMPDIR/50-good qcow2 $BATS_TEST_TMPDIR/50-good.vars raw" ]
}

# Makes a fake QEMU. Asked for a KVM machine, it fails with the message $kvm_says, or succeeds if
# that is empty. It never touches KVM.
fake_qemu() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/qemu-system-x86_64" <<QEMU
#!/bin/bash
[[ -z "${kvm_says:-}" ]] || { echo "qemu-system-x86_64: -accel kvm: ${kvm_says:-}" >&2; exit 1; }
QEMU
  chmod +x "$BATS_TEST_TMPDIR/bin/qemu-system-x86_64"
}

# Makes only the choice of accelerator, on a fake machine: $flag, $device and $kvm_says.
choose() { # ARGUMENT...
  fake_qemu
  printf 'flags\t\t: fpu %s sse2\n' "$flag" >"$BATS_TEST_TMPDIR/cpuinfo"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH PVSPIN_CPUINFO=$BATS_TEST_TMPDIR/cpuinfo PVSPIN_KVM_DEVICE=$device run bash -c '
    set -euo pipefail
    tree=$1 inner=${inside_l1:-0}
    shift
    for part in run/say run/options run/boot setup nested/kernel run/accel run/sim run/host-trace; do . "$tree/tools/$part.sh"; done
    nested_usable() { nested_why="no nested here"; ((${nested_works:-0})); }
    options_parse "$@"
    accel_choose
    echo "took $accel, class $accel_class"' choose "$tree" "$@"
}

@test "auto takes kvm with the flag and a device that opens" {
  flag=vmx device=$BATS_TEST_TMPDIR/kvm
  touch "$device"
  choose
  says "$output" 'accel kvm: the CPU has vmx' 'took kvm, class kvm'
  flag=svm choose --accel=kvm
  says "$output" 'took kvm'
}

@test "auto never takes a software KVM" {
  flag=mmx device=$BATS_TEST_TMPDIR/kvm
  touch "$device"
  export nested_works=1
  choose
  says "$output" 'took nested' 'software KVM'
  choose --accel=kvm
  [ "$status" -eq 4 ]
  says "$output" '--accel=kvm' 'neither vmx nor svm'
}

@test "a /dev/kvm that does not open: the reason, the remedy, and nested" {
  flag=svm device=$BATS_TEST_TMPDIR # opening a directory for writing fails, for root too
  export nested_works=1
  choose
  says "$output" 'cannot be opened' 'usermod -aG kvm' 'took nested'
  choose --accel=kvm
  [ "$status" -eq 4 ]
  says "$output" 'usermod -aG kvm'
}

@test "KVM that opens but makes no virtual machine: the reason, and nested; with --accel=kvm, 4" {
  flag=svm device=$BATS_TEST_TMPDIR/kvm kvm_says='failed to initialize kvm: Device or resource busy'
  touch "$device"
  export nested_works=1
  choose
  says "$output" 'accel nested: ' 'makes no virtual machine' 'Device or resource busy' 'took nested'
  [ "$(wc -l <<<"$output")" -eq 2 ]
  choose --accel=kvm
  [ "$status" -eq 4 ]
  says "$output" '--accel=kvm' 'Device or resource busy'
}

@test "KVM in a virtual machine has a class of its own; KVM in our L1 does not" {
  flag='svm hypervisor' device=$BATS_TEST_TMPDIR/kvm
  touch "$device"
  choose
  says "$output" 'accel kvm-in-vm: the CPU has svm' 'itself a virtual one' 'took kvm, class kvm-in-vm'
  choose --accel=kvm
  says "$output" 'accel kvm-in-vm: asked for' 'took kvm, class kvm-in-vm'
  PVSPIN_CLASS=nested inside_l1=1 choose --accel=kvm
  says "$output" 'took kvm, class nested'
}

@test "a guest that waits for a person is not run under nested, where nobody could reach it" {
  flag=mmx device=/nonexistent
  export nested_works=1
  choose -S
  says "$output" '-S' 'took tcg'
  choose --accel=nested -s -S
  [ "$status" -eq 4 ]
  says "$output" '--gdb, -S'
}

@test "auto ends at tcg and gives all reasons; an explicit choice never falls back" {
  flag=mmx device=/nonexistent
  choose
  says "$output" 'accel tcg' 'neither vmx nor svm' 'no nested here' 'took tcg'
  choose --accel=nested
  [ "$status" -eq 4 ]
}

# Prints QEMU's command line for these options, without running QEMU.
composed() { # ACCEL ARGUMENT...
  run bash -c '
    set -euo pipefail
    tree=$1 inner=0 accel_class=$2
    shift 2
    for part in run/say run/options run/boot run/qemu run/sim run/host-trace; do . "$tree/tools/$part.sh"; done
    options_parse "$@"
    accel=$accel_class image=${PVSPIN_IMAGE-$tree/build/pvspin.elf}
    qemu_compose
    printf "<%s>" "${qemu_command[@]}"' composed "$tree" "$@"
  [ "$status" -eq 0 ]
}

@test "QEMU's command line: defaults, the user's own, and the launcher's keys" {
  composed kvm
  says "$output" '<-cpu><host>' '<-machine><pc>' '<-m><128>' ' accel=kvm log=virtio end=wait>' '<virtserialport,nr=1,chardev=log>'
  says "$output" "<vmm_kernel=$(uname -r | awk -F. '{ print $1 * 1000 + $2 }') accel=kvm"
  PVSPIN_IMAGE=$tree/LICENSE composed kvm # an image that does not know log=
  says "$output" ' accel=kvm end=wait>'
  [[ $output != *virtserialport* ]]
  composed kvm -overcommit cpu-pm=on -machine q35,kernel-irqchip=split \
    -cpu host,kvm-pv-enforce-cpuid=on
  says "$output" '<vmm_enforce=on vmm_hlt=native vmm_irqchip=split vmm_kernel='
  composed kvm --pin=0-1,0 --instances=2 -smp 2
  says "$output" '<vmm_cpu_percent=100 vmm_kernel='
  composed kvm --pin=0-3 --instances=2 -smp 2
  [[ $output != *vmm_cpu_percent* ]]
  composed kvm --pv=off
  says "$output" '<-cpu><host,kvm-pv-unhalt=off>'
  composed kvm --pv=hyperv -append 'locks=tas'
  says "$output" '<-cpu><host,hv-relaxed,hv-spinlocks=0x1fff>' '<locks=tas hyperv vmm_kernel='
  composed kvm --pv=hyperv -cpu EPYC,hv-spinlocks=7 -append 'hyperv locks=tas'
  says "$output" '<-cpu><EPYC,hv-spinlocks=7,kvm-pv-unhalt=on>' '<hyperv locks=tas vmm_kernel='
  composed kvm -cpu EPYC
  says "$output" '<-cpu><EPYC,kvm-pv-unhalt=on>'
  composed kvm --pv=off -cpu host,-kvm-pv-unhalt
  says "$output" '<-cpu><host,-kvm-pv-unhalt>'
  composed tcg -m 512 -machine q35 -smp 3 -name 'a b' -append 'locks=tas  ms=1'
  says "$output" '<-cpu><max>' '<-m><512>' '<-machine><q35>' '<-smp><3>' '<-name><a b>' \
    '<-append><locks=tas  ms=1 accel=tcg end=wait>'
  [[ $output != *'<-m><128>'* ]]
  [[ $output != *'<pc>'* ]]
  composed tcg --instances=2
  says "$output" '<accel=tcg end=wait start=serial-each>'
  composed tcg --instances=2 -append start=now
  says "$output" '<start=now accel=tcg end=wait>'
  composed tcg --gdb
  says "$output" '<-S><-gdb><tcp:127.0.0.1:'
  # QEMU reaches the scratch directory by inherited descriptors: none of our words depends on its
  # path.
  composed tcg -drive file=disk.img,format=raw
  says "$output" '<-kernel></proc/self/fd/99/pvspin.elf>' '<-drive><file=disk.img,format=raw>'
  composed tcg -- -append x --weird
  says "$output" '<x accel=tcg end=wait>' '<--weird>'
}

@test "under nested, firmware that takes no interrupts, unless the user has chosen one" {
  composed nested
  says "$output" '<-bios><qboot.rom>'
  composed nested --boot=pvh -machine microvm
  says "$output" '<-bios><qboot.rom>'
  composed nested -bios other.rom
  [[ $output != *qboot* ]]
  composed nested -drive if=pflash,format=raw,file=x
  [[ $output != *qboot* ]]
  composed nested --boot=iso -machine q35
  says "$output" '<-machine><pit=off>' '<-machine><q35>'
  [[ $output != *qboot* ]]
  composed nested --boot=iso -cpu host,kvm=off # then the PIT is the guest's only clock
  [[ $output != *pit=off* ]]
  composed kvm # else KVM's PIT keeps AVIC off
  says "$output" '<-global><kvm-pit.lost_tick_policy=discard>'
  for accel in kvm tcg; do
    composed "$accel"
    [[ $output != *qboot* ]]
    composed "$accel" --boot=iso
    [[ $output != *pit=off* ]]
  done
}

@test "more than 255 vCPUs: q35 unless a machine is named; under tcg an error" {
  local n
  for n in 256 cpus=288 288,sockets=4,cores=72 sockets=288,cpus=288 4,maxcpus=288 sockets=4,cores=72 0x100 \
    sockets=2,dies=2,clusters=2,cores=8,threads=8; do
    composed kvm -smp "$n"
    says "$output" '<-machine><q35>' "<-smp><$n>"
    [[ $output != *'<pc>'* ]]
  done
  composed kvm -smp 4 -smp maxcpus=288 -machine hpet=off
  says "$output" '<-machine><hpet=off>' '<-machine><q35>'
  composed kvm -machine smp.cpus=256
  says "$output" '<-machine><q35>'
  for n in 255 cpus=255,maxcpus=0xff 255,sockets=255 sockets=5,cores=51 what; do
    composed kvm -smp "$n"
    says "$output" '<-machine><pc>'
  done
  composed kvm -smp 288 -machine q35,hpet=off
  says "$output" '<-machine><q35,hpet=off>'
  [[ $output != *'<q35>'* ]]
  run_sh 4 --accel=tcg -smp 256 --out="$out"
  says "$stderr" '-smp 256: more than 255 vCPUs need KVM'
}

@test "--host-trace: refused by name without KVM, without trace=, and where tracefs may not be written" {
  for accel in tcg sim; do
    run_sh 2 --accel=$accel --host-trace -append trace=5
    says "$stderr" "--host-trace traces KVM, which --accel=$accel has not"
  done
  run_sh 2 --host-trace
  says "$stderr" '-append needs trace=N'
  run_sh 2 --host-trace=0 -append trace=5
  run_sh 2 --host-trace -append 'trace=5 start=serial'
  says "$stderr" 'only serial-each is accepted'
  run_sh 2 --host-trace --experiment=two-vms
  says "$stderr" 'for a plain call'
  # shellcheck disable=SC2016 # the inner bash's
  run ordinary_user bash -c 'cd "$1"; EXIT_ENVIRONMENT=4; die() { printf "%s\n" "$@"; exit "$1"; }
    source tools/run/host-trace.sh; accel=kvm host_trace=512; host_trace_check' - "$tree"
  [ "$status" -eq 4 ]
  says "$output" '--host-trace: cannot use' 'it needs root, tracefs on /sys/kernel/tracing and debugfs'
}
