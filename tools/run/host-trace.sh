# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --host-trace: what the host of the VMs did during each run, by tracefs, for the host's side of a
# timeline (pvspin-report --perfetto). host-trace.pl makes the trace; this part starts it for a boot
# and tells it when a run begins and is over. All members are held then (start=serial-each), so
# reading the ring takes no time from a measured phase. Sourced by run.sh.
#
#   host_trace_options   refuses what it does not go with
#   host_trace_check     ends the call where tracing is not allowed, or where there is no KVM
#   host_trace_begin     begins to trace the boot in $run_dir
#   host_trace_turn      call when all members are held: saves the run that is over, begins the next
#   host_trace_end       removes the trace's ring; also called from the exit trap
#   host_trace_forget    closes its files in a member, which may outlive the call
#
# Takes  run_dir, tree: run.sh
# Takes  accel_asked, append, conformance, experiment, host_trace: options.sh
# Takes  accel: accel.sh
# Takes  run_scratch: coordinator.sh

readonly HOST_TRACE_SECONDS=120 # for an answer; in L1, 10,000 events of each CPU take some seconds
readonly HOST_TRACE_NEEDS='it needs root, tracefs on /sys/kernel/tracing and debugfs on /sys/kernel/debug
(mount -t tracefs tracefs /sys/kernel/tracing; mount -t debugfs debugfs /sys/kernel/debug)'

host_trace_pid='' host_trace_to='' host_trace_from='' host_trace_runs=0

host_trace_options() {
  [[ -n $host_trace ]] || return 0
  [[ $accel_asked != @(tcg|sim) ]] ||
    usage_error "--host-trace traces KVM, which --accel=$accel_asked has not (sim shows its host by itself)"
  [[ $conformance == 0 && -z $experiment ]] ||
    usage_error '--host-trace is for a plain call of run.sh, not for --experiment or --conformance'
  [[ " $append " =~ ' trace='[1-9] ]] ||
    usage_error '--host-trace shows the host beside the events of the guest: -append needs trace=N'
  [[ " $append " != *' start='* || " $append " == *' start=serial-each '* ]] ||
    usage_error '--host-trace holds the guest before each run: of start=, only serial-each is accepted'
}

host_trace_check() {
  local missing=()
  [[ -n $host_trace && $accel != nested ]] || return 0 # nested: this is checked in L1
  [[ $accel == kvm ]] || die "$EXIT_ENVIRONMENT" "--host-trace traces KVM, and accel is $accel"
  [[ -w /sys/kernel/tracing/instances || -w /sys/kernel/debug/tracing/instances ]] || missing+=('tracefs')
  [[ -r /sys/kernel/debug/kvm ]] || missing+=("KVM's directory in debugfs")
  ((!${#missing[@]})) ||
    die "$EXIT_ENVIRONMENT" "--host-trace: cannot use $(printf '%s and ' "${missing[@]}" | sed 's/ and $//')" "$HOST_TRACE_NEEDS"
}

host_trace_begin() {
  local answer
  [[ -n $host_trace ]] || return 0
  mkfifo "$run_scratch/trace.in" "$run_scratch/trace.out"
  exec {host_trace_to}<>"$run_scratch/trace.in" {host_trace_from}<>"$run_scratch/trace.out"
  set -m # a process group of its own: a Ctrl-C at the terminal does not reach it
  perl "$tree/tools/run/host-trace.pl" "$run_dir" "$host_trace" "pvspin-$$" \
    <"$run_scratch/trace.in" >"$run_scratch/trace.out" {host_trace_to}>&- {host_trace_from}<&- &
  host_trace_pid=$! host_trace_runs=0
  set +m
  host_trace_answer || die "$EXIT_ENVIRONMENT" "--host-trace: $answer" "$HOST_TRACE_NEEDS"
}

# Sets answer; false unless it is "ok".
host_trace_answer() {
  answer='no answer from host-trace.pl'
  read -r -t "$HOST_TRACE_SECONDS" -u "$host_trace_from" answer || true
  [[ $answer == ok ]]
}

host_trace_turn() {
  local command answer
  [[ -n $host_trace_to ]] || return 0
  for command in save start; do
    [[ $command == start ]] || ((host_trace_runs++)) || continue
    echo "$command" >&"$host_trace_to"
    host_trace_answer && continue
    say "--host-trace: $answer; going on without it"
    host_trace_end
    return 0
  done
}

host_trace_forget() {
  [[ -n $host_trace_to ]] || return 0
  exec {host_trace_to}>&- {host_trace_from}<&-
  host_trace_to='' host_trace_from=''
}

host_trace_end() {
  host_trace_forget
  [[ -n $host_trace_pid ]] || return 0
  { wait "$host_trace_pid" || true; } 2>/dev/null
  host_trace_pid=''
}
