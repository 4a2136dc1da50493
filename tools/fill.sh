#!/bin/bash -p
# SPDX-License-Identifier: MIT
# fill.sh PAGE PLACE < TEXT: puts measured text into its place in a page, which is between the lines
# "<!-- PLACE -->" and "<!-- end -->". So a table has one source, the program that prints it.
set -euo pipefail
text=$(cat)
[[ -n $text ]] || { echo "fill.sh: there is no text for $2" >&2; exit 2; }
grep -qF "<!-- $2 -->" "$1" || { echo "fill.sh: $1 has no place for $2" >&2; exit 2; }
TEXT=$text awk -v place="<!-- $2 -->" '
  $0 == "<!-- end -->" { inside = 0 }
  !inside { print }
  $0 == place { inside = 1; printf "\n%s\n\n", ENVIRON["TEXT"] }' "$1" >"$1.new"
mv "$1.new" "$1"
