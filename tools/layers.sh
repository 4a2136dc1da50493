#!/bin/bash
# SPDX-License-Identifier: MIT
# Checks the #include lines of C files against the table of folders in docs/design.md:
#
#   tools/layers.sh docs/design.md FILE...
#
# A folder's row names the folders that its files may include beside their own; every one of them
# has a row further up, so no two folders can include each other, directly or in a circle. A folder
# without a row of its own belongs to the row of the folder above it. An #include without a folder
# in its path names a file of the same folder, or a generated one. Exit status: 1 if an #include or
# the table is wrong.
set -euo pipefail
table=$1
shift
awk '
  # "a/b/c.h": its deepest folder that has a row; "" if there is none
  function row_of(path) {
    while (sub(/\/[^\/]*$/, "", path))
      if (path in may) return path
    return ""
  }
  function wrong(text) { print text; bad = 1 }

  FILENAME == ARGV[1] {
    if (/^\| folder \| includes \|/) { inside = rows = 1; next }
    if (!inside || /^\|-/) next
    if (!/^\|/) { inside = 0; next }
    split($0, cell, / *\| */)
    gsub(/`|\/`/, "", cell[2]); sub(/\/$/, "", cell[2])
    gsub(/`/, "", cell[3])
    may[cell[2]] = " "
    for (n = split(cell[3], name, / *, */); n > 0; n--) {
      sub(/\/$/, "", name[n])
      if (name[n] !~ /^(nothing|anything)$/ && !(name[n] in may))
        wrong(FILENAME ":" FNR ": " cell[2] "/ may include " name[n] "/, which has no row above")
      may[cell[2]] = may[cell[2]] name[n] " "
    }
    next
  }

  FNR == 1 {
    from = row_of(FILENAME)
    if (from == "") wrong(FILENAME ": " ARGV[1] " has no row for its folder")
  }
  from != "" && /^[ \t]*#[ \t]*include[ \t]*"[^"]*\// {
    split($0, part, "\"")
    to = row_of(part[2])
    if (to != from && index(may[from], " " to " ") == 0 && index(may[from], " anything ") == 0)
      wrong(FILENAME ":" FNR ": " from "/ may not include \"" part[2] "\" (" ARGV[1] ")")
  }
  END {
    if (!rows) wrong(ARGV[1] ": no table of folders")
    exit bad
  }' "$table" "$@"
