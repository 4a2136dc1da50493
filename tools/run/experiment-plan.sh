# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The commands of a file in experiments/. Each such file is bash that calls only these
# (docs/experiments.md). It may use $cpus (the host's CPUs), $vcpus (of each VM: -smp, by default
# $cpus) and $work (the plan of the compile), $linux_work and $linux_guest (the compile's on a
# Linux guest, and the QEMU options of that). The user's -append locks=A,B adds locks to those of
# the study; each file decides which runs they get. $STUDY_LOCKS makes virt-spin and pv-qspinlock those of
# the study's kernel, Linux 4.12 (docs/locks.md). Sourced by run.sh.
#
#   title TEXT                      a title of one line
#   study TEXT                      more facts about the study's experiment
#   needs ple|linux                 requires this feature of the CPU, or a Linux guest
#   parts NAME...                   consists of these experiments, without runs of its own
#   added_but LOCK...               prints the locks that the user adds, except these, which the
#                                   experiment has already
#   with_added LOCK...              prints these locks and those that the user adds, joined by commas
#   run NAME PLAN [OPTION...]       a call of run.sh with -append PLAN, repeated --runs times
#   cell NAME RUN WHERE[:LOCK] LABEL [MEAN SD | LOW..HIGH]
#                                   a row of the table: run RUN's time in its VMs (vm) or in the host
#                                   peer (host), of the runs of LOCK if it has several; then the study's, in s
#   finding KIND CELL OTHER TEXT    a claim about two cells: slower, wilder, equal, differs; or
#                                   compared, for a lock that the study did not have
#   traced KEYS                     the workload of the traced calls: KEYS replace those of each
#                                   run's plan ($counter); '': no traced calls
#   counts                          prints what KVM counted, too
#   summary                         prints the analyser's usual table of all logs instead of cells
#
# Takes  tree: run.sh
# Takes  append, experiment: options.sh
# Takes  accel: accel.sh
# Takes  counter, tracing: experiment.sh
# Gives  experiment_list: the experiments of this call
# Gives  study_append: the keys of -append without the added locks
# Gives  x_title, x_study, x_more, x_needs, x_counts, x_summary, x_trace, x_traces: of the
#        experiment that experiment_read has read last
# Gives  x_runs, x_plan, x_options, x_cells, x_findings: its runs and table

# shellcheck disable=SC2034 # for the files of experiments/
readonly STUDY_LOCKS='pvq_hybrid=0 pvq_prev_preempted=1 virt_spin_pause=0'

experiment_reset() {
  x_title='' x_more='' x_needs=''
  x_study='kernel compiles (make -j36, -j80), 2 x 14 cores, VMs of 28 vCPUs, Linux 4.12, 2017' x_summary=0 x_counts=0 x_parts=() x_trace=${counter:-} x_traces=0
  x_runs=() x_cells=() x_findings=()
  declare -gA x_plan=() x_options=()
}

# Options contain no newlines, so they are stored one per line.
title() { x_title=$1; }
study() { x_more=$1; }
needs() { x_needs=$1; }
parts() { x_parts=("$@"); }
counts() { x_counts=1; }
summary() { x_summary=1; }
traced() { x_trace=$1; }
added_but() {
  local lock
  for lock in ${added[@]+"${added[@]}"}; do
    [[ " $* " == *" $lock "* ]] || echo "$lock"
  done
}
with_added() {
  { printf '%s\n' "$@" && added_but "$@"; } | paste -sd,
}
run() {
  x_runs+=("$1") x_plan[$1]=$2
  x_options[$1]=$(printf '%s\n' "${@:3}")
}
cell() { # stores the cell as JSON; experiment_json adds the directories
  local lock='' where=${3%%:*} study='null'
  [[ $3 != *:* ]] || lock=${3#*:}
  case ${5:-} in
  '') ;;
  *..*) study="{\"low\":${5%..*},\"high\":${5#*..},\"unit\":\"s\"}" ;;
  *) study="{\"mean\":$5,\"sd\":$6,\"unit\":\"s\"}" ;;
  esac
  x_cells+=("$(jq -nc --arg name "$1" --arg run "$2" --arg where "$where" --arg lock "$lock" \
    --arg text "$4" --arg accel "$accel" --argjson study "$study" '{name: $name, run: $run, where: $where, "label": $text,
      lock: (if $lock == "" then null else $lock end), field: "elapsed_ns", study: $study}
      + if $accel == "sim" and $where == "host" then {peer: "kernel-threads"} else {} end')")
}
finding() {
  x_findings+=("$(jq -nc --args '$ARGS.positional
    | {kind: .[0], cell: .[1], other: .[2], text: .[3]}' -- "$@")")
}

experiment_read() { # NAME
  local lock # a variable of the file
  experiment_reset
  # shellcheck source=/dev/null
  source "$tree/experiments/$1"
  # Traced calls for pictures; a single row has nothing to be compared with.
  [[ $tracing != on || -z $x_trace || ${#x_cells[@]} -lt 2 ]] || x_traces=1
}

# Prints all names, in the order of the study; experiments/ is the only list.
experiment_names() {
  ls "$tree/experiments"
}

experiment_exists() { # NAME
  [[ $1 =~ ^[a-z0-9-]+$ && -f $tree/experiments/$1 ]]
}

# Sets experiment_list to the experiments named by --experiment=.
experiment_select() {
  experiment_exists "$experiment" ||
    usage_error "--experiment=$experiment: no such experiment; accepted:" \
      "$(experiment_names | paste -sd' ')"
  local accel=auto cpus=1 vcpus=1 work='' work_many='' no_ple=() no_ple_keys='' # the accelerator is not chosen yet
  added=()
  experiment_read "$experiment"
  study_append=$append
  ((x_summary)) || experiment_added
  experiment_list=("$experiment")
  [[ -z ${x_parts[*]-} ]] || experiment_list=("${x_parts[@]}")
}

# Moves locks=A,B from the user's -append (study_append) to added, because the experiment's own locks must stay.
experiment_added() {
  local words word kept=() known lock
  read -ra words <<<"$append"
  for word in ${words[@]+"${words[@]}"}; do
    if [[ $word != locks=* ]]; then
      kept+=("$word")
      continue
    fi
    known=$(lock_names)
    lock=${word#locks=}
    [[ $lock != all ]] || lock=$(grep -vx -e null -e linux <<<"$known" | paste -sd,)
    for lock in ${lock//,/ }; do
      grep -qxF -- "$lock" <<<"$known" ||
        usage_error "--experiment=$experiment: -append $word: $lock: no such lock; accepted: all" \
          "$(paste -sd' ' <<<"$known")"
      [[ " ${added[*]-} " == *" $lock "* ]] || added+=("$lock")
    done
  done
  study_append=${kept[*]-}
}

# For --list, with an arbitrary number of CPUs.
experiment_title() { # NAME
  local accel=auto cpus=1 vcpus=1 work='' work_many='' no_ple=() no_ple_keys='' added=()
  experiment_read "$1"
  echo "  $1 ($x_title)"
}
