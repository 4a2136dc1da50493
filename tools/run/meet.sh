# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --meet=DIR[,CALLS]: calls of run.sh that were started separately, in several terminals or by
# several users, release their measured phases together, like the instances of one call. No call
# leads. Each call has in DIR
#
#   call.ID/call     lines: PID, members, CALLS, the kernel's boot ID, user, --out
#   call.ID/alive    locked (flock) while the call lives, whatever ends it
#   call.ID/events   the FIFO for messages from the others, read by its coordinator (coordinator.sh):
#
#     join ID | span ID MEMBER START_NS END_NS | held ID ROUND | left ID WORD
#
# `held` says that all running members of the call wait. A call releases its own members when no
# other present call is behind, so the last call's message releases all. WORD is ended (every member
# wrote its last record), crashed, stopped (Ctrl-C, time), or died (the lock became free without a
# message). Sourced by run.sh.
#
# Takes  deadline, inner, out, run_dir: run.sh
# Takes  meet, meet_calls, members: options.sh
# Takes  jobs_pid, span, stopping: coordinator.sh
# Gives  meet_place: the directory where the calls meet
# Gives  meet_events: the FIFO of their messages

# How long the first call waits for the others; its guests are started when all are there, because a
# guest waits for `go` at most 120 s (bench/session/start.h).
readonly MEET_LIMIT=${PVSPIN_MEET_LIMIT:-120}

meet_place='' meet_door='' meet_lock='' meet_at='' meet_formed='' meet_watchers=()

# Under nested the calls meet in L1, in L1's TMPDIR, which they share.
meet_directory() {
  if ((inner)); then
    meet_place=$TMPDIR/pvspin-meet/$(cksum <<<"$meet" | tr ' ' -)
    mkdir -p "$meet_place"
    return
  fi
  [[ -d $meet ]] || usage_error "--meet=$meet: no such directory; all calls need to write to it"
  [[ -w $meet && -x $meet ]] || usage_error "--meet=$meet: not writable, as all calls need it"
  meet_place=$(cd "$meet" && pwd -P)
}

