# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Judges the files that a boot left behind. Sourced by run.sh.
#
#   judge_instance I   reads serial-<I>.log and .raw/ of $run_dir; writes .raw/log-<I>.json (log.jq)
#   worse CODE         sets `worst` to the worse of itself and CODE
#
# Takes  image, out, run_dir, tree: run.sh
# Takes  limit, user_smp: options.sh
# Takes  accel_class: accel.sh
# Takes  smp_cpus: qemu.sh
# Takes  l1_lost: nested.sh
# Gives  verdict, code, why, stories: of the instance judged last; stories: its panics and hangs
# Gives  worst: the exit status so far

worst=0

# Verdicts, PASS < SKIP < ERROR < FAIL < CRASH, then time-outs and signals.
worse() { # CODE
  local order=" 0 $EXIT_SKIP $EXIT_USAGE $EXIT_ENVIRONMENT $EXIT_FAIL $EXIT_CRASH $EXIT_TIMEOUT"
  order+=" $EXIT_INTERRUPT "
  local before_new=${order%% "$1" *} before_old=${order%% "$worst" *}
  ((${#before_new} <= ${#before_old})) || worst=$1
}

judge_instance() { # INSTANCE
  local i=$1 raw=$run_dir/.raw log problem says reason last online
  log=$run_dir/$(member_log "$i")
  [[ -e $log ]] || : >"$log"
  jq -Rn -f "$tree/tools/run/log.jq" "$log" >"$raw/log-$i.json" 2>/dev/null ||
    echo '{"problem":"the log is not text","records":0,"panics":[],"hangs":[],"runs":[],"overlaps":[]}' >"$raw/log-$i.json"
  # One value per line, as none contains a newline.
  {
    read -r problem
    read -r says
    read -r reason
    read -r last
    read -r online
    read -r stories
  } < <(jq -r '.problem // "", .end.verdict // "", .end.reason // "",
    (.last // "" | if . == "" then . else "the record \"\(.)\"" end), .vcpus_online // "",
    (.panics + .hangs | length)' "$raw/log-$i.json")
  local exit_status=none
  [[ ! -s $raw/exit-$i ]] || read -r exit_status <"$raw/exit-$i"
  if [[ -s $raw/stopped-$i ]]; then
    judge_stopped "$(<"$raw/stopped-$i")"
  elif [[ -s $raw/failed-$i ]]; then
    verdict=error code=$EXIT_ENVIRONMENT why=$(<"$raw/failed-$i")
  else
    judge_ended
  fi
}

# If the guest wrote v to isa-debug-exit, QEMU ends with 2v + 1. A status counts only if the log is
# whole and its end record says the same.
#
#   status  v     log     end says      verdict   code
#   33      0x10  whole   ok            ok        0
#   35      0x11  whole   fail          fail      3
#   37      0x12  whole   skip          skip      77
#   39      0x13  whole   error         error     4; 2 with reason "usage": the guest refused its
#                                                 command line
#   63      0x1f  any     any           crash     5 the guest panicked, or a run or test hung
#   0, 1    -     empty   -             error     4 QEMU never ran the machine (bad option, no KVM...)
#   0       -     any     any           crash     5 the guest reset (-no-reboot ends QEMU) or powered off
#                                                 or QEMU obeyed a signal
#   1       -     any     any           crash     5 QEMU ended by itself
#   others  -     any     any           crash     5 QEMU was killed
#   any     any   broken  any           crash     5
#   any     any   whole   another       crash     5 two answers are none
judge_ended() {
  local agrees='' who=QEMU who_said="the guest"
  ! is_peer "$i" || who="the host peer" who_said="the host peer"
  code=$EXIT_CRASH verdict=crash
  ! is_peer "$i" || agrees=$(peer_agrees "$exit_status")
  case ${agrees:-$exit_status} in
  ok | fail | skip | error) ;;
  33) agrees=ok ;;
  35) agrees=fail ;;
  37) agrees=skip ;;
  39) agrees=error ;;
  63)
    why='the guest panicked'
    why=$(jq -r --arg why "$why" '.hangs
      | if . == [] then $why elif .[0].lock then "a lock hung"
        else "the guest hung: \(.[0].what)" end' "$raw/log-$i.json")
    return
    ;;
  none) why="$who was not watched to its end${l1_lost:+: $l1_lost}" ; return ;;
  0 | 1) judge_by_itself; return ;;
  *)
    why="$who was killed$(signal_of_status "$exit_status") (status $exit_status): ${problem:-though the log is whole}"
    return
    ;;
  esac
  if [[ -n $problem ]]; then
    why=$problem
  elif [[ $says != "$agrees" ]]; then
    why="the end record says ${says:-nothing}, the exit status says $agrees"
  else
    verdict=$agrees why="${who_said} said so${reason:+ ($reason)}"
    judge_vcpus
    case $verdict in
    ok) code=0 ;;
    fail) code=$EXIT_FAIL ;;
    skip) code=$EXIT_SKIP ;;
    error) if [[ $reason == usage ]]; then code=$EXIT_USAGE; else code=$EXIT_ENVIRONMENT; fi ;;
    esac
  fi
}

