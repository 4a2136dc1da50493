# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --help, --version, --list. Sourced by run.sh.
#
# Takes  tree: run.sh

help() {
  cat <<'HELP'
usage: ./run.sh [pvspin options] [QEMU options]

Boots the pvspin guest, runs spinlocks in it, checks its log and prints its tables.
Words without two dashes in front go to QEMU unchanged (-cpu help prints QEMU's list):
  ./run.sh -smp 28                                            the default plan on 28 vCPUs
  ./run.sh -smp 4 -append "locks=tas,mcs threads=1,2,4 ms=500 reps=5"
  ./run.sh --instances=2 --pv=off -smp 28                     two VMs at once, no PV_UNHALT
-append carries the guest's command line (README.md has the keys, --list the names);
-kernel FILE replaces build/pvspin.elf by another image.

  --setup              first install what is missing (apt packages, as root or by sudo)
  --accel=auto|kvm|nested|tcg|sim   (auto)
                       kvm     hardware virtualisation; if the host is itself a virtual machine, the
                               logs call it kvm-in-vm
                       nested  real KVM in a Linux on an emulated CPU with SVM: kicks, exits and
                               preemptions are real, times are not; for any user
                       tcg     QEMU's emulation, no hypercalls: boot tests, debugging
                       sim     no QEMU: the same locks on simulated CPUs under a modelled Linux and
                               KVM (docs/sim.md), any number of them; never taken by auto
  --host=KEY=VALUE,... the host of sim: machine=study|skylake|milan, and parameters that differ:
                       cpus=, sockets=, sched=, ple=, halt_poll=, kick_us=, ... (docs/sim.md)
  --seed=N             sim: seed of all that is random (1); each further boot of --runs=N adds 1
  --jobs=N             sim: boots, or calls of an experiment, that go on at once (one for each CPU)
  --vm=I:KEYS          sim: keys of instance I that replace those of -append: --vm=1:locks=tas
  --l1-kernel=6.1|6.12 the Debian kernel that is the hypervisor under nested (6.12); or
              PATH     a bzImage, its modules below ../lib/modules or lib/modules beside it, or in
                       /lib/modules: --l1-kernel=/boot/vmlinuz-X. It must have kvm-amd and 9p
  --boot=multiboot|pvh|iso|uefi   how the guest is loaded, docs/boot.md (multiboot)
                       multiboot, pvh: QEMU -kernel (pvh: also with -M microvm)
                       iso: GRUB, BIOS; uefi: GRUB, UEFI (OVMF)
  --pv=on|off|hyperv   whether the guest is offered the CPU feature kvm-pv-unhalt (on);
                       hyperv: it is offered Hyper-V's hypercalls and uses them in place of KVM's
                       (the guest's key hyperv)
  --instances=N        N identical VMs at once (1); their measured phases are released together
  --host-peer[=KEYS]   run the hosted build (the same locks on Linux threads) on the host during the
                       VMs' measured phases, released together; its log is host-peer.log. For it,
                       KEYS (such as locks=qspinlock) replace those of -append. With
                       --instances=0 it runs alone
  --meet=DIR[,CALLS]   measure together with separately started calls, CALLS in all (2). All name
                       the same DIR and must be able to write there. Each waits for the others;
                       then the measured phases are released together. Under nested all calls
                       must use one L1 (PVSPIN_L1)
  --runs=N             boot everything N times, one boot after the other (1)
  --pin=CPULIST        pin vCPU k of each instance to the k-th CPU of the list, e.g. 0-3,8;
                       the host peer's threads share the CPUs of the list
  --out=DIR            directory for the logs (out/<UTC time>-<pid>/ in the tree, or in the current
                       directory if the tree is not writable or pvspin is installed):
                       serial-<instance>.log, qemu-<instance>.log, manifest.json, report.txt
  --timeout=SECONDS    bound on the whole call (300 for each boot, 3600 with --accel=sim; a day
                       with --gdb)
  --conformance[=NAME,...]
                       test KVM's paravirtual ABI, clause by clause, in each configuration of
                       tests/suites/abi/configurations (or in those named), under nested on both
                       kernels; table, TAP and JUnit XML in --out. -append tests=abi.kick selects
                       a part of the suite
  --experiment=NAME    run one of experiments/ (--list), as in the study of 2017, and print its
                       tables and whether its findings are seen here (docs/experiments.md); study
                       runs all of them. --runs=N: repetitions of each call (10); -append KEYS
                       replace those of its plan, but locks=A,B adds locks. Under nested each
                       takes about 10 minutes, with --runs=3 about 3; sim simulates 28 CPUs
                       (--host=). linux boots a stock Linux (the kernel of --l1-kernel) beside our guest
  --seconds=N          how long an experiment's compile takes one VM alone, about (kvm: 120, so that
                       all take hours; else less than a second); it is cut off after 10 N
  --trace=on|off       whether an experiment traces each of its calls once more at its end, for
                       timelines of a preempted holder on its page (on; under tcg off)
  --host-trace[=KB]    record which tasks the host of the VMs ran and each VM exit, by tracefs (root), for
                       pvspin-report --perfetto (docs/trace.md); needs -append trace=N. Keeps
                       the last KB of each CPU and run (512)
  --gdb                wait for a debugger on a free port, and print the gdb command
  --list               print the locks, workloads, tests and experiments
  --help, --version
  --                   all words after it go to QEMU

build/pvspin-report DIR analyses the logs (make report; docs/report.md): --format=html, --compare,
--plot, --perfetto.

Exit status: 0 ok; 2 usage; 3 a test failed; 4 the environment cannot do it; 5 the guest crashed,
hung or ended without its closing record; 77 everything skipped; 124 out of time; 130 interrupted.
HELP
}

version() {
  local text
  if [[ -r $tree/VERSION ]]; then # make dist, make install
    cat "$tree/VERSION"
  # The options let git (2.38 or later) read another user's tree without running a program that its
  # configuration names.
  elif [[ -e $tree/.git ]] &&
    text=$(git -C "$tree" -c safe.directory='*' -c core.fsmonitor=false describe --tags --always --dirty 2>/dev/null); then
    echo "$text"
  else
    echo unknown
  fi
}

# Prints the names that locks= accepts, one per line.
lock_names() {
  list | sed -n '/^locks/,/^workloads/s/^  \([a-z0-9-]*\).*/\1/p'
}

# The sources are the only list. The patterns match the definitions: a lock's `.name = "..."` in
# locks/, the array workload_names in bench/plan.c, TEST_REGISTER and ABI_CLAUSE in tests/suites/,
# and CASE_REGISTER in tests/suites/locks/, each of which makes a test for every lock that it
# applies to.
list() {
  if [[ -e $tree/list ]]; then # installed, without sources
    cat "$tree/list"
    return
  fi
  echo 'locks (locks=):'
  sed -n 's/^.*\.name = "\([a-z0-9-]*\)".*$/  \1/p' "$tree"/locks/*.c | sort -u
  echo '  linux (the one that Linux 6.12 would take on the machine)'
  echo 'workloads (workload=):'
  sed -n '/workload_names\[.*{/,/}/s/^.*"\([a-z]*\)".*$/  \1/p' "$tree"/bench/plan.c
  echo 'tests (tests=):'
  cat "$tree"/tests/suites/*/*.c |
    sed -n 's/^TEST_REGISTER([^,]*, "\(.*\)", "\(.*\)");$/  \2 (\1)/p' | sort
  awk -f "$tree/tools/abi-clauses.awk" "$tree"/tests/suites/abi/*.c |
    awk -F '\t' '{ print "  " $2 " (" $1 ")" }' | sort
  echo '  locks, locks.LOCK, locks.LOCK.CASE; cases (each only for the locks that it applies to):'
  cat "$tree"/tests/suites/locks/*.c | sed -n 's/^CASE_REGISTER(\([^,]*\),.*/\1/p' | sort -u |
    paste -sd' ' | fold -sw 92 | sed 's/^/    /; s/ *$//'
  echo 'experiments:'
  local name
  for name in $(experiment_names); do
    experiment_title "$name"
  done
}
