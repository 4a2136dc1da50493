# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # the tests use them
# Helpers for the tests of run.sh. Most tests use the guest tests/run/fixtures/guest.asm, which
# behaves as case= on its command line says, so they need no working pvspin.

tree=$(cd "$BATS_TEST_DIRNAME/../.." && pwd -P)

build_fixture() { # sets and exports GUEST
  export GUEST=$BATS_FILE_TMPDIR/guest.elf
  nasm -g -F dwarf -f elf32 -o "$GUEST.o" "$tree/tests/run/fixtures/guest.asm"
  ld -m elf_i386 -N -Ttext=0x100000 -e start -o "$GUEST" "$GUEST.o"
}

# Puts all scratch files of a test below $TMPDIR, a directory with an awkward name.
private_tmpdir() {
  export TMPDIR="$BATS_TEST_TMPDIR/t m,p"
  # shellcheck disable=SC2034 # for the tests
  out="$BATS_TEST_TMPDIR/o u,t"
  mkdir "$TMPDIR"
}

# run_sh STATUS ARGUMENT...: runs run.sh, which must end with STATUS; sets $stdout and $stderr.
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

# Fails unless the text contains each of the words.
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

# Prints the processes that have a file open or work below $TMPDIR, one "PID NAME" per line.
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

# Waits until FILE has TEXT, at most two minutes, which a loaded machine may need to start L1.
wait_for() { # FILE TEXT
  local n
  for ((n = 0; n < 1200; n++)); do
    ! grep -qsF "$2" "$1" || return 0
    sleep 0.1
  done
  echo "did not find $2 in $1 within two minutes" >&2
  return 1
}

# For teardown: if the test failed, copies what its call of run.sh left to out/failed/FILE-NUMBER.
keep_failed() {
  local to=$tree/out/failed/${BATS_TEST_FILENAME##*/}-$BATS_TEST_NUMBER
  [[ -z ${BATS_TEST_COMPLETED:-} && -e ${out:-} ]] || return 0
  rm -rf "$to"
  mkdir -p "$to"
  cp -r "$out/." "$BATS_TEST_TMPDIR"/std* "$to/" || true
  echo "kept in $to" >&2
}

# A PATH with all of /usr/bin and /usr/sbin except the named commands.
path_without() { # COMMAND...
  local dir=$BATS_TEST_TMPDIR/path command
  mkdir -p "$dir"
  cp -rsf /usr/sbin/. /usr/bin/. "$dir/" 2>/dev/null || true
  for command; do rm -f "$dir/$command"; done
  echo "$dir"
}

# Runs the command as nobody if the tests run as root.
ordinary_user() { # COMMAND...
  if ((EUID)); then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
}

# False if this release of Debian has no kernel of this line (6.1 in Debian 13). If apt knows no
# kernel at all, true, so that the test goes on, and fails.
kernel_offered() { # LINE
  local l1_dir l1_error
  # shellcheck source=/dev/null
  source "$tree/tools/nested/kernel.sh"
  nested_kernel "$1" || [[ $l1_error != 'apt offers no kernel'* ]]
}

needs_kernel() { # LINE
  kernel_offered "$1" || skip "apt offers no kernel $1 here"
}
