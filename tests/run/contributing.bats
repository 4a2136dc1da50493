#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Follows CONTRIBUTING.md's "Add a lock in ten minutes" and "Add a key in one line" to the letter in
# a copy of the tree: copies the blocks that name a file into that file and runs the shell commands.
# Also tests make help, which the page points to.
# shellcheck disable=SC2154 # tree: common.bash

load common

# Copies built files, too, with their times, so that only files that the new lock changes are
# rebuilt.
copy_tree() { # DIRECTORY
  mkdir "$1"
  tar -C "$tree" --exclude=./out --exclude=./.git -c . | tar -x -C "$1"
}

# Writes the blocks "```LANGUAGE file=NAME" to those files, those with before="LINE" (or 'LINE') into
# the file before that line; prints the commands of the blocks "```sh".
apply_blocks() { # PAGE
  awk '
    function flush_block(  line, text, found) {
      if (before == "") { printf "%s", block > file; close(file); return }
      while ((getline line < file) > 0) {
        if (line == before) { text = text block "\n"; found++ }
        text = text line "\n"
      }
      close(file)
      printf "%s", text > file
      close(file)
      if (found != 1) { print "no one line " before " in " file > "/dev/stderr"; exit 1 }
    }
    /^```/ && kind == "" {
      kind = substr($1, 4); file = before = block = ""
      if (match($0, /file=[^ ]*/)) file = substr($0, RSTART + 5, RLENGTH - 5)
      if (match($0, /before="[^"]*"$/) || match($0, /before=\047[^\047]*\047$/))
        before = substr($0, RSTART + 8, RLENGTH - 9)
      next
    }
    /^```/ { if (file != "") flush_block(); kind = ""; next }
    kind == "sh" { print; next }
    kind != "" { block = block $0 "\n" }' "$1"
}

@test "the lock and the keys that CONTRIBUTING.md adds build: the lock passes its tests hosted and in the guest, and is documented" {
  local copy="$BATS_TEST_TMPDIR/a copy"
  copy_tree "$copy"
  cd "$copy"
  apply_blocks CONTRIBUTING.md >commands
  [ -e locks/my-lock.c ]
  [ "$(grep -c . commands)" -ge 5 ]
  clang-format --dry-run -Werror locks/my-lock.c
  # One of the commands is bats, which must not see the environment of this bats.
  env -i HOME="$HOME" PATH="${PATH#*bats-core:}" bash -exo pipefail commands >output 2>&1 || { cat output >&2; return 1; }
  # The lock's cases passed on threads and in the guest, and it was measured with its key.
  grep -E '^ok [0-9]+ - my-lock: excludes, 4 threads' output
  grep -E '^ok [0-9]+ - locks\.my-lock\.excludes_4' output
  grep -F '"my_lock_pauses":32' output
  grep -E '"tunables":\{[^}]*"stagger":7\}' output
  # The setting is in the run record, and the analyser shows that the logs differ in it.
  grep -F '"eager":"first"' eager.log
  grep -E 'settings.*' output | grep -F settings
  ! grep '^not ok' output || return 1
}

@test "every target that is made by name is in make help" {
  cd "$tree"
  make -s help >"$BATS_TEST_TMPDIR/help"
  local target
  # shellcheck disable=SC2046 # names of files, words
  sed -n 's/^\.PHONY: //p' Makefile $(sed -n 's/^include //p' Makefile) | tr ' ' '\n' |
    while read -r target; do
      [[ $target == FORCE ]] || grep -q "^  make $target  *[^ ]" "$BATS_TEST_TMPDIR/help" ||
        { echo "make $target is not in make help, or without a text" >&2; return 1; }
    done
  [ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 20 ]
}
