# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --experiment=NAME: makes the runs of a file in experiments/ (experiment-plan.sh has its commands),
# each $runs times and interleaved, so that slow changes of the machine affect all alike; then
# prints the analyser's tables. Each run is a call of run.sh with its own logs; under nested one L1
# serves them all. Sourced by run.sh.
#
#   $out[/<experiment>]/<run>/rep-<n>/    logs of one call        <run>/rep-<n>.txt   its output
#                            /trace/      logs of the traced call
#                      experiment.json    the analyser's input    study.txt           the tables
#
# Takes  deadline, hosted, image, interrupted, out, tree, version: run.sh
# Takes  experiment, jobs, limit_given, pin, qemu_user, runs, seconds, sim_host, sim_seed, trace,
#        user_cpu, user_smp: options.sh
# Takes  accel, accel_class, l1_kernel: accel.sh
# Takes  sim, sim_cpus: sim.sh
# Takes  worst: verdict.sh
# Takes  experiment_list, study_append, x_cells, x_counts, x_findings, x_more, x_needs, x_options, x_plan,
#        x_runs, x_study, x_summary, x_title, x_trace, x_traces: experiment-plan.sh
# Takes  linux_memory: linux.sh
# Takes  scratch: environment.sh
# Takes  serve_pid: nested/serve.sh
# Gives  calls, calls_wanted: the calls that are under way, by process ID; how many there will be,
#        empty without an experiment
# Gives  tracing: on, if pictures are wanted
# Gives  compile_s, limit_s: how long the compile takes, if that is said; after how long it is cut
# Gives  cpus, vcpus, work, work_many, no_ple, no_ple_keys, counter: for the files of experiments/

readonly EXPERIMENT_KVM=120 # --seconds= on hardware: a spread over minutes, as the study's, does not show in less
readonly EXPERIMENT_RATE=340 # jobs a second of a CPU: 170 k acquisitions (docs/kbuild.md) of 500 a job
readonly EXPERIMENT_BOUND=150 # seconds for one call: its VMs run for some seconds, on a slow machine a minute
readonly EXPERIMENT_SIM_BOUND=7200 # all locks of `sweep`, simulated, cost half an hour of one CPU
readonly EXPERIMENT_LEAST=10   # starts no call with less time left

calls=() calls_wanted='' l1_server='' broken='' tracing='' limit_s=60 compile_s=''

