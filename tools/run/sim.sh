# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --accel=sim: the virtual machines of a boot on a simulated host, all in one process,
# build/sim/pvspin-sim (docs/sim.md). To the coordinator (coordinator.sh) each VM is a member like a
# QEMU: the coordinator gets the same messages, and finds logs, commands and statuses where a QEMU
# would have left them. Sourced by run.sh.
#
#   sim_options   refuses options that sim lacks        sim_ready   builds it, checks --host
#   sim_compose   sets its command                      sim_main    runs it: one job for all members
#   sim_run_all   --runs=N, --jobs at a time
#
# Takes  interrupted, out, run_dir, tree: run.sh
# Takes  append, boot, conformance, experiment, gdb, host_peer, instances, jobs, kernel_file,
#        l1_kernel_given, limit, meet, members, peer_keys, pin, pv, qemu_user, runs, sim_host,
#        sim_seed, sim_vm, user_cpu, user_smp: options.sh
# Takes  smp_cpus: qemu.sh
# Takes  events, run_scratch: coordinator.sh
# Takes  scratch: environment.sh
# Gives  sim, sim_cpus: the simulator; how many CPUs its host has
# Gives  sim_runs: the boots of this call that are under way, by process ID

# Without a QEMU there are no QEMU options, and nothing that could be released, paused or booted.
sim_options() {
  local word vm
  for word in ${qemu_user[@]+"${qemu_user[@]}"}; do
    [[ $word != -* || $word == -smp ]] ||
      usage_error "$word: --accel=sim has no QEMU; of its options -smp and -append are accepted"
  done
  [[ -z $user_cpu ]] || usage_error '-cpu: --accel=sim takes --host=machine=study|skylake|milan'
  [[ -z $kernel_file ]] || usage_error '-kernel: --accel=sim builds its own guest'
  [[ -z $meet && $gdb == 0 && $conformance == 0 && $boot == multiboot && -z $l1_kernel_given ]] ||
    usage_error '--accel=sim takes none of --meet, --gdb, --conformance, --boot, --l1-kernel'
  for word in ${user_smp//,/ }; do
    [[ $word =~ ^([a-z]+=)?[1-9][0-9]{0,6}$ ]] || usage_error "-smp $user_smp: $word: a number of vCPUs is wanted"
  done
  for vm in ${sim_vm[@]+"${!sim_vm[@]}"}; do
    [[ -n $experiment ]] || ((vm < instances)) ||
      usage_error "--vm=$vm: there are $instances VMs, from 0 on (--instances=N)"
  done
}

sim_others() { # refuses sim's options with other accelerators
  [[ -z $sim_host && -z $sim_seed && ${#sim_vm[@]} -eq 0 && -z $jobs ]] ||
    usage_error '--host, --seed, --vm and --jobs are for --accel=sim'
}

sim='' sim_cpus='' sim_runs=()

# Sets sim, sim_words and sim_cpus; ends the call if --host or --pin is wrong.
sim_ready() {
  local model=$sim_host answer status=0
  [[ -z $experiment ]] || build_target build/pvspin-report
  sim=${PVSPIN_SIM:-} # a call of an experiment is given its copy
  if [[ -z $sim ]]; then
    build_target build/sim/pvspin-sim
    build_target build/sim/guest.so
    mkdir -p "$scratch/sim"
    cp "$tree/build/sim/pvspin-sim" "$tree/build/sim/guest.so" "$scratch/sim/" ||
      die "$EXIT_ENVIRONMENT" "cannot copy build/sim to $scratch (TMPDIR chooses another place)"
    sim=$scratch/sim/pvspin-sim
  fi
  [[ $pv != off ]] || model+=${model:+,}pv_unhalt=0
  sim_words=(${model:+"--host=$model"} ${pin:+"--pin=$pin"})
  qemu_smp
  answer=$("$sim" ${sim_words[@]+"${sim_words[@]}"} --check "$smp_cpus" '' 2>&1) || status=$?
  ((status == 0)) || die "$status" "${answer#pvspin-sim: }"
  sim_cpus=$answer
}

# Prints member I's command line: the user's keys, with those of --vm=I:KEYS, or --host-peer=KEYS,
# replacing the same ones. By default a run measures 100 ms, 25 slices of the host's scheduler: a
# simulated second of two VMs with 28 vCPUs costs 15 to 30 seconds.
sim_append() { # MEMBER
  local line own=${sim_vm[$1]-}
  ! is_peer "$1" || own=$peer_keys
  line="$(keys_override "$append" "$own")$(is_peer "$1" || pv_key) accel=sim"
  [[ " $line" == *' ms='* || " $line" == *' ops='* || " $line" == *' workload=kbuild'* ]] || line+=' ms=100'
  if ((members > 1)) && [[ " $append " != *' start='* ]]; then line+=' start=serial-each'; fi
  echo "${line# }"
}

# Sets sim_command for run N of the call; each has a seed of its own.
sim_compose() {
  local i n=1
  qemu_smp
  [[ $run_dir == "$out" ]] || n=${run_dir##*-}
  sim_command=("$sim" ${sim_words[@]+"${sim_words[@]}"} "--seed=$((${sim_seed:-1} + n - 1))"
    "--out=$run_dir" "--raw=$run_dir/.raw" "--events=$events")
  ((!host_peer)) || sim_command+=(--host-peer)
  [[ " $append ${sim_vm[*]-}" != *' trace='* ]] || sim_command+=("--schedule=$run_dir/host-schedule.tsv")
  for ((i = 0; i < members; i++)); do
    if is_peer "$i"; then sim_command+=("$sim_cpus"); else sim_command+=("$smp_cpus"); fi
    sim_command+=("$(sim_append "$i")")
  done
}

sim_main() {
  local i
  set +m
  trap - INT TERM HUP EXIT
  sim_began=$EPOCHREALTIME sim_pid='' sim_status=none
  trap sim_gone EXIT
  for ((i = 0; i < members; i++)); do
    mkdir -p "$run_scratch/$i"
    printf '%s\0' "${sim_command[@]}" >"$run_dir/.raw/command-$i"
  done
  timeout --foreground --kill-after=5 "$((limit + 10))" "${sim_command[@]}" </dev/null 2>"$run_dir/sim.log" &
  sim_pid=$!
  wait "$sim_pid" || sim_status=$?
  [[ $sim_status != none ]] || sim_status=0
}

# Tells the coordinator that it is gone, whatever ended it. Each VM that ended has left its status,
# exit-<I>, which is converted to the status that QEMU would have ended with (verdict.sh).
sim_gone() {
  local i raw=$run_dir/.raw code
  trap - EXIT
  set +e
  [[ -z $sim_pid ]] || kill "$sim_pid" 2>/dev/null
  for ((i = 0; i < members; i++)); do
    code=$sim_status
    [[ ! -s $raw/exit-$i ]] || read -r code <"$raw/exit-$i"
    is_peer "$i" || case $code in
    0) code=33 ;;
    3) code=35 ;;
    77) code=37 ;;
    2) code=39 ;;
    4) [[ -s $raw/exit-$i ]] || tail -n 1 "$run_dir/sim.log" >"$raw/failed-$i"; code=39 ;;
    5) code=63 ;;
    esac
    { echo "$code" >"$raw/exit-$i" && echo "${sim_began/[.,]/} ${EPOCHREALTIME/[.,]/}" >"$raw/time-$i"; } 2>/dev/null ||
      echo "lost $i" >&"$events"
    echo "exit $i" >&"$events"
  done
}

# Makes all boots of the call, $jobs at a time. Each has its subshell, because the coordinator's
# variables are for one boot.
sim_run_all() {
  local n pid
  sim_runs=()
  for ((n = 1; n <= runs; n++)); do
    while ((${#sim_runs[@]} >= jobs)) && [[ -z $interrupted ]]; do sim_reap; done
    [[ -z $interrupted ]] || break
    progress "run $n of $runs"
    run_dir_of "$n"
    starting
    set -m
    sim_one &
    sim_runs[$!]=$n
    set +m
    started
  done
  while ((${#sim_runs[@]})); do sim_reap; done
}

sim_one() {
  set +m
  progress_off
  sim_runs=()
  trap - EXIT
  trap interrupt INT TERM HUP QUIT
  started
  coordinator_run
}

# Waits until one of the boots has ended.
sim_reap() {
  local pid
  wait -n "${!sim_runs[@]}" 2>/dev/null || true # or a signal
  for pid in "${!sim_runs[@]}"; do
    kill -0 "$pid" 2>/dev/null || unset "sim_runs[$pid]"
  done
}