# A guest that finds fewer vCPUs than it has (no ACPI, no MP table) has not measured what was asked
# for.
judge_vcpus() {
  [[ $verdict == ok || $verdict == skip ]] && ! is_peer "$i" || return 0
  qemu_smp
  if [[ -n $online ]] && ((online < smp_cpus)); then
    verdict=error why="the guest found $online of its $smp_cpus vCPUs (-smp $user_smp)"
  fi
}

# Judges a QEMU, or a host peer, that ended with 0 or 1 by itself.
judge_by_itself() {
  local errors raw=$run_dir/.raw reason='' signal
  errors=$run_dir/$(member_errors "$i")
  [[ ! -s $raw/shutdown-$i ]] || read -r reason <"$raw/shutdown-$i"
  if [[ -e $raw/unstarted-$i && ! -s $log ]]; then
    verdict=error code=$EXIT_ENVIRONMENT
    why="QEMU did not start the virtual machine (status $exit_status)$(unstarted_hint "$errors")"
    return
  fi
  why="$who ended by itself with status $exit_status: ${problem:-see ${errors##*/}}"
  # QEMU obeys SIGTERM, SIGINT and SIGHUP, says so, and ends with 0.
  if [[ -e $raw/stayed-$i ]]; then
    why="QEMU went on for $END_SECONDS s after the guest's last record"
  elif signal=$(sed -En '/.*: terminating on signal ([0-9]+)( from pid [0-9]+)?.*/{s//\1\2/p;q}' "$errors" 2>/dev/null) &&
    [[ -n $signal ]]; then
    why="QEMU was ended by SIG$(kill -l "${signal%% *}")${signal#"${signal%% *}"}: ${problem:-though the log is whole}"
  elif [[ $reason == guest-shutdown ]]; then
    why="the guest switched the machine off, behind ${last:-the start}"
  elif ((exit_status == 0)) && [[ $reason == @(|guest-reset) ]]; then
    why+="; that is a reset, of a triple fault most likely (an exception that finds no handler), behind \
${last:-the start}: --accel=tcg -d int,cpu_reset -D FILE shows it"
  elif [[ -n $reason ]]; then
    why+="; the reason it gives: $reason"
  fi
  [[ ${PVSPIN_L1_THREADS:-} != multi ]] || why+=' (see tools/nested/nested.sh --help: multi)'
}

# Prints " by SIGKILL" and the like for a status by which timeout or a shell reports a signal.
signal_of_status() { # STATUS
  local name
  if (($1 > 128)) && name=$(kill -l "$(($1 - 128))" 2>/dev/null); then echo " by SIG$name"; fi
}

