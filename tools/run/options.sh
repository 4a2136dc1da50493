# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The command line. Words with two dashes are pvspin's. The rest is QEMU's and kept as it is, except
# -append and -kernel, which are taken out, and a few that are inspected. Sourced by run.sh.
#
#   options_parse "$@"   sets what is in the table below
#
# Takes  inner: run.sh
# Takes  l1_error: nested/kernel.sh
# Gives  action, setup: what to do instead of a run, or before it
# Gives  accel_asked, kernel_file, out_given, l1_kernel_given, limit_given: as given, before they
#        become accel, image, out, l1_kernel, limit
# Gives  append, pv, boot, instances, runs, pin, limit, gdb, meet, meet_calls, trace, seconds, experiment,
#        conformance, conformance_names, conformance_tests, host_peer, peer_keys, sim_host,
#        host_trace, sim_seed, sim_vm, jobs: the values of these options; 0 or '' without one
# Gives  qemu_words, qemu_user: all of QEMU's options; the ones that are passed on unchanged
# Gives  user_cpu, user_m, user_smp, user_machine, machine_type: the values of -cpu, -m, -smp and
#        -machine, several of them joined by commas; the machine's type
# Gives  pin_cpus, members, paused: the CPUs of --pin; the number of VMs and the peer; 1 if a person
#        starts the guest

options_default() {
  action=run             # or help, version, list, qemu_help
  setup=0 accel_asked=auto l1_kernel_given='' pv=on instances=1 runs='' pin='' out_given='' limit='' gdb=0
  boot=multiboot meet='' meet_calls=2
  conformance=0 conformance_names=''
  sim_host='' sim_seed='' sim_vm=() jobs=''
  host_peer=0 peer_keys='' experiment='' trace='' seconds='' host_trace=''
  kernel_file=''         # -kernel
  append=''              # -append
  qemu_user=()           # everything else for QEMU
  qemu_words=()          # all of QEMU's options as they came
  user_cpu='' user_m='' user_machine='' user_smp='' # several values are joined by commas
  machine_type=''        # pc, q35...; empty: QEMU's own choice
  paused=0               # the guest starts on a person's command
}

