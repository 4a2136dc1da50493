# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --accel=sim: the virtual machines of a run on a simulated host, all in one process,
# build/sim/pvspin-sim (docs/sim.md). To the coordinator (together.sh) each VM is a member like a
# QEMU: the coordinator receives their records and finds logs, commands and statuses where a QEMU
# would have left them. Sourced by run.sh.
#
#   sim_options   refuses options that sim lacks        sim_ready   builds it, checks --host
#   sim_start     starts it: one job for all members

# Without a QEMU there are no QEMU options, and nothing that could be released, paused or booted.
sim_options() {
  local word
  for word in ${qemu_user[@]+"${qemu_user[@]}"}; do
    [[ $word != -* || $word == -smp ]] ||
      usage_error "$word: --accel=sim has no QEMU; of its options -smp and -append are accepted"
  done
  [[ -z $user_cpu ]] || usage_error '-cpu: --accel=sim takes --host=machine=study|skylake|milan'
  [[ -z $image ]] || usage_error '-kernel: --accel=sim builds its own guest'
  [[ -z $meet && $gdb == 0 && $conformance == 0 && $host_peer == 0 && $boot == multiboot && -z $l1_kernel_given ]] ||
    usage_error '--accel=sim takes none of --meet, --gdb, --conformance, --host-peer, --boot, --l1-kernel'
  ((instances)) || usage_error '--instances=0: nothing would run'
}

sim_others() { # refuses sim's options with other accelerators
  [[ -z $sim_host && -z $sim_seed && ${#sim_vm[@]} -eq 0 ]] ||
    usage_error '--host, --seed and --vm are for --accel=sim'
}

# Sets sim and the host's words; ends the call if --host or --pin is wrong.
sim_ready() {
  local problem status=0
  build_target build/sim/pvspin-sim
  build_target build/sim/guest.so
  mkdir -p "$scratch/sim"
  cp "$tree/build/sim/pvspin-sim" "$tree/build/sim/guest.so" "$scratch/sim/" ||
    die "$EXIT_ENVIRONMENT" "cannot copy build/sim to $scratch (TMPDIR chooses another place)"
  sim=$scratch/sim/pvspin-sim
  [[ $pv == on ]] || sim_host+=${sim_host:+,}pv_unhalt=0
  problem=$("$sim" ${sim_host:+"--host=$sim_host"} ${pin:+"--pin=$pin"} --check 2>&1) || status=$?
  ((status == 0)) || die "$status" "${problem#pvspin-sim: }"
}

# Prints member I's command line: the user's keys, with those of --vm=I:KEYS replacing the same
# ones.
sim_append() { # INSTANCE
  local line
  line="$(keys_override "$append" "${sim_vm[$1]-}") accel=sim"
  if ((instances > 1)) && [[ " $append " != *' start='* ]]; then line+=' start=serial-each'; fi
  echo "${line# }"
}

# Sets sim_command for run N of the call; each has a seed of its own.
sim_compose() {
  local i n=1
  qemu_smp
  [[ $run_dir == "$out" ]] || n=${run_dir##*-}
  sim_command=("$sim" ${sim_host:+"--host=$sim_host"} ${pin:+"--pin=$pin"} "--seed=$((${sim_seed:-1} + n - 1))"
    "--out=$run_dir" "--raw=$run_dir/.raw" "--events=$events")
  for ((i = 0; i < instances; i++)); do
    sim_command+=("$smp_cpus" "$(sim_append "$i")")
  done
}

sim_start() {
  local i
  sim_compose
  sim_main &
  for ((i = 0; i < instances; i++)); do
    state[i]=starting jobs_pid[i]=$!
  done
}

sim_main() {
  local i
  set +m
  trap - INT TERM HUP EXIT
  started=$EPOCHREALTIME sim_pid='' sim_status=none
  trap sim_gone EXIT
  for ((i = 0; i < instances; i++)); do
    mkdir -p "$work/$i"
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
  for ((i = 0; i < instances; i++)); do
    code=$sim_status
    [[ ! -s $raw/exit-$i ]] || read -r code <"$raw/exit-$i"
    case $code in
    0) code=33 ;;
    3) code=35 ;;
    77) code=37 ;;
    2) code=39 ;;
    4) [[ -s $raw/exit-$i ]] || tail -n 1 "$run_dir/sim.log" >"$raw/failed-$i"; code=39 ;;
    5) code=63 ;;
    esac
    { echo "$code" >"$raw/exit-$i" && echo "${started/[.,]/} ${EPOCHREALTIME/[.,]/}" >"$raw/time-$i"; } 2>/dev/null ||
      echo "lost $i" >&"$events"
    echo "exit $i" >&"$events"
  done
}
