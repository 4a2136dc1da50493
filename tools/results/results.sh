#!/bin/bash -p
# SPDX-License-Identifier: MIT
# make results: runs tools/results/plans on the simulated host and puts the tables and the picture
# of docs/results.md in their places. The runs are seeded, so that the same version gives the same
# bytes. About twenty minutes of CPU; build/results keeps each measurement.
#
#   tools/results/results.sh [--tables] [NAME...]
#   --tables   run nothing, only make the tables anew of what build/results has
#   NAME       run these measurements of plans again, not all
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/environment.sh
source tools/environment.sh || exit 4
readonly PAGE=docs/results.md PICTURE=docs/contended.svg DIR=build/results PLANS=tools/results/plans

die() {
  echo "results.sh: $*" >&2
  exit 2
}

names() {
  sed -n 's/^\([a-z][a-z0-9-]*\) .*/\1/p' "$PLANS"
}

measure() { # NAME
  local name experiment runs host locks
  while read -r name experiment runs host locks; do
    [[ $name == "$1" ]] || continue
    echo "results: $name ($experiment, $host, $runs runs)" >&2
    rm -rf "${DIR:?}/$name"
    ./run.sh --experiment="$experiment" --accel=sim --host="$host" --runs="$runs" --trace=off --timeout=3600 \
      --out="$DIR/$name" -append "$([[ $locks == - ]] || echo "locks=$locks")" >"$DIR/$name.txt" 2>&1 ||
      { cat "$DIR/$name.txt" >&2; die "$name: run.sh failed"; }
    return
  done <"$PLANS"
}

# Prints all measurements that exist, one JSON object by name.
measured() {
  local name
  while read -r name; do
    [[ -d $DIR/$name ]] || die "$DIR/$name is missing: run it first ($0 $name)"
    build/pvspin-report "$DIR/$name" --format=json | jq --arg name "$name" '{($name): .}'
  done < <(names) | jq -s add
}

main() {
  local only='' name all wanted=()
  mapfile -t all < <(names)
  for name; do
    if [[ $name == --tables ]]; then only=1; continue; fi
    [[ " ${all[*]} " == *" $name "* ]] || die "$name: accepted are --tables ${all[*]}"
    wanted+=("$name")
  done
  ((${#wanted[@]})) || wanted=("${all[@]}")
  mkdir -p "$DIR"
  if [[ -z $only ]]; then for name in "${wanted[@]}"; do measure "$name"; done; fi
  measured >"$DIR/all.json"
  for name in contended hosts machines; do
    jq -r -L tools/results "include \"tables\"; $name" "$DIR/all.json" |
      tools/fill.sh "$PAGE" "make results: $name"
  done
  jq -r -L tools/results 'include "picture"; picture' "$DIR/all.json" >"$PICTURE"
  echo "results: $PAGE and $PICTURE are written" >&2
}

main "$@"
