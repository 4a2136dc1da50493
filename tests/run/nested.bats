#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The machinery of --accel=nested: a command in L1, its streams and
# status, and run.sh around it. The guest is fixtures/guest.asm; guest_nested.bats runs the real
# one. Needs the kernel of L1 in the user's cache, or the network to fetch it once.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154 # $ for the shell in L1; common.bash sets stdout, out, ...

load common
# shellcheck source=/dev/null
source "$tree/tools/nested/serve.sh"

setup_file() {
  build_fixture
}

setup() {
  private_tmpdir
  patience=330
}

teardown() {
  keep_failed
  [ -z "${serve_pid:-}" ] || serve_stop "$serve_pid"
  [ -z "${here:-}" ] || rm -rf "$here"
}

nested() { # STATUS ARGUMENT...
  local want=$1 got=0
  shift
  timeout 310 "$tree/tools/nested/nested.sh" --timeout=300 "$@" >"$BATS_TEST_TMPDIR/stdout" \
    2>"$BATS_TEST_TMPDIR/stderr" </dev/null || got=$?
  stdout=$(<"$BATS_TEST_TMPDIR/stdout") stderr=$(<"$BATS_TEST_TMPDIR/stderr")
  ((got == want)) || { echo "status $got, not $want: $stdout $stderr" >&2; return 1; }
}

@test "in L1: KVM; all host files, read-only; own TMPDIR; --rw; exact streams and status" {
  here=$(mktemp -d /dev/shm/pvspin-test.XXXXXX) # removed by teardown
  mkdir "$out"
  cd "$out"
  echo in-tmp >"$BATS_TEST_TMPDIR/file"
  echo in-shm >"$here/file"
  export PVSPIN_PASSED="a 'b' \$c"
  nested 203 --rw="$out" --console="$BATS_TEST_TMPDIR/console" -- bash -c '
    test -c /dev/kvm && grep -qw svm /proc/cpuinfo && echo kvm
    grep -qw no_timer_check /proc/cmdline || echo "the kernel checks its timer"
    test -d /sys/kernel/debug/kvm && test -d /sys/kernel/tracing/events/kvm && echo traces
    echo "$PVSPIN_PASSED,$1,$PWD"
    ! : 2>/dev/null >/usr/forbidden && ! : 2>/dev/null >/etc/forbidden && echo read-only
    : >"$TMPDIR/private" && echo private
    cat "$2/file" "$3/file"
    ! : 2>/dev/null >"$2/forbidden" && ! : 2>/dev/null >"$3/forbidden" && echo still read-only
    printf "binary\0\377\r\n" >made
    for i in {1..20000}; do echo "line $i"; done | tail -n 1
    echo complaint >/dev/stderr
    exit 203' bash 'x  y' "$BATS_TEST_TMPDIR" "$here"
  says "$stdout" kvm traces "a 'b' \$c,x  y,$out" read-only private in-tmp in-shm 'still read-only' 'line 20000'
  [[ $stdout != *'checks its timer'* ]]
  [ "$stderr" = complaint ]
  [ "$(od -An -c made)" = '   b   i   n   a   r   y  \0 377  \r  \n' ]
  nothing_left
}

@test "out of time: 124, and L1 is gone" {
  nested 124 --timeout=6 -- sleep 1000
  says "$stderr" 'out of time'
  nothing_left
}

@test "an L1 that serves: streams and status, --rw, bounds, and its end" {
  local dir=$BATS_TEST_TMPDIR/served place=$BATS_TEST_TMPDIR/tree
  mkdir -p "$dir" "$place/out"
  mkfifo "$BATS_TEST_TMPDIR/up"
  "$tree/tools/nested/nested.sh" --serve="$dir" --rw="$place/out" --timeout=3000 \
    </dev/null >"$BATS_TEST_TMPDIR/up" 2>"$BATS_TEST_TMPDIR/server.err" 3>&- &
  serve_pid=$! # for teardown
  read -r -t 240 _ <"$BATS_TEST_TMPDIR/up"
  cd "$place"
  for i in 1 2; do
    echo "seen $i" >file # by L1, which has read it before
    nested 77 --in="$dir" --rw="$place/out" -- \
      bash -c 'cat file; echo complaint >&2; echo '"$i"' >out/made && exit 77'
    [ "$stdout" = "seen $i" ]
    [ "$stderr" = complaint ]
    [ "$(<out/made)" = "$i" ]
  done
  nested 2 --in="$dir" --rw="$BATS_TEST_TMPDIR" -- true
  says "$stderr" 'not writable in the L1'
  nested 124 --in="$dir" --timeout=3 -- bash -c \
    'trap "sleep 2; echo >out/ended; exit" TERM; while :; do sleep 0.1; done'
  [ -e out/ended ] # the call ends no sooner than what it ran
  nested 4 --in="$dir" --kernel=6.1 -- true
  says "$stderr" 'serves no L1 with kernel 6.1'
  nested 5 --in="$dir" -- bash -c 'echo c >/proc/sysrq-trigger; sleep 100'
  says "$stderr" 'L1 died'
  wait "$serve_pid" || [ $? -eq 5 ]
  [ ! -e "$dir/6.12" ]
}

