# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --accel=nested: makes the same call again in L1, with KVM (tools/nested/nested.sh). PVSPIN_*
# variables pass the outer run.sh's decisions to the inner one. Sourced by run.sh.
#
# Takes  arguments, deadline, hosted, image, interrupted, out, run_dir, tree: run.sh
# Takes  progress_on: say.sh
# Takes  instances, limit, meet, members, runs, user_m: options.sh
# Takes  l1_kernel: accel.sh
# Takes  medium: boot.sh
# Takes  smp_max: qemu.sh
# Gives  l1_pid, l1_lost: the process that runs L1; how L1 ended if it should not have

l1_pid='' l1_lost=''

# An inner QEMU takes its guest's memory, about 100 MB, and 3 MB for each vCPU. L1 itself needs 700
# MB.
nested_memory() { # VIRTUAL-MACHINES [MB-OF-EACH]
  local m=${user_m:-${2-}}
  m=${m#size=}
  m=${m%%,*}
  if [[ ! ${m:=128} =~ ^0*([0-9]{1,7})([mMgG]?)$ ]]; then
    m=1024 # QEMU will report the error
  else
    m=${BASH_REMATCH[1]}
    [[ ${BASH_REMATCH[2]} != [gG] ]] || m=$((m * 1024))
  fi
  qemu_smp
  echo $((700 + $1 * (m + 100 + 3 * smp_max)))
}

# With PVSPIN_L1=DIR, uses the L1 of this kernel that serves in DIR (tools/nested/nested.sh
# --serve=DIR) if $out is writable in it, so that many calls need to boot only one L1.
nested_served() {
  local server=${PVSPIN_L1:-}/$l1_kernel
  [[ -n ${PVSPIN_L1:-} ]] && serve_answers "$server" && serve_writable "$server" "$out"
}

nested_run_all() {
  local status=0 n l1
  run_dir_of 1
  mkdir -p "$run_dir/.raw" # so that even a boot that never starts is judged
  if nested_served; then
    l1=(--in="$PVSPIN_L1")
  elif [[ -n $meet ]]; then
    die "$EXIT_ENVIRONMENT" "--meet: under nested all calls must run in one L1: tools/nested/nested.sh --serve=DIR" \
      "--kernel=$l1_kernel --memory=MB --rw=(above their --out), and PVSPIN_L1=DIR for each of them"
  else
    l1=(--memory="$(nested_memory "$instances")" --console="$out/l1-console.log")
    progress "starting L1 (kernel $l1_kernel)"
  fi
  starting
  PVSPIN_INNER=1 PVSPIN_CLASS=nested PVSPIN_IMAGE=$image PVSPIN_MEDIUM=$medium PVSPIN_HOSTED=$hosted PVSPIN_OUT=$out \
    PVSPIN_DEADLINE=$deadline PVSPIN_PROGRESS=$progress_on \
    setsid "$tree/tools/nested/nested.sh" --kernel="$l1_kernel" \
    "${l1[@]}" --timeout="$((limit + 10))" \
    --rw="$out" -- \
    "$tree/run.sh" "${arguments[@]}" </dev/null &
  l1_pid=$!
  started
  # A trapped signal ends `wait` early, while L1 is still ending.
  until wait "$l1_pid" && status=0 || { status=$?; ! kill -0 "$l1_pid" 2>/dev/null; }; do :; done
  l1_pid=''
  progress_end
  case $status in
  0) ;;
  "$EXIT_CRASH" | "$EXIT_TIMEOUT" | 137 | 143 | "$EXIT_INTERRUPT") nested_mark "$status" ;;
  *)
    rm -rf "$run_dir/.raw"
    exit "$status" # its own message is on stderr
    ;;
  esac
}

# L1 is gone while virtual machines ran: marks those whose end was not seen.
nested_mark() { # STATUS
  local n i reason=''
  if [[ -n $interrupted ]]; then
    reason=interrupt
  elif (($1 == EXIT_TIMEOUT)); then
    reason=timeout
  else
    l1_lost="L1 ended under it with status $1"
  fi
  [[ -n $reason ]] || return 0
  for ((n = 1; n <= runs; n++)); do
    run_dir_of "$n"
    [[ -d $run_dir/.raw ]] || continue
    for ((i = 0; i < members; i++)); do
      [[ -e $run_dir/.raw/exit-$i ]] || echo "$reason" >"$run_dir/.raw/stopped-$i"
    done
  done
}
