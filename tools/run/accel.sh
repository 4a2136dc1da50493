# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Chooses the accelerator and prints it with the reason in one line. `auto` never takes a /dev/kvm
# on a CPU that has neither vmx nor svm: that is a software KVM, which interprets each guest
# instruction. Sourced by run.sh.
#
# Takes  inner: run.sh
# Takes  accel_asked, boot, l1_kernel_given, paused: options.sh
# Takes  l1_dir, l1_error: nested/kernel.sh
# Gives  accel, accel_class, accel_why: what was taken; its class in records, where KVM in a VM is
#        kvm-in-vm; the reason
# Gives  l1_kernel: the kernel of L1, under nested
# Gives  cpuinfo: /proc/cpuinfo, or the one that tests set

# The two files that decide; tests set others.
cpuinfo=${PVSPIN_CPUINFO:-/proc/cpuinfo}
kvm_device=${PVSPIN_KVM_DEVICE:-/dev/kvm}

# Sets kvm_why, the reason why KVM can or cannot be used, and kvm_class. Returns false if it cannot.
#
# The CPUID bit `hypervisor` beside vmx or svm means a virtual machine that may run its own (EC2,
# GCP, CI runners, WSL2). The hypervisor below it handles each exit of the guest first, and may take
# the CPU from guest and KVM without either noticing.
kvm_usable() {
  local flag flags
  flags=" $(grep -m1 '^flags' "$cpuinfo") " || true
  flag=$(grep -m1 -owE 'vmx|svm' <<<"$flags" | head -n 1) || true
  kvm_class=kvm
  [[ $flags != *' hypervisor '* ]] || kvm_class=kvm-in-vm
  if [[ -z $flag ]]; then
    kvm_why='the CPU has no hardware virtualisation (neither vmx nor svm)'
    [[ ! -e $kvm_device ]] || kvm_why+=", so $kvm_device is a software KVM and is not used"
    return 1
  elif [[ ! -e $kvm_device ]]; then
    kvm_why="the CPU has $flag, but there is no $kvm_device"
    kvm_why+=' (sudo modprobe kvm_intel or kvm_amd; is it enabled in the firmware?)'
    return 1
  elif ! (: <>"$kvm_device") 2>/dev/null; then
    kvm_why="the CPU has $flag, but $kvm_device cannot be opened by this user"
    kvm_why+=" (to mend it: sudo usermod -aG kvm $(id -un), then log in again)"
    return 1
  elif ! kvm_makes_vm; then
    kvm_why="the CPU has $flag and $kvm_device opens, but KVM makes no virtual machine: $kvm_refusal"
    return 1
  fi
  kvm_why="the CPU has $flag and $kvm_device opens"
}

# Checks that KVM makes a virtual machine; sets kvm_refusal if not. KVM may refuse even if its
# device opens: another hypervisor uses VMX or SVM (EBUSY), or a filter or limit is in the way. Asks
# the QEMU that will be used, with a machine that never runs and is given up at once; without our
# -sandbox, whose refusal would look like KVM's.
kvm_makes_vm() {
  local said line
  if said=$(timeout 20 qemu-system-x86_64 -accel kvm -cpu host -machine pc -m 16 -S -display none -nodefaults \
    -no-user-config -monitor stdio 2>&1 <<<quit); then
    return 0
  fi
  line=$(grep -m1 -i 'kvm.*failed\|failed.*kvm' <<<"$said") || line=${said##*$'\n'}
  kvm_refusal=${line#qemu-system-x86_64: }
  [[ $kvm_refusal != *[Bb]usy* ]] || kvm_refusal+=' (another hypervisor has it: VirtualBox, VMware?)'
  return 1
}

# Sets nested_why; false if L1 cannot run here. May download L1's kernel (once).
nested_usable() {
  local missing line=$l1_kernel_given
  if [[ $boot == uefi ]]; then
    nested_why=$BOOT_UEFI_NESTED
    return 1
  fi
  missing=$(setup_missing nested)
  if [[ -n $missing ]]; then
    nested_why="nested needs more packages: $(setup_command <<<"$missing"), or ./run.sh --setup"
    return 1
  fi
  if [[ $line == */* ]]; then
    nested_kernel "$line" || die "$EXIT_ENVIRONMENT" "--l1-kernel=$l1_error"
    line=${l1_dir##*/}
  elif ! nested_kernel "${line:-6.12}"; then
    nested_why=$l1_error
    # Only the default may give way to another kernel.
    [[ -z $line ]] || return 1
    nested_kernel 6.1 || return 1
    say "$nested_why; taking kernel 6.1"
    line=6.1
  fi
  l1_kernel=${line:-6.12}
}

readonly PAUSED_NESTED='a guest that waits to be continued (--gdb, -S) is out of reach in nested; use kvm or tcg'

accel_choose() {
  accel=$accel_asked accel_class=$accel_asked
  case $accel in
  kvm)
    accel_why='asked for'
    if ((!inner)); then # L1's KVM is known to work
      kvm_usable || die "$EXIT_ENVIRONMENT" "--accel=kvm: $kvm_why"
      accel_class=$kvm_class
    fi
    ;;
  nested)
    ((!paused)) || die "$EXIT_ENVIRONMENT" "--accel=nested: $PAUSED_NESTED"
    nested_usable || die "$EXIT_ENVIRONMENT" "--accel=nested: $nested_why"
    accel_why='asked for'
    ;;
  tcg | sim) accel_why='asked for' ;;
  auto) accel_auto ;;
  esac
  # Inside L1 the accelerator is kvm, but the class is nested.
  [[ -z ${PVSPIN_CLASS:-} ]] || accel_class=$PVSPIN_CLASS
  [[ $accel_class != kvm-in-vm ]] || accel_why+='; this machine is itself a virtual one'
  ((inner)) || say "accel $accel_class: $accel_why"
}

accel_auto() {
  if kvm_usable; then
    accel=kvm accel_class=$kvm_class accel_why=$kvm_why
    return
  elif ((paused)); then
    accel=tcg accel_why="$kvm_why; $PAUSED_NESTED"
  elif nested_usable; then
    accel=nested accel_why=$kvm_why
  else
    accel=tcg accel_why="$kvm_why; $nested_why"
  fi
  accel_class=$accel
}
