# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # globals shared with nested.sh
# One L1 for many commands: nested.sh --serve=DIR keeps an L1 up, nested.sh --in=DIR runs a command
# in it. For each kernel, DIR has a directory named by the kernel's line (6.12):
#   ready          exists while the L1 takes requests; holds the process ID of the server
#   request.in/out the two directions of virtio port 3 (served: the protocol)
#   rw             the directories that are writable there
#   requests/ID/   see served; also `done`, a FIFO on which the client waits for "done" or "dead"
# Sourced by nested.sh; and by run.sh and tests/run/served.bash for serve_start,
# serve_stop, serve_answers and serve_writable.

readonly SERVE_START_SECONDS=240 # an L1 is up after 5 to 40 s, depending on machine and load
readonly SERVE_END_SECONDS=30    # run.sh gives its virtual machines 5 s; then it puts its files away

# Starts an L1 that serves calls with --in=DIR, and waits until it is ready. It runs in a session of
# its own, which a Ctrl-C at the terminal does not reach, so the caller must end it by serve_stop.
# Its messages go to DIR/KERNEL.err. Sets serve_pid; false if it does not come up.
serve_start() { # DIR KERNEL [OPTION OF NESTED.SH...]
  local up=$1/$2.up program=${BASH_SOURCE[0]%/*}/nested.sh
  local - # without job control setsid is the background job itself, so $! is nested.sh
  set +m
  rm -f "$up"
  mkfifo "$up"
  setsid "$program" --serve="$1" --kernel="$2" "${@:3}" </dev/null >"$up" 2>"$1/$2.err" 3>&- 4>&- &
  serve_pid=$!
  # Its first line says that it serves. If it ends without a line, read sees the end of the file.
  if read -r -t "$SERVE_START_SECONDS" _ <"$up"; then return 0; fi
  serve_stop "$serve_pid"
  return 1
}

# Ends the L1 and waits until it is gone (nested.sh ends its QEMU first).
serve_stop() { # PID
  kill -TERM "$1" 2>/dev/null || return 0
  timeout 20 tail --pid="$1" -f /dev/null || kill -KILL "$1" 2>/dev/null || true
}

# The server's main loop: passes on the answers of L1 until L1 is gone.
serve_relay() {
  local verb id
  while read -r verb id; do
    case $verb in
    up)
      echo "$$" >ready
      echo "nested: serving $line in $serve_dir"
      ;;
    done) serve_tell "$id" 'done' ;;
    esac
  done <request.out
  serve_dead
}

# Tells all clients that the L1 is gone.
serve_dead() {
  local id
  rm -f ready
  for id in ctl/requests/*/; do
    [[ ! -p ${id}done ]] || serve_tell "$(basename "$id")" dead
  done
}

serve_tell() { # ID WORD
  local to
  exec {to}<>"ctl/requests/$1/done" # both directions: does not block if the client is gone
  echo "$2" >&"$to"
  exec {to}>&-
}

# True if an L1 takes requests in DIRECTORY.
serve_answers() { # DIRECTORY
  [[ -e $1/ready ]] && kill -0 "$(<"$1/ready")" 2>/dev/null
}

# True unless all that the command will read of the host is as L1 has it. L1 keeps what it has read
# (9p, cache=loose), also of files that change later. run.sh in L1 reads its own scripts, besides
# copies that are new for each call; what another command reads nobody knows.
serve_stale() { # SERVER
  [[ ${PVSPIN_INNER:-} != 1 || ! -e $1/read-at ]] ||
    [[ -n $(find "$here/../../run.sh" "$here/.." -newer "$1/read-at" -print -quit) ]]
}

# What L1 runs for this request. Reading anew what has not changed costs it 2 s.
serve_command() { # SERVER
  ! serve_stale "$1" || echo 'echo 3 >/proc/sys/vm/drop_caches'
  write_command
}

# The client: runs $command in the L1 of $in_dir. Does not return.
serve_request() {
  local at id to word='' dir
  at=$in_dir/$line
  serve_answers "$at" || stop 4 "$in_dir serves no L1 with kernel $line"
  for dir in ${rw[@]+"${rw[@]}"}; do
    serve_writable "$at" "$dir" || stop 2 "--rw=$dir: not writable in the L1 of $in_dir"
  done
  work=$(mktemp -d "$at/ctl/requests/XXXXXXXX")
  id=${work##*/}
  mkfifo "$work/done"
  : >"$work/read-at"
  serve_command "$at" >"$work/command"
  mv "$work/read-at" "$at/read-at"
  trap 'serve_forget' EXIT
  exec {done}<>"$work/done" {to}<>"$at/request.in"
  echo "run $id" >&"$to"
  read -r -t "$limit" -u "$done" word || true
  [[ -n $word ]] || serve_end
  cat "$work/out" 2>/dev/null || true
  cat "$work/err" >&2 2>/dev/null || true
  case $word in
  done) read -r command_status <"$work/status" && exit ;;
  dead) stop 5 'L1 died while the command ran' ;;
  *) stop 124 "out of time after $limit s" ;;
  esac
}

# Ends the request's command, and waits until it is gone: SIGTERM, and after some time SIGKILL.
serve_end() {
  local signal
  for signal in TERM KILL; do
    echo "kill $id $signal" >&"$to"
    ! read -r -t "$SERVE_END_SECONDS" -u "$done" _ || return 0
  done
}

# shellcheck disable=SC2317 # called by trap
serve_forget() {
  local status=$?
  set +e
  trap - EXIT ERR
  if [[ ! -e $work/status && -p $work/done ]]; then
    serve_end
  fi
  rm -rf "$work"
  [[ -z ${command_status:-} ]] || exit "$command_status"
  status_end "$status"
}

# True if DIRECTORY is one of the server's writable ones, or below one.
serve_writable() { # SERVER DIRECTORY
  local dir
  while IFS= read -r dir; do
    [[ $2/ != "$dir"/* ]] || return 0
  done <"$1/rw"
  return 1
}