@test "an L1 that dies while the command runs: 5" {
  nested 5 -- bash -c 'echo c >/proc/sysrq-trigger; sleep 100'
  says "$stderr" 'L1 died'
  nothing_left
}

@test "no kernel available: --accel=nested is 4 and says why; auto says why and takes tcg" {
  local path
  path=$(path_without apt-cache apt-get)
  XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache PATH=$path run_sh 4 --accel=nested --out="$out" -kernel "$GUEST"
  says "$stderr" 'apt-get' '--l1-kernel=PATH'
  printf '#!/bin/bash\nexit 100\n' | tee "$path/apt-cache" >"$path/apt-get"
  chmod +x "$path/apt-cache" "$path/apt-get"
  XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache PATH=$path run_sh 4 --accel=nested --l1-kernel=6.12 \
    --out="$out" -kernel "$GUEST" -append case=ok
  says "$stderr" 'linux-image-6.12-amd64' 'apt-get update'
  printf 'flags: none\n' >"$BATS_TEST_TMPDIR/cpuinfo"
  PVSPIN_CPUINFO=$BATS_TEST_TMPDIR/cpuinfo XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache PATH=$path \
    run_sh 0 --out="$out" -kernel "$GUEST" -append case=ok
  says "$stderr" 'accel tcg' 'linux-image'
}

# Lays out the kernel 6.1 like an image of the user's own: its modules in a tree, at a path with a
# space.
own_kernel() { # sets own; after needs_kernel
  local l1_dir image_release
  nested_kernel 6.1
  own="$BATS_TEST_TMPDIR/my own/boot/vmlinuz"
  image_check "$l1_dir/vmlinuz"
  mkdir -p "${own%/*}" "$BATS_TEST_TMPDIR/my own/lib/modules/$image_release/kernel"
  cp "$l1_dir/vmlinuz" "$own"
  cp "$l1_dir"/modules/*.ko "$BATS_TEST_TMPDIR/my own/lib/modules/$image_release/kernel/"
}

@test "two instances under 6.1, given by its path: held, released together, judged and reported outside" {
  needs_kernel 6.1
  own_kernel
  run_sh 0 --accel=nested --l1-kernel="$own" --instances=2 --timeout=300 --out="$out" \
    -kernel "$GUEST" -append case=ready -smp 2
  says "$stdout" 'instance 1' 'overlap: 1 pairs'
  jq -e '.accel.class == "nested" and (.l1.kernel | contains("6.1.")) and (.l1.boot_id | length == 36) and
    (.l1.package == null and (.l1.path | endswith("/my own/boot/vmlinuz")) and (.l1.release | startswith("6.1."))) and
    (.instances | length == 2 and all(.qemu_exit == 33 and
      # neither qboot nor this guest uses vCPU 1
      (.vcpus | length == 2 and .[0].kvm.exits > 0 and all(.kvm.exits >= 0 and .kvm.hypercalls >= 0))
      and (.command | map(sub(" vmm_cpu_percent=[0-9]+"; "")) | index("case=ready vmm_kernel=6001 accel=nested end=wait start=serial-each") != null)))' \
    "$out/manifest.json"
  [ ! -e "$out/.raw" ]
  nothing_left
}

@test "run.sh in an L1 that serves: the guest's verdict, the panic's symbols; a guest that hangs: 124, with its log" {
  local seconds
  export PVSPIN_L1=$BATS_TEST_TMPDIR/l1
  mkdir "$PVSPIN_L1"
  serve_start "$PVSPIN_L1" 6.12 --timeout=3000 --rw="$BATS_TEST_TMPDIR"
  SECONDS=0
  run_sh 5 --accel=nested --timeout=300 --out="$out" -kernel "$GUEST" -append case=panic
  says "$stdout" 'start at' 'the guest panicked'
  seconds=$((10 + 2 * SECONDS)) # time enough to start
  out+=2
  run_sh 124 --accel=nested --timeout="$seconds" --out="$out" -kernel "$GUEST" -append case=hang
  grep -q '"boot"' "$out/serial-0.log"
  jq -e '.instances[0].verdict == "timeout"' "$out/manifest.json"
  nothing_left
}

@test "a signal: 130, the log is kept, nothing is left" {
  "$tree/run.sh" --accel=nested --timeout=300 --out="$out" -kernel "$GUEST" -append case=hang \
    >"$BATS_TEST_TMPDIR/stdout" 2>&1 </dev/null &
  local pid=$! status=0
  wait_for "$out/serial-0.log" '"boot"'
  kill -TERM "$pid"
  wait "$pid" || status=$?
  [ "$status" -eq 130 ]
  says "$(<"$BATS_TEST_TMPDIR/stdout")" "logs are in $out"
  jq -e '.verdict == "interrupted"' "$out/manifest.json"
  nothing_left
}
