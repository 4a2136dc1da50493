#!/bin/bash -p
# SPDX-License-Identifier: MIT
# Runs a command on a Linux that has a real /dev/kvm, on a machine without hardware virtualisation.
# QEMU's TCG emulates an AMD CPU with SVM, a stock Debian kernel with kvm-amd ("L1") boots on it
# in some seconds, and the command runs there on the host's own file system:
#
#   /          the host's root, read-only (9p), with /tmp, /run and /dev/shm. L1 can read what the
#              calling user can
#   --rw=DIR   the host's directory DIR, writable, at the same path
#   TMPDIR     (and HOME) is L1's own, writable; so are /proc, /sys and /dev except /dev/shm
#   /sys/kernel/debug and /sys/kernel/tracing are mounted (KVM's counters and trace points)
#
# stdout, stderr and exit status are the command's own; there is no stdin. Any user can do it.
# Status 2: usage; 4: L1 cannot run here (and why); 5: L1 died while the command ran; 124: out of
# time; 130: interrupted.
set -euo pipefail
here=$(readlink -f -- "${BASH_SOURCE[0]}") here=${here%/*}
# shellcheck source=tools/environment.sh
source "$here/../environment.sh" || exit 4
status_guard
# shellcheck source=tools/nested/kernel.sh
source "$here/kernel.sh"
# shellcheck source=tools/nested/serve.sh
source "$here/serve.sh"
# shellcheck source=tools/nested/sandbox.sh
source "$here/sandbox.sh"

usage() {
  cat <<HELP
usage: tools/nested/nested.sh [options] [--] COMMAND [ARGUMENT...]
  --kernel=6.12|6.1  the Debian kernel that is the hypervisor (6.12); or the path of a bzImage, with its
                     modules in ../lib/modules/RELEASE or lib/modules/RELEASE beside it, or in /lib
  --cpus=N           CPUs of L1 (those of this machine, 16 at most)
  --memory=MB        memory of L1 (2048)
  --rw=DIR           DIR of this machine, writable in L1; repeatable
  --timeout=SECONDS  bound on the whole call (300)
  --console=FILE     keep L1's kernel messages in FILE
  --serve=DIR        run no command: keep L1 up for calls with --in=DIR, until SIGTERM or until the
                     time is up. DIR/6.12/ready (or 6.1/ready) exists while L1 takes calls; for a
                     kernel given by its path, the first line printed has the name instead of 6.12
  --in=DIR           run the command in that L1; its output comes when it ends. --rw is possible
                     only at or below a directory that the server was given; --cpus, --memory and
                     --console have no effect
  --prepare          only fetch the kernel (the newest version that apt knows) and build the initrd
Environment variables named PVSPIN_* and PATH are passed on.

QEMU emulates L1's CPUs in turn, on one thread. A PAUSE ends a CPU's turn, so spinners and holders
do interleave. PVSPIN_L1_THREADS=multi emulates the CPUs at once, but QEMU before 8.1 then has a
race (a CPU may translate code that another one is patching), which kills one virtual machine in
ten to thirty, or L1.
HELP
}

stop() { # STATUS MESSAGE
  echo "nested: $2" >&2 || true # nobody may be listening
  exit "$1"
}

parse() {
  serve_dir='' in_dir=''
  line=6.12 cpus='' memory=2048 limit=300 console='' prepare=0 rw=()
  while (($#)); do
    case $1 in
    --kernel=6.12 | --kernel=6.1 | --kernel=*/* | --kernel=image-*) line=${1#*=} ;;
    --cpus=* | --memory=* | --timeout=*)
      [[ ${1#*=} =~ ^[1-9][0-9]{0,6}$ ]] || stop 2 "$1: must be a number from 1 on"
      case $1 in --cpus=*) cpus=${1#*=} ;; --memory=*) memory=${1#*=} ;; *) limit=${1#*=} ;; esac
      ;;
    --rw=*)
      [[ -d ${1#*=} && $1 != *$'\n'* ]] || stop 2 "$1: no such directory (or one whose name has a line break)"
      rw+=("$(cd "${1#*=}" && pwd -P)")
      ;;
    --console=*) console=${1#*=} ;;
    --prepare) prepare=1 ;;
    --serve=* | --in=*)
      mkdir -p "${1#*=}" || stop 2 "$1: no such directory"
      case $1 in
      --serve=*) serve_dir=$(cd "${1#*=}" && pwd -P) ;;
      *) in_dir=$(cd "${1#*=}" && pwd -P) ;;
      esac
      ;;
    --help) usage; exit 0 ;;
    --) shift; break ;;
    -*) usage >&2 || true; stop 2 "$1 is no option of nested.sh" ;;
    *) break ;;
    esac
    shift
  done
  command=("$@")
  if [[ -z $cpus ]]; then
    cpus=$(nproc)
    ((cpus <= 16)) || cpus=16
  fi
  [[ -z $serve_dir ]] || command=(bash "$here/served")
  ((prepare || ${#command[@]})) || { usage >&2 || true; stop 2 'no command given'; }
}

# Writes the instructions for tools/nested/init.
write_ctl() {
  local dir i=0
  : >"$work/ctl/places"
  for dir in ${rw[@]+"${rw[@]}"}; do
    echo "rw$((i++)) $dir" >>"$work/ctl/places"
  done
  write_command >"$work/ctl/command"
}

write_command() {
  local variable
  echo "export PATH=${PATH@Q}"
  for variable in "${!PVSPIN_@}"; do
    echo "export $variable=${!variable@Q}"
  done
  echo "cd ${PWD@Q} || exit 4"
  # exec: a signal to the script is one to the command, and the script ends no sooner than it.
  echo "exec ${command[*]@Q}"
}

# Sets qemu, the command line. Paths are relative to $work, because QEMU's option values have no
# quotes; a comma in a value is doubled.
# shellcheck disable=SC2054 # the commas are QEMU's
compose() {
  sandbox_probe
  local virtfs=local,security_model=none,multidevs=remap i
  qemu=(
    qemu-system-x86_64 -accel "tcg,thread=${PVSPIN_L1_THREADS:-single}" -machine q35 -cpu EPYC,+svm,+npt,+vgif
    -smp "$cpus" -m "$memory" -display none -nodefaults -no-user-config -no-reboot ${sandbox[@]+"${sandbox[@]}"}
    -kernel "$l1_dir/vmlinuz" -initrd "$l1_initrd"
    # no_timer_check: otherwise the kernel counts PIT interrupts in a loop of fixed length
    # (timer_irq_works() in arch/x86/kernel/apic/io_apic.c) and panics if there are none, as when
    # the emulator lost its CPU meanwhile.
    -append 'console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check mitigations=off'
    -chardev file,id=console,path=console -serial chardev:console
    -device virtio-serial-pci
    -chardev pipe,id=out,path=out -device virtserialport,nr=1,chardev=out
    -chardev pipe,id=err,path=err -device virtserialport,nr=2,chardev=err
    -virtfs "$virtfs,mount_tag=root,path=/,readonly=on" -virtfs "$virtfs,mount_tag=ctl,path=ctl"
  )
  [[ -z $serve_dir ]] || qemu+=(-chardev pipe,id=request,path=request
    -device virtserialport,nr=3,chardev=request)
  for i in "${!rw[@]}"; do
    qemu+=(-virtfs "$virtfs,mount_tag=rw$i,path=${rw[i]//,/,,}")
  done
}

# Starts QEMU with a `cat` for each of the command's streams. The FIFOs are first opened for both
# directions, so that no open blocks. When QEMU ends, the last writer is gone and cat ends.
launch() {
  local out err
  mkfifo out.in out.out err.in err.out
  exec {out}<>out.out {err}<>err.out
  cat out.out {out}>&- {err}>&- &
  cats=($!)
  cat err.out {out}>&- {err}>&- >&2 &
  cats+=($!)
  # timeout bounds QEMU's life even if this script is killed. TCG's messages on stderr about missing
  # EPYC features are shown only if L1 does not come up.
  launched=$EPOCHSECONDS
  timeout --foreground --kill-after=5 "$limit" "${qemu[@]}" </dev/null >qemu.log 2>&1 &
  qemu_pid=$!
  exec {out}>&- {err}>&-
}

# shellcheck disable=SC2317 # called by trap
finish() {
  local status=$?
  set +e
  trap - EXIT ERR
  if [[ -n ${qemu_pid:-} ]] && kill -0 "$qemu_pid" 2>/dev/null; then
    kill -TERM "$qemu_pid" 2>/dev/null || true
    wait "$qemu_pid" 2>/dev/null || true
  fi
  [[ -z $serve_dir ]] || serve_dead
  [[ -z ${cats:-} ]] || kill "${cats[@]}" 2>/dev/null || true
  cd /
  if [[ -n $console ]]; then cp "$work/console" "$console" 2>/dev/null || true; fi
  rm -rf "$work"
  [[ -z ${command_status:-} ]] || exit "$command_status"
  status_end "$status"
}

make_work() {
  if [[ -z $serve_dir ]]; then
    scratch_make pvspin-l1 || stop 4 "$scratch_error"
    work=$scratch
    mkdir "$work/ctl"
    return
  fi
  work=$serve_dir/$line
  ! serve_answers "$work" || stop 2 "--serve=$serve_dir: another L1 serves there"
  rm -rf "$work"
  mkdir -p "$work/ctl/requests"
  printf '%s\n' ${rw[@]+"${rw[@]}"} >"$work/rw"
}

# Serves requests until QEMU is gone.
serve() {
  local request ended=0
  mkfifo request.in request.out
  exec {request}<>request.out
  launch
  serve_relay {request}>&- &
  exec {request}>&-
  cats+=($!)
  wait "$qemu_pid" || ended=$?
  wait "${cats[@]}" || true
  check_kvm
  check_killed "$ended"
  stop 5 "L1 is gone (QEMU's status $ended)"
}

# Stops with the kernel's messages if L1 ended at once because it has no KVM.
check_kvm() {
  [[ -e ctl/no-kvm ]] || return 0
  stop 4 "kernel $line has no /dev/kvm in L1: is kvm-amd in it? (L1's CPU is an AMD one with SVM.)\
 It said: $(paste -sd'|' ctl/no-kvm)"
}

# Finds out by timeout's status how QEMU ended. If its time was up, the status is 124, or 137 if it
# had to be killed then (125 with the Rust coreutils 0.0.17). But 137 also means that somebody else
# killed it, so the clock decides.
check_killed() { # STATUS
  local killer=''
  (($1 != 124 && EPOCHSECONDS < launched + limit)) || stop 124 "out of time after $limit s"
  (($1 != 137)) || killer=" (the kernel's OOM killer? dmesg tells; L1 had $memory MB)"
  (($1 <= 128)) || stop 5 "L1 was killed by signal $(($1 - 128))$killer"
}

main() {
  parse "$@"
  if ((prepare)); then
    nested_kernel "$line" refresh || stop 4 "$l1_error"
    nested_initrd "$here/init" "${TMPDIR:-/tmp}" || stop 4 "$l1_error"
    [[ $l1_initrd == "$l1_dir"/* ]] || { rm -f "$l1_initrd"; stop 4 "cannot write $l1_dir"; }
    exit 0
  fi
  [[ -z $in_dir || $line == */* ]] || serve_request
  nested_kernel "$line" || stop 4 "$l1_error"
  line=${l1_dir##*/}
  [[ -z $in_dir ]] || serve_request
  [[ -z $console || $console == /* ]] || console=$PWD/$console
  make_work
  trap finish EXIT
  nested_initrd "$here/init" "$work" || stop 4 "$l1_error"
  write_ctl
  compose
  cd "$work"
  if [[ -n $serve_dir ]]; then
    serve
  fi
  launch
  local ended=0
  wait "$qemu_pid" || ended=$?
  if [[ -e ctl/status ]]; then
    wait "${cats[@]}" || true
    read -r command_status <ctl/status
    exit
  fi
  check_kvm
  check_killed "$ended"
  { grep -v "TCG doesn't support" qemu.log; tail -n 20 console; } >&2 || true
  ! grep -q seccomp qemu.log || stop 4 "this kernel refuses QEMU's system call filter; PVSPIN_SANDBOX=off leaves it out"
  [[ ! -e ctl/stage ]] || stop 5 "L1 died while the command ran (QEMU's status $ended)"
  stop 4 "L1 did not come up (QEMU's status $ended)"
}

main "$@"
