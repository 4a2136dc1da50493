#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# run.sh and nested.sh in environments that a user may have (locale,
# shell variables, TMPDIR, standard streams). They must always end with a documented status. Under
# TCG, mostly with the guest of fixtures/guest.asm.
# shellcheck disable=SC2030,SC2031,SC2154 # subshells meant; common.bash sets stdout, out, ...

load common

setup_file() {
  build_fixture
}

setup() {
  private_tmpdir
  cd "$BATS_TEST_TMPDIR" || return
}

tcg() { # STATUS ARGUMENT...
  local want=$1
  shift
  run_sh "$want" --accel=tcg --timeout=60 --out="$out" -kernel "$GUEST" -append case=ok "$@"
}

# status WANT COMMAND...: runs the command with this shell's standard streams
status() {
  local want=$1 got=0
  shift
  timeout 60 "$@" || got=$?
  ((got == want)) || { echo "status $got, not $want: $*" >&3; return 1; }
}

# Makes a directory for the front of PATH, in which NAME is SCRIPT.
stand_in() { # NAME SCRIPT
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  printf '#!/bin/bash\n%s\n' "$2" >"$BATS_TEST_TMPDIR/bin/$1"
  chmod +x "$BATS_TEST_TMPDIR/bin/$1"
}

# Makes it look as if the kernel of L1 had been fetched.
kernel_cached() {
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
  mkdir -p "$XDG_CACHE_HOME/pvspin/nested/6.12/modules"
  touch "$XDG_CACHE_HOME/pvspin/nested/6.12/vmlinuz"
}

@test "Estonian and Turkish orders of letters: --list is whole" {
  local name
  export LOCPATH=$BATS_TEST_TMPDIR/locales
  mkdir "$LOCPATH"
  "$tree/run.sh" --list >list
  for name in tr_TR et_EE; do
    localedef -i "$name" -f UTF-8 "$LOCPATH/$name.UTF-8" || skip "no localedef, or no $name"
    LC_ALL=$name.UTF-8 "$tree/run.sh" --list | diff list -
  done
}

@test "variables that influence bash and its tools change nothing" {
  mkdir home
  echo 'def bad(: 1;' >home/.jq
  # TMOUT is shorter than the guest's longest silence; serve_pid and meet_at are variables of
  # run.sh.
  HOME=$PWD/home CDPATH=.:/ TMOUT=1 POSIXLY_CORRECT=1 GREP_OPTIONS=-v JQ_COLORS=x FUNCNEST=3 BASH_COMPAT=3.1 \
    OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 serve_pid=$$ meet_at=/ \
    run_sh 0 --accel=tcg --timeout=60 --out=o7 -append "locks=tas reps=1 ms=1500 warmup_ms=0"
  jq -e --argjson cpus "$(nproc)" '.host.cpus == $cpus and .code == 0' o7/manifest.json
  [ "$(grep -vc '^run.sh: ' <<<"$stderr")" -eq 0 ]
  TMOUT='' nothing_left
  env -i PATH="$PATH" "$tree/run.sh" --accel=tcg --out=o8 -kernel "$GUEST" -append case=ok
}

@test "a start-up file that makes TMOUT and more read-only, functions, options: none reaches run.sh" {
  cat >start-up <<'FILE'
readonly TMOUT=1 LC_ALL=POSIX
set -o noclobber
cd() { echo "in $1"; }
FILE
  export BASH_ENV=$PWD/start-up
  status 0 env SHELLOPTS=noglob 'BASH_FUNC_grep%%=() { echo mine; }' 'BASH_FUNC_jq%%=() { false; }' "$tree/run.sh" --accel=tcg \
    --timeout=60 --out="$out" -kernel "$GUEST" -append case=ok
  status 0 env 'BASH_FUNC_mktemp%%=() { false; }' bash "$tree/run.sh" --accel=tcg --timeout=60 --out="$out 2" \
    -kernel "$GUEST" -append case=ok
}

@test "called through symbolic links" {
  ln -s "$tree/run.sh" one
  mkdir sub
  ln -s ../one sub/two
  ln -s "$tree/tools/nested/nested.sh" nested
  ln -s "$tree/tools/setup.sh" setup
  sub/two --version
  sub/two --accel=tcg --out="$out" -kernel "$GUEST" -append case=ok
  PATH=$PWD:$PATH nested --help | grep -F -- --serve=DIR
  status 2 ./setup nothing
}

@test "TMPDIR: relative works; one that is missing, a file, or not writable is named: 4" {
  local place
  mkdir t
  TMPDIR=t tcg 0
  [ -z "$(ls -A t)" ]
  out+=2
  TMPDIR='' tcg 0
  out+=3
  for place in /nonexistent /dev/null $'a\nb' /proc; do
    TMPDIR=$place tcg 4
    says "$stderr" 'TMPDIR='
    [ ! -e "$out" ]
  done
  says "$stderr" 'TMPDIR=/proc: cannot make a directory there'
  kernel_cached
  TMPDIR=/nonexistent status 4 "$tree/tools/nested/nested.sh" -- true
}

