# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# QEMU's command line, the same for each instance. QEMU runs in the caller's directory, so that
# relative paths in its options mean what the caller meant. What is pvspin's own (the image, the FIFOs
# of serial and QMP) is in a scratch directory of the instance. QEMU is told of it by a descriptor that
# it inherits (instance.sh): the scratch directory's name may hold a comma, which ends a value of a
# QEMU option, or a space, which ends the image's name where QEMU hands "<image> <append>" to the
# guest as one line. Sourced by run.sh.
readonly QEMU_DIR=/proc/self/fd/99 # beyond the numbers that a caller may have given away

# Sets sandbox; ends with a message if QEMU is too old. What was found holds in L1, too, where each start
# of QEMU takes seconds.
qemu_probe() {
  if ((inner)); then
    sandbox_options
    return
  fi
  sandbox_probe
  sandbox_qemu_new_enough || die "$EXIT_ENVIRONMENT" \
    "qemu-system-x86_64 is version $qemu_version; $QEMU_OLDEST or newer is needed (7.2 is tested)"
  ((${#sandbox[@]})) || export PVSPIN_SANDBOX=off
}

# The user's options ask QEMU for text, not for a machine (options_help): -cpu help. Ends the call.
qemu_help() {
  local status=0
  timeout 60 qemu-system-x86_64 "${qemu_words[@]}" </dev/null || status=$?
  ((status == 0 || status == EXIT_TIMEOUT)) || status=$EXIT_USAGE # as of -device nonsense,help
  exit "$status"
}

# QEMU's -cpu value. A model other than host hides PV_UNHALT unless it is named; of what the user
# says about kvm-pv-unhalt nothing is changed.
qemu_cpu() {
  local cpu=$user_cpu
  case $accel in
  tcg) echo "${cpu:-max}" ;;
  kvm)
    cpu=${cpu:-host}
    if [[ $cpu == *kvm-pv-unhalt* || $cpu == *kvm_pv_unhalt* ]]; then
      echo "$cpu"
    elif [[ $pv == off ]]; then
      echo "$cpu,kvm-pv-unhalt=off"
    elif [[ ${cpu%%,*} == host || ${cpu%%,*} == max ]]; then
      echo "$cpu"
    else
      echo "$cpu,kvm-pv-unhalt=on"
    fi
    ;;
  esac
}

# What QEMU was told that the guest cannot see but its ABI tests depend on (bench/plan.h, struct
# vmm_facts); nothing that is as by default.
qemu_facts() {
  local all=" ${qemu_user[*]-} $user_cpu ${user_machine-} " facts=''
  local kernel=$l1_kernel # under nested, when the line is made out here (boot.sh)
  [[ ! -s ${l1_dir:-}/release ]] || kernel=$(<"$l1_dir/release")
  [[ $accel != tcg ]] || return 0
  [[ $accel == nested ]] || read -r kernel </proc/sys/kernel/osrelease
  [[ $all != *kvm-pv-enforce-cpuid=on* && $all != *+kvm-pv-enforce-cpuid* ]] || facts+=' vmm_enforce=on'
  [[ $all != *cpu-pm=on* ]] || facts+=' vmm_hlt=native'
  if [[ $all =~ kernel[-_]irqchip=(on|split|off) ]]; then facts+=" vmm_irqchip=${BASH_REMATCH[1]}"; fi
  if [[ $kernel =~ ^([0-9]+)\.([0-9]+) ]]; then
    facts+=" vmm_kernel=$((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2]))"
  fi
  echo "$facts"
}

# The guest's command line: the user's, then what only the launcher knows (docs/serial-log.md).
qemu_append() {
  local line=$append
  line+="$(qemu_facts) accel=$accel_class end=wait"
  if { ((members > 1)) || [[ -n $meet ]]; } && [[ " $append " != *' start='* ]]; then
    line+=' start=serial-each'
  fi
  echo "${line# }"
}

# Sets smp_cpus, smp_max: how many vCPUs there are at the start and at most, as QEMU counts them
# (hw/core/machine-smp.c): what cpus= and maxcpus= say, or else the product of the topology. A number
# is one as C writes it. What is no number QEMU will refuse.
qemu_smp() {
  local words word key value product=1
  smp_cpus=0 smp_max=0
  IFS=, read -ra words <<<"$user_smp"
  for word in ${words[@]+"${words[@]}"}; do
    key=${word%%=*} value=${word#*=}
    [[ $word == *=* ]] || key=cpus
    [[ $value =~ ^(0[0-7]{0,6}|[1-9][0-9]{0,6}|0[xX][0-9a-fA-F]{1,6})$ ]] || continue
    case $key in
    cpus) smp_cpus=$((value)) ;;
    maxcpus) smp_max=$((value)) ;;
    drawers | books | sockets | dies | clusters | modules | cores | threads)
      product=$((product * (value > 0 ? value : 1)))
      ;;
    esac
  done
  ((smp_cpus)) || smp_cpus=$((smp_max ? smp_max : product))
  ((smp_max)) || smp_max=$smp_cpus
}