# These two set a variable, because an exit in $(...) would end only a subshell.
number() { # VARIABLE WORD MAX: sets VARIABLE to the number after '='; otherwise a usage error
  local value=${2#*=}
  if [[ ! $value =~ ^[1-9][0-9]{0,8}$ ]] || ((value > $3)); then
    usage_error "$2: a number from 1 to $3 is accepted"
  fi
  printf -v "$1" %s "$value"
}

one_of() { # VARIABLE WORD ACCEPTED...: sets VARIABLE to the value after '='
  local accepted
  for accepted in "${@:3}"; do
    [[ ${2#*=} != "$accepted" ]] || { printf -v "$1" %s "$accepted"; return; }
  done
  usage_error "$2: accepted are ${*:3}"
}

options_own() { # WORD
  case $1 in
  --setup) setup=1 ;;
  --accel=*) one_of accel_asked "$1" auto kvm nested tcg sim ;;
  --host=*) sim_host+=${sim_host:+,}${1#*=} ;;
  --seed=*) [[ ${1#*=} =~ ^[0-9]{1,15}$ ]] || usage_error "$1: a number of 15 digits at most is accepted"; sim_seed=${1#*=} ;;
  --vm=*) options_vm "$1" ;;
  --l1-kernel=*/*) l1_kernel_given=${1#*=}; options_image "$1" ;;
  --l1-kernel=image-*) l1_kernel_given=${1#*=} ;; # run.sh's own name for an image (image.sh)
  --l1-kernel=6.1 | --l1-kernel=6.12) l1_kernel_given=${1#*=} ;;
  --l1-kernel=*) usage_error "$1: accepted are 6.1, 6.12, and the path, with a slash, of a bzImage" ;;
  --pv=*) one_of pv "$1" on off hyperv ;;
  --instances=0) instances=0 ;;
  --instances=*) number instances "$1" 64 ;;
  --host-peer) host_peer=1 ;;
  --host-peer=*) host_peer=1 peer_keys=${1#*=} ;;
  --meet=*) meet=${1#*=}; options_meet "$1" ;;
  --runs=*) number runs "$1" 10000 ;;
  --jobs=*) number jobs "$1" 1024 ;;
  --pin=*) pin=${1#*=}; pin_list "$1" ;;
  --out=) usage_error "$1: the directory's name is missing" ;;
  --out=*$'\n'*) usage_error "$1: a name with a line break is not accepted" ;;
  --out=*) out_given=${1#*=} ;;
  --timeout=*) number limit "$1" 10000000 ;;
  --gdb) gdb=1 ;;
  --host-trace) host_trace=512 ;;
  --host-trace=*) number host_trace "$1" 1048576 ;;
  --conformance) conformance=1 ;;
  --conformance=*) conformance=1 conformance_names=${1#*=} ;;
  --experiment=*) experiment=${1#*=} ;;
  --seconds=*) number seconds "$1" 86400 ;;
  --trace=*) one_of trace "$1" on off ;;
  --list) action=list ;;
  --help) action=help ;;
  --version) action=version ;;
  --boot=*) one_of boot "$1" multiboot pvh iso uefi ;;
  --perfetto*)
    usage_error "$1: build/pvspin-report LOG --perfetto=FILE writes it, from a log with trace=N"
    ;;
  --accel | --l1-kernel | --pv | --instances | --meet | --runs | --jobs | --pin | --out | --timeout | --boot | \
    --experiment | --trace | --seconds | --host | --seed | --vm)
    usage_error "$1 needs a value: $1=..."
    ;;
  --setup=* | --gdb=* | --list=* | --help=* | --version=*)
    usage_error "${1%%=*} takes no value"
    ;;
  *) usage_error "$1 is no option of run.sh; QEMU's options have one dash here" ;;
  esac
}

# Whether QEMU answers this option with text and ends, because its parsers treat the value as a help
# option (util/qemu-option.c, is_help_option: "help" or "?"). Not for options whose value is free
# text or a file name.
options_help() { # OPTION [VALUE]
  local key='(model|type|driver|qom-type|backend|format|trace):?=?'
  case $1 in
  -version | -audio-help) return 0 ;;
  -L | -accel | -action | -audio | -audiodev | -boot | -chardev | -cpu | -d | -device | -display | -drive | -global | \
    -icount | -M | -m | -machine | -net | -netdev | -nic | -numa | -object | -overcommit | -rtc | -smp | -soundhw | \
    -spice | -tpmdev | -trace | -vga | -vnc | -watchdog | -watchdog-action)
    [[ ${2-} =~ (^|,)($key)?(help|\?)(,|$) ]]
    ;;
  *) return 1 ;;
  esac
}

options_qemu() { # OPTION [VALUE]; sets `took` to the words it used
  took=1
  ! options_help "$@" || action=qemu_help
  case $1 in
  -append | -kernel | -cpu | -m | -machine | -M | -smp)
    [[ $# -ge 2 ]] || usage_error "$1 needs a value"
    took=2
    ;;
  esac
  case $1 in
  -append)
    [[ -z $append ]] || usage_error '-append is given twice'
    [[ $2 != *$'\n'* ]] || usage_error '-append: the guest takes one line'
    append=$2
    return
    ;;
  -kernel)
    # In L1 the file may be hidden; the outer run.sh has checked it and passed on a copy.
    ((inner)) || [[ -r $2 && -f $2 ]] || usage_error "-kernel $2: no such file, or not readable"
    kernel_file=$2
    return
    ;;
  -accel | -enable-kvm)
    [[ $action == qemu_help ]] || usage_error "$1: use --accel=kvm, --accel=nested or --accel=tcg"
    ;;
  -daemonize) usage_error '-daemonize: run.sh watches QEMU and cannot let it go' ;;
  -h | -help) usage_error "$1: for QEMU's own help, run qemu-system-x86_64 -help" ;;
  -S | -preconfig) paused=1 ;;
  -cpu) user_cpu=$2 ;;
  -m) user_m=$2 ;;
  -smp) user_smp+=${user_smp:+,}$2 ;; # QEMU merges them, too
  -machine | -M)
    [[ $2 != *accel=* || $action == qemu_help ]] || usage_error "$1 $2: use --accel=..."
    options_machine "$2"
    ;;
  esac
  qemu_words+=("${@:1:took}")
  # -cpu is composed anew in qemu.sh, where the feature of --pv is added.
  [[ $1 == -cpu ]] || qemu_user+=("${@:1:took}")
}

# QEMU merges the values of several -machine. smp.cpus=N among them means -smp cpus=N.
options_machine() { # VALUE
  local words word
  user_machine+=${user_machine:+,}$1
  IFS=, read -ra words <<<"$1"
  for word in ${words[@]+"${words[@]}"}; do
    case $word in
    smp.*=*) user_smp+=${user_smp:+,}${word#smp.} ;;
    type=*) machine_type=${word#type=} ;;
    *=*) ;;
    *) machine_type=$word ;;
    esac
  done
}

options_parse() {
  local took
  options_default
  while (($#)); do
    case $1 in
    --)
      shift
      while (($#)); do
        options_qemu "$@"
        shift "$took"
      done
      ;;
    --*)
      options_own "$1"
      shift
      ;;
    *)
      if [[ $1 != -* && ${#qemu_user[@]} -eq 0 ]]; then
        usage_error "$1: neither an option of run.sh nor one of QEMU"
      fi
      options_qemu "$@"
      shift "$took"
      ;;
    esac
  done
  [[ $action != qemu_help ]] || return 0
  ((!gdb)) || paused=1
  boot_check
  limit_given=$limit
  [[ -z $experiment ]] || options_experiment
  [[ -z $trace || -n $experiment ]] ||
    usage_error "--trace=$trace is for --experiment; -append trace=N logs events in any other call"
  [[ -z $seconds || -n $experiment ]] ||
    usage_error "--seconds=$seconds is for --experiment; -append ms=N or jobs=N is the length of any other run"
  runs=${runs:-1}
  ((!conformance)) || options_conformance
  if [[ -z $limit ]]; then
    # A hang of a simulated guest is found in simulated time, whose length depends on the load.
    if [[ $accel_asked == sim ]]; then limit=$((3600 * runs)); else limit=$((300 * runs)); fi
    ((!paused)) || limit=86400 # a person needs time
  fi
  members=$((instances + host_peer))
  ((members)) || usage_error '--instances=0: nothing would run; with --host-peer, the hosted build alone'
  if ((gdb && (members * runs > 1 || !instances))); then
    usage_error '--gdb takes one instance and one run'
  fi
  ((!host_peer)) || options_peer
  if [[ $accel_asked == sim ]]; then
    sim_options
    jobs=${jobs:-$(nproc)}
  else
    sim_others
    jobs=1 # side by side, real boots would disturb each other
  fi
  if [[ -n $meet && " $append" == *' tests='* ]] || [[ -n $meet && $gdb == 1 ]]; then
    usage_error '--meet releases measured phases: tests= has none, and --gdb stops them'
  fi
  host_trace_options
  ((!inner)) || accel_asked=kvm setup=0 # the outer run.sh has chosen, and installed
}

# In L1 the file may be hidden, and it is not needed.
options_image() { # WORD
  ((!inner)) || return 0
  l1_error=''
  image_check "$l1_kernel_given" || usage_error "--l1-kernel=$l1_error"
  [[ $l1_kernel_given == /* ]] || l1_kernel_given=$PWD/$l1_kernel_given
}

# I:KEYS, the keys of instance I in place of the same ones of -append.
options_vm() { # WORD
  [[ ${1#*=} =~ ^([0-9]{1,2}):([^$'\n']+)$ ]] ||
    usage_error "$1: --vm=INSTANCE:KEYS is accepted, for example --vm=1:locks=tas"
  sim_vm[10#${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
}

# DIR or DIR,CALLS.
options_meet() { # WORD
  if [[ $meet =~ ^(.+),([0-9]{1,3})$ ]]; then
    meet=${BASH_REMATCH[1]} meet_calls=$((10#${BASH_REMATCH[2]}))
  fi
  ((meet_calls >= 2 && meet_calls <= 64)) || usage_error "$1: 2 to 64 calls can meet"
  [[ -n $meet && $meet != *$'\n'* ]] || usage_error "$1: --meet=DIR or --meet=DIR,CALLS is accepted"
}

# Refuses keys that the hosted build cannot do before anything starts.
options_peer() {
  [[ $peer_keys != *$'\n'* ]] || usage_error '--host-peer=KEYS: one line of keys is accepted'
  [[ " $append $peer_keys" != *' tests='* && " $append $peer_keys" != *' provoke='* ]] ||
    usage_error '--host-peer: tests= and provoke= are for the guest; the host peer only measures'
}

# The matrix brings its own configurations, so of the other options only a choice of tests is
# accepted.
options_conformance() {
  if [[ ${#qemu_user[@]} -gt 0 || -n $user_cpu || -n $pin || $pv != on ]] ||
    ((instances != 1 || runs > 1 || gdb || host_peer)) || [[ -n $meet ]]; then
    usage_error "--conformance brings its own QEMU options (tests/suites/abi/configurations);" \
      "it takes --accel, --l1-kernel, --out, --timeout and -append tests=..."
  fi
  [[ -z $append || $append =~ ^tests=([^\ ]+)$ ]] ||
    usage_error "--conformance: -append \"$append\": only tests=... is accepted"
  conformance_tests=${append#tests=}
  [[ -n $limit ]] || limit=1500
}

# The experiment brings its own calls. Accepts those options that are the same for all of them.
options_experiment() {
  if ((instances != 1 || host_peer || gdb || conformance)) || [[ $pv != on || -n $meet ]]; then
    usage_error "--experiment=$experiment brings its own instances, host peer and --pv;" \
      "it takes --runs, --seconds, --accel, --l1-kernel, --pin, --out, --timeout, -append and QEMU's options"
  fi
  runs=${runs:-10} # as in the study
  [[ -n $limit ]] || limit=86400 # until the number of calls is known
}

# --pin: sets pin_cpus to the listed CPUs, in order, with repetitions.
pin_list() { # WORD
  local part first last
  pin_cpus=()
  [[ $pin =~ ^[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*$ ]] ||
    usage_error "$1: a list of CPUs such as 0-3,8 is accepted"
  for part in ${pin//,/ }; do
    first=$((10#${part%-*})) last=$((10#${part#*-}))
    ((first <= last)) || usage_error "$1: $part counts downwards"
    while ((first <= last)); do
      pin_cpus+=("$((first++))")
    done
  done
}
