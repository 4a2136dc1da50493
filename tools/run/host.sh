# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Describes, for manifest.json, the machine whose Linux runs the virtual machines: two measurements
# can be compared only if the machine's settings are known to be the same. Sourced by run.sh.
#
#   host_begin DIR     before the virtual machines start: stores the description and the load in DIR
#   host_end DIR       after they have ended: stores the load once more
#   host_manifest DIR  prints both, one JSON object: kernel, cpu_model, microcode, cpus, hz, words, settings,
#                      per_cpu, load
#   host_threads       prints the scheduler's statistics of a VM's vCPU threads, one JSON object
#
# Settings are named by their file in /sys or /proc, as in the kernel's documentation
# (Documentation/admin-guide, virt/kvm, scheduler). Files that do not exist, or that the caller may
# not read (debugfs), are left out.
#
# Takes  inner: run.sh

readonly HOST_SETTINGS=(
  # KVM: pause-loop exits, halt polling, AVIC or APICv, nested
  /sys/module/kvm/parameters/* /sys/module/kvm_intel/parameters/* /sys/module/kvm_amd/parameters/*
  # the scheduler: slice, features, preemption model; before 5.13 under /proc/sys/kernel
  /sys/kernel/debug/sched/{base_slice_ns,features,preempt,tunable_scaling,latency_ns,min_granularity_ns}
  /sys/kernel/debug/sched/{wakeup_granularity_ns,migration_cost_ns,nr_migrate}
  /sys/kernel/debug/sched_features
  /proc/sys/kernel/sched_{latency_ns,min_granularity_ns,wakeup_granularity_ns,migration_cost_ns}
  /proc/sys/kernel/{sched_autogroup_enabled,sched_rt_runtime_us,numa_balancing,watchdog}
  # the CPUs: frequency, hyper-threads, kinds of cores, idle states, mitigations, time
  /sys/devices/system/cpu/{online,isolated,nohz_full} /sys/devices/system/cpu/smt/{active,control}
  /sys/devices/system/cpu/cpufreq/boost /sys/devices/system/cpu/intel_pstate/{status,no_turbo}
  /sys/devices/system/cpu/amd_pstate/status
  /sys/devices/cpu_{core,atom}/cpus /sys/devices/system/cpu/cpuidle/{current_driver,current_governor}
  /sys/devices/system/cpu/vulnerabilities/*
  /sys/devices/system/clocksource/clocksource0/current_clocksource
  # memory
  /sys/devices/system/node/node*/cpulist
  /sys/kernel/mm/transparent_hugepage/{enabled,defrag} /sys/kernel/mm/ksm/run
)

# Files of each CPU, under /sys/devices/system/cpu/cpu<N>.
readonly HOST_PER_CPU=(
  cpufreq/scaling_driver cpufreq/scaling_governor cpufreq/energy_performance_preference
  cpufreq/scaling_min_freq cpufreq/scaling_max_freq topology/physical_package_id
)

# Parameters of the kernel's command line that influence a measurement; others may be private.
readonly HOST_WORDS='^(mitigations|preempt|isolcpus|nohz_full|rcu_nocbs|idle|nosmt|maxcpus|nr_cpus|tsc|clocksource|hugepages|default_hugepagesz|transparent_hugepage|intel_idle[.]max_cstate|processor[.]max_cstate|intel_pstate|amd_pstate|cpufreq[.]default_governor|kvm[a-z_-]*[.].*|skew_tick|nohz|split_lock_detect|numa_balancing)(=|$)'

host_describe() {
  jq -n --arg kernel "$(uname -srvm)" --arg cpus "$(nproc)" --arg words "$HOST_WORDS" \
    --arg cpu "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)" \
    --arg microcode "$(sed -n 's/^microcode[^:]*: //p' /proc/cpuinfo | sort -u | paste -sd ' ')" \
    --arg hz "$(host_hz)" \
    --rawfile line /proc/cmdline \
    --rawfile settings <(grep -sH '' "${HOST_SETTINGS[@]}" || true) \
    --rawfile per_cpu <(host_per_cpu) '
    # Lines "PATH:VALUE" as grep writes them; a file of several lines has several.
    def files: split("\n") | map(select(. != "") | capture("^(?<path>[^:]*):(?<value>.*)$"))
      | reduce .[] as $f ({}; .[$f.path] |= (if . then . + "\n" else "" end) + $f.value);
    { kernel: $kernel, cpu_model: $cpu, microcode: $microcode, cpus: ($cpus | tonumber),
      hz: ($hz | tonumber? // null),
      words: ($line | split("\n")[0] | split(" ") | map(select(test($words)))),
      settings: ($settings | files),
      # "performance": CPUs of which it is true, if it is not all of them
      per_cpu: ($per_cpu | files
        | map_values(split("\n") | group_by(.)
            | if length == 1 then .[0][0] else map({key: .[0], value: length}) | from_entries end)) }'
}

# Prints CONFIG_HZ of the running kernel, if its configuration can be read.
host_hz() {
  { zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null || true; } |
    sed -n 's/^CONFIG_HZ=//p'
}

host_per_cpu() {
  local files=("${HOST_PER_CPU[@]/#//sys/devices/system/cpu/cpu[0-9]*/}")
  # shellcheck disable=SC2068 # patterns
  { grep -sH '' ${files[@]} || true; } | sed 's|^/sys/devices/system/cpu/cpu[0-9]*/|cpu*/|'
}

host_begin() { # DIR
  mkdir -p "$1"
  if ((inner)); then # an L1 that serves is described once, because that takes seconds there
    [[ -s $TMPDIR/host-description ]] || host_describe >"$TMPDIR/host-description"
    cp "$TMPDIR/host-description" "$1/description"
  else
    host_describe >"$1/description"
  fi
  cp /proc/loadavg "$1/before"
}

host_end() { # DIR
  [[ ! -d $1 ]] || cp /proc/loadavg "$1/after" 2>/dev/null || rm -f "$1/after" # if the disk is full
}

# Prints an empty object if nothing was stored, because L1 was lost before.
host_manifest() { # DIR
  local file
  for file in description before after; do [[ -e $1/$file ]] || { echo '{}'; return; }; done
  jq --rawfile before "$1/before" --rawfile after "$1/after" '
    def averages: split(" ")[:3] | map(tonumber);
    . + {load: {before: ($before | averages), after: ($after | averages)}}' "$1/description"
}

# Prints for each thread: ns on a CPU, ns runnable without one (proc(5), schedstat; 0 if the kernel
# keeps none), and how often it gave up its CPU or lost it.
host_threads() { # THREAD-ID...
  local id run wait lines line gave lost out=''
  for id; do
    run=0 wait=0 gave=0 lost=0 lines=()
    # Whole files: between two lines `read` seeks back, and the kernel writes the file anew.
    mapfile -t lines 2>/dev/null <"/proc/$id/schedstat" || true
    read -r run wait _ <<<"${lines[0]:-0 0}"
    mapfile -t lines 2>/dev/null <"/proc/$id/status" || true
    for line in ${lines[@]+"${lines[@]}"}; do
      case $line in
      voluntary_ctxt_switches:*) gave=${line#*$'\t'} ;;
      nonvoluntary_ctxt_switches:*) lost=${line#*$'\t'} ;;
      esac
    done
    out+=",\"$id\":{\"run_ns\":$run,\"wait_ns\":$wait,\"switches\":$gave,\"preemptions\":$lost}"
  done
  echo "{${out#,}}"
}
