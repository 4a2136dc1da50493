# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# --help, --version, --list. Sourced by run.sh.

help() {
  cat <<'HELP'
usage: ./run.sh [pvspin options] [QEMU options]

Boots the pvspin guest, runs spinlocks in it, checks its log and prints its tables.
Everything that does not start with two dashes goes to QEMU unchanged (-cpu help: what QEMU says of it):
  ./run.sh -smp 28                                            the default plan on 28 vCPUs
  ./run.sh -smp 4 -append "locks=tas,mcs threads=1,2,4 ms=500 reps=5"
  ./run.sh --instances=2 --pv=off -smp 28                     two VMs at once, no PV_UNHALT
-append carries the guest's command line (docs/serial-log.md and --list: what it can name);
-kernel FILE runs another image than build/pvspin.elf.

  --setup              first install what is missing (apt packages, as root or by sudo)
  --accel=auto|kvm|nested|tcg|sim   (auto)
                       kvm     hardware virtualisation; on a machine that is itself a virtual one the
                               logs name it kvm-in-vm
                       nested  real KVM in a Linux on an emulated CPU with SVM: real kicks, exits
                               and preemptions, but not for absolute times; for any user
                       tcg     QEMU's emulation, no hypercalls: boot tests, debugging
                       sim     no QEMU: the same locks on simulated CPUs under a modelled Linux and
                               KVM (docs/sim.md), any number of them; never taken by auto
  --host=KEY=VALUE,... the host of sim: machine=study|skylake|milan, and what differs from it:
                       cpus=, sockets=, sched=, ple=, halt_poll=, kick_us=, ... (docs/sim.md)
  --seed=N             what varies in sim varies by it (1; with --runs=N the next run's is one more)
  --vm=I:KEYS          sim: keys of instance I that replace those of -append: --vm=1:locks=tas
  --l1-kernel=6.1|6.12 the Debian kernel that is the hypervisor under nested (6.12); or
              PATH     a bzImage, its modules below ../lib/modules or lib/modules beside it, or in
                       /lib/modules: --l1-kernel=/boot/vmlinuz-X. It must have kvm-amd and 9p
  --boot=multiboot|pvh|iso|uefi   how the guest is loaded, docs/boot.md (multiboot)
                       multiboot, pvh: QEMU -kernel (pvh: also with -M microvm)
                       iso: GRUB, BIOS; uefi: GRUB, UEFI (OVMF)
  --pv=on|off          with or without the CPU feature kvm-pv-unhalt (on)
  --instances=N        N identical VMs at once, each measured phase released together (1)
  --host-peer[=KEYS]   the hosted build, the same locks on Linux threads, on the host during the
                       measured phases of the VMs: released together, host-peer.log; KEYS replace
                       those of -append for it, as locks=qspinlock. --instances=0: it alone
  --meet=DIR[,CALLS]   measure together with calls started apart, CALLS with this one (2), which name
                       the same DIR, a directory that all may write: each waits for the others, all
                       measured phases are released together. Under nested: in one L1 (PVSPIN_L1)
  --runs=N             whole runs, one after the other (1)
  --pin=CPULIST        pin vCPU k of each instance to the k-th CPU of the list, e.g. 0-3,8;
                       the host peer's threads share the CPUs of the list
  --out=DIR            where the logs go (out/<UTC time>-<pid>/ in the tree; if that is not
                       writable, or pvspin is installed, in the current directory):
                       serial-<instance>.log, qemu-<instance>.log, manifest.json, report.txt
  --timeout=SECONDS    bound on the whole call (300 for each run; a day with --gdb)
  --conformance[=NAME,...]
                       KVM's paravirtual ABI, clause by clause, in each configuration of
                       tests/suites/abi/configurations (or in those named), under nested on both kernels:
                       a table, TAP and JUnit XML in --out; -append tests=abi.kick: a part of it
  --experiment=NAME    one of experiments/ (--list), as in the study of 2017, with its tables and
                       whether its findings are seen here (docs/experiments.md); study: all of
                       those. --runs=N repetitions (10); -append KEYS replace those of its plan,
                       but locks=A,B adds locks to its own. Under nested some 10 minutes each,
                       with --runs=3 some 3
  --trace=on|off       an experiment's further call for each of its runs, which measures nothing:
                       pictures of a preempted holder for its page (on; under tcg off)
  --gdb                wait for a debugger on a free port, and print the gdb command
  --list               locks, workloads, tests and experiments there are
  --help, --version
  --                   what follows goes to QEMU, whatever it looks like

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
  # Another user's tree is read all the same (git 2.38 or later), but runs no program of its own.
  elif [[ -e $tree/.git ]] &&
    text=$(git -C "$tree" -c safe.directory='*' -c core.fsmonitor=false describe --tags --always --dirty 2>/dev/null); then
    echo "$text"
  else
    echo unknown
  fi
}

# Those that locks= may name, one a line.
lock_names() {
  list | sed -n '/^locks/,/^workloads/s/^  \([a-z0-9-]*\).*/\1/p'
}

# The sources are the only list there is; the patterns are those of the definitions: a lock's
# `.name = "..."` in locks/, the array workload_names in bench/plan.c, TEST_REGISTER and ABI_CLAUSE in
# tests/suites/, and CASE_REGISTER in tests/suites/locks/, of which each makes a test for each lock that it applies
# to.
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
  echo '  locks, locks.LOCK, locks.LOCK.CASE; cases (each only for locks that it is about):'
  cat "$tree"/tests/suites/locks/*.c | sed -n 's/^CASE_REGISTER(\([^,]*\),.*/\1/p' | sort -u |
    paste -sd' ' | fold -sw 92 | sed 's/^/    /; s/ *$//'
  echo 'experiments:'
  local name
  for name in $(experiment_names); do
    experiment_title "$name"
  done
}