# Prints the remedy for a refusal of QEMU whose message does not tell it.
unstarted_hint() { # FILE
  if grep -qs 'seccomp' "$1"; then
    echo '; PVSPIN_SANDBOX=off leaves its system call filter out'
  elif [[ $accel_class == nested ]] && grep -qsi 'read-only file system' "$1"; then
    echo "; under nested it can write only below --out ($out)"
  fi
}

judge_stopped() { # REASON
  if [[ $1 == silent ]]; then
    verdict=timeout code=$EXIT_TIMEOUT
    why="the guest never started: nothing on its serial port in $BOOT_LIMIT s"
  elif [[ $1 == unmet ]]; then
    verdict=error code=$EXIT_ENVIRONMENT why=$(<"$run_dir/.raw/unmet")
  elif [[ $1 == timeout ]]; then
    verdict=timeout code=$EXIT_TIMEOUT why="still running after $limit s"
  else
    verdict=interrupted code=$EXIT_INTERRUPT why='ended by a signal to run.sh'
  fi
}

# Prints the panic records of an instance for people: reason, registers, one line for each frame. Of
# a return address, the address before it is looked up, because it belongs to the call; the address
# of an exception (a record with registers) is looked up as it is.
panic_text() { # INSTANCE
  jq -r '
    def known: IN("type", "seq", "cpu", "reason", "rip", "backtrace", "registers");
    .panics[] | (if .registers then "exact" else "return" end) as $first
    | "say\tpanic on cpu \(.cpu // "?"): \(.reason // "?")" +
        ([to_entries[] | select(.key | known | not) | ", \(.key) \(.value)"] | join("")),
      (.registers // {} | to_entries | map("\(.key) \(.value)")
        | range(0; length; 6) as $i | "say\t  " + (.[$i:$i + 6] | join("  "))),
      (if .rip then "\($first)\t\(.rip)" else empty end),
      (.rip as $rip | (.backtrace // []) | if .[0] == $rip then .[1:] else . end
        | .[] | "return\t\(.)")' "$run_dir/.raw/log-$1.json" | name_addresses
}

# The same for a hang: the lock, if one is involved, then where each participating CPU stands: the
# instruction at which an NMI stopped it, or the HLT before that.
hang_text() { # INSTANCE
  jq -r '
    def idle: .state == "idle" or (.state == null and .cpu > 0 and .in_hlt and .interrupts);
    .hangs[]
    | "say\thang: \(.what), given \(.bound_ms) ms",
      (select(.lock) | "say\t  \(.lock): \(.lock_state); owner: " +
        (if .holder < 0 then "nobody" else "CPU \(.holder)" end) +
        "; \(.threads) threads, pv backend \(.pv_backend)"),
      (.cpus[] | "say\t  CPU \(.cpu) \(.state // if idle then "idle" else "is busy" end)" +
        (if .halted then ", halted" else "" end) +
        (if .kicked_us_ago then ", kicked \(.kicked_us_ago) us ago" else "" end) +
        (if .answered then "" else ", does not answer an NMI" end),
        (select(idle | not) | .in_hlt as $in_hlt | .backtrace // [] |
          (.[:1][] | (if $in_hlt then "return" else "exact" end) + "\t\(.)"),
          (.[1:][] | "return\t\(.)")))' \
    "$run_dir/.raw/log-$1.json" | name_addresses
}

# Prints its input lines "say TEXT", "exact ADDRESS", "return ADDRESS" (tab-separated) with symbols.
name_addresses() {
  local what text
  while IFS=$'\t' read -r what text; do
    case $what in
    say) echo "$text" ;;
    exact) echo "    $text  $(address_name "$text")" ;;
    return) echo "    $text  $(address_name "$((text - 1))")" ;;
    esac
  done
}

address_name() { # NUMBER
  local hex
  printf -v hex '0x%x' "$1"
  if command -v addr2line >/dev/null; then
    addr2line -e "$image" -f -i -p "$hex" 2>/dev/null | paste -sd' '
  else
    echo '(addr2line, package binutils, would name it)'
  fi
}
