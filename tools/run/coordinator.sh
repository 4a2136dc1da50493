# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Coordinates all members of one boot, the VMs and the host peer: starts them, holds each at its
# `ready` record until all that run are there, releases them with one line each, and waits until the
# last one is gone. Blocks in one read of the members' messages (instance.sh). Sourced by run.sh.
#
#   coordinator_run   runs all members, with their logs in $run_dir. Always returns. At the deadline
#                     or an interrupt it ends all members and writes the reason to .raw/stopped-<i>
#
# Takes  deadline, image, inner, run_dir: run.sh
# Takes  gdb, host_peer, meet, members, paused: options.sh
# Takes  accel, accel_class: accel.sh
# Takes  gdb_port_number: qemu.sh
# Takes  meet_events: meet.sh
# Takes  scratch: environment.sh
# Gives  events: the FIFO to the coordinator
# Gives  run_scratch: a scratch directory for the boot, with one for each member in it
# Gives  jobs_pid, state, span: each member's process group, state, and last measured phase
# Gives  stopping: not empty when the boot was stopped
# Gives  members_end: ended, or crashed if a member did not write its last record

# If a guest has written nothing for so many seconds, it hangs, or its firmware or the hypervisor
# does. (Its first record comes when all vCPUs are up, at most 40 s after the first one:
# kernel/smp.c.)
readonly BOOT_LIMIT=${PVSPIN_BOOT_LIMIT:-120}
# A run starts so many milliseconds for each member after the lines that release the members; ten
# times as many unless accel_class is kvm.
readonly GO_DELAY_MS=10

jobs_pid=() state=() span=() stopping='' kill_at='' lost='' members_end=ended

coordinator_run() {
  local i boot_deadline=$((EPOCHSECONDS + BOOT_LIMIT))
  [[ -d $run_dir/.raw ]] || mkdir -p "$run_dir/.raw"
  if ((inner)); then
    local kernel boot_id # builtins, because a process in L1 costs about 100 ms
    read -r kernel </proc/version
    read -r boot_id </proc/sys/kernel/random/boot_id # identifies the clock
    echo "$kernel" >"$run_dir/.raw/l1"
    echo "$boot_id" >"$run_dir/.raw/l1-boot"
  fi
  host_begin "$run_dir/.raw/host"
  run_scratch=$(mktemp -d "$scratch/run.XXXXXX")
  if [[ -n $meet ]]; then
    events=$meet_events # the other calls send messages there, too
  else
    mkfifo "$run_scratch/events"
    exec {events}<>"$run_scratch/events"
  fi
  host_trace_begin
  if [[ $accel == sim ]]; then
    sim_compose
  else
    qemu_compose
    ((!host_peer)) || peer_compose
  fi
  ((!gdb)) || say "debugger: gdb ${image@Q} -ex 'target remote 127.0.0.1:$gdb_port_number'"
  starting
  jobs_pid=() state=() span=() stopping='' kill_at='' lost=''
  set -m # each job is a process group
  if [[ $accel == sim ]]; then sim_main & fi # the job of all members
  for ((i = 0; i < members; i++)); do
    state[i]=starting
    [[ $accel == sim ]] || if is_peer "$i"; then peer_main "$i" & else instance_main "$i" & fi
    jobs_pid[i]=$!
  done
  set +m
  started
  coordinator_watch
  host_trace_end
  { wait "${jobs_pid[@]}" || true; } 2>/dev/null
  if [[ -n $meet ]]; then meet_write; else exec {events}>&-; fi
  rm -rf "$run_scratch"
  host_end "$run_dir/.raw/host"
  progress_end
  [[ -z $lost ]] || out_lost "$run_dir/$lost"
}

