#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The ABI suite on real Linux KVM, nested, on both Debian kernels: all
# clauses are green, and turn red where KVM is broken on purpose.
# shellcheck disable=SC2016,SC2154 # $names in single quotes are jq's; common.bash sets stdout, out

load served

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
}

# Nothing may be red, not even a finding, because both kernels' behaviour is known.
@test "--conformance: every clause holds in three configurations, on both kernels if there are two" {
  local kernels=2
  kernel_offered 6.1 || kernels=1
  patience=900 run_sh 0 --accel=nested --conformance=default,enforced-hidden,high-ids \
    --timeout=800 --out="$out"
  says "$stdout" "3 configurations, $kernels kernel" \
    '0 findings, 0 failed, 0 errors, 0 without a result'
  [ "$(cut -f 1,2 "$out/results.tsv" | sort -u | wc -l)" -eq $((3 * kernels)) ]
  # Each configuration took effect: clauses that only it can test were tested in it.
  for where in 'default.*ABI-KICK-33' 'enforced-hidden.*ABI-KICK-29' 'high-ids.*ABI-KICK-19'; do
    [ "$(grep -c "$where.*[[:space:]]ok[[:space:]]" "$out/results.tsv")" -eq "$kernels" ]
  done
}

# A sample of the faults, other ones with each commit; docs/abi.md has the table of all. One fault
# is always tested: steal time's MSR is refused, and the guest goes on without it and says so.
@test "faults in KVM turn the clauses red that are about them" {
  run timeout 900 tests/faults/check-faults --sample=4 steal-missing-run
  grep '^# the sample' <<<"$output" >&3 || true
  echo "$output"
  [ "$status" -eq 0 ]
  [ "$(grep -c '^ok .* noticed by ' <<<"$output")" -eq 5 ]
}
