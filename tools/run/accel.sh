# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# Which accelerator: sets accel_class (kvm, nested, tcg: what the records and the manifest say) and
# accel_why, and says both in one line. `auto` never takes a /dev/kvm on a CPU that has neither vmx
# nor svm: that is a software KVM, which interprets each guest instruction. Sourced by run.sh.

# The two things looked at; tests point them elsewhere.
cpuinfo=${PVSPIN_CPUINFO:-/proc/cpuinfo}
kvm_device=${PVSPIN_KVM_DEVICE:-/dev/kvm}

# Sets kvm_why: why KVM can, or cannot, be used; false if it cannot. Only opens the device.
kvm_usable() {
  local flag
  flag=$(grep -m1 -owE 'vmx|svm' "$cpuinfo" | head -n 1) || true
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
  fi
  kvm_why="the CPU has $flag and $kvm_device opens"
}

# Sets nested_why; false if L1 cannot be had. May download its kernel (once).
nested_usable() {
  local missing line=$l1_kernel
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

accel_choose() {
  accel_class=$accel
  case $accel in
  kvm)
    kvm_usable || die "$EXIT_ENVIRONMENT" "--accel=kvm: $kvm_why"
    accel_why='asked for'
    ;;
  nested)
    ((!gdb)) || die "$EXIT_ENVIRONMENT" '--gdb does not reach into nested: use kvm or tcg'
    nested_usable || die "$EXIT_ENVIRONMENT" "--accel=nested: $nested_why"
    accel_why='asked for'
    ;;
  tcg) accel_why='asked for' ;;
  auto) accel_auto ;;
  esac
  # Inside L1 the accelerator is kvm, but what is measured is nested.
  [[ -z ${PVSPIN_CLASS:-} ]] || accel_class=$PVSPIN_CLASS
  ((inner)) || say "accel $accel_class: $accel_why"
}

accel_auto() {
  if kvm_usable; then
    accel_class=kvm accel_why=$kvm_why
  elif ((gdb)); then
    accel_class=tcg accel_why="$kvm_why; --gdb does not reach into nested"
  elif nested_usable; then
    accel_class=nested accel_why=$kvm_why
  else
    accel_class=tcg accel_why="$kvm_why; $nested_why"
  fi
  accel=$accel_class
}