coordinator_watch() {
  local kind i rest left runs_done=0 live=$members
  while ((live > 0)); do
    left=$((${kill_at:-deadline} - EPOCHSECONDS))
    if ((left <= 0)); then
      coordinator_stop timeout
      [[ $stopping != killed ]] || return 0
      continue
    fi
    if [[ -z $stopping && " ${state[*]} " == *' starting '* ]] && ((!paused)); then
      if ((EPOCHSECONDS >= boot_deadline)); then
        coordinator_stop silent
        continue
      fi
      ((left < boot_deadline - EPOCHSECONDS)) || left=$((boot_deadline - EPOCHSECONDS))
    fi
    ((left < 1000000)) || left=1000000
    read -r -t "$left" -u "$events" kind i rest || continue
    [[ $i =~ ^[0-9]+$ || $kind =~ ^(join|span|held|left)$ ]] || continue
    case $kind in
    boot) state[i]=running ;;
    ready) state[i]=held ;;
    run)
      span[i]=${rest% *}
      progress "$(member_title "$i"): run $((++runs_done)), ${rest##* }"
      ;;
    end) state[i]=ended ;;
    lost)
      lost=$(member_log "$i")
      [[ -n $stopping ]] || coordinator_stop interrupt
      ;;
    exit)
      [[ ${state[i]} == ended ]] || members_end=crashed
      state[i]=gone live=$((live - 1))
      ;;
    join | span | held | left) [[ -z $meet ]] || meet_hear "$kind" "$i" "$rest" ;;
    esac
    [[ $kind == run ]] || coordinator_release
  done
}

# Notes a measured phase of a member, or of another call's member (meet.sh). The next release tells
# it to the others.
coordinator_span() { # MEMBER "START_NS END_NS"
  span[$1]=$2
}

# Releases all held members, if no member is still on its way to its `ready` record. Each is first
# told the times of its peers' measured phases, so that its own log can prove the overlap. A member
# that died does not hold up the others.
coordinator_release() {
  local i peer to=() go epoch delay
  [[ " ${state[*]} " != *' running '* && " ${state[*]} " != *' starting '* && " ${state[*]} " == *' held '* ]] || return 0
  [[ -z $meet ]] || meet_ready || return 0
  host_trace_turn
  for i in "${!state[@]}"; do
    [[ ${state[i]} == held ]] || continue
    state[i]=running
    exec {go}<>"$run_scratch/$i/serial.in" # both ways: does not block if QEMU is gone
    to+=("$go")
    for peer in "${!span[@]}"; do # other calls' instances have the following numbers (meet.sh)
      [[ $peer == "$i" ]] || echo "peer $peer ${span[peer]}" >&"$go"
    done
  done
  span=()
  # All start at the same time, after the last one has read its line: a member that starts sooner
  # would take the CPUs from the others and from us. Each byte of a line costs an exit, which an
  # emulated CPU makes slow.
  epoch=${EPOCHREALTIME/[.,]/}000 delay=0
  [[ -z $meet ]] && ((${#to[@]} == 1)) || delay=$((${#to[@]} * GO_DELAY_MS * 1000000))
  [[ $accel_class == kvm* ]] || delay=$((delay * 10))
  for go in "${to[@]}"; do
    echo "go $epoch $delay" >&"$go"
  done
  for go in "${to[@]}"; do
    exec {go}>&-
  done
}

# Ends all members: the first call by SIGTERM, which leaves the logs whole; the next one, 5 s later,
# kills their process groups by SIGKILL. Also called from the signal traps.
coordinator_stop() { # REASON
  local i pid
  for i in "${!state[@]}"; do
    [[ ${state[i]} != gone ]] || continue
    [[ -n $stopping ]] || echo "$1" 2>/dev/null >"$run_dir/.raw/stopped-$i" || true
    if [[ ($1 == timeout || $1 == silent) && -z $stopping && ${state[i]} != ended ]] && ! is_peer "$i"; then snapshot_take "$i"; fi
    if [[ -z $stopping ]]; then
      pid=''
      [[ ! -s $run_scratch/$i/qemu.pid ]] || read -r pid <"$run_scratch/$i/qemu.pid"
      # QEMU is just being started if its process ID is not stored yet
      kill -TERM -- "${pid:--${jobs_pid[i]}}" 2>/dev/null || true
    else
      kill -KILL -- "-${jobs_pid[i]}" 2>/dev/null || true
    fi
  done
  if [[ -z $stopping ]]; then stopping=asked; else stopping=killed; fi
  kill_at=$((EPOCHSECONDS + 5))
  # After a call from a trap, coordinator_watch continues its read with the old time bound: this
  # message ends that read.
  { echo stop >&"$events"; } 2>/dev/null || true
}
