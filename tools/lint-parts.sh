#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks the tables at the heads of run.sh and its parts, tools/run/*.sh:
#
#   # Takes  NAME, NAME...: PART      globals that this part reads, and the part that gives them
#   # Gives  NAME, NAME...: MEANING   globals that this part alone assigns
#
# It asks shellcheck which globals a part reads without assigning them. Constants, in capitals, are
# not in the tables. Exit status: 0 all as in the tables, 1 not.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."
status=0
declare -A giver=() code=()

wrong() {
  echo "$*"
  status=1
}

table() { # Takes|Gives FILE; prints lines "NAME TEXT"
  awk -v want="$1" '
    function flush(  at, n, i, name) {
      if (text != "" && kind == want) {
        at = index(text, ":")
        n = split(substr(text, 1, at - 1), name, / *, */)
        for (i = 1; i <= n; i++) print name[i], substr(text, at + 2)
      }
      text = ""
    }
    /^# (Takes|Gives)  / { flush(); kind = $2; text = substr($0, 10); next }
    /^#        / && text != "" { text = text " " substr($0, 10); next }
    { flush() }' "$2"
}

# Prints a program without comments, here-documents, strings that end on their line, and awk's -v.
bare() { # FILE
  awk '/^ *#/ { next } end != "" { if ($0 == end) end = ""; next }
    match($0, /<<.?[A-Z]+/) { end = substr($0, RSTART + 2, RLENGTH - 2); sub(/^[^A-Z]/, "", end) } { print }' "$1" |
    sed -E "s/'[^']*'//g" | sed -E 's/"[^"]*"//g; s/-v [a-z_]+=//g'
}

assigns() { # NAME PART
  grep -qE "(^|[ ;({])$1(\[[^]]*\])?\+?=|\{$1\}[<>]|\<(read|mapfile) [^<]*\<$1\>|\<(number|one_of) $1\>" <<<"${code[$2]}"
}

is_local() { # NAME PART
  grep -qE "\<(local|for) ([^;]* )?$1\>" <<<"${code[$2]}"
}

for part in run.sh tools/run/*.sh; do
  code[$part]=$(bare "$part")
  while read -r name _; do giver[$name]=$part; done < <(table Gives "$part")
done
for part in "${!code[@]}"; do
  takes=$(table Takes "$part")
  while read -r name from; do
    [[ -n $name ]] || continue
    grep -v '^#' "$part" | grep -w -- "$name" >/dev/null || wrong "$part: does not take $name"
    [[ $from == nested/* || $from == environment.sh || ${giver[$name]-} == *"$from" ]] || wrong "$part: $from does not give $name"
  done <<<"$takes"
  [[ $part != run.sh ]] || continue # read with its parts by shellcheck -a
  while read -r name; do
    [[ $'\n'$takes == *$'\n'"$name "* ]] || wrong "$part: takes $name, which is not in its table"
  done < <(shellcheck -f gcc --include=SC2154 "$part" | sed -n 's/.*warning: \(.*\) is referenced.*/\1/p' | sort -u)
done
for name in "${!giver[@]}"; do
  for part in "${!code[@]}"; do
    if [[ $part == "${giver[$name]}" ]]; then
      assigns "$name" "$part" || wrong "$part: gives $name, but never assigns it"
    elif assigns "$name" "$part" && ! is_local "$name" "$part"; then
      wrong "$part: assigns $name, which is given by ${giver[$name]}"
    fi
  done
done
exit "$status"
