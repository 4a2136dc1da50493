#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# run.sh under adverse conditions: words with a shell's special
# characters, readers that go away, full disks, QEMUs that are too old or built differently. Under
# TCG, mostly with the guest of fixtures/guest.asm.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # $ for nobody; subshells meant; common.bash sets stdout, out, ...

load common

setup_file() {
  build_fixture
}

setup() {
  private_tmpdir
}

tcg() { # STATUS ARGUMENT...
  local want=$1
  shift
  run_sh "$want" --accel=tcg --timeout=60 --out="$out" "$@"
}

@test "no word is executed: paths, -append and QEMU's options arrive unchanged" {
  local words='$(touch pwned) `touch pwned` "q" '\''s'\'' ;touch pwned & * ~ \ ü'
  cd "$BATS_TEST_TMPDIR"
  out="$BATS_TEST_TMPDIR/o \"u' \$(touch pwned) ü"
  cp "$GUEST" 'g u"e'\''s,t $(touch pwned)'
  tcg 0 -kernel 'g u"e'\''s,t $(touch pwned)' -name 'n $(touch pwned)' -append "case=ok $words"
  # The same with the real guest, which names the first word that it does not know.
  out="$out 2"
  tcg 2 -append "locks=tas $words"
  says "$stdout" '$(touch: unknown key'
  # (Its log is ASCII, with each other byte as \u00XX.)
  jq -Rse --arg line "locks=tas ${words% ü}" 'split("\n") | map(select(startswith("{")))[0] | fromjson | .cmdline
    | contains($line) and contains("\u00c3\u00bc")' "$out/serial-0.log"
  jq -e --arg line "locks=tas $words" '.arguments | index($line) != null' "$out/manifest.json"
  [ -z "$(find "$BATS_TEST_TMPDIR" "$tree" -name pwned -not -path '*/.git/*')" ]
  nothing_left
}

@test "a line break is refused where it would split a line" {
  tcg 2 -append $'a=1\nb=2'
  says "$stderr" -append 'one line'
  out+=$'\nx'
  tcg 2 -kernel "$GUEST" -append case=ok
  says "$stderr" --out= 'line break'
}

@test "QEMU runs in our sandbox, unless it has none or the user gives one" {
  local command='.instances[0].command | map(select(. == "-sandbox")) | length'
  tcg 0 -kernel "$GUEST" -append case=ok
  jq -e '.instances[0].command | index("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny")' \
    "$out/manifest.json"
  [ "$(jq "$command" "$out/manifest.json")" -eq 1 ]
  out+=2
  tcg 0 -kernel "$GUEST" -append case=ok -sandbox off
  [ "$(jq "$command" "$out/manifest.json")" -eq 1 ]
  # a QEMU built without seccomp
  local path real
  real=$(command -v qemu-system-x86_64)
  path=$(path_without qemu-system-x86_64)
  printf '#!/bin/bash\n[[ " $* " != *" -sandbox "* ]] || exit 1\nexec %q "$@"\n' "$real" >"$path/qemu-system-x86_64"
  chmod +x "$path/qemu-system-x86_64"
  out+=3
  PATH=$path tcg 0 -kernel "$GUEST" -append case=ok
  [ "$(jq "$command" "$out/manifest.json")" -eq 0 ]
}

@test "a QEMU that is too old is named with the oldest accepted version: 4" {
  local path
  path=$(path_without qemu-system-x86_64)
  printf '#!/bin/bash\necho "QEMU emulator version 4.2.1 (Debian 1:4.2-3)"\n' >"$path/qemu-system-x86_64"
  chmod +x "$path/qemu-system-x86_64"
  PATH=$path tcg 4 -kernel "$GUEST"
  says "$stderr" 'version 4.2.1' '6.2 or newer'
  [ ! -e "$out" ]
}

