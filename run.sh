#!/bin/bash -p
# SPDX-License-Identifier: MIT
# Boots the pvspin guest in one or more virtual machines, collects their logs, judges them and
# prints the tables. ./run.sh --help is the manual. The parts, in the order of the story:
#
#   tools/run/options.sh   the command line           tools/setup.sh         what must be installed
#   tools/run/accel.sh     kvm, nested or tcg          tools/run/nested.sh    the call in L1
#   tools/run/coordinator.sh  all members of a boot    tools/run/instance.sh  one VM
#   tools/run/boot.sh      --boot=: loading the guest  tools/run/meet.sh      --meet: several calls
#   tools/run/verdict.sh   logs -> verdict             tools/run/report.sh    report, manifest
#   tools/run/peer.sh      --host-peer                 tools/run/conformance.sh  --conformance
#   tools/run/snapshot.sh  a hung guest's registers    tools/run/experiment.sh   --experiment, with -plan.sh
#   tools/run/cgroup.sh    this process's CPU quota    tools/run/host.sh      describes the host
#   tools/run/linux.sh     a Linux as the guest        tools/run/host-trace.sh  --host-trace
#   tools/environment.sh   locale, TMPDIR, ...; the exit status
#
# Under nested this script runs twice: on the host it chooses, judges and reports; in L1 (`inner`)
# it only runs the virtual machines and leaves their logs in $out.
#
# The parts share globals. Each part says at its head which it takes, from where, and which it gives:
# no other part assigns those (tools/lint-parts.sh checks it). Constants are in capitals.
#
# Takes  accel_asked, action, conformance, experiment, host_peer, kernel_file, meet, out_given,
#        runs, setup: options.sh
# Takes  accel: accel.sh
# Takes  jobs_pid, members_end, stopping: coordinator.sh
# Takes  l1_pid: nested.sh
# Takes  worst: verdict.sh
# Takes  calls, calls_wanted: experiment.sh
# Takes  sim_runs: sim.sh
# Takes  conformance_pids: conformance.sh
# Takes  scratch, scratch_error: environment.sh
# Takes  serve_pid: nested/serve.sh
# Gives  tree: the directory of run.sh
# Gives  inner: 1 in L1
# Gives  arguments: the words of the command line
# Gives  interrupted: 1 after a signal
# Gives  image, hosted: the guest and, if needed, the hosted build of this call
# Gives  out, run_dir: where this call and its current boot leave their files
# Gives  deadline: when the call has to end
# Gives  version: as --version prints it
set -euo pipefail
tree=$(readlink -f -- "${BASH_SOURCE[0]}") tree=${tree%/*}
# shellcheck source=tools/environment.sh
source "$tree/tools/environment.sh" || exit 4
status_guard
# Named one by one, so that shellcheck reads them as one program.
# shellcheck source=tools/run/say.sh
source "$tree/tools/run/say.sh"
# shellcheck source=tools/run/help.sh
source "$tree/tools/run/help.sh"
# shellcheck source=tools/run/options.sh
source "$tree/tools/run/options.sh"
# shellcheck source=tools/setup.sh
source "$tree/tools/setup.sh"
# shellcheck source=tools/nested/kernel.sh
source "$tree/tools/nested/kernel.sh"
# shellcheck source=tools/nested/serve.sh
source "$tree/tools/nested/serve.sh"
# shellcheck source=tools/nested/sandbox.sh
source "$tree/tools/nested/sandbox.sh"
# shellcheck source=tools/run/accel.sh
source "$tree/tools/run/accel.sh"
# shellcheck source=tools/run/qemu.sh
source "$tree/tools/run/qemu.sh"
# shellcheck source=tools/run/cgroup.sh
source "$tree/tools/run/cgroup.sh"
# shellcheck source=tools/run/host.sh
source "$tree/tools/run/host.sh"
# shellcheck source=tools/run/boot.sh
source "$tree/tools/run/boot.sh"
# shellcheck source=tools/run/instance.sh
source "$tree/tools/run/instance.sh"
# shellcheck source=tools/run/peer.sh
source "$tree/tools/run/peer.sh"
# shellcheck source=tools/run/sim.sh
source "$tree/tools/run/sim.sh"
# shellcheck source=tools/run/snapshot.sh
source "$tree/tools/run/snapshot.sh"
# shellcheck source=tools/run/coordinator.sh
source "$tree/tools/run/coordinator.sh"
# shellcheck source=tools/run/host-trace.sh
source "$tree/tools/run/host-trace.sh"
# shellcheck source=tools/run/meet.sh
source "$tree/tools/run/meet.sh"
# shellcheck source=tools/run/verdict.sh
source "$tree/tools/run/verdict.sh"
# shellcheck source=tools/run/report.sh
source "$tree/tools/run/report.sh"
# shellcheck source=tools/run/nested.sh
source "$tree/tools/run/nested.sh"
# shellcheck source=tools/run/conformance.sh
source "$tree/tools/run/conformance.sh"
# shellcheck source=tools/run/experiment-plan.sh
source "$tree/tools/run/experiment-plan.sh"
# shellcheck source=tools/run/experiment.sh
source "$tree/tools/run/experiment.sh"
# shellcheck source=tools/run/linux.sh
source "$tree/tools/run/linux.sh"

# Brings a file of build/ up to date. Only one build runs at a time. PVSPIN_BUILD=off: the caller knows
# that it is up to date.
build_target() { # FILE, below the tree
  local lock missing file=$tree/$1
  [[ -e $tree/Makefile && ${PVSPIN_BUILD:-} != off ]] || return 0 # installed: no sources
  missing=$(setup_missing build)
  if [[ -e $file && -n $missing ]]; then
    say "cannot build here; taking $file as it is"
    return
  fi
  setup_check build || exit "$EXIT_ENVIRONMENT"
  ! make -sq --no-print-directory -C "$tree" "$1" >/dev/null 2>&1 || return 0
  if ! mkdir -p "$tree/build" 2>/dev/null || ! : 2>/dev/null >>"$tree/build/.lock"; then
    [[ -e $file ]] || die "$EXIT_ENVIRONMENT" "cannot write to $tree/build, and no $1 is there"
    say "cannot write to $tree/build; taking $file as it is"
    return
  fi
  exec {lock}>"$tree/build/.lock"
  flock -w 600 "$lock" || die "$EXIT_ENVIRONMENT" 'another build does not end'
  make -s --no-print-directory -C "$tree" "$1" >&2 {lock}>&- ||
    die "$EXIT_ENVIRONMENT" "the build of $1 failed"
  exec {lock}>&-
}

# Sets image (-kernel, or the built one) and, if needed, hosted. Copies both, so that a rebuild
# meanwhile does not affect this call. In L1 the copies exist already; a call of an experiment is
# given its hosted build.
image_ready() {
  local elf
  hosted=${PVSPIN_HOSTED:-}
  if ((host_peer && !inner)) || [[ -n $experiment ]]; then
    if [[ -z $hosted ]]; then
      build_target build/hosted/pvspin
      hosted=$tree/build/hosted/pvspin
    fi
    cp "$hosted" "$scratch/hosted" || die "$EXIT_ENVIRONMENT" "cannot copy $hosted to $scratch"
    # Programs below a TMPDIR that is mounted noexec cannot be started.
    [[ ! -x $scratch/hosted ]] || hosted=$scratch/hosted
    [[ -x $hosted ]] || die "$EXIT_ENVIRONMENT" "cannot start $hosted: is it on a file system mounted noexec?"
  fi
  if [[ -n $experiment ]]; then build_target build/pvspin-report; fi
  if [[ -n ${PVSPIN_IMAGE:-} ]]; then
    image=$PVSPIN_IMAGE
    return
  elif [[ -n $kernel_file ]]; then
    image=$kernel_file
    [[ $image == /* ]] || image=$PWD/$image
  else
    elf=$(boot_image)
    image=$tree/$elf
    build_target "$elf"
  fi
  [[ -e $image ]] || die "$EXIT_ENVIRONMENT" "there is no $image"
  cp "$image" "$scratch/pvspin.elf" ||
    die "$EXIT_ENVIRONMENT" "cannot copy $image to $scratch (TMPDIR chooses another place)"
  image=$scratch/pvspin.elf
}

# Sets out, a new directory for this call.
out_ready() {
  if ((inner)); then
    out=$PVSPIN_OUT
    return
  fi
  out=$out_given
  if [[ -z $out ]]; then
    TZ=UTC printf -v out '%(%Y%m%dT%H%M%SZ)T' -1
    out=out/$out-$$
    # Logs do not go into an installed pvspin, nor into another user's tree.
    [[ ! -e $tree/Makefile || ! -w $tree ]] || out=$tree/$out
  fi
  mkdir -p "$out" || die "$EXIT_ENVIRONMENT" "cannot make $out; choose another place by --out="
  out=$(cd "$out" && pwd -P)
  if compgen -G "$out/serial-*.log" >/dev/null || [[ -e $out/host-peer.log ]] || [[ -e $out/manifest.json ]]; then
    usage_error "--out=$out holds the logs of another run"
  fi
  out_room
}

# Ends the call because FILE cannot be written, probably because the disk is full.
out_lost() { # FILE
  die "$EXIT_ENVIRONMENT" "cannot write $1 or what belongs to it: is the disk full, is there a limit?" \
    "$(df -h --output=avail "$out" 2>/dev/null | tail -n 1 | tr -d ' ') free in $out (another place: --out=)"
}

# Ends the call if there is no room for the files still to be written; judging needs less than this.
out_room() {
  head -c 65536 /dev/zero 2>/dev/null >"$out/.room" || { rm -f "$out/.room"; out_lost "$out/report.txt"; }
  rm -f "$out/.room"
}

run_dir_of() { # RUN; sets run_dir
  run_dir=$out
  ((runs == 1)) || run_dir=$out/run-$1
}

deadline_in() { # SECONDS
  deadline=$((EPOCHSECONDS + $1))
}

# Runs the virtual machines, with their logs in $out; judges nothing.
run_all() {
  local n
  run_dir_of 1
  mkdir -p "$run_dir/.raw"
  [[ -z $meet ]] || meet_join || return 0
  if [[ $accel == sim ]] && ((runs > 1 && jobs > 1)); then
    sim_run_all
    return
  fi
  for ((n = 1; n <= runs; n++)); do
    [[ -z $interrupted ]] || break
    run_dir_of "$n"
    coordinator_run
    [[ -z $stopping ]] || break
  done
  [[ -z $meet ]] || meet_leave "$([[ -n $stopping ]] && echo stopped || echo "$members_end")"
}

judge_all() {
  local n
  out_room
  for ((n = 1; n <= runs; n++)); do
    run_dir_of "$n"
    [[ -d $run_dir/.raw ]] || continue # stopped before this boot
    finish_run
  done
  finish_call
  # The call was stopped, whatever the instances' verdicts are.
  [[ -z $interrupted ]] || worse "$EXIT_INTERRUPT"
  say "logs are in $out"
}

# shellcheck disable=SC2317 # called by trap
clean_up() {
  local status=$? pid
  set +e
  trap - ERR
  trap '' INT TERM HUP QUIT
  for pid in ${jobs_pid[@]+"${jobs_pid[@]}"} ${conformance_pids[@]+"${conformance_pids[@]}"}; do
    kill -KILL -- "-$pid" 2>/dev/null || true
  done
  host_trace_end
  # The rest: L1, or a call of run.sh. Uses bash's own list of jobs, because a signal may come
  # before a process ID is stored.
  for pid in $(jobs -p); do
    kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
  done
  [[ -z ${serve_pid:-} ]] || serve_stop "$serve_pid" # even if it is still starting
  meet_leave stopped
  rm -rf "$scratch"
  status_end "$status"
}

# shellcheck disable=SC2317 # called by trap
interrupt() {
  local pid
  interrupted=1
  [[ -z $starting ]] || return 0
  if [[ -n $l1_pid ]]; then
    kill -TERM "$l1_pid" 2>/dev/null || true
  elif ((${#calls[@]})); then
    for pid in "${!calls[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  elif ((${#sim_runs[@]})); then
    for pid in "${!sim_runs[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  elif [[ -n ${conformance_pids[*]-} ]]; then
    conformance_interrupt
  elif [[ -n ${jobs_pid[*]-} ]]; then
    coordinator_stop interrupt
  elif [[ -z $calls_wanted ]]; then # an experiment goes on to report its finished runs
    exit "$EXIT_INTERRUPT"
  fi
}

# Background processes are started between these two calls. A signal in between, when not all their
# process IDs are stored yet, is obeyed by started.
starting() {
  starting=1
}

started() {
  starting=''
  [[ -z $interrupted ]] || interrupt
}

main() {
  starting='' inner=${PVSPIN_INNER:-0} interrupted='' arguments=("$@")
  options_parse "$@"
  case $action in help | version | list)
    print <("$action") || exit "$EXIT_ENVIRONMENT"
    exit 0
    ;;
  esac
  ((!conformance)) || configurations_read # a wrong name ends the call here
  [[ -z $experiment ]] || experiment_select
  linux_refuse
  if ((setup)); then setup_install run nested build report boot linux || exit "$EXIT_ENVIRONMENT"; fi
  ((inner)) || setup_check "$([[ $accel_asked == sim ]] && echo sim || echo run)" || exit "$EXIT_ENVIRONMENT"
  [[ $action != qemu_help ]] || qemu_help
  [[ -z $experiment ]] || setup_check build report || exit "$EXIT_ENVIRONMENT"
  ! linux_wanted || setup_check linux || exit "$EXIT_ENVIRONMENT"
  [[ $accel_asked == sim ]] || qemu_probe
  scratch_make pvspin || die "$EXIT_ENVIRONMENT" "$scratch_error"
  trap clean_up EXIT
  trap interrupt INT TERM HUP QUIT
  if [[ $accel_asked == sim ]]; then sim_ready; else image_ready; fi
  accel_choose
  host_trace_check
  [[ $accel == sim ]] || boot_prepare
  [[ -z $meet ]] || meet_directory
  out_ready
  ((inner)) || version=$(version) # for the manifest; git reads the whole tree
  deadline_in "$limit"
  deadline=${PVSPIN_DEADLINE:-$deadline}
  ((!conformance)) || conformance_run
  [[ -z $experiment ]] || experiment_main
  ((inner)) || cgroup_begin
  if [[ $accel == nested ]]; then
    host_begin "$scratch/host"
    nested_run_all
    host_end "$scratch/host"
  else
    run_all
  fi
  ((!inner)) || exit 0
  judge_all
  exit "$worst"
}

main "$@"
