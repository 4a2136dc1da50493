#!/bin/bash
# SPDX-License-Identifier: MIT
# Part of `make lint`: the prose of the Markdown pages has at most 100 columns. Tables, indented and
# fenced blocks are exempt. And the line that names a file's licence has nothing else. Exit status: 1
# if a line is wrong.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."
bad=0
for page in README.md CONTRIBUTING.md docs/*.md; do
  awk '/^```/ { code = !code } { print (code || /^(\||    )/) ? "" : $0 }' "$page" |
    LC_ALL=C.UTF-8 grep -nE '.{101}' | sed "s|^|$page:|; s|\$| (more than 100 columns)|" && bad=1
done
git grep -nE 'SPDX-License-Identifier: MIT [A-Z][a-z]' && bad=1
exit "$bad"
