#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# run.sh's exit status, report and manifest for each behaviour of a
# guest, under TCG with the guest of fixtures/guest.asm.
# shellcheck disable=SC2154 # stdout, stderr, out, tree: common.bash

load common

setup_file() {
  build_fixture
}

setup() {
  private_tmpdir
}

guest() { # STATUS CASE ARGUMENT...
  local want=$1 case=$2
  shift 2
  rm -rf "$out"
  run_sh "$want" --accel=tcg --timeout=60 --out="$out" -kernel "$GUEST" -append "case=$case" "$@"
}

manifest() { # FILTER: must be true of manifest.json
  jq -e "$1" "$out/manifest.json" >/dev/null || {
    echo "manifest.json: not $1" >&2
    jq . "$out/manifest.json" >&2
    return 1
  }
}

@test "ok: 0, the table on stdout, report and manifest" {
  guest 0 ok -smp 3
  says "$stdout" 'lock ops' 'mcs 1' 'verdict: ok'
  [ "$stdout" = "$(<"$out/report.txt")" ]
  [[ $stdout != *'== '* ]]
  [[ $stderr != *'run 1'* ]] # no progress in a pipe
  says "$stderr" 'accel tcg' "$out"
  manifest '.code == 0 and .verdict == "ok" and .accel.class == "tcg" and .l1 == null'
  manifest '.instances[0] | .qemu_exit == 33 and .records == 3 and (.vcpus | length) == 3
    and (.command | index("case=ok accel=tcg end=wait") != null)'
  manifest '(.arguments | index("case=ok") != null) and .host.cpus > 0 and .qemu != null'
  grep -q '^got bye' "$out/serial-0.log"
  nothing_left
}

@test "fail 3, skip 77, error 4, refused command line 2" {
  guest 3 fail
  says "$stdout" 'not ok 1 - x' 'verdict: fail'
  guest 77 skip
  guest 4 error
  guest 2 usage
  says "$stdout" 'error: bad key foo; accepted are bar'
}

@test "a log that is not whole is never a success" {
  guest 5 no-end
  says "$stdout" 'without its end record'
  guest 5 half-line
  says "$stdout" 'broken record'
  guest 5 gap
  says "$stdout" 'seq 3 where 2 was due'
  guest 5 count
  says "$stdout" 'counts 7 records'
  guest 5 after-end
  guest 5 silent
  says "$stdout" 'no record'
}

@test "an exit status that contradicts the log, or is none of the guest's, is a crash" {
  guest 5 contradiction
  says "$stdout" 'says ok' 'says fail'
  guest 5 odd-exit
  guest 5 reset
  says "$stdout" 'ended by itself with status 0'
  manifest '.instances[0].qemu_exit == 0'
}

# Makes a fake QEMU that, asked to run a machine, prints TEXT and ends with STATUS.
refusing_qemu() { # STATUS TEXT; sets path
  path=$(path_without qemu-system-x86_64)
  printf '#!/bin/bash\n[[ " $* " != *" -version "* ]] || exec %q "$@"\necho %q >&2\nexit %d\n' \
    "$(command -v qemu-system-x86_64)" "$2" "$1" >"$path/qemu-system-x86_64"
  chmod +x "$path/qemu-system-x86_64"
}

@test "a QEMU that does not start the machine: 4, its words, and the remedy if that is known" {
  local path
  guest 4 ok -machine none-such
  says "$stdout" 'did not start the virtual machine (status 1)' 'unsupported machine type'
  manifest '.verdict == "error" and .instances[0].qemu_exit == 1'
  refusing_qemu 1 'qemu-system-x86_64: -sandbox on: failed to load seccomp syscall filter in kernel'
  PATH=$path guest 4 ok
  says "$stdout" 'failed to load seccomp' 'PVSPIN_SANDBOX=off'
  refusing_qemu 1 'qemu-system-x86_64: could not open int.log: Read-only file system'
  PATH=$path PVSPIN_CLASS=nested guest 4 ok
  says "$stdout" 'int.log: Read-only' "only below --out ($out)"
  refusing_qemu 0 'text that was asked for'
  PATH=$path guest 4 ok
  says "$stdout" 'status 0' 'text that was asked for'
  [[ $stdout != *'triple fault'* ]]
}

@test "relative paths in QEMU's options are relative to the caller's directory" {
  local file
  mkdir "$BATS_TEST_TMPDIR/a, b"
  cd "$BATS_TEST_TMPDIR/a, b"
  truncate -s 1M disk.img
  guest 0 ok -drive file=disk.img,format=raw,if=none,id=d -d int -D int.log -qmp unix:socket,server=on,wait=off \
    -chardev file,id=c,path=chars
  for file in int.log chars; do [ -e "$file" ]; done # a socket and a -pidfile are removed
  guest 0 ok -initrd disk.img # a multiboot module
  nothing_left
}

@test "a guest that finds fewer vCPUs than -smp gave is not ok: 4" {
  guest 0 one-cpu -smp 1
  guest 4 one-cpu -smp sockets=2,cores=2
  says "$stdout" 'found 1 of its 4 vCPUs'
}

