# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# The CPU quota of the control groups that run.sh and its QEMUs are in: a group that has used it up is
# stopped until the next period, which looks like a host that took the CPUs away. Linux's
# Documentation/admin-guide/cgroup-v2.rst (cpu.max) and scheduler/sched-bwc.rst (version 1). Sourced by run.sh.
#
#   cgroup_quota     prints "QUOTA PERIOD THROTTLED DIRECTORY" of the tightest group, times in us; nothing
#                    where no group has a quota
#   cgroup_begin     notes how long it has been throttled so far
#   cgroup_manifest  prints the object for manifest.json, or null
#   cgroup_note      prints what the report says of it

cgroup_self=${PVSPIN_PROC_SELF:-/proc/self} # tests point it elsewhere

# The path of our group in the hierarchy of that version, as /proc/self/cgroup has it.
cgroup_path() { # cgroup2 or cgroup
  local number controllers path
  while IFS=: read -r number controllers path; do
    case $1 in
    cgroup2) [[ $number != 0 ]] || break ;;
    cgroup) [[ ,$controllers, != *,cpu,* ]] || break ;;
    esac
    path=''
  done <"$cgroup_self/cgroup"
  echo "$path"
}

cgroup_quota() {
  local root mount rest kind path best=() group
  [[ -r $cgroup_self/cgroup && -r $cgroup_self/mountinfo ]] || return 0
  while read -r _ _ _ root mount rest; do # proc(5), mountinfo: the part of the file system, where it is
    [[ $rest =~ ' - '(cgroup2?)' '[^\ ]+' '(.*)$ ]] || continue
    kind=${BASH_REMATCH[1]}
    [[ $kind == cgroup2 || ,${BASH_REMATCH[2]}, == *,cpu,* ]] || continue
    path=$(cgroup_path "$kind")
    [[ -n $path ]] || continue
    printf -v mount '%b' "$mount" # a space is \040
    [[ $root == / ]] || path=${path#"$root"}
    path=$mount${path%/}
    # Ours, and those above it that can be seen here.
    while [[ $path/ == "$mount"/* ]]; do
      read -ra group < <(cgroup_limits "$path") || group=()
      if ((${#group[@]})) && { ((!${#best[@]})) || ((group[0] * best[1] < best[0] * group[1])); }; then
        best=("${group[@]}" "$path")
      fi
      path=${path%/*}
    done
  done <"$cgroup_self/mountinfo"
  ((!${#best[@]})) || echo "${best[*]}"
}

cgroup_limits() { # DIRECTORY: prints "QUOTA PERIOD THROTTLED" if it has a quota
  local quota=max period='' key value throttled=0
  if [[ -r $1/cpu.max ]]; then
    read -r quota period <"$1/cpu.max"
  elif [[ -r $1/cpu.cfs_quota_us ]]; then
    read -r quota <"$1/cpu.cfs_quota_us" # -1: none
    read -r period <"$1/cpu.cfs_period_us"
  fi
  [[ $quota =~ ^[1-9][0-9]*$ && $period =~ ^[1-9][0-9]*$ ]] || return 0
  while read -r key value; do
    case $key in
    throttled_usec) throttled=$value ;;
    throttled_time) throttled=$((value / 1000)) ;;
    esac
  done <"$1/cpu.stat"
  echo "$quota $period $throttled"
}

cgroup_begin() {
  local limits
  read -ra limits < <(cgroup_quota) || limits=()
  cgroup_throttled=${limits[2]:-0}
}

cgroup_manifest() {
  local quota period throttled dir
  if read -r quota period throttled dir < <(cgroup_quota); then
    jq -n --arg dir "$dir" --argjson quota "$quota" --argjson period "$period" \
      --argjson throttled "$((throttled - cgroup_throttled))" \
      '{quota_us: $quota, period_us: $period, throttled_us: $throttled, cgroup: $dir}'
  else
    echo null
  fi
}

cgroup_note() {
  cgroup_manifest | jq -r --argjson cpus "$(nproc)" 'values | select(.quota_us < .period_us * $cpus)
    | "note: a cgroup gives this call \(.quota_us * 100 / .period_us | round / 100) CPUs (\(.cgroup)) and "
      + "stopped it for \(.throttled_us / 1000 | round) ms, vCPUs in the middle of their sections with it"'
}
