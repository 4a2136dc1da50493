#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --conformance: its arguments, and its reports, made from logs like those of run.sh. (For the suite
# itself, on real KVM, see guest_nested_abi.bats.)
# shellcheck disable=SC2154 # common.bash sets stdout, stderr

load common

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  at=$BATS_TEST_TMPDIR
}

# results KERNEL CONFIGURATION CODE WHY: stdin is a guest's log
results() {
  awk -v kernel="$1" -v configuration="$2" -v code="$3" -v why="$4" \
    -f tools/run/conformance-results.awk
}

@test "arguments that contradict each other are refused" {
  run_sh 2 --conformance -smp 4
  says "$stderr" 'tests/suites/abi/configurations'
  run_sh 2 --conformance --runs=2
  run_sh 2 --conformance --pv=off
  run_sh 2 --conformance -append 'locks=tas'
  says "$stderr" 'only tests=... is accepted'
  run_sh 2 --conformance=default,nosuch
  says "$stderr" 'nosuch: no such configuration' 'accepted: default one-vcpu'
}

@test "every line of tests/suites/abi/configurations has a name of its own, a mask and arguments" {
  # (mawk knows no {8})
  awk '!/^#/ && NF { if (NF < 4 || $2 !~ /^(0x[0-9a-f]+|-)$/ || ($2 != "-" && length($2) != 10) || seen[$1]++) { print; bad = 1 } }
    END { exit bad }' tests/suites/abi/configurations
  [ "$(grep -c '^[a-zA-Z]' tests/suites/abi/configurations)" -ge 20 ]
}

@test "other-vendor names the vendor that the CPU is not, also for an Intel CPU" {
  other() { # ACCEL VENDOR
    printf 'vendor_id\t: %s\n' "$2" >"$at/cpuinfo"
    accel=$1 cpuinfo=$at/cpuinfo bash -c 'source tools/run/conformance.sh; conformance_other_vendor'
  }
  [ "$(other kvm GenuineIntel)" = AuthenticAMD ]
  [ "$(other kvm AuthenticAMD)" = GenuineIntel ]
  [ "$(other nested GenuineIntel)" = GenuineIntel ]
  grep -q '^other-vendor .*vendor=OTHER_VENDOR$' tests/suites/abi/configurations
}

@test "each fault of the module is in faults.table, each clause there in the suite" {
  # shellcheck disable=SC2034 # table.sh reads it
  here=tests/faults
  # shellcheck source=/dev/null
  source tests/faults/table.sh
  read_table
  sed -nE 's/^\t\{"([a-z0-9-]+)", POINT_.*/\1/p' tests/faults/*.c | sort -u >"$at/module"
  for fault in "${names[@]}"; do key "$fault" fault "$fault"; echo "$value"; done | sort -u >"$at/table"
  [ "$(wc -l <"$at/module")" -ge 90 ]
  diff "$at/module" "$at/table"
  sed -nE 's/^ABI_CLAUSE\(.*"(ABI-[A-Z]+-[0-9]+)".*/\1/p' tests/suites/abi/*.c | sort -u >"$at/suite"
  printf '%s\n' "${clauses_of[@]}" | tr , '\n' | grep -vx run | sort -u | comm -23 - "$at/suite" | diff /dev/null -
}

some_results() {
  {
    results 6.12 one 3 'fail: the guest said so' <<'LOG'
TAP version 14
1..5
ok 1 - abi.kick.a ABI-KICK-01 (MUST)
not ok 2 - abi.kick.b ABI-KICK-02 (MUST) # FAIL returned <3>, "expected" 0 & no more
not ok 3 - abi.cpuid.c ABI-CPUID-08 (KVM) # TODO finding: bit 2 is 1
ok 4 - abi.insn.d ABI-INSN-09 (KVM) # SKIP needs an Intel CPU
# ABI-INSN-09: it's not a result
not ok 5 - abi.insn.e ABI-INSN-10 (INFO) # ERROR no page
LOG
    results 6.12 two 124 'timeout: still running after 9 s' </dev/null
    results 6.1 one 77 'skip: the guest said so' <<'LOG'
ok 1 - abi.kick.a ABI-KICK-01 (MUST) # SKIP needs 2 vCPUs, has 1
ok 2 - abi.insn.d ABI-INSN-09 (KVM) # SKIP needs an Intel CPU
LOG
    results 6.1 two 0 'ok: the guest said so' <<<'ok 1 - abi.kick.a ABI-KICK-01 (MUST)'
  } >"$at/results.tsv"
}

@test "TAP, with SKIP, TODO and ERROR, becomes one line per result; so does a dead call" {
  some_results
  [ "$(cut -f 1-3,6 "$at/results.tsv" | tr '\t' ' ')" = '6.12 one ABI-KICK-01 ok
6.12 one ABI-KICK-02 fail
6.12 one ABI-CPUID-08 finding
6.12 one ABI-INSN-09 skip
6.12 one ABI-INSN-10 error
6.12 two - timeout
6.1 one ABI-KICK-01 skip
6.1 one ABI-INSN-09 skip
6.1 two ABI-KICK-01 ok' ]
}

@test "a call without any result is an error, whatever its status" {
  for code in 0 1 4 77 130; do
    [ "$(results 6.1 one "$code" '' </dev/null | cut -f 3,6,7)" = \
      $'-\terror\tno verdict; run.sh ended with '"$code" ]
  done
  [ "$(results 6.1 one 1 '' <<<'ok 1 - abi.kick.a ABI-KICK-01 (MUST)' | cut -f 6 | paste -sd' ')" = 'ok error' ]
}

@test "a configuration that this QEMU does not have is a skip, no error" {
  [ "$(results 6.12 vmm-irqchip 77 'error: QEMU did not start the virtual machine (status 1)' </dev/null |
    cut -f 3,6)" = $'-\tskip' ]
}

@test "the table: a row per clause, the deviations with their place, the kernels' differences" {
  some_results
  awk -v class=nested -v names='one two' -f tools/run/conformance-table.awk "$at/results.tsv" \
    >"$at/table"
  says "$(<"$at/table")" 'ABI-KICK-01    MUST   .!  s.' 'ABI-KICK-02    MUST   F!    ' \
    'ABI-CPUID-08   KVM    f!    ' '6.12/two: timeout: timeout: still running after 9 s' \
    'ABI-KICK-02 fail: returned <3>, "expected" 0 & no more' 'ABI-KICK-01 one: 6.12 ., 6.1 s' \
    'ABI-INSN-09: needs an Intel CPU' \
    '2 ok, 3 skipped, 1 findings, 1 failed, 1 errors, 1 without a result'
}

@test "TAP for machines: findings are TODO, and only failures and errors fail" {
  some_results
  awk -f tools/run/conformance-tap.awk "$at/results.tsv" | sed 's/version 14/version 13/' >"$at/tap"
  run prove -e cat "$at/tap"
  says "$output" 'Failed tests:  2, 5-6' 'Tests: 9 Failed: 3'
}

@test "JUnit XML is well-formed, escaped, and counts" {
  some_results
  awk -f tools/run/conformance-junit.awk "$at/results.tsv" >"$at/junit.xml"
  xmllint --noout "$at/junit.xml"
  [ "$(xmllint --xpath 'string(//failure/@message)' "$at/junit.xml")" = \
    'returned <3>, "expected" 0 & no more' ]
  [ "$(xmllint --xpath 'concat(sum(//@failures), sum(//@errors), sum(//@skipped), count(//testcase))' \
    "$at/junit.xml")" = 1239 ]
}
