# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --conformance[=NAMES]: the ABI suite in each configuration of tests/suites/abi/configurations, on
# the host's KVM or, under nested, on both Debian kernels at once. Each is a call of run.sh of its
# own, with its own logs; under nested the calls share one L1 for each kernel. Sourced by run.sh.
#
#   $out/<kernel>/<configuration>/   logs of one call          results.tsv   one line for each result
#   conformance.txt                  the table                 conformance.tap, conformance.xml
#
# Takes  deadline, image, interrupted, out, tree: run.sh
# Takes  conformance_names, conformance_tests, l1_kernel_given, limit: options.sh
# Takes  accel, accel_class, cpuinfo, l1_kernel: accel.sh
# Takes  worst: verdict.sh
# Takes  scratch: environment.sh
# Takes  serve_pid: nested/serve.sh
# Gives  conformance_pids: the process groups of its jobs

readonly CONFORMANCE_BOUND=150 # seconds for one configuration

conformance_pids=()

conformance_run() {
  local kernel kernels=("host") status=0 l1_dir l1_error # what nested_kernel sets for 6.1
  if [[ $accel == nested ]]; then
    kernels=("$l1_kernel")
    # Debian 13 has no 6.1.
    [[ -n $l1_kernel_given || $l1_kernel == 6.1 ]] || if nested_kernel 6.1; then kernels+=(6.1); else say "$l1_error"; fi
  fi
  mkfifo "$scratch/steps"
  exec {steps}<>"$scratch/steps"
  starting
  set -m # each kernel's calls form a process group, so that a Ctrl-C reaches this script alone
  for kernel in "${kernels[@]}"; do
    conformance_kernel "$kernel" &
    conformance_pids+=($!)
  done
  set +m
  started
  conformance_watch "${#kernels[@]}"
  { wait "${conformance_pids[@]}" || true; } 2>/dev/null
  conformance_pids=()
  progress_end
  conformance_report "${kernels[@]}" || status=$?
  say "logs are in $out"
  exit "$status"
}

