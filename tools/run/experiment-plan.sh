# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# What a file of experiments/ may say. Each is bash that calls only these (docs/experiments.md), once it
# has been told $cpus (the host's CPUs), $vcpus (of each VM: -smp, else as many) and $work (the plan of the
# compile). -append locks=A,B adds locks to those of the study: each file says what is run of them. Sourced by
# run.sh.
#
#   title TEXT                      what it is, in a line
#   study TEXT                      what more is known of the study here
#   needs ple                       it can only be done where the CPU has this
#   parts NAME...                   no runs of its own: these experiments
#   added_but LOCK...               prints the locks that the user adds, but for these, which it has already
#   run NAME PLAN [OPTION...]       a call of run.sh with -append PLAN, repeated --runs times
#   cell NAME RUN WHERE[:LOCK] LABEL [MEAN SD | LOW..HIGH]
#                                   a row of the table: run RUN's time in its VMs (vm) or in the host
#                                   peer (host), of the runs of LOCK if it has several; then the study's, in s
#   finding KIND CELL OTHER TEXT    what to decide of two cells: slower, wilder, equal, differs; compared: of a
#                                   lock that the study has not
#   traced KEYS                     the workload of the traced calls: KEYS over each run's plan ($counter); '': none
#   summary                         no cells: the analyser's usual table of all logs
#
# experiment_read NAME sets the x_* variables below.

experiment_reset() {
  x_title='' x_more='' x_needs=''
  x_study='kernel compiles (make -j36, -j80), 2 x 14 cores, VMs of 28 vCPUs, Linux 4.12, 2017' x_summary=0 x_parts=() x_trace=${counter:-} x_traces=0
  x_runs=() x_cells=() x_findings=()
  declare -gA x_plan=() x_options=()
}

# With the words of options NUL-free and without newlines, one a line keeps them apart.
title() { x_title=$1; }
study() { x_more=$1; }
needs() { x_needs=$1; }
parts() { x_parts=("$@"); }
summary() { x_summary=1; }
traced() { x_trace=$1; }
added_but() {
  local lock
  for lock in ${added[@]+"${added[@]}"}; do
    [[ " $* " == *" $lock "* ]] || echo "$lock"
  done
}
run() {
  x_runs+=("$1") x_plan[$1]=$2
  x_options[$1]=$(printf '%s\n' "${@:3}")
}
cell() { # as JSON, but for the directories, which come in experiment_json
  local lock='' where=${3%%:*} study='null'
  [[ $3 != *:* ]] || lock=${3#*:}
  case ${5:-} in
  '') ;;
  *..*) study="{\"low\":${5%..*},\"high\":${5#*..},\"unit\":\"s\"}" ;;
  *) study="{\"mean\":$5,\"sd\":$6,\"unit\":\"s\"}" ;;
  esac
  x_cells+=("$(jq -nc --arg name "$1" --arg run "$2" --arg where "$where" --arg lock "$lock" \
    --arg text "$4" --argjson study "$study" '{name: $name, run: $run, where: $where, "label": $text,
      lock: (if $lock == "" then null else $lock end), field: "elapsed_ns", study: $study}')")
}
finding() {
  x_findings+=("$(jq -nc --args '$ARGS.positional
    | {kind: .[0], cell: .[1], other: .[2], text: .[3]}' -- "$@")")
}

experiment_read() { # NAME
  local lock more # of the file
  experiment_reset
  # shellcheck source=/dev/null
  source "$tree/experiments/$1"
  # Calls of each run for its pictures; a row alone has nothing to be compared with.
  [[ $trace != on || -z $x_trace || ${#x_cells[@]} -lt 2 ]] || x_traces=1
}

# The names there are, in the order of the study; experiments/ is the only list.
experiment_names() {
  ls "$tree/experiments"
}

experiment_exists() { # NAME
  [[ $1 =~ ^[a-z0-9-]+$ && -f $tree/experiments/$1 ]]
}

# Sets experiment_list: those that --experiment= names.
experiment_select() {
  experiment_exists "$experiment" ||
    usage_error "--experiment=$experiment: no such experiment; accepted:" \
      "$(experiment_names | paste -sd' ')"
  local cpus=1 vcpus=1 work='' work_many='' # the accelerator is not chosen yet
  added=()
  experiment_read "$experiment"
  ((x_summary)) || experiment_added
  experiment_list=("$experiment")
  [[ -z ${x_parts[*]-} ]] || experiment_list=("${x_parts[@]}")
}

# Takes locks=A,B out of -append, into added: an experiment's own locks are what it is about.
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
  append=${kept[*]-}
}

# For --list; in a shell of its own, with CPUs of any number.
experiment_title() (
  cpus=1 vcpus=1 work='' work_many='' added=()
  experiment_read "$1"
  echo "  $1 ($x_title)"
)
