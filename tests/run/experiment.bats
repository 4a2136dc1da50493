#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --experiment: its arguments, and the way from a file of experiments/
# to its tables, under TCG. (TCG gives no verdicts; tests/host/test_report_study_judge.c tests
# those.)
# shellcheck disable=SC2030,SC2031,SC2154 # stdout, stderr, out, tree: common.bash, set in each test

load guest

# Plan keys that make any experiment take only milliseconds.
small="workload=contended ops=20000"

setup_file() {
  make -s -C "$BATS_TEST_DIRNAME/../.." all hosted report linux >&2
}

setup() {
  private_tmpdir
}

experiment() { # STATUS NAME ARGUMENT...
  local want=$1 name=$2
  shift 2
  rm -rf "$out"
  run_sh "$want" --experiment="$name" --accel=tcg --out="$out" "$@"
}

said() { # FILTER [FILE]: must be true of experiment.json
  jq -e "$1" "$out/${2:-experiment.json}" >/dev/null || {
    echo "not $1" >&2
    jq . "$out/${2:-experiment.json}" >&2
    return 1
  }
}

@test "contradictory arguments are usage errors; --list has each experiment with its title" {
  run_sh 2 --experiment=nosuch
  says "$stderr" 'nosuch: no such experiment' 'accepted: baseline' study sweep
  run_sh 2 --experiment=../run
  run_sh 2 --experiment=two-vms --instances=2
  says "$stderr" 'brings its own instances'
  run_sh 2 --experiment=two-vms --host-peer
  run_sh 2 --experiment=two-vms --pv=off
  experiment 2 two-vms -append locks=tas,nosuch
  says "$stderr" 'locks=tas,nosuch: nosuch: no such lock' 'accepted: all clh' 'virt-spin'
  run_sh 2 --trace=on
  says "$stderr" '--trace=on is for --experiment'
  run_sh 2 --seconds=5
  says "$stderr" '--seconds=5 is for --experiment'
  experiment 2 two-vms -append 'ms=1 reps=3'
  says "$stderr" '--runs=N'
  run_sh 0 --list
  for name in "$tree"/experiments/*; do
    says "$stdout" "  ${name##*/} ("
  done
}

@test "host-vs-pv, twice: calls, logs, experiment.json and tables; without KVM nothing is judged" {
  experiment 0 host-vs-pv --runs=2 -append "$small"
  for n in 1 2; do
    records '.[-1].verdict == "ok" and ([.[] | select(.type == "run") | .lock] == ["pv-qspinlock"])' \
      "$out/both/rep-$n/serial-0.log"
    records '.[-1].verdict == "ok" and ([.[] | select(.type == "run") | .lock] == ["qspinlock"])' \
      "$out/both/rep-$n/host-peer.log"
  done
  said '.runs == 2 and .accel == "tcg" and (.cells | map(.name) == ["host", "pv"])
    and .cells[1].study == {mean: 955.1, sd: 195.99, unit: "s"}
    and .cells[0].directories == ["both/rep-1", "both/rep-2"]'
  [ "$stdout" = "$(<"$out/study.txt")" ]
  said '.calls[0].plan | contains("pvq_hybrid=0 pvq_prev_preempted=1")' # the study's lock
  says "$stdout" 'bare metal, qspinlock' '447.2' '955.1' '195.99' 'no KVM and no hypercalls' \
    'pv VM slower than the host' 'paired t' 'not judged: there is no KVM here'
  nothing_left
  # The analyser by itself prints the same in its other formats.
  local report=$tree/build/pvspin-report
  [ "$("$report" "$out")" = "$stdout" ]
  [ "$("$report" --format=csv "$out" | wc -l)" -eq 3 ]
  "$report" --format=csv "$out" | grep -q '^host-vs-pv,"KVM, pv-qspinlock",2,[0-9.e-]*,[0-9.e-]*,.*,955.1,195.99,'
  says "$("$report" --format=markdown "$out")" '| KVM, pv-qspinlock | 2 |' 'experiment host-vs-pv'
  "$report" --format=json "$out" | jq -e '(.experiments | length == 1) and (.findings | length == 2)
    and (.experiments[0] | (.times | length == 2)
      and (.cells | all(.samples | map(.repetition) == [1, 2] and all(.seconds > 0 and .overlap >= 0))))'
  says "$("$report" --format=html "$out")" '<th scope="row" class="words">KVM, pv-qspinlock</th>' 'not judged' '</html>'
}

