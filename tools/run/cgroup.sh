# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The CPU quota of the control groups that run.sh and its QEMUs are in: a group that has used it up
# is stopped until the next period, which looks like a host that took the CPUs away. Linux's
# Documentation/admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst (version 1). Sourced
# by run.sh.
#
#   cgroup_quota     sets cgroup_best: QUOTA PERIOD THROTTLED DIRECTORY of the tightest group, times in
#                    us; empty if no group has a quota
#   cgroup_begin     records how long the group has been throttled so far
#   cgroup_manifest  prints the object for manifest.json, or null
#   cgroup_note      prints a note for the report

cgroup_self=${PVSPIN_PROC_SELF:-/proc/self} # tests set another

# Sets cgroup_path to our group in the hierarchy of this version, from /proc/self/cgroup; or to ''.
cgroup_find() { # cgroup2 or cgroup
  local number controllers
  while IFS=: read -r number controllers cgroup_path; do
    case $1 in
    cgroup2) [[ $number != 0 ]] || return 0 ;;
    cgroup) [[ ,$controllers, != *,cpu,* ]] || return 0 ;;
    esac
  done <"$cgroup_self/cgroup"
  cgroup_path=''
}

# Uses builtins: a process for each step would be a third of all processes of a call.
cgroup_quota() {
  local root mount rest path
  cgroup_best=()
  [[ -r $cgroup_self/cgroup && -r $cgroup_self/mountinfo ]] || return 0
  # proc(5), mountinfo: root within the file system, mount point
  while read -r _ _ _ root mount rest; do
    [[ $rest =~ ' - '(cgroup2?)' '[^\ ]+' '(.*)$ ]] || continue
    [[ ${BASH_REMATCH[1]} == cgroup2 || ,${BASH_REMATCH[2]}, == *,cpu,* ]] || continue
    cgroup_find "${BASH_REMATCH[1]}"
    path=$cgroup_path
    [[ -n $path ]] || continue
    printf -v mount '%b' "$mount" # a space is \040
    [[ $root == / ]] || path=${path#"$root"}
    path=$mount${path%/}
    # Our group and its visible parents.
    while [[ $path/ == "$mount"/* ]]; do
      cgroup_limits "$path"
      path=${path%/*}
    done
  done <"$cgroup_self/mountinfo"
}

# DIRECTORY becomes cgroup_best if its quota is the tightest so far.
cgroup_limits() { # DIRECTORY
  local quota=max period='' key value throttled=0
  if [[ -r $1/cpu.max ]]; then
    read -r quota period <"$1/cpu.max"
  elif [[ -r $1/cpu.cfs_quota_us ]]; then
    read -r quota <"$1/cpu.cfs_quota_us" # -1: none
    read -r period <"$1/cpu.cfs_period_us"
  fi
  [[ $quota =~ ^[1-9][0-9]*$ && $period =~ ^[1-9][0-9]*$ ]] || return 0
  ((!${#cgroup_best[@]} || quota * cgroup_best[1] < cgroup_best[0] * period)) || return 0
  while read -r key value; do
    case $key in
    throttled_usec) throttled=$value ;;
    throttled_time) throttled=$((value / 1000)) ;;
    esac
  done <"$1/cpu.stat"
  cgroup_best=("$quota" "$period" "$throttled" "$1")
}

cgroup_begin() {
  cgroup_quota
  cgroup_throttled=${cgroup_best[2]:-0}
}

cgroup_manifest() {
  cgroup_quota
  ((${#cgroup_best[@]})) || { echo null; return; }
  jq -n --arg dir "${cgroup_best[3]}" --argjson quota "${cgroup_best[0]}" --argjson period "${cgroup_best[1]}" \
    --argjson throttled "$((cgroup_best[2] - cgroup_throttled))" \
    '{quota_us: $quota, period_us: $period, throttled_us: $throttled, cgroup: $dir}'
}

cgroup_note() {
  cgroup_quota
  ((${#cgroup_best[@]})) || return 0
  cgroup_manifest | jq -r --argjson cpus "$(nproc)" 'values | select(.quota_us < .period_us * $cpus)
    | "note: a cgroup gives this call \(.quota_us * 100 / .period_us | round / 100) CPUs (\(.cgroup)) and "
      + "stopped it for \(.throttled_us / 1000 | round) ms, vCPUs in the middle of their sections with it"'
}