@test "TMPDIR mounted noexec: the host peer still runs" {
  ((EUID == 0)) || skip 'needs root, to mount'
  mkdir t
  mount -t tmpfs -o noexec pvspin-noexec t
  TMPDIR=$PWD/t run_sh 0 --accel=tcg --instances=0 --host-peer --out="$out" -append "locks=tas ms=1 reps=1 threads=1"
  umount t
}

@test "standard streams closed or full do not hide the actual status" {
  local run=(--accel=tcg --timeout=60 -kernel "$GUEST" -append case=ok)
  export PVSPIN_CPUINFO=/dev/null
  status 2 "$tree/run.sh" --bogus 2>&-
  status 2 "$tree/run.sh" --bogus 2>/dev/full
  status 4 "$tree/run.sh" --accel=kvm -kernel "$GUEST" 2>/dev/full
  status 4 "$tree/run.sh" --accel=kvm -kernel "$GUEST" 2>&- >&- <&-
  status 0 "$tree/run.sh" "${run[@]}" --out=a <&- 2>&-
  status 0 "$tree/run.sh" "${run[@]}" --out=b 2>/dev/full
  status 4 "$tree/run.sh" "${run[@]}" --out=c >/dev/full
  status 4 "$tree/run.sh" --help >&-
  status 2 "$tree/tools/nested/nested.sh" --bogus 2>/dev/full
  grep -F 'verdict: ok' a/report.txt b/report.txt c/report.txt
}

@test "a reader of stdout that goes away: the status is still the verdict's" {
  { status 0 "$tree/run.sh" --list; echo $? >said; } | true
  { status 3 "$tree/run.sh" --accel=tcg --runs=2 --out=a -kernel "$GUEST" -append case=fail; echo $? >>said; } | true
  # where SIGPIPE is ignored, as in a service of systemd's
  { trap '' PIPE; status 0 "$tree/run.sh" --accel=tcg --out=b -kernel "$GUEST" -append case=ok; echo $? >>said; } | true
  [ "$(paste -sd' ' said)" = '0 0 0' ]
  jq -e '.runs | length == 2' a/manifest.json # both were judged
}

@test "a terminal that is dumb gets no escape sequences, another one does" {
  local command term
  printf -v command '%q ' "$tree/run.sh" --accel=tcg --timeout=60 -append 'locks=tas ms=1 warmup_ms=0 reps=1'
  for term in dumb xterm; do
    TERM=$term script -qec "$command --out=out-$term" "$term" >/dev/null
  done
  grep -F 'verdict: ok' dumb xterm
  [ "$(grep -c $'\e' dumb)" -eq 0 ]
  grep -q $'\e' xterm
}

@test "a command that fails unexpectedly: 4, and it is named" {
  stand_in mkfifo 'exit 3'
  PATH=$PWD/bin:$PATH tcg 4
  says "$stderr" 'internal error: status 3 of' 'coordinator.sh:' mkfifo
  nothing_left
  kernel_cached
  PATH=$PWD/bin:$PATH status 4 "$tree/tools/nested/nested.sh" -- true 2>said
  says "$(<said)" 'internal error: status 3 of nested.sh:' mkfifo
  nothing_left
}

@test "an L1 killed from outside, as when memory is short: 5, and the signal is named" {
  kernel_cached
  stand_in qemu-system-x86_64 "[[ \" \$* \" != *' -virtfs '* ]] || kill -KILL \$\$; exec $(command -v qemu-system-x86_64) \"\$@\""
  export PATH=$PWD/bin:$PATH
  status 5 "$tree/tools/nested/nested.sh" -- true 2>said
  says "$(<said)" 'killed by signal 9' OOM
  run_sh 5 --accel=nested --timeout=60 --out="$out" -kernel "$GUEST" -append case=ok
  says "$stdout" 'crash: QEMU was not watched to its end: L1'
  says "$stderr" 'killed by signal 9'
  # Out of time is recognised even if `timeout` does not end with 124 (Rust coreutils 0.0.17).
  stand_in qemu-system-x86_64 "[[ \" \$* \" != *' -virtfs '* ]] || exec sleep 30"
  stand_in timeout "$(command -v timeout) \"\$@\"; s=\$?; exit \$((s == 124 ? 125 : s))"
  "$tree/tools/nested/nested.sh" --timeout=2 -- true 2>said || [ $? -eq 124 ]
  says "$(<said)" 'out of time after 2 s'
  nothing_left
}

@test "a tree of another user, which git calls dubious, has its version" {
  ((EUID == 0)) || skip 'only root can give a tree away'
  local own=$BATS_TEST_TMPDIR/own
  mkdir "$own"
  cp -r "$tree"/{run.sh,tools} "$own/"
  git -C "$own" init -q
  git -C "$own" -c user.name=x -c user.email=x@x commit -q --allow-empty -m x
  git -C "$own" tag v7.8
  chown -R nobody "$own"
  run "$own/run.sh" --version
  [[ $output == v7.8* ]]
}
