# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# One VM. instance_main runs as a background job in a process group of its own, so that a Ctrl-C at
# the terminal reaches run.sh alone, which then ends everything in order. It starts QEMU, passes
# records of the guest's log on to the coordinator (coordinator.sh), and talks QMP.
#
#   QEMU --serial.out--> log.pl, which writes serial-<i>.log --the records that matter--> instance_watch
#        <--serial.in--- the coordinator (peer, go) and instance_watch (bye)
#        <--qmp.in, qmp.out--> instance_watch
#
# Messages to the coordinator, one line each, on the FIFO `events`:
#   boot <i> | ready <i> <run> <last 0|1> | run <i> <start_ns> <end_ns> <lock> | end <i> | exit <i>
# Files left in $run_dir/.raw:
#   command-<i>    the command line, NUL-separated       exit-<i>   QEMU's status
#   time-<i>       start and end, in us                  qmp-<i>    lines "version|cpus|sample JSON"
#   pin-<i>        lines "thread CPU"                    failed-<i> why it was not started
# and, if QEMU ended with 0 or 1:
#   unstarted-<i>  QEMU never ran its machine            stayed-<i> QEMU did not end with the guest
#   shutdown-<i>   the reason of its SHUTDOWN event
# If one of them or the log cannot be written, the message `lost <i>` comes before the exit.
#
# Takes  run_dir, tree: run.sh
# Takes  limit, paused, pin, pin_cpus: options.sh
# Takes  qemu_command: qemu.sh
# Takes  events, run_scratch: coordinator.sh

readonly END_SECONDS=20 # for QEMU to end, after the guest's last record
readonly QMP_SECONDS=60 # for an answer of QEMU; in L1, on a machine at load 40, it took more than 5
readonly QMP_STATS='"halt_exits","halt_wakeup","directed_yield_attempted",
"directed_yield_successful","hypercalls","exits","halt_poll_success_ns","halt_poll_fail_ns",
"preemption_reported","preemption_other","signal_exits"'

# Begins the job of a member. Call it first, so that the coordinator hears even of a member that a
# signal ends before it has its QEMU. Its variables are global, because the trap may run outside of
# any function.
instance_begin() { # MEMBER
  set +m
  trap - INT TERM HUP EXIT
  meet_forget
  host_trace_forget
  member_began=$EPOCHREALTIME qemu='' qmp_in='' qmp_out='' qmp_answered='' stayed='' vcpu_threads=()
  # shellcheck disable=SC2064 # the member as it is now
  trap "instance_gone $1" EXIT
}

instance_main() { # INSTANCE
  local i=$1 raw=$run_dir/.raw dir=$run_scratch/$1 hold serial_out
  instance_begin "$i"
  mkdir "$dir"
  boot_place "$dir"
  mkfifo "$dir/serial.in" "$dir/serial.out" "$dir/qmp.in" "$dir/qmp.out"
  # Opened for both directions first, so that no open blocks. QEMU inherits `hold`, the write end of
  # serial.out. When QEMU is gone, whatever ended it, the reader sees the end of the file.
  # shellcheck disable=SC2094 # a FIFO, opened twice on purpose
  exec {serial_in}<>"$dir/serial.in" {hold}<>"$dir/serial.out" {serial_out}<"$dir/serial.out" \
    {qmp_in}<>"$dir/qmp.in" {qmp_out}<>"$dir/qmp.out"
  printf '%s\0' "${qemu_command[@]}" >"$raw/command-$i"
  # This command waits in the pipe until QEMU's main loop runs, that is, until the machine exists.
  # Its answer distinguishes a guest that reset from a QEMU that refused its options (verdict.sh).
  qmp_send qmp_capabilities
  # timeout bounds QEMU's life even if run.sh is killed with SIGKILL. Descriptor 99 is QEMU_DIR.
  timeout --foreground --kill-after=5 "$((limit + 10))" "${qemu_command[@]}" \
    </dev/null >"$run_dir/qemu-$i.log" 2>&1 {serial_out}<&- 99<"$dir" &
  qemu=$!
  echo "$qemu" >"$dir/qemu.pid"
  exec {hold}>&-
  [[ -z $pin ]] || instance_pin "$i" || kill "$qemu" 2>/dev/null || true
  instance_watch "$i" < <(instance_log "$i" <&"$serial_out")
}