@test "a guest stopped by -S has no time limit for its start" {
  PVSPIN_BOOT_LIMIT=1 guest 124 ok -S --timeout=3
  says "$stdout" 'still running'
}

@test "a panic is reported with symbols" {
  guest 5 panic
  says "$stdout" 'panic on cpu 1: page fault, lock mcs' '0x10000c  start at' guest.asm
  manifest '.verdict == "crash"'
}

@test "out of time: 124, the log is kept, nothing is left" {
  guest 124 hang --timeout=2
  grep -q '"type":"boot"' "$out/serial-0.log"
  says "$stdout" 'still running after 2 s'
  nothing_left
}

@test "a QEMU that a signal ends half-way is a crash, and the signal is named" {
  local pid status signal
  for signal in KILL TERM; do
    status=0
    rm -rf "$out"
    "$tree/run.sh" --accel=tcg --timeout=60 --out="$out" -kernel "$GUEST" -append case=hang \
      >"$BATS_TEST_TMPDIR/stdout" 2>&1 </dev/null &
    pid=$!
    wait_for "$out/serial-0.log" '"boot"'
    kill -"$signal" "$(processes_left | sed -n 's/ qemu-system.*//p')"
    wait "$pid" || status=$?
    [ "$status" -eq 5 ]
    says "$(<"$BATS_TEST_TMPDIR/stdout")" "SIG$signal"
    [[ $(<"$BATS_TEST_TMPDIR/stdout") != *'triple fault'* ]]
    nothing_left
  done
}

@test "a signal: 130, the logs are kept and named, nothing is left" {
  "$tree/run.sh" --accel=tcg --timeout=60 --instances=2 --out="$out" -kernel "$GUEST" \
    -append case=hang >"$BATS_TEST_TMPDIR/stdout" 2>&1 </dev/null &
  local pid=$! status=0
  wait_for "$out/serial-0.log" '"boot"'
  wait_for "$out/serial-1.log" '"boot"'
  kill -TERM "$pid"
  wait "$pid" || status=$?
  [ "$status" -eq 130 ]
  says "$(<"$BATS_TEST_TMPDIR/stdout")" "logs are in $out"
  # 0: QEMU was asked to end, and did, so its log is whole.
  manifest '.verdict == "interrupted" and (.instances | map(.qemu_exit) == [0, 0])'
  nothing_left
}

@test "Ctrl-C at a terminal: 130, nothing is left; the progress line" {
  mkfifo "$BATS_TEST_TMPDIR/keys"
  exec 7<>"$BATS_TEST_TMPDIR/keys"
  cat >"$BATS_TEST_TMPDIR/session" <<SESSION
export TERM=xterm # a runner of tests may have none
${tree@Q}/run.sh --accel=tcg --timeout=60 --out=${out@Q} -kernel ${GUEST@Q} -append case=run-hang
echo "status \$?" >${BATS_TEST_TMPDIR@Q}/status
SESSION
  # The new bash is the terminal's session leader; it starts run.sh in the foreground.
  # (SIGINT is ignored in a background job of bats, and that is inherited.)
  python3 -c 'import pty, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)
pty.spawn(sys.argv[1:])' bash -m "$BATS_TEST_TMPDIR/session" \
    <&7 >"$BATS_TEST_TMPDIR/screen" 2>&1 &
  local terminal=$!
  wait_for "$BATS_TEST_TMPDIR/screen" 'instance 0: run 1, mcs'
  printf '\003' >&7
  wait_for "$BATS_TEST_TMPDIR/status" status
  exec 7>&-
  kill "$terminal" 2>/dev/null || true
  [ "$(<"$BATS_TEST_TMPDIR/status")" = 'status 130' ]
  grep -q '"run"' "$out/serial-0.log"
  nothing_left
}

@test "every instance is held until all are ready, and told when its peers measured" {
  guest 0 ready --instances=3
  local i
  for i in 0 1 2; do
    grep -q '^got go [0-9]\{19\} 300000000$' "$out/serial-$i.log"
  done
  # The fixture reads one line at each WAIT, so the second line is a peer's.
  grep -q '^got peer [12] 1700000000000000100 1700000000500000100' "$out/serial-0.log"
  manifest '.overlaps | length == 3 and all(.overlap_us == 500000 and .run == 1)'
  says "$stdout" 'overlap: 3 pairs' '100 %'
}

@test "an instance that dies does not hold up the others; the worst verdict wins" {
  guest 5 die-ready --instances=2
  manifest '.instances | map(.verdict) == ["crash", "crash"]'
  # Instance 0 is ready and waits for instance 1, which is then killed during its start.
  rm -rf "$out"
  "$tree/run.sh" --accel=tcg --timeout=60 --instances=2 --out="$out" -kernel "$GUEST" \
    -append case=prompted >/dev/null 2>&1 </dev/null &
  local pid=$! status=0
  wait_for "$out/serial-0.log" '"boot"'
  wait_for "$out/serial-1.log" '"boot"'
  echo prompt >"$(find "$TMPDIR" -path '*/0/serial.in')"
  wait_for "$out/serial-0.log" '"ready"'
  [ "$(grep -c 'got go' "$out/serial-0.log")" -eq 0 ]
  kill "$(<"$(find "$TMPDIR" -path '*/1/qemu.pid')")"
  wait "$pid" || status=$?
  [ "$status" -eq 5 ]
  manifest '.instances | map(.verdict) == ["ok", "crash"]'
  nothing_left
}

