# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# One VM. instance_main runs as a background job in a process group of its own (so that a Ctrl-C at
# the terminal reaches run.sh alone, which then ends things in order) and does three things: it
# starts QEMU, passes what the guest's log says on to the coordinator (together.sh), and talks QMP.
#
#   QEMU --serial.out--> tee serial-<i>.log --> grep (the records that matter) --> instance_watch
#        <--serial.in--- the coordinator (peer, go) and instance_watch (bye)
#        <--qmp.in, qmp.out--> instance_watch
#
# Messages to the coordinator, one line each, on the FIFO `events`:
#   boot <i> | ready <i> <run> <last 0|1> | run <i> <start_ns> <end_ns> <lock> | end <i> | exit <i>
# What is left behind, in $run_dir/.raw: command-<i> (NUL-separated), exit-<i> (QEMU's status),
# time-<i> (start and end, in us), qmp-<i> (lines "version|cpus|stats JSON"), pin-<i> (lines
# "thread CPU"), failed-<i> (why it was not started). If one of them or the log could not be written:
# lost <i>, before the exit.

readonly QMP_STATS='"halt_exits","halt_wakeup","directed_yield_attempted",
"directed_yield_successful","hypercalls","exits","halt_poll_success_ns","halt_poll_fail_ns",
"preemption_reported","signal_exits"'

instance_main() { # INSTANCE
  local i=$1 raw=$run_dir/.raw in hold out qmp_in qmp_out
  set +m
  trap - INT TERM HUP EXIT
  meet_forget
  mkdir "$work/$i"
  cd "$work/$i" || exit
  boot_place
  mkfifo serial.in serial.out qmp.in qmp.out
  # For both directions first: no open blocks. QEMU inherits `hold`, the write end of serial.out;
  # when QEMU is gone, whatever ended it, the reader sees the end of the file.
  # shellcheck disable=SC2094 # a FIFO, opened twice on purpose
  exec {in}<>serial.in {hold}<>serial.out {out}<serial.out {qmp_in}<>qmp.in {qmp_out}<>qmp.out
  started=$EPOCHREALTIME qemu='' # not local: the trap may run outside of this function
  # shellcheck disable=SC2064 # $i as it is now
  trap "instance_gone $i" EXIT
  printf '%s\0' "${qemu_command[@]}" >"$raw/command-$i"
  # timeout: QEMU's life is bounded even if run.sh is killed with SIGKILL.
  timeout --foreground --kill-after=5 "$((limit + 10))" "${qemu_command[@]}" \
    </dev/null >/dev/null 2>"$run_dir/qemu-$i.log" {out}<&- &
  qemu=$!
  echo "$qemu" >qemu.pid
  exec {hold}>&-
  [[ -z $pin ]] || instance_pin "$i" || kill "$qemu" 2>/dev/null || true
  instance_watch "$i" < <(instance_log "$i" <&"$out")
}

# Keeps the log on stdin, and passes on the records that the coordinator waits for.
instance_log() { # INSTANCE
  { tee -i --output-error=exit "$run_dir/$(member_log "$1")" || echo "lost $1" >&"$events"; } |
    grep --line-buffered -E '^\{"type":"(boot|ready|run|end)"'
}

# However the watching ended, QEMU must be gone before the coordinator hears so; and it must hear.
instance_gone() { # INSTANCE
  local code=0 raw=$run_dir/.raw
  trap - EXIT
  set +e
  if [[ -n $qemu ]]; then
    kill "$qemu" 2>/dev/null # gone already, unless the guest stays after its last record
    { wait "$qemu" || code=$?; } 2>/dev/null
  fi
  { echo "${started/[.,]/} ${EPOCHREALTIME/[.,]/}" >"$raw/time-$1" && echo "$code" >"$raw/exit-$1"; } 2>/dev/null ||
    echo "lost $1" >&"$events"
  echo "exit $1" >&"$events"
}

# Reads the chosen records to the end of the log. Nothing bounds the wait for a record but the
# coordinator, which kills QEMU when time is up; after the last record QEMU has 20 s to end.
instance_watch() { # INSTANCE
  local i=$1 line patience=()
  while IFS= read -r ${patience[@]+"${patience[@]}"} line; do
    case $line in
    '{"type":"boot"'*) echo "boot $i" >&"$events" ;;
    '{"type":"ready"'*)
      [[ $line =~ \"run\":([0-9]+) ]]
      local n=${BASH_REMATCH[1]:-0} last=0
      [[ ! $line =~ \"last\":true ]] || last=1
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
      # The guest waits for "bye" now: its threads are still there to be asked about.
      instance_statistics "$i"
      echo bye >&"$in"
      echo "end $i" >&"$events"
      patience=(-t 20)
      ;;
    esac
  done
}

# Sends a QMP command and sets qmp_reply to its answer; false on an error, or after 5 s.
qmp() { # COMMAND
  echo "$1" >&"$qmp_in"
  while IFS= read -r -t 5 -u "$qmp_out" qmp_reply; do
    case $qmp_reply in
    *'"return":'*) return 0 ;;
    *'"error":'*) return 1 ;;
    esac # else the greeting or an event
  done
  return 1
}

# QEMU without statistics (before 7.1, or TCG) answers with an error or an empty list.
instance_statistics() { # INSTANCE
  local i=$1
  qmp_ready || return 0
  {
    if qmp '{"execute":"query-version"}'; then echo "version $qmp_reply"; fi
    if qmp '{"execute":"query-cpus-fast"}'; then echo "cpus $qmp_reply"; fi
    if qmp '{"execute":"query-stats","arguments":{"target":"vcpu","providers":[{"provider":"kvm",
             "names":['"$QMP_STATS"']}]}}'; then echo "stats $qmp_reply"; fi
  } >"$run_dir/.raw/qmp-$i"
}

qmp_ready() {
  [[ -n ${qmp_in:-} ]] || return 1 # the host peer has none
  [[ -z ${qmp_negotiated:-} ]] || return 0
  qmp '{"execute":"qmp_capabilities"}' && qmp_negotiated=1
}

# The vCPU threads exist but have not run yet (-S). What fails here is the environment's fault and
# is left in .raw/failed-<i>.
instance_pin() { # INSTANCE
  local i=$1 k=0 cpu thread failed=$run_dir/.raw/failed-$1
  if ! qmp_ready || ! qmp '{"execute":"query-cpus-fast"}'; then
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
  ((gdb)) || qmp '{"execute":"cont"}'
}
