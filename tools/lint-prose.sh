#!/bin/bash
# SPDX-License-Identifier: MIT
# Part of `make lint`: prose of the Markdown pages has at most 100 columns. Tables, indented and fenced
# blocks are exempt, and so are the simulator's pages, which are still being written.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."
bad=0
for page in README.md CONTRIBUTING.md docs/*.md; do
  [[ $page != docs/sim*.md ]] || continue
  awk '/^```/ { code = !code } { print (code || /^(\||    )/) ? "" : $0 }' "$page" |
    LC_ALL=C.UTF-8 grep -nE '.{101}' | sed "s|^|$page:|; s|\$| (more than 100 columns)|" && bad=1
done
exit "$bad"
