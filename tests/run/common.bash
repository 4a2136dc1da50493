# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the tests use them
# What the tests of run.sh share. The guest is mostly tests/run/fixtures/guest.asm, which behaves
# as its word case= says; so a test of run.sh needs no working pvspin.

tree=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)

build_fixture() { # sets and exports GUEST
  export GUEST=$BATS_FILE_TMPDIR/guest.elf
  nasm -g -F dwarf -f elf32 -o "$GUEST.o" "$tree/tests/run/fixtures/guest.asm"
  ld -m elf_i386 -N -Ttext=0x100000 -e start -o "$GUEST" "$GUEST.o"
}

# All scratch files of a test are below $TMPDIR, whose name
# is as awkward as a name may be.
private_tmpdir() {
  export TMPDIR="$BATS_TEST_TMPDIR/t m,p"
  # shellcheck disable=SC2034 # for the tests
  out="$BATS_TEST_TMPDIR/o u,t"
  mkdir "$TMPDIR"
}

# run_sh STATUS ARGUMENT...: run.sh must end with STATUS; $stdout and $stderr are what it wrote.
run_sh() {
  local want=$1 got=0
  shift
  timeout "${patience:-120}" "$tree/run.sh" "$@" >"$BATS_TEST_TMPDIR/stdout" \
    2>"$BATS_TEST_TMPDIR/stderr" </dev/null || got=$?
  stdout=$(<"$BATS_TEST_TMPDIR/stdout") stderr=$(<"$BATS_TEST_TMPDIR/stderr")
  if ((got != want)); then
    printf 'run.sh %s\nended with %s, not %s\nstdout: %s\nstderr: %s\n' "$*" "$got" "$want" \
      "$stdout" "$stderr" >&2
    return 1
  fi
}

# The text must hold each of the words given.
says() { # TEXT WORDS...
  local text=$1 words
  shift
  for words; do
    if [[ $text != *"$words"* ]]; then
      printf 'expected: %s\nin: %s\n' "$words" "$text" >&2
      return 1
    fi
  done
}

# Processes that still have something open below $TMPDIR, or work there, one "PID NAME" a line.
processes_left() {
  local pid
  find /proc/[0-9]*/cwd /proc/[0-9]*/fd -maxdepth 1 -lname "$TMPDIR/*" 2>/dev/null | cut -d/ -f3 | sort -u |
    while read -r pid; do
      echo "$pid $(cat "/proc/$pid/comm" 2>/dev/null)"
    done
}

nothing_left() {
  local left
  left=$(processes_left)
  [[ -z $left ]] || { echo "still running: $left" >&2; return 1; }
  [[ -z $(ls -A "$TMPDIR") ]] || { echo "left in TMPDIR: $(ls -A "$TMPDIR")" >&2; return 1; }
}

# Waits until FILE has TEXT, at most 30 s.
wait_for() { # FILE TEXT
  local n
  for ((n = 0; n < 300; n++)); do
    ! grep -qsF "$2" "$1" || return 0
    sleep 0.1
  done
  echo "waited in vain for $2 in $1" >&2
  return 1
}

# A PATH with all of /usr/bin, /usr/sbin but the commands named.
path_without() { # COMMAND...
  local dir=$BATS_TEST_TMPDIR/path command
  mkdir -p "$dir"
  cp -rsf /usr/sbin/. /usr/bin/. "$dir/" 2>/dev/null || true
  for command; do rm -f "$dir/$command"; done
  echo "$dir"
}

# As nobody, if the tests run as root.
ordinary_user() { # COMMAND...
  if ((EUID)); then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
}

# Skips where this release of Debian has no kernel of that line, such as 6.1 in Debian 13; not where apt knows none at all.
needs_kernel() { # LINE
  local l1_dir l1_error
  # shellcheck source=/dev/null
  source "$tree/tools/nested/kernel.sh"
  nested_kernel "$1" || [[ $l1_error != 'apt offers no kernel'* ]] || skip "$l1_error"
}
