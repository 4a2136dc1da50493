# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A stock Linux as the guest, for experiments that need one: the Debian kernel that nested would boot
# as L1, and an initramfs with one program, build/linux/init, which writes the records that pvspin's
# guest writes. To the other parts it is another -kernel. Sourced by run.sh.
#
#   linux_wanted   true if the experiment of this call needs it
#   linux_refuse   ends the call if the accelerator that was asked for has no KVM
#   linux_cpus     prints how many CPUs the host of its VMs has, at most so many
#   linux_plan     sets linux_work: a compile about as long as the model's
#   linux_prepare  makes the initramfs; sets linux_guest and linux_memory
#
# Takes  tree: run.sh
# Takes  accel_asked, experiment, l1_kernel_given: options.sh
# Takes  accel: accel.sh
# Takes  l1_dir, l1_error: nested/kernel.sh
# Takes  compile_s, limit_s, vcpus: experiment.sh
# Takes  x_needs: experiment-plan.sh
# Takes  scratch: environment.sh
# Gives  linux_guest: QEMU's options that boot it
# Gives  linux_work: its command line
# Gives  linux_memory: its memory in MB

# A kernel of Debian, its tmpfs and the tasks' pages take 300 MB; each vCPU its areas and trace buffer.
readonly LINUX_MB=448 LINUX_MB_PER_VCPU=8
# Seconds: a boot, and a whole call. An emulated CPU boots for 20 s, several times that beside others.
readonly LINUX_BOOT_BOUND=240 LINUX_BOUND=400

readonly LINUX_RATE=100 # jobs a second of a CPU (linux/load.c)

linux_guest=() linux_memory='' linux_work=''

linux_wanted() {
  [[ -n $experiment && $x_needs == linux ]]
}

linux_refuse() {
  ! linux_wanted || [[ $accel_asked != @(tcg|sim) ]] ||
    usage_error "--experiment=$experiment: a Linux guest's halts and kicks need KVM;" \
      "accepted are --accel=kvm, nested and auto"
}

# An emulated CPU delivers an interrupt twice now and then, if the thread that emulates it has
# another CPU to emulate (docs/boot.md, "Nested"). Linux dies of it: the second delivery comes while
# the first one's handler holds a lock. pvspin's handlers hold none.
linux_cpus() { # CPUS
  if [[ $accel == nested ]]; then echo 1; else echo "$1"; fi
}

# The kernel writes nothing to the log but its panics. It warns at length of the XSAVE of an emulated
# CPU, and would go on without it.
# shellcheck disable=SC2034 # for the files of experiments/
linux_plan() { # TASKS-KEY
  local jobs=$((compile_s * LINUX_RATE))
  [[ $accel != nested ]] || jobs=$((jobs / 20))
  ((jobs)) || jobs=5 # a second or two of an emulated CPU, to which page faults are dear
  linux_work="console=ttyS0 quiet panic=-1 workload=linux jobs=$((jobs * vcpus)) limit_s=$limit_s $1"
  [[ $accel != nested ]] || linux_work+=' noxsave'
}

linux_prepare() {
  local root=$scratch/linux-root
  [[ $accel != tcg ]] || die "$EXIT_ENVIRONMENT" \
    "--experiment=$experiment needs KVM or what nested needs, and there is neither"
  ((vcpus > 1)) || usage_error "--experiment=$experiment: -smp $vcpus: one vCPU waits for nobody; 2 or more"
  build_target build/linux/init
  # Under nested it is there already.
  nested_kernel "${l1_kernel_given:-6.12}" || { [[ -z $l1_kernel_given ]] && nested_kernel 6.1; } ||
    die "$EXIT_ENVIRONMENT" "--experiment=$experiment: $l1_error"
  { mkdir -p "$root" && install -m 755 "$tree/build/linux/init" "$root/init" &&
    initrd_pack "$root" "$scratch/linux.initrd"; } ||
    die "$EXIT_ENVIRONMENT" "cannot make the initramfs of the Linux guest in $scratch (disk full?)"
  linux_memory=$((LINUX_MB + LINUX_MB_PER_VCPU * vcpus))
  # shellcheck disable=SC2034 # for the files of experiments/
  linux_guest=(-m "$linux_memory" -kernel "$(readlink -f "$l1_dir/vmlinuz")" -initrd "$scratch/linux.initrd")
}
