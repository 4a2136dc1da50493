# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Finds out where the vCPUs of a guest that ran out of time were. QEMU is asked before it is ended,
# because a guest that hangs with interrupts off cannot tell. Sourced by run.sh.
#
#   snapshot_take I   writes registers-<I>.txt, QEMU's "info registers -a", to $run_dir
#   snapshot_text I   prints that file's instruction pointers for people, with symbols
#
# Takes  run_dir: run.sh
# Takes  run_scratch: coordinator.sh

snapshot_take() { # INSTANCE
  local qmp_in qmp_out qmp_reply qemu file=$run_dir/registers-$1.txt
  [[ -p $run_scratch/$1/qmp.in && -s $run_scratch/$1/qemu.pid ]] || return 0
  qemu=$(<"$run_scratch/$1/qemu.pid")
  # Both directions: does not block if QEMU is gone.
  exec {qmp_in}<>"$run_scratch/$1/qmp.in" {qmp_out}<>"$run_scratch/$1/qmp.out"
  if qmp human-monitor-command '{"command-line":"info registers -a"}'; then
    jq -r .return <<<"$qmp_reply" | tr -d '\r' >"$file" || true # if the disk is full
  fi
  exec {qmp_in}>&- {qmp_out}>&-
}

snapshot_text() { # INSTANCE
  local file=$run_dir/registers-$1.txt cpu='' rip
  [[ -s $file ]] || return 0
  echo "when time was up (all registers: ${file##*/}):"
  while read -r cpu rip; do
    echo "  CPU $cpu: 0x$rip $(address_name "$((16#$rip))")"
  done < <(awk '/^CPU#/ { cpu = substr($1, 5) }
    match($0, /[RE]IP=[0-9a-f]+/) { print cpu, substr($0, RSTART + 4, RLENGTH - 4) }' "$file")
}