# More than 255 vCPUs have APIC IDs that only x2APIC can address, with KVM's local APICs; QEMU's machine
# pc ends at 255, q35 does not. (Linux would want an interrupt-remapping IOMMU too, for devices.) A
# machine that the user names is left as it is.
qemu_many_vcpus() {
  qemu_smp
  ((smp_max > 255)) || return 0
  [[ $accel != tcg ]] ||
    die "$EXIT_ENVIRONMENT" "-smp $user_smp: more than 255 vCPUs need KVM (--accel=kvm or nested)"
  [[ -z $machine_type ]] || return 0
  machine_type=q35
  qemu_user+=(-machine q35)
}

qemu_firmware_chosen() {
  case " ${qemu_user[*]-} " in
  *' -bios '* | *' -pflash '* | *if=pflash* | *firmware=*) return 0 ;;
  *) return 1 ;;
  esac
}

# Adds to qemu_command, under nested, what keeps interrupts away from firmware. QEMU that emulates SVM
# delivers an interrupt twice now and then (docs/boot.md, "Nested"): the first time as VMRUN says, again
# when the thread that emulates all CPUs in turn is called to the next one before the guest's first exit.
# pvspin's handlers write EOI first, an exit, and stand it; SeaBIOS's tick does not (its second entry
# overwrites the first one's stack). So -kernel is started by qboot, which takes no interrupt, and a BIOS
# is given no PIT, except where the guest needs it as a clock (kvm=off). SeaBIOS and GRUB take time from
# the ACPI timer and the TSC.
qemu_quiet_firmware() {
  if [[ $accel_class != nested ]] || qemu_firmware_chosen; then return; fi
  case $boot in
  multiboot | pvh) qemu_command+=(-bios qboot.rom) ;;
  iso) [[ ,$user_cpu, == *,kvm=off,* ]] || qemu_command+=(-machine pit=off) ;;
  esac
}

# Sets qemu_command.
# shellcheck disable=SC2054 # the commas are QEMU's
qemu_compose() {
  qemu_many_vcpus
  qemu_command=(qemu-system-x86_64)
  case $accel in
  # A PIT that makes up for lost ticks listens to its EOIs, for which KVM keeps AVIC off
  # (APICV_INHIBIT_REASON_PIT_REINJ in Linux's arch/x86/include/asm/kvm_host.h). Nobody here wants its ticks.
  kvm) qemu_command+=(-accel kvm -global kvm-pit.lost_tick_policy=discard) ;;
  # One thread, as for L1 under nested: QEMU 7.2 with a thread for each vCPU has races of its own
  # (tools/nested/nested.sh --help).
  tcg) qemu_command+=(-accel tcg,thread=single) ;;
  esac
  qemu_command+=(-cpu "$(qemu_cpu)")
  [[ -n $machine_type ]] || qemu_command+=(-machine pc)
  [[ -n $user_m ]] || qemu_command+=(-m 128)
  qemu_quiet_firmware
  local by_boot
  mapfile -d '' -t by_boot < <(boot_options)
  qemu_command+=(
    -display none -nodefaults -no-user-config -no-reboot
    "${by_boot[@]}"
    -device isa-debug-exit,iobase=0xf4,iosize=4
    -chardev "pipe,id=serial,path=$QEMU_DIR/serial" -serial chardev:serial
    -chardev "pipe,id=qmp,path=$QEMU_DIR/qmp" -mon chardev=qmp,mode=control
  )
  # A -sandbox of the user's own takes the place of ours.
  [[ " ${qemu_user[*]-} " == *' -sandbox '* ]] || qemu_command+=(${sandbox[@]+"${sandbox[@]}"})
  [[ -z $pin ]] || qemu_command+=(-S) # until the vCPU threads are pinned
  if ((gdb)); then
    gdb_port
    qemu_command+=(-S -gdb "tcp:127.0.0.1:$gdb_port_number")
  fi
  qemu_command+=(${qemu_user[@]+"${qemu_user[@]}"})
}

# Sets gdb_port_number: nobody answers there now. (QEMU says so if somebody is faster.)
gdb_port() {
  for ((;;)); do
    gdb_port_number=$((20000 + RANDOM % 12000))
    (: <>"/dev/tcp/127.0.0.1/$gdb_port_number") 2>/dev/null || break
  done
}