@test "added locks beside the study's; traced calls give pictures and are no repetitions" {
  experiment 0 host-vs-tas --runs=1 --trace=on -append "$small locks=paq,virt-spin"
  said '(.cells | map([.name, .run, .study != null]) == [["host", "both", true], ["tas", "both", true],
      ["beside-paq", "with-paq", false], ["with-paq", "with-paq", false]])
    and (.findings | map([.kind, .cell, .other]) == [["slower", "tas", "host"], ["wilder", "tas", "host"],
      ["compared", "with-paq", "beside-paq"], ["compared", "with-paq", "tas"]])
    and (.cells | all(.directories | length == 1))
    and .traces == [{run: "both", directory: "both/trace"}, {run: "with-paq", directory: "with-paq/trace"}]'
  says "$stdout" 'KVM, paq' 'paq against test-and-set'
  records '[.[] | select(.type == "run") | [.lock, .workload, .trace]] == [["paq", "contended", 60]]' \
    "$out/with-paq/trace/serial-0.log"
  records '[.[] | select(.type == "run") | .trace // 0] == [0]' "$out/with-paq/rep-1/serial-0.log"
  local report=$tree/build/pvspin-report page=$BATS_TEST_TMPDIR/page.html
  "$report" --format=json "$out" | jq -e '.experiments[0].cells
    | map([(.samples | length), .why.stolen_percent, .why.halts_per_s != null]) | unique == [[1, null, true]]'
  "$report" --format=html "$out" --output="$page"
  says "$(<"$page")" '<h3>KVM, paq</h3>' '<h3>KVM, virt-spin (test-and-set)</h3>'
  nothing_left
}

@test "a signal in the middle: 130, the finished runs are kept and reported" {
  "$tree/run.sh" --experiment=uncontended --accel=tcg --runs=50 --timeout=90 --out="$out" -append "$small" \
    >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- &
  local job=$! got=0
  wait_for "$out/pv/rep-2/serial-0.log" '"boot"'
  kill -TERM "$job"
  wait "$job" || got=$?
  stdout=$(<"$BATS_TEST_TMPDIR/stdout")
  [ "$got" -eq 130 ]
  says "$stdout" 'kvm-pv-unhalt=on: pv-qspinlock' '376..382'
  # One; more if the host ran the VMs before it ran us again.
  grep -qE 'pv-qspinlock: only [1-9] of 50 repetitions are there' <<<"$stdout"
  nothing_left
}