experiment_main() {
  local name
  experiment_facts
  ! linux_wanted || linux_prepare
  experiment_begin
  calls_wanted=0 calls_made=0
  for name in "${experiment_list[@]}"; do
    experiment_read "$name"
    experiment_needs "$name"
    experiment_check "$name"
    [[ -n ${skipped[$name]} ]] || calls_wanted=$((calls_wanted + (runs + x_traces) * ${#x_runs[@]}))
    mkdir -p "$(experiment_dir "$name")"
    experiment_json "$name"
  done
  ((${#experiment_list[@]} == 1)) || experiment_parts_json
  [[ -n $limit_given ]] || deadline_in $((120 + calls_wanted * $(experiment_patience)))
  experiment_repeat
  experiment_trace
  experiment_wait
  progress_end
  [[ -z $l1_server ]] || serve_stop "$l1_server"
  l1_server=''
  experiment_end
}

# Sets the variables for the files of experiments/.
# shellcheck disable=SC2034 # which of these files reads them is known when the call is made
experiment_facts() {
  cpus=$(nproc) no_ple=() no_ple_keys=' pause_gap=256'
  if [[ $accel == sim ]]; then cpus=$sim_cpus no_ple=(--host=ple=0) no_ple_keys=''; fi
  # The same choice as in tools/nested/nested.sh, which a running L1 made on the same machine.
  if [[ $accel == nested ]] && ((cpus > 16)); then cpus=16; fi
  if linux_wanted; then cpus=$(linux_cpus "$cpus"); fi
  vcpus=${user_smp%%,*}
  vcpus=${vcpus#cpus=}
  [[ $vcpus =~ ^[0-9]+$ ]] || vcpus=$cpus
  if [[ -z $user_smp ]] && linux_wanted && ((vcpus == 1)); then vcpus=2; fi # one would wait for nobody
  # An emulated CPU does a tenth to a thirtieth of the work of a real one.
  local each=20
  if [[ $accel == sim ]]; then
    each=100 # a simulated second
    # Behind preempted vCPUs a FIFO lock can take a hundred times as long as others, and a simulated
    # second of it costs ten seconds of a CPU.
    limit_s=5
  fi
  compile_s=$seconds
  [[ $accel != kvm ]] || compile_s=${seconds:-$EXPERIMENT_KVM}
  if [[ -n $compile_s ]]; then
    each=$((compile_s * EXPERIMENT_RATE))
    [[ $accel == kvm || $accel == sim ]] || each=$((each / 20))
    ((10 * compile_s <= limit_s)) || limit_s=$((10 * compile_s))
  fi
  work="workload=kbuild jobs=$((each * vcpus)) reps=1 limit_s=$limit_s"
  ((compile_s < 10)) || work+=' long_jobs=50' # so many that none ends the run alone
  # The study's -j36 and -j80 for 28 vCPUs, in proportion, rounded up.
  work_many="$work tasks=$(((80 * vcpus + 27) / 28))"
  work+=" tasks=$(((36 * vcpus + 27) / 28))"
  linux_plan "${work##* }"
  # The workload of traced calls: one lock that is hardly ever free, so that a preempted vCPU soon
  # holds it.
  counter="workload=contended ms=300"
  tracing=$trace
  [[ -n $trace || $accel == tcg ]] || tracing=on # plain emulation has no preempted holders to show
}

# Prints the seconds that each call has on average, if --timeout says nothing.
experiment_patience() {
  local each=100
  ! linux_wanted || each=$LINUX_BOUND
  if [[ $accel == sim ]]; then echo 900; else echo $((each + 15 * compile_s)); fi
}

# Under nested: starts one L1 for all calls, unless there is one already.
experiment_begin() {
  declare -gA skipped=()
  [[ $accel == nested ]] || return 0
  if ! linux_wanted && nested_served; then return 0; fi # see linux_cpus
  experiment_l1 || exit "$EXIT_ENVIRONMENT"
}

# Starts the L1 that serves all calls.
experiment_l1() {
  export PVSPIN_L1=$scratch/l1
  mkdir -p "$PVSPIN_L1"
  progress "starting L1 (kernel $l1_kernel)"
  serve_start "$PVSPIN_L1" "$l1_kernel" --cpus="$cpus" --rw="$out" --memory="$(($(nested_memory 2 "$linux_memory") + 300))" \
    --timeout=86400 --console="$out/l1-console.log" || {
    say "no L1 with kernel $l1_kernel: $(<"$PVSPIN_L1/$l1_kernel.err")"
    return 1
  }
  l1_server=$serve_pid
}

# Runs a command where QEMU runs: here, or in L1.
experiment_there() { # COMMAND...
  if [[ $accel == nested ]]; then
    "$tree/tools/nested/nested.sh" --kernel="$l1_kernel" --in="$PVSPIN_L1" --timeout=60 -- "$@"
  else
    "$@"
  fi
}

# Sets skipped[NAME] to the reason why the experiment cannot be done here, or to ''. With a KVM
# module parameter window (Intel) or count (AMD) of 0 there are no pause-loop exits; kvm_amd sets 0
# if the CPU has no pause filter.
experiment_needs() { # NAME
  local value
  skipped[$1]=''
  case $x_needs in
  ple)
    value=$([[ $accel == tcg ]] || { [[ $accel == sim ]] && echo 1; } || experiment_there sh -c 'cd /sys/module &&
      cat kvm_intel/parameters/ple_gap kvm_amd/parameters/pause_filter_count' 2>/dev/null) || true
    [[ $value =~ [1-9] ]] ||
      skipped[$1]="not here: this $accel_class CPU has no pause-loop exits (pause filter)"
    ;;
  esac
}

# Checks that the user's -append leaves the plan usable for the experiment.
experiment_check() { # NAME
  [[ " $study_append" != *' reps='* || " $study_append" == *' reps=1 '* ]] || ((x_summary)) ||
    usage_error "--experiment=$1: -append \"$study_append\": reps= is --runs=N here"
}

experiment_dir() { # NAME
  echo "$out${experiment_list[1]:+/$1}"
}

# Prints the runs in an order that differs from repetition to repetition and is the same in each call:
# nothing may always come behind the same other thing, whose state of the host it would inherit.
experiment_order() { # N RUN...
  local n=$1 run
  shift
  for run; do echo "$(cksum <<<"$n $run") $run"; done | sort -n | cut -d' ' -f3
}

experiment_repeat() {
  local n name run
  for ((n = 1; n <= runs; n++)); do
    for name in "${experiment_list[@]}"; do
      [[ -z ${skipped[$name]} ]] || continue
      experiment_read "$name"
      for run in $(experiment_order "$n" "${x_runs[@]}"); do
        experiment_stopped && return
        calls_made=$((calls_made + 1))
        progress "experiment: $calls_made of $calls_wanted, $name $run, repetition $n of $runs"
        experiment_call "$name" "$run" "rep-$n"
      done
    done
  done
}

# For the pictures: makes each run once more, short and traced, besides the repetitions.
experiment_trace() {
  local name run
  for name in "${experiment_list[@]}"; do
    experiment_read "$name"
    if ((!x_traces)) || [[ -n ${skipped[$name]} ]]; then continue; fi
    for run in "${x_runs[@]}"; do
      experiment_stopped && return
      calls_made=$((calls_made + 1))
      progress "experiment: $calls_made of $calls_wanted, $name $run, traced"
      experiment_call "$name" "$run" trace
    done
  done
}

experiment_stopped() {
  [[ -n $interrupted || -n $broken ]] && return
  ((EPOCHSECONDS + EXPERIMENT_LEAST < deadline)) && return 1
  worse "$EXIT_TIMEOUT"
  say "out of time after $((calls_made)) of $calls_wanted runs"
}

# Makes one call of run.sh as soon as fewer than $jobs are under way. Without --jobs it has ended on
# return.
experiment_call() { # NAME RUN rep-N|trace
  while ((${#calls[@]} >= jobs)) && [[ -z $interrupted ]]; do experiment_reap; done
  [[ -z $interrupted && -z $broken ]] || return 0
  experiment_start "$@"
  ((jobs > 1)) || experiment_wait
}

experiment_wait() {
  while ((${#calls[@]})); do experiment_reap; done
}

# Waits until a call has ended, and judges it.
experiment_reap() {
  local pid code call
  wait -n "${!calls[@]}" 2>/dev/null || true # or a signal
  for pid in "${!calls[@]}"; do
    ! kill -0 "$pid" 2>/dev/null || continue
    code=0
    wait "$pid" 2>/dev/null || code=$?
    read -ra call <<<"${calls[$pid]}"
    unset "calls[$pid]"
    [[ -n $interrupted ]] || experiment_ended "$code" "${call[@]}"
  done
}

# A call that failed is not repeated: it stays out of the tables, and the user is told.
experiment_ended() { # STATUS NAME RUN rep-N|trace
  local code=$1 at what="$2 $3, ${4/rep-/repetition }"
  ((code != 0)) || return 0
  at=$(experiment_dir "$2")/$3/$4
  worse "$code"
  say "$what ended with $code: $(grep -E '^(verdict|error|run.sh):' "$at.txt" |
    grep -v 'logs are in' | tail -n 1)"
  # A wrong call, a missing tool or a dead L1 will make all of them fail.
  ((code != EXIT_USAGE && code != EXIT_ENVIRONMENT)) || broken=1
  if [[ $accel == nested ]] && ! nested_served; then
    say "L1 has died: $out/l1-console.log"
    broken=1
  fi
}

# Prints the keys of a run's calls, including the user's; for the traced call, with its workload and
# the trace keys.
experiment_keys() { # RUN [trace]
  local keys
  keys=$(keys_override "${x_plan[$1]}" "$study_append")
  [[ ${2-} != trace ]] || keys=$(keys_override "$keys" "$x_trace reps=1 trace=60 trace_until=lhp")
  echo "$keys"
}

# In the background, so that a signal to this script ends the wait, and calls can be side by side.
experiment_start() { # NAME RUN rep-N|trace
  local words=() own=(--accel="$accel") at n=${3#rep-} left=$((deadline - EPOCHSECONDS)) bound=$EXPERIMENT_BOUND boot_bound=60
  at=$(experiment_dir "$1")/$2/$3
  mkdir -p "${at%/*}"
  mapfile -t words <<<"${x_options[$2]}"
  [[ -n ${words[0]} ]] || words=()
  [[ $accel != nested ]] || own+=(--l1-kernel="$l1_kernel")
  ! linux_wanted || bound=$LINUX_BOUND boot_bound=$LINUX_BOOT_BOUND
  bound=$((bound + 4 * (limit_s - 60)))
  if [[ $accel == sim ]]; then
    bound=$EXPERIMENT_SIM_BOUND
    [[ $n != trace ]] || n=1
    own+=("--seed=$((${sim_seed:-1} + n - 1))")
    [[ -z $sim_host ]] || own+=("--host=$sim_host")
  else
    own+=(-kernel "$image")
  fi
  own+=(--timeout="$((left < bound ? left : bound))" --out="$at")
  [[ -z $pin ]] || own+=(--pin="$pin")
  [[ -z $user_cpu ]] || own+=(-cpu "$user_cpu")
  [[ -n $user_smp || " ${words[*]-} " == *' -smp '* ]] || own+=(-smp "$vcpus")
  starting
  set -m # a process group of its own: a Ctrl-C reaches this script alone
  PVSPIN_BOOT_LIMIT=${PVSPIN_BOOT_LIMIT:-$boot_bound} PVSPIN_HOSTED=${hosted:-} PVSPIN_SIM=${sim:-} "$tree/run.sh" "${own[@]}" \
    -append "$(experiment_keys "$2" "$3")" ${words[@]+"${words[@]}"} \
    ${qemu_user[@]+"${qemu_user[@]}"} </dev/null >"$at.txt" 2>&1 &
  calls[$!]=$*
  set +m
  started
}

# Writes the list of parts of an experiment that consists of several.
experiment_parts_json() {
  jq -n --arg name "$experiment" --args '{schema: 1, name: $name, parts: $ARGS.positional}' -- \
    "${experiment_list[@]}" >"$out/experiment.json"
}

# Writes the analyser's input (docs/experiments.md). Written before the first run, so that the
# existing logs can be read whatever ends the experiment.
experiment_json() { # NAME
  local at run
  at=$(experiment_dir "$1")
  printf '%s\n' ${x_cells[@]+"${x_cells[@]}"} | jq -s . >"$scratch/cells"
  printf '%s\n' ${x_findings[@]+"${x_findings[@]}"} | jq -s . >"$scratch/findings"
  for run in ${x_runs[@]+"${x_runs[@]}"}; do
    printf '%s\0%s\0%s\n' "$run" "$(experiment_keys "$run")" "${x_options[$run]//$'\n'/ }"
  done >"$scratch/runs"
  jq -n --arg name "$1" --arg title "$x_title" --arg study "$x_study" --arg more "$x_more" --arg class "$accel_class" \
    --arg skipped "${skipped[$1]}" --arg version "$version" --argjson runs "$runs" --argjson cpus "$cpus" \
    --argjson vcpus "$vcpus" --argjson summary "$x_summary" --argjson counts "$x_counts" --argjson traces "$x_traces" --slurpfile cells "$scratch/cells" \
    --slurpfile findings "$scratch/findings" --rawfile calls "$scratch/runs" '
    [range(1; $runs + 1)] as $n
    | {schema: 1, name: $name, title: $title, study: $study, more: $more, version: $version,
       accel: $class, host_cpus: $cpus, vcpus: $vcpus, runs: $runs,
       skipped: (if $skipped == "" then null else $skipped end), summary: ($summary == 1), counts: ($counts == 1),
       calls: ($calls | split("\n") | map(select(. != "") | split("\u0000")
         | {name: .[0], plan: .[1], options: .[2]})),
       traces: (if $traces == 1 then $calls | split("\n") | map(select(. != "") | split("\u0000")[0]
         | {run: ., directory: "\(.)/trace"}) else [] end),
       cells: ($cells[0] | map(.run as $run | . + {directories: [$n[] | "\($run)/rep-\(.)"]})),
       findings: $findings[0]}' >"$at/experiment.json"
}

experiment_end() {
  local analyser=$tree/build/pvspin-report all=1 name
  for name in "${experiment_list[@]}"; do
    if [[ -z ${skipped[$name]} ]]; then all=0; else say "$name skipped: ${skipped[$name]}"; fi
  done
  # The analyser's status 3 means logs that are not whole, whose calls have been judged already.
  "$analyser" "$out" >"$out/study.txt" 2>"$scratch/analyser" || (($? == 3)) || {
    say "$analyser: $(<"$scratch/analyser")"
    worse "$EXIT_ENVIRONMENT"
  }
  print "$out/study.txt" "$out/study.txt" || worse "$EXIT_ENVIRONMENT"
  say "logs are in $out"
  [[ -z $interrupted ]] || worse "$EXIT_INTERRUPT"
  ((worst || !all)) || worse "$EXIT_SKIP"
  exit "$worst"
}
