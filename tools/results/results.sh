#!/bin/bash -p
# SPDX-License-Identifier: MIT
# make results: measures on the simulated host what docs/results.md shows, and writes its tables, the
# sentences with their figures, README's paragraph and the two pictures. All runs are seeded, so that
# the same version gives the same bytes. About 45 minutes of CPU, JOBS at a time (2).
#
#   tools/results/results.sh [--tables] [PART...]
#   --tables   run nothing, only write anew what build/results has
#   PART       measure these alone: an experiment of plans or a part of cells; writes nothing
#
# A measurement is kept in build/results under a sum of the sources that decide it, and is not made
# again. So a call that was stopped can be repeated. SEEDS=N: no more than N runs of each, for a trial.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/environment.sh
source tools/environment.sh || exit 4
readonly PAGE=docs/results.md DIR=build/results PLANS=tools/results/plans CELLS=tools/results/cells.sh
# FILE of tools/results, and its blocks of the page.
readonly BLOCKS='summary:summary
study:contended findings story
why:why_times why_split why_story why_machines machines_story
locks:locks_table locks_story
paq:goals_wanted goals_seldom goals_met lock_time handover ablation ablation_story settings_table settings_story settings_mechanisms neighbours
governor:governor_table governor_story'

die() {
  echo "results.sh: $*" >&2
  exit 2
}

# Prints the lines of plans: NAME RUNS APPEND.
plans() {
  local name runs append
  sed '/^#/d; /^$/d' "$PLANS" | while read -r name runs append; do
    echo "$name $((runs < ${SEEDS:-99} ? runs : SEEDS)) $append"
  done
}

parts() {
  plans | cut -d' ' -f1
  "$CELLS" parts
}

experiment() { # NAME RUNS APPEND
  local out=$DIR/$1 made
  made="$("$CELLS" key) $*"
  [[ ! -s $out.made || $(<"$out.made") != "$made" ]] || return 0
  echo "results: $1 ($2 runs)" >&2
  rm -rf "$out" "$out.made"
  ./run.sh --experiment="$1" --accel=sim --host=machine=study --runs="$2" --jobs="${JOBS:-2}" --trace=off --timeout=3600 \
    --out="$out" -append "$3" >"$out.txt" 2>&1 || { cat "$out.txt" >&2; die "$1: run.sh failed"; }
  echo "$made" >"$out.made"
}

measure() { # PART...
  local name runs append
  while read -r name runs append; do
    [[ " $* " != *" $name "* ]] || experiment "$name" "$runs" "$append"
  done < <(plans)
  echo "results: $("$CELLS" list "$@" | wc -l) runs of cells" >&2
  "$CELLS" run "$@"
}

# Prints all measurements, as figures.jq describes.
measured() {
  local name
  while read -r name _; do
    [[ -s $DIR/$name.made ]] || die "$DIR/$name is missing: run it first ($0 $name)"
    build/pvspin-report "$DIR/$name" --format=json | jq --arg name "$name" '{experiments: {($name): .}}'
  done < <(plans)
  "$CELLS" print | jq 'group_by([.machine, .keys, .level, .neighbour, .lock])
    | {cells: map({key: "\(.[0].machine) \(.[0].keys) \(.[0].level) \(.[0].neighbour) \(.[0].lock)", value: sort_by(.seed)})
      | from_entries}'
}

# Tables keep their long lines; sentences are broken as the pages' others are.
made() { # FILE BLOCK
  jq -r -L tools/results "include \"$1\"; $2" "$DIR/all.json" | LC_ALL=C awk -v most=100 '
    /^[|<]/ { print; next }
    { words = split($0, word, " "); line = word[1]
      for (i = 2; i <= words; i++)
        if (length(line) + 1 + length(word[i]) > most) { print line; line = (/^\*\ / ? "  " : "") word[i] }
        else line = line " " word[i]
      print line }'
}

write() {
  local file blocks block
  measured | jq -s 'reduce .[] as $one ({}; . * $one)' >"$DIR/all.json"
  while IFS=: read -r file blocks; do
    for block in $blocks; do
      made "$file" "$block" | tools/fill.sh "$PAGE" "make results: $block"
    done
  done <<<"$BLOCKS"
  made study readme | tools/fill.sh README.md "make results: readme"
  made picture contended_picture >docs/contended.svg
  made picture locks_picture >docs/locks.svg
  echo "results: $PAGE, README.md, docs/contended.svg and docs/locks.svg are written" >&2
}

main() {
  local only='' part all wanted=()
  mapfile -t all < <(parts)
  for part; do
    if [[ $part == --tables ]]; then only=1; continue; fi
    [[ " ${all[*]} " == *" $part "* ]] || die "$part: accepted are --tables ${all[*]}"
    wanted+=("$part")
  done
  mkdir -p "$DIR"
  [[ -n $only ]] || measure "${wanted[@]:-${all[@]}}"
  ((${#wanted[@]})) || write
}

main "$@"