@test "a stdout that takes no data: 4; logs whole, nothing left" {
  local status=0
  "$tree/run.sh" --accel=tcg --out="$out 2" -kernel "$GUEST" -append case=ok 2>"$BATS_TEST_TMPDIR/err" >/dev/full || status=$?
  [ "$status" -eq 4 ]
  says "$(<"$BATS_TEST_TMPDIR/err")" 'standard output' "$out 2/report.txt"
  status=0
  "$tree/run.sh" --accel=tcg --out="$out 3" -kernel "$GUEST" -append case=ok 2>"$BATS_TEST_TMPDIR/err" >&- || status=$?
  [ "$status" -eq 4 ]
  nothing_left
}

@test "a disk that is full, at the start or later: 4, the file is named, nothing is left" {
  ((EUID == 0)) || skip 'needs root, to mount a small disk'
  mkdir "$out"
  mount -t tmpfs -o size=8k pvspin-small "$out"
  out+=/x tcg 4 -kernel "$GUEST" -append case=ok
  umount "$out"
  says "$stderr" "cannot write $out/x" 'disk full' --out=
  # files written after QEMU has ended no longer fit
  mount -t tmpfs -o size=72k pvspin-small "$out"
  out+=/x tcg 4 -kernel "$GUEST" -append case=ok
  umount "$out"
  says "$stderr" "cannot write $out/x" 'disk full'
  # the log itself: too many records for the disk, so the run is ended
  mount -t tmpfs -o size=80k pvspin-small "$out"
  SECONDS=0
  out+=/x tcg 4 -smp 4 -append "locks=tas,mcs reps=1000 ms=1 warmup_ms=0 latency=on"
  umount "$out"
  says "$stderr" "cannot write $out/x/serial-0.log"
  ((SECONDS < 50))
  nothing_left
}

@test "a limit on the size of files: 4, and the file is named" {
  tcg_limited() { (ulimit -f 4; tcg 4 -kernel "$GUEST" -append case=ok); }
  tcg_limited
  says "$(<"$BATS_TEST_TMPDIR/stderr")" "cannot copy $GUEST to $TMPDIR"
}

# A copy of the tree that nobody may write to, with an image that make would build anew; removed by teardown.
foreign_tree() { # sets place
  unset PVSPIN_BUILD
  place=$(mktemp -d /tmp/pvspin-test.XXXXXX) # bats's own directory is closed to others
  make -s -C "$tree" build/pvspin.elf >&2
  mkdir -p "$place"/{tree/build,cwd}
  tar -C "$tree" --exclude=./build --exclude=./out --exclude=./.git -c . | tar -x -C "$place/tree"
  cp "$tree/build/pvspin.elf" "$place/tree/build/"
  chmod -R a+rX,a-w "$place/tree"
  chmod 755 "$place"
  chmod 777 "$place/cwd"
}

teardown() {
  keep_failed
  [ -z "${place:-}" ] || { chmod -R u+w "$place" && rm -rf "$place"; }
}

@test "an ordinary user, a tree that is not his: its image is taken as it is, logs go to the current directory" {
  foreign_tree
  cd "$place/cwd"
  TMPDIR=/tmp ordinary_user timeout 100 "$place/tree/run.sh" --accel=tcg -append "locks=tas ms=5 reps=1" >said 2>err
  says "$(<said)" 'verdict: ok'
  says "$(<err)" "cannot write to $place/tree/build; taking " 'build/pvspin.elf as it is'
  compgen -G "out/*/serial-0.log"
}

@test "an ordinary user, a tree that is not his and has no image: 4" {
  local status=0
  foreign_tree
  chmod u+w "$place/tree/build"
  rm "$place/tree/build/pvspin.elf"
  chmod u-w "$place/tree/build"
  cd "$place/cwd"
  TMPDIR=/tmp ordinary_user timeout 100 "$place/tree/run.sh" --accel=tcg >said 2>err || status=$?
  [ "$status" -eq 4 ]
  says "$(<err)" "cannot write to $place/tree/build, and no build/pvspin.elf is there"
}
