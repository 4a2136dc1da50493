#!/bin/bash
# SPDX-License-Identifier: MIT
# Reads the commands that make would run (make -nB) and prints
# compile_commands.json. A file that is compiled several times (guest, hosted, tests) is listed with
# its first command, which is the guest's.
set -euo pipefail
jq -Rn --arg directory "$PWD" '
  [inputs | select(test(" -c ")) | . as $command
   | {directory: $directory, command: $command,
      file: ([scan("(?<= )[^ ]+\\.c(?= |$)")] | last),
      output: (capture(" -o (?<o>[^ ]+)").o // null)}
   | select(.file)]
  | reduce .[] as $entry ({seen: {}, list: []};
      if .seen[$entry.file] then . else .seen[$entry.file] = true | .list += [$entry] end)
  | .list'