# Stores the log on stdin and passes on the records that the coordinator waits for.
instance_log() { # INSTANCE
  perl "$tree/tools/run/log.pl" "$run_dir/$(member_log "$1")" || echo "lost $1" >&"$events"
}

# Ends QEMU if it runs, then tells the coordinator that it is gone.
instance_gone() { # INSTANCE
  local code=none raw=$run_dir/.raw
  trap - EXIT
  set +e
  if [[ -n $qemu ]]; then
    code=0
    kill "$qemu" 2>/dev/null # normally gone, unless the guest stays after its last record
    { wait "$qemu" || code=$?; } 2>/dev/null
    qmp_last "$1" "$code"
  fi
  { echo "${member_began/[.,]/} ${EPOCHREALTIME/[.,]/}" >"$raw/time-$1" && echo "$code" >"$raw/exit-$1"; } 2>/dev/null ||
    echo "lost $1" >&"$events"
  echo "exit $1" >&"$events"
}

# Reads the chosen records to the end of the log, by patterns: a process for each record would take
# a CPU from guests that are about to start, and jq 1.6 keeps 53 of a time's 64 bits. Waits for a
# record as long as QEMU lives, which the coordinator ends when time is up; after the last record,
# for END_SECONDS.
instance_watch() { # INSTANCE
  local i=$1 line patience=()
  # A status above 128 means that -t has expired.
  while IFS= read -r ${patience[@]+"${patience[@]}"} line || { (($? <= 128)) || stayed=1; false; }; do
    case $line in
    '{"type":"boot"'*) echo "boot $i" >&"$events" ;;
    '{"type":"ready"'*)
      [[ $line =~ \"run\":([0-9]+) ]]
      local n=${BASH_REMATCH[1]:-0} last=0
      [[ ! $line =~ \"last\":true ]] || last=1
      instance_sample "$i" "$( ((last)) && echo over || echo "$n")" # while it waits
      echo "ready $i $n $last" >&"$events"
      ;;
    '{"type":"run"'*)
      local start=0 end=0 lock=-
      [[ ! $line =~ \"start_wall_ns\":([0-9]+) ]] || start=${BASH_REMATCH[1]}
      [[ ! $line =~ \"end_wall_ns\":([0-9]+) ]] || end=${BASH_REMATCH[1]}
      [[ ! $line =~ \"lock\":\"([a-z0-9-]+)\" ]] || lock=${BASH_REMATCH[1]}
      echo "run $i $start $end $lock" >&"$events"
      ;;
    '{"type":"end"'*)
      # The guest now waits for "bye", so its threads still exist.
      instance_statistics "$i"
      echo bye >&"$serial_in"
      echo "end $i" >&"$events"
      patience=(-t "$END_SECONDS")
      ;;
    esac
  done
}

qmp_sent=0

# Sends a QMP command; sets qmp_id, which the answer repeats.
qmp_send() { # COMMAND [ARGUMENTS]
  local arguments=${2:-'{}'}
  qmp_id=pvspin-$BASHPID-$((++qmp_sent))
  echo "{\"execute\":\"$1\",\"arguments\":$arguments,\"id\":\"$qmp_id\"}" >&"$qmp_in"
}

# Sends a command to the QEMU whose process is `qemu`, and sets qmp_reply to its answer. Returns
# false on an error, when QEMU has ended, or after QMP_SECONDS. Skips everything else in the FIFO
# (the greeting, events, unread answers). Looks for QEMU's process, because the FIFO never ends: we
# hold both of its ends.
qmp() { # COMMAND [ARGUMENTS]
  local tries=$((QMP_SECONDS * 5)) begun='' line
  qmp_send "$@"
  while ((tries > 0)); do
    if IFS= read -r -t 0.2 -u "$qmp_out" line; then
      qmp_reply=$begun$line begun=''
      [[ $qmp_reply == *"\"$qmp_id\""* ]] || continue
      [[ $qmp_reply == *'"return":'* ]] || return 1
      qmp_answered=1
      return 0
    fi
    begun+=$line # a long answer is still coming
    kill -0 "$qemu" 2>/dev/null || return 1
    tries=$((tries - 1))
  done
  return 1
}

# Call it when QEMU is gone. A status of 0 or 1 has several causes: then stores whether QEMU ever
# ran its machine, and the reason of its SHUTDOWN event (qapi/run-state.json).
qmp_last() { # INSTANCE STATUS
  local raw=$run_dir/.raw
  [[ -n $qmp_out && $2 == [01] ]] || return 0
  while IFS= read -r -t 0.2 -u "$qmp_out" qmp_reply; do
    case $qmp_reply in
    *'"return":'*) qmp_answered=1 ;;
    *'"SHUTDOWN"'*)
      jq -r '.data.reason // empty' <<<"$qmp_reply" >"$raw/shutdown-$1" 2>/dev/null || true
      ;;
    esac
  done
  [[ -n $qmp_answered ]] || : >"$raw/unstarted-$1"
  [[ -z $stayed ]] || : >"$raw/stayed-$1"
}

readonly SAMPLED_VCPUS=64 # of more vCPUs, bash would read the answer for longer than a phase lasts

# Takes the last sample, with QEMU's version and vCPUs.
instance_statistics() { # INSTANCE
  [[ -n $qmp_in ]] || return 0 # the host peer has no QMP
  if qmp query-version; then echo "version $qmp_reply" >>"$run_dir/.raw/qmp-$1"; fi
  instance_sample "$1" end
}

# Samples KVM's and the scheduler's counts of the vCPU threads: before run RUN, after the last run
# (over), or at the end. QEMU without statistics (before 7.1, or TCG) answers with an error or an
# empty list.
instance_sample() { # INSTANCE RUN|over|end
  local statistics=null
  [[ -n $qmp_in ]] || return 0
  if ((!${#vcpu_threads[@]})) && qmp query-cpus-fast; then
    echo "cpus $qmp_reply" >>"$run_dir/.raw/qmp-$1"
    mapfile -t vcpu_threads < <(jq '.return[]["thread-id"]' <<<"$qmp_reply")
  fi
  [[ $2 == end ]] || ((${#vcpu_threads[@]} <= SAMPLED_VCPUS)) || return 0
  if qmp query-stats '{"target":"vcpu","providers":[{"provider":"kvm","names":['"$QMP_STATS"']}]}'; then
    statistics=$qmp_reply
  fi
  echo "sample {\"before\":\"$2\",\"kvm\":$statistics,\"threads\":$(host_threads "${vcpu_threads[@]}")}" \
    >>"$run_dir/.raw/qmp-$1"
}

# Pins the vCPU threads, which exist but have not run yet (-S). Writes the reason of a failure,
# which counts as the environment's, to .raw/failed-<i>.
instance_pin() { # INSTANCE
  local i=$1 k=0 cpu thread failed=$run_dir/.raw/failed-$1
  if ! qmp query-cpus-fast; then
    echo '--pin: QEMU does not tell its vCPU threads' >"$failed"
    return 1
  fi
  while read -r thread; do
    cpu=${pin_cpus[k++ % ${#pin_cpus[@]}]}
    taskset -pc "$cpu" "$thread" >/dev/null 2>>"$run_dir/qemu-$i.log" || {
      echo "--pin: no thread can be put on CPU $cpu" >"$failed"
      return 1
    }
    echo "$thread $cpu" >>"$run_dir/.raw/pin-$i"
  done < <(jq '.return[]["thread-id"]' <<<"$qmp_reply")
  ((paused)) || qmp cont
}