@test "an error that every call would repeat ends the experiment at the first one" {
  experiment 2 two-vms --runs=3 -append 'nosuchkey=1'
  local first
  first=$(find "$out" -name 'rep-*.txt') # of one run, whichever comes first
  says "$stderr" "two-vms $(basename "${first%/*}"), repetition 1 ended with 2"
  says "$(<"$first")" nosuchkey
}

@test "an experiment whose CPU feature is missing is skipped, with the reason: 77" {
  experiment 77 ple
  says "$stderr" 'no pause-loop exits'
  says "$stdout" 'ple skipped: not here: this tcg CPU has no pause-loop exits'
  said '.skipped | startswith("not here")'
}

@test "out of time before the first run: 124, and every experiment's cells and findings can be read" {
  experiment 124 study --timeout=1 --runs=400 --seconds=20 -smp 3
  said '.parts | length == 6'
  for name in $(jq -r '.parts[]' "$out/experiment.json"); do
    says "$stdout" "$name"
    said '.cells | length > 0 and (map(.directories | length) | unique == [400])' "$name/experiment.json"
    # 20 s of 340 jobs on each vCPU; an emulated CPU does a twentieth
    said '.calls | all(.plan | contains(" jobs=1020 ") and contains(" limit_s=200 long_jobs=50"))' "$name/experiment.json"
  done
  nothing_left
}

@test "linux: refused by name where there is no KVM, and with one vCPU" {
  for accel in tcg sim; do
    run_sh 2 --experiment=linux --accel=$accel
    says "$stderr" '--experiment=linux' 'accepted are --accel=kvm, nested and auto'
  done
  run_sh 2 --experiment=linux --accel=nested --out="$out" -smp 1
  says "$stderr" '-smp 1: one vCPU waits for nobody'
}

# Plain emulation has no PV_UNHALT, and the kernel says nothing of its spinlocks; all else is as under KVM.
@test "two Linux guests start together and write whole logs; their initramfs has one static program" {
  # shellcheck source=/dev/null
  source "$tree/tools/nested/kernel.sh"
  nested_kernel 6.12
  mkdir "$BATS_TEST_TMPDIR/root"
  cp "$tree/build/linux/init" "$BATS_TEST_TMPDIR/root/"
  initrd_pack "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR/initrd"
  [ "$(cpio -it --quiet <"$BATS_TEST_TMPDIR/initrd" | sort | paste -sd' ')" = '. init' ]
  ! readelf -lW "$tree/build/linux/init" | grep -w INTERP || return 1
  rm -rf "$out"
  run_sh 0 --accel=tcg --instances=2 --out="$out" -smp 2 -m 400 -kernel "$l1_dir/vmlinuz" -initrd "$BATS_TEST_TMPDIR/initrd" \
    -append 'console=ttyS0 quiet panic=-1 workload=linux jobs=3 tasks=2'
  for i in 0 1; do
    records 'map(.type) == ["boot", "ready", "run", "ready", "overlap", "end"]
      and .[0].loader == "linux" and (.[0].loader_name | startswith("6.12")) and .[0].vcpus_online == 2
      and (.[2] | .complete and .jobs_done == 3 and .processes >= 8 and .threads == 2 and .job_max_cycles > 0
        and .kernel_ns > 0 and .user_ns + .kernel_ns + .split_idle_ns < 4 * .elapsed_ns)' "$out/serial-$i.log"
  done
  says "$stdout" 'overlap: 1 pairs'
  "$tree/build/pvspin-report" "$out" >/dev/null
}

# A boot of Linux takes 20 s of an emulated CPU, and all rows have six for each repetition. So a signal ends
# this one behind its first row of Linux guests. The order of rows follows from the repetition's number.
@test "linux, nested: two Linux guests on KVM; a signal in the middle: 130, their row is reported, nothing is left" {
  PVSPIN_BOOT_LIMIT=800 "$tree/run.sh" --experiment=linux --accel=nested --runs=2 --timeout=900 --out="$out" \
    -append "jobs=2 tasks=2" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" </dev/null 3>&- &
  local job=$! got=0 i
  until grep -qs '^verdict' "$out/linux-tas/rep-1.txt" || ! kill -0 "$job" 2>/dev/null; do sleep 0.5; done
  kill -TERM "$job"
  wait "$job" || got=$?
  stdout=$(<"$BATS_TEST_TMPDIR/stdout")
  [ "$got" -eq 130 ]
  for i in 0 1; do
    records 'map(.type) == ["boot", "ready", "run", "ready", "overlap", "end"]
      and .[0].accel == "nested" and .[0].pv_unhalt == false
      and (.[2] | .lock == "virt-spin" and .complete and .jobs_done == 2)' "$out/linux-tas/rep-1/serial-$i.log"
  done
  says "$stdout" 'Linux, virt-spin (kvm-pv-unhalt=off)' 'only 1 of 2 repetitions are there'
  nothing_left
}

@test "sweep: the usual table of all locks, by vCPUs" {
  experiment 0 sweep --runs=1 -append 'locks=tas,mcs threads=1,2 ms=20'
  says "$stdout" 'tas' 'mcs'
  records '[.[] | select(.type == "run") | [.lock, .threads]] | unique | length == 4' \
    "$out/all/rep-1/serial-0.log"
}
