# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# QEMU's command line, the same for each instance. QEMU runs in the caller's directory, so that
# relative paths in its options mean what the caller meant. pvspin's own files (the image, the FIFOs
# of serial and QMP) are in a scratch directory of the instance, which QEMU reaches by an inherited
# descriptor (instance.sh). Its name could not be used, because it may contain a comma, which ends a
# value of a QEMU option, or a space, which ends the image's name where QEMU hands "<image>
# <append>" to the guest as one line. Sourced by run.sh.
#
# Takes  image, inner: run.sh
# Takes  append, boot, gdb, host_trace, machine_type, meet, members, pin, pin_cpus, pv, qemu_user, qemu_words,
#        user_cpu, user_m, user_machine, user_smp: options.sh
# Takes  accel, accel_class, l1_kernel: accel.sh
# Takes  l1_dir: nested/kernel.sh
# Takes  qemu_version, sandbox: nested/sandbox.sh
# Gives  qemu_command: QEMU's command line
# Gives  smp_cpus, smp_max: vCPUs at the start, and at most
# Gives  gdb_port_number: where QEMU waits for gdb
readonly QEMU_DIR=/proc/self/fd/99 # beyond the numbers that a caller may have given away

# Sets sandbox; ends with a message if QEMU is too old. The result is passed on to L1, where each
# start of QEMU takes seconds.
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

# Runs QEMU with options that ask for text, not for a machine (options_help), such as -cpu help.
# Ends the call.
qemu_help() {
  local status=0
  timeout 60 qemu-system-x86_64 "${qemu_words[@]}" </dev/null || status=$?
  ((status == 0 || status == EXIT_TIMEOUT)) || status=$EXIT_USAGE # as of -device nonsense,help
  exit "$status"
}

# Prints QEMU's -cpu value. A model other than host hides PV_UNHALT unless it is named. Never
# changes what the user says about kvm-pv-unhalt and hv-spinlocks. The number of the latter is the
# one of QEMU's and libvirt's documentation.
qemu_cpu() {
  local cpu=$user_cpu
  case $accel in
  tcg) echo "${cpu:-max}" ;;
  kvm)
    cpu=${cpu:-host}
    if [[ $pv == hyperv && $cpu != *hv-spinlocks* && $cpu != *hv_spinlocks* ]]; then
      cpu+=,hv-relaxed,hv-spinlocks=0x1fff
    fi
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

# Prints the facts about QEMU's options that the guest cannot see but its ABI tests depend on
# (bench/plan.h, struct vmm_facts); only those that differ from the default.
qemu_facts() {
  local all=" ${qemu_user[*]-} $user_cpu ${user_machine-} " facts=''
  local kernel
  [[ $accel != tcg ]] || return 0
  if [[ $accel != nested ]]; then
    read -r kernel </proc/sys/kernel/osrelease
  elif [[ -s $l1_dir/release ]]; then # the line is made on the host (boot.sh)
    kernel=$(<"$l1_dir/release")
  else
    kernel=$l1_kernel
  fi
  [[ $all != *kvm-pv-enforce-cpuid=on* && $all != *+kvm-pv-enforce-cpuid* ]] || facts+=' vmm_enforce=on'
  [[ $all != *cpu-pm=on* ]] || facts+=' vmm_hlt=native'
  if [[ $all =~ kernel[-_]irqchip=(on|split|off) ]]; then facts+=" vmm_irqchip=${BASH_REMATCH[1]}"; fi
  if [[ $kernel =~ ^([0-9]+)\.([0-9]+) ]]; then
    facts+=" vmm_kernel=$((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2]))"
  fi
  echo "$facts"
}

# Whether the guest's log leaves by a virtio serial port, one VM exit for a record and not for each
# byte, which counts where KVM makes the exits and where they are emulated. Not with an image that
# does not know log=, nor where there may be no PCI bus.
qemu_log_by_virtio() {
  [[ $accel == kvm && ${machine_type:-pc} == @(pc|q35|pc-*) ]] && grep -qF log=virtio "$image"
}

# Prints, if not every vCPU of the call has a CPU, how much of them each VM has: the guest's measured
# phases are long enough for that (bench/plan_workload.c). Unknown are other load and --meet's calls.
qemu_share() {
  local cpus
  if [[ -n $pin ]]; then cpus=$(printf '%s\n' "${pin_cpus[@]}" | sort -u | wc -l); else cpus=$(nproc); fi
  # As tools/nested/nested.sh; the line may be made on the host (boot.sh).
  if [[ $accel == nested ]] && ((cpus > 16)); then cpus=16; fi
  qemu_smp
  ((smp_cpus * members <= cpus)) || echo " vmm_cpu_percent=$((cpus * 100 / members))"
}