# Sets configuration_names, _masks, _arguments: of all configurations, or those in
# --conformance=NAMES.
configurations_read() {
  local name mask arguments wanted=",$conformance_names," all=''
  configuration_names=() configuration_masks=() configuration_arguments=()
  while read -r name mask arguments; do
    [[ -n $name && $name != '#'* ]] || continue
    all+=" $name"
    [[ -z $conformance_names || $wanted == *",$name,"* ]] || continue
    wanted=${wanted/"$name,"/}
    configuration_names+=("$name") configuration_masks+=("$mask")
    configuration_arguments+=("$arguments")
  done <"$tree/tests/suites/abi/configurations"
  wanted=${wanted#,}
  [[ -z $conformance_names || -z $wanted ]] ||
    usage_error "--conformance=$conformance_names: ${wanted%,}: no such configuration; accepted:$all"
}

# Reads one line per step from each kernel's job, until all have sent `gone` or time is up.
conformance_watch() { # JOBS
  local live=$1 kernel what n=0 total=$(($1 * ${#configuration_names[@]})) left
  while ((live > 0)); do
    left=$((deadline - EPOCHSECONDS))
    if ((left <= 0)) || [[ -n $interrupted ]]; then
      conformance_stop
      return
    fi
    read -r -t "$left" -u "$steps" kernel what || continue
    case $what in
    gone) live=$((live - 1)) ;;
    interrupted) ;;
    *) progress "conformance: $((++n)) of $total, $kernel $what" ;;
    esac
  done
}

# From the signal trap: ends the read of conformance_watch, which then sees that it was interrupted.
conformance_interrupt() {
  echo 'run.sh interrupted' >&"$steps"
}

conformance_stop() {
  local pid
  for pid in "${conformance_pids[@]}"; do
    kill -TERM -- "-$pid" 2>/dev/null || true
  done
}

# Runs all configurations on one kernel, as a job of its own.
conformance_kernel() { # KERNEL
  local i name server='' code at=$out/$1
  trap - INT HUP EXIT
  # serve_pid is set while an L1 is starting.
  trap '[[ -z ${serve_pid:-} ]] || serve_stop "$serve_pid"; exit 143' TERM
  mkdir -p "$at"
  if [[ $accel == nested ]]; then conformance_l1 "$1" || { echo "$1 gone" >&"$steps"; return; }; fi
  for i in "${!configuration_names[@]}"; do
    name=${configuration_names[i]}
    code=0
    conformance_call "$1" "$i" >"$at/$name.txt" 2>&1 || code=$?
    # QEMU 8.0 and later have no APIC outside of KVM (target/i386/cpu-apic.c).
    ! grep -q 'KVM does not support userspace APIC' "$at/$name.txt" || code=$EXIT_SKIP
    echo "$code" >"$at/$name.code"
    echo "$1 $name" >&"$steps"
  done
  [[ -z $server ]] || serve_stop "$server"
  echo "$1 gone" >&"$steps"
}

# Starts the L1 that serves this kernel's calls; sets server and PVSPIN_L1.
conformance_l1() { # KERNEL
  export PVSPIN_L1=$scratch/l1
  mkdir -p "$PVSPIN_L1"
  serve_start "$PVSPIN_L1" "$1" --rw="$out" --memory=4096 --timeout="$limit" \
    --console="$out/$1/l1-console.log" || {
    say "no L1 with kernel $1: $(<"$PVSPIN_L1/$1.err")"
    return 1
  }
  server=$serve_pid
}

# Prints the vendor string that the guest's CPU does not have; under nested the CPU is AMD's.
conformance_other_vendor() {
  if [[ $accel == kvm ]] && grep -q '^vendor_id.*GenuineIntel' "$cpuinfo"; then
    echo AuthenticAMD
  else
    echo GenuineIntel
  fi
}

conformance_call() { # KERNEL INDEX
  local own=(--accel="$accel" --timeout="$CONFORMANCE_BOUND" --out="$out/$1/${configuration_names[$2]}")
  local words=() append="tests=${conformance_tests:-abi} test_ms=10" mask=${configuration_masks[$2]}
  read -ra words <<<"${configuration_arguments[$2]/OTHER_VENDOR/$(conformance_other_vendor)}"
  [[ $accel != nested ]] || own+=(--l1-kernel="$1")
  [[ $accel != nested || $mask == - ]] || append+=" vmm_features=$((mask))"
  PVSPIN_BOOT_LIMIT=60 "$tree/run.sh" "${own[@]}" -kernel "$image" "${words[@]}" -append "$append"
}

# Makes results.tsv from all logs, the three reports from that, and the exit status.
conformance_report() { # KERNELS
  local kernel name log
  for kernel; do
    for name in "${configuration_names[@]}"; do
      log=$out/$kernel/$name/serial-0.log
      [[ -e $log ]] || log=/dev/null
      awk -v kernel="$kernel" -v configuration="$name" \
        -v code="$(cat "$out/$kernel/$name.code" 2>/dev/null || echo "$EXIT_INTERRUPT")" \
        -v why="$(sed -n 's/^verdict: //p' "$out/$kernel/$name.txt" 2>/dev/null | tail -n 1)" \
        -f "$tree/tools/run/conformance-results.awk" "$log"
    done
  done >"$out/results.tsv"
  awk -f "$tree/tools/run/conformance-tap.awk" "$out/results.tsv" >"$out/conformance.tap"
  awk -f "$tree/tools/run/conformance-junit.awk" "$out/results.tsv" >"$out/conformance.xml"
  awk -v class="$accel_class" -v names="${configuration_names[*]}" \
    -f "$tree/tools/run/conformance-table.awk" "$out/results.tsv" >"$out/conformance.txt"
  print "$out/conformance.txt" "$out/conformance.txt" || return "$EXIT_ENVIRONMENT"
  [[ -z $interrupted ]] || return "$EXIT_INTERRUPT"
  ((EPOCHSECONDS < deadline)) || return "$EXIT_TIMEOUT"
  conformance_status
}

# The worst status of the calls; findings and skips are not failures.
conformance_status() {
  local result
  while read -r result; do
    case $result in
    fail) worse "$EXIT_FAIL" ;;
    error) worse "$EXIT_ENVIRONMENT" ;;
    crash) worse "$EXIT_CRASH" ;;
    timeout) worse "$EXIT_TIMEOUT" ;;
    esac
  done < <(cut -f 6 "$out/results.tsv" | sort -u)
  return "$worst"
}