# Enters DIR and waits for the others. If they do not come, returns false, with the reason in
# .raw/unmet.
meet_join() {
  declare -gA meet_there=() meet_pid=() meet_who=() meet_base=() meet_members=() meet_behind=() meet_releases=() meet_left=()
  meet_round=0 meet_said=0 meet_next=$members
  exec {meet_door}<"$meet_place" # one call enters at a time
  flock -w 10 "$meet_door" || die "$EXIT_ENVIRONMENT" "--meet=$meet_place: another call has held its lock for 10 s"
  meet_at=$(mktemp -d "$meet_place/call.XXXXXXXX")
  meet_id=${meet_at##*.}
  chmod 755 "$meet_at"
  mkfifo -m 666 "$meet_at/events" # all users who may enter DIR may send messages
  exec {meet_lock}>"$meet_at/alive" {meet_events}<>"$meet_at/events"
  flock -n "$meet_lock"
  meet_look
  : >"$meet_at/call"
  chmod 644 "$meet_at"/{alive,call} # whatever the umask: other users read them
  printf '%s\n' "$$" "$members" "$meet_calls" "$(</proc/sys/kernel/random/boot_id)" "$(id -un)" "$out" >"$meet_at/call"
  meet_tell join
  exec {meet_door}<&-
  meet_door=''
  meet_wait
}

# Finds the calls that are there already and removes those that died without cleaning up.
meet_look() {
  local at id
  for at in "$meet_place"/call.*/; do
    at=${at%/} id=${at##*.}
    [[ $id =~ ^[A-Za-z0-9]+$ && $id != "$meet_id" ]] || continue
    if flock -n -s "$at/alive" true 2>/dev/null; then
      rm -rf "$at" 2>/dev/null || true # impossible if it is another user's
      continue
    fi
    meet_know "$id"
  done
  ((${#meet_there[@]} < meet_calls)) ||
    die "$EXIT_ENVIRONMENT" "--meet=$meet_place: $meet_calls calls have met there already ($(meet_names)); take another directory"
}

# Adds a call, from its file.
meet_know() { # ID
  local id=$1 fields=() boot_id
  mapfile -t fields <"$meet_place/call.$id/call" || true
  [[ ${fields[0]:-} =~ ^[0-9]+$ && ${fields[1]:-} =~ ^[0-9]{1,3}$ ]] || return 0
  boot_id=$(</proc/sys/kernel/random/boot_id)
  [[ ${fields[3]:-} == "$boot_id" ]] ||
    die "$EXIT_ENVIRONMENT" "--meet=$meet_place: PID ${fields[0]} there is on another machine; the calls must share a host"
  [[ ${fields[2]:-} == "$meet_calls" ]] ||
    die "$EXIT_USAGE" "--meet=$meet_place: PID ${fields[0]} there waits for ${fields[2]:-?} calls to meet, this one for $meet_calls"
  meet_there[$id]=1 meet_pid[$id]=${fields[0]} meet_members[$id]=${fields[1]}
  meet_who[$id]="${fields[4]:-}"$'\t'"${fields[5]:-}"
  meet_base[$id]=$meet_next meet_behind[$id]=0 meet_releases[$id]=0 meet_left[$id]=''
  meet_next=$((meet_next + fields[1]))
  meet_watch "$id"
}

# Sends us a message when the call is gone: its lock is then free, or its directory has vanished.
meet_watch() { # ID
  set -m # a process group, so that ending it ends flock, too
  {
    trap - INT TERM HUP EXIT
    meet_forget
    flock -s "$meet_place/call.$1/alive" true || true
    echo "left $1 died" 1<>"$meet_at/events"
  } </dev/null >/dev/null 2>&1 &
  meet_watchers+=($!)
  set +m
}

meet_names() {
  local id names=()
  for id in "${!meet_there[@]}"; do names+=("PID ${meet_pid[$id]}"); done
  local IFS=,
  echo "${names[*]}"
}

# Sends a message to all other calls.
meet_tell() { # WORD [REST...]
  local id
  for id in "${!meet_there[@]}"; do
    # Both directions: does not block if it is gone.
    [[ ! -p $meet_place/call.$id/events ]] || echo "$1 $meet_id ${*:2}" 2>/dev/null 1<>"$meet_place/call.$id/events" || true
  done
}

# Waits until all calls are there.
meet_wait() {
  local until=$((EPOCHSECONDS + MEET_LIMIT)) missing kind id rest
  ((until < deadline)) || until=$deadline
  missing=$((meet_calls - 1 - ${#meet_there[@]}))
  ((missing == 0)) || say "--meet=$meet_place: waiting for $missing more, at most $((until - EPOCHSECONDS)) s"
  while ((${#meet_there[@]} < meet_calls - 1)); do
    if ((EPOCHSECONDS >= until)); then
      meet_fail "--meet=$meet_place: of $meet_calls calls only $((${#meet_there[@]} + 1)) came within $MEET_LIMIT s (or --timeout)"
      return 1
    fi
    read -r -t "$((until - EPOCHSECONDS))" -u "$meet_events" kind id rest || continue
    meet_hear "$kind" "$id" "$rest"
  done
  meet_formed=1
  say "--meet=$meet_place: met $(meet_names)"
}

# Gives up: no joint measurement is possible any more. WHY goes into the verdicts. Ends running
# members.
meet_fail() { # WHY
  local i
  [[ -z $stopping ]] || return 0
  echo "$1" >"$run_dir/.raw/unmet"
  if [[ -n ${jobs_pid[*]-} ]]; then
    coordinator_stop unmet
    return
  fi
  for ((i = 0; i < members; i++)); do
    echo unmet >"$run_dir/.raw/stopped-$i"
  done
}

# Handles a message of another call. Checks numbers, because it may come from another user.
meet_hear() { # KIND ID REST
  local id=$2 words=() i
  read -ra words <<<"$3"
  [[ $id =~ ^[A-Za-z0-9]+$ ]] || return 0
  if [[ $1 == join ]]; then
    [[ -n $meet_formed || ! -e $meet_place/call.$id/call ]] || meet_know "$id"
    return
  fi
  [[ -n ${meet_there[$id]:-} ]] || return 0
  case $1 in
  span)
    [[ ${words[*]} =~ ^[0-9]{1,3}\ [0-9]{1,19}\ [0-9]{1,19}$ ]] || return 0
    i=$((10#${words[0]}))
    ((i < meet_members[$id])) || return 0
    i=$((i + meet_base[$id]))
    coordinator_span "$i" "${words[1]} ${words[2]}"
    ;;
  held) [[ ! ${words[0]:-} =~ ^[0-9]{1,9}$ ]] || meet_behind[$id]=$((10#${words[0]})) ;;
  left) meet_part "$id" "${words[0]:-died}" ;;
  esac
}

# Handles a call that is gone. Before the first release, that makes a joint measurement impossible.
# Later we go on, as when an instance dies, and the report says so.
meet_part() { # ID WORD
  local id=$1 word=$2
  [[ $word == ended || $word == crashed || $word == stopped ]] || word=died
  meet_left[$id]=$word
  unset "meet_there[$id]"
  if [[ -z $meet_formed ]]; then
    unset "meet_pid[$id]" # another call may still take its place
  elif ((meet_releases[$id] == 0)); then
    meet_fail "--meet=$meet_place: PID ${meet_pid[$id]} $(meet_word "$word") before the first measured phase"
  elif [[ $word != ended ]]; then
    say "--meet=$meet_place: PID ${meet_pid[$id]} $(meet_word "$word"); going on without it"
  fi
}

meet_word() { # WORD
  case $1 in
  ended) echo 'was done' ;;
  crashed) echo "lost a member" ;;
  stopped) echo 'was stopped' ;;
  *) echo 'died' ;;
  esac
}

# Called when all members here wait: tells the others, once per round, the times of our last
# measured phases. True if no present call is behind.
meet_ready() {
  local i id
  if ((meet_said == meet_round)); then
    meet_said=$((meet_round + 1))
    for i in "${!span[@]}"; do
      ((i >= members)) || meet_tell span "$i" "${span[i]}"
    done
    meet_tell held "$meet_said"
  fi
  for id in "${!meet_there[@]}"; do
    ((meet_behind[$id] > meet_round)) || return 1
  done
  meet_round=$meet_said
  for id in "${!meet_there[@]}"; do
    meet_releases[$id]=$((meet_releases[$id] + 1))
  done
}

# Writes the input for manifest.json: one line for each of the others, with tabs between fields.
# (Under nested, L1 writes it and the host reads it.)
meet_write() {
  local id
  for id in "${!meet_pid[@]}"; do
    printf '%s\t' "${meet_pid[$id]}" "${meet_members[$id]}" "${meet_base[$id]}" "${meet_releases[$id]}" "${meet_left[$id]:--}"
    printf '%s\n' "${meet_who[$id]}"
  done >"$run_dir/.raw/meeting"
}

# Closes the files of the meeting in a member or a watcher, which may outlive the call.
meet_forget() {
  [[ -z $meet_door ]] || exec {meet_door}<&-
  [[ -z $meet_lock ]] || exec {meet_lock}>&-
}

# Removes this call's files from DIR. Also called from the exit trap.
meet_leave() { # WORD
  local pid
  [[ -n $meet_at ]] || return 0
  meet_tell left "$1"
  for pid in ${meet_watchers[@]+"${meet_watchers[@]}"}; do
    kill -TERM -- "-$pid" 2>/dev/null || true
  done
  { wait ${meet_watchers[@]+"${meet_watchers[@]}"} || true; } 2>/dev/null
  rm -rf "$meet_at"
  meet_forget
  exec {meet_events}>&-
  meet_at='' meet_lock=''
}