@test "--runs=2: a directory each and a summary" {
  guest 0 ok --runs=2
  [ -s "$out/run-1/serial-0.log" ]
  [ -s "$out/run-2/manifest.json" ]
  manifest '.runs | map(.dir, .verdict) == ["run-1", "ok", "run-2", "ok"]'
}

@test "--pin: each vCPU thread is on its CPU of the list; a CPU that does not exist: 4" {
  guest 0 ok --pin=0 -smp 2
  manifest '.instances[0].vcpus | map(.pinned_to) == [0, 0]'
  guest 4 ok --pin=4095
  says "$stdout" 'CPU 4095'
  nothing_left
}

@test "two started by hand at once, from a tree with spaces, with default directories" {
  local copy="$BATS_TEST_TMPDIR/a tree" pids=() n dirs
  mkdir "$copy"
  cp -r "$tree/run.sh" "$tree/tools" "$tree/Makefile" "$copy/" # an own tree: out/ is in it
  cd "$BATS_TEST_TMPDIR"
  for n in 1 2; do
    "$copy/run.sh" --accel=tcg --timeout=60 -kernel "$GUEST" -append case=ok >"$n" 2>&1 \
      </dev/null &
    pids+=("$!")
  done
  wait "${pids[0]}"
  wait "${pids[1]}"
  dirs=$(cat 1 2 | sed -n 's/.*logs are in //p' | sort -u)
  [ "$(wc -l <<<"$dirs")" -eq 2 ]
  while read -r n; do
    [[ $n == "$copy/out/"* ]]
    [ "$(grep -c '^{' "$n/serial-0.log")" -eq 3 ]
  done <<<"$dirs"
  nothing_left
}

# Makes files as a process in a cgroup sees them: its group may use 20 ms of each 100, the parent
# 300.
quota_fixture() { # cgroup2|cgroup; sets PVSPIN_PROC_SELF
  export PVSPIN_PROC_SELF=$BATS_TEST_TMPDIR/self
  local mount="$BATS_TEST_TMPDIR/c g" group
  mkdir -p "$mount/above/ours" "$PVSPIN_PROC_SELF"
  if [[ $1 == cgroup2 ]]; then
    echo "30 23 0:26 / ${mount// /\\040} rw - cgroup2 cgroup2 rw" >"$PVSPIN_PROC_SELF/mountinfo"
    printf '1:name=x:/else\n0::/above/ours\n' >"$PVSPIN_PROC_SELF/cgroup"
    echo '300000 100000' >"$mount/above/cpu.max"
    echo '20000 100000' >"$mount/above/ours/cpu.max"
  else
    # A container without a cgroup namespace: only our part of the hierarchy is mounted.
    echo "30 23 0:26 /docker ${mount// /\\040} rw - cgroup cgroup rw,cpu,cpuacct" >"$PVSPIN_PROC_SELF/mountinfo"
    printf '2:cpu,cpuacct:/docker/above/ours\n0::/\n' >"$PVSPIN_PROC_SELF/cgroup"
    for group in above above/ours; do echo 100000 >"$mount/$group/cpu.cfs_period_us"; done
    echo 20000 >"$mount/above/ours/cpu.cfs_quota_us"
    echo -1 >"$mount/above/cpu.cfs_quota_us"
  fi
  for group in above above/ours; do echo 'nr_throttled 3' >"$mount/$group/cpu.stat"; done
}

@test "a cgroup's CPU quota is in the manifest and in the report" {
  guest 0 ok
  manifest '.host | has("cpu_quota")'
  local version
  for version in cgroup2 cgroup; do
    quota_fixture "$version"
    guest 0 ok
    says "$stdout" 'gives this call 0.2 CPUs' above/ours
    manifest '.host.cpu_quota | .quota_us == 20000 and .period_us == 100000 and .throttled_us == 0
      and (.cgroup | endswith("/c g/above/ours"))'
    rm -rf "$BATS_TEST_TMPDIR/c g"
  done
}

@test "no text with white space around it is converted to a number, which jq 1.8 refuses" {
  local filter=$BATS_TEST_TMPDIR/strict.jq
  printf '%s\n' 'def old: tonumber;' \
    'def tonumber: if type == "string" and test("[[:space:]]") then error("white space") else old end;' >"$filter"
  cat "$tree/tools/run/instance.jq" >>"$filter"
  jq -n --argjson log '[{"records": 3}]' --argjson verdicts '[]' --argjson i 0 --arg log_name serial-0.log \
    --arg command '' --arg exit $'33\n' --arg time $'1700 1800\n' --arg qmp '' --arg pin $'7 3\n8 4\n' -f "$filter" |
    jq -e '.started_us == 1700 and .ended_us == 1800 and .qemu_exit == 33'
}