# Prints the guest's key that --pv=hyperv stands for.
pv_key() {
  [[ $pv != hyperv || " $append " == *' hyperv '* ]] || echo ' hyperv'
}

# Prints the guest's command line: the user's, then the launcher's facts (docs/serial-log.md).
qemu_append() {
  local line=$append
  line+=$(pv_key)
  [[ $accel == tcg ]] || line+=$(qemu_share)
  line+="$(qemu_facts) accel=$accel_class"
  ! qemu_log_by_virtio || line+=' log=virtio'
  line+=' end=wait'
  if { ((members > 1)) || [[ -n $meet$host_trace ]]; } && [[ " $append " != *' start='* ]]; then
    line+=' start=serial-each'
  fi
  echo "${line# }"
}

# Sets smp_cpus and smp_max, the number of vCPUs at the start and at most, as QEMU computes them
# (hw/core/machine-smp.c): cpus= and maxcpus=, otherwise the product of the topology. Numbers are
# written as in C. QEMU will refuse anything that is not a number.
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

# More than 255 vCPUs have APIC IDs that only x2APIC can address, which needs KVM's local APICs.
# QEMU's machine pc ends at 255, q35 does not. (For devices, Linux would also need an
# interrupt-remapping IOMMU.) A machine that the user names is left as it is.
qemu_many_vcpus() {
  qemu_machine=pc
  qemu_smp
  ((smp_max > 255)) || return 0
  [[ $accel != tcg ]] ||
    die "$EXIT_ENVIRONMENT" "-smp $user_smp: more than 255 vCPUs need KVM (--accel=kvm or nested)"
  [[ -z $machine_type ]] || return 0
  qemu_machine=q35
}

qemu_firmware_chosen() {
  case " ${qemu_user[*]-} " in
  *' -bios '* | *' -pflash '* | *if=pflash* | *firmware=*) return 0 ;;
  *) return 1 ;;
  esac
}

# Under nested, adds options to qemu_command that keep interrupts away from firmware, because a QEMU
# that emulates SVM now and then delivers an interrupt twice, which SeaBIOS's timer handler does not
# survive (docs/boot.md, "Nested"). So -kernel is started by qboot, which takes no interrupts, and a
# BIOS gets no PIT, unless the guest needs it as a clock (kvm=off). SeaBIOS and GRUB take the time
# from the ACPI timer and the TSC.
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
  # A PIT that makes up for lost ticks must see its EOIs, so KVM would keep AVIC off
  # (APICV_INHIBIT_REASON_PIT_REINJ in Linux's arch/x86/include/asm/kvm_host.h). The guest does not
  # need these ticks.
  kvm) qemu_command+=(-accel kvm -global kvm-pit.lost_tick_policy=discard) ;;
  # One thread, as for L1 under nested, because QEMU 7.2 with a thread for each vCPU has races
  # (tools/nested/nested.sh --help).
  tcg) qemu_command+=(-accel tcg,thread=single) ;;
  esac
  qemu_command+=(-cpu "$(qemu_cpu)")
  [[ -n $machine_type ]] || qemu_command+=(-machine "$qemu_machine")
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
  # It writes into the FIFO of COM1. QEMU does it while the guest is in the exit (ioeventfd=off).
  ! qemu_log_by_virtio || qemu_command+=(
    -device virtio-serial-pci,max_ports=2,vectors=0,disable-legacy=off,disable-modern=on,ioeventfd=off
    -chardev "file,id=log,path=$QEMU_DIR/serial.out,append=on" -device virtserialport,nr=1,chardev=log
  )
  # The user's own -sandbox replaces ours.
  [[ " ${qemu_user[*]-} " == *' -sandbox '* ]] || qemu_command+=(${sandbox[@]+"${sandbox[@]}"})
  [[ -z $pin ]] || qemu_command+=(-S) # until the vCPU threads are pinned
  if ((gdb)); then
    gdb_port
    qemu_command+=(-S -gdb "tcp:127.0.0.1:$gdb_port_number")
  fi
  qemu_command+=(${qemu_user[@]+"${qemu_user[@]}"})
}

# Sets gdb_port_number to a free port. (If another process takes it first, QEMU says so.)
gdb_port() {
  for ((;;)); do
    gdb_port_number=$((20000 + RANDOM % 12000))
    (: <>"/dev/tcp/127.0.0.1/$gdb_port_number") 2>/dev/null || break
  done
}
