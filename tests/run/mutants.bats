#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The mutation runner must tell caught mutants from surviving and invalid ones.

load common

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/locks/plain/check-locks build/sim/check-locks >&2
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  private_tmpdir
  mutants="$BATS_TEST_TMPDIR/m"
  mkdir "$mutants"
}

mutants() { # STATUS LOCK...: sets answer to the output
  local want=$1 got=0
  shift
  answer=$(timeout 200 tests/mutants/run --mutants="$mutants" "$@" 2>&1) || got=$?
  if ((got != want)); then
    printf 'ended with %s, not %s:\n%s\n' "$got" "$want" "$answer" >&2
    return 1
  fi
}

@test "an invalid mutant and one that no test notices are failures" {
  cat >"$mutants/tas.mutants" <<'END'
# a comment
mutant: caught
file: locks/tas_byte.h
old: return atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) == 0;
new: return atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) < 2;

mutant: harmless
file: locks/tas_byte.h
old: atomic_init(&lock->held, 0);
new: atomic_init(&lock->held, 1 - 1);

mutant: not there
file: locks/tas_byte.h
old: atomic_init(&lock->held, 2);
new:

mutant: twice there
file: locks/tas.c
old: (void)node;
new:

mutant: no program
file: locks/tas_byte.h
old: atomic_init(&lock->held, 0);
new: atomic_init(&lock->head, 0);
END
  mutants 1 tas
  says "$answer" '1..7' 'ok 1 - tas: (unmutated): passes' 'ok 2 - tas: caught: caught: ' \
    'not ok 3 - tas: harmless: SURVIVES' 'not ok 4 - tas: not there: ERROR: 0 lines' \
    'not ok 5 - tas: twice there: ERROR: 2 lines' \
    'not ok 6 - tas: no program: ERROR: does not compile' 'ok 7 - tas: has 5 mutants'
  nothing_left
}

@test "a lock without two mutants is a failure" {
  mutants 1 tas
  says "$answer" 'not ok 2 - tas: has 0 mutants'
}

@test "errors in the format are reported with their line" {
  printf 'mutant: x\nfile: locks/tas.c\nnew: y\n' >"$mutants/tas.mutants"
  mutants 2 tas
  says "$answer" 'Bail out!' 'tas.mutants:1: no old:'
  printf 'mutant: x\nfile: locks/tas.c\nold: y\nnew: z\n' >"$mutants/nolock.mutants"
  rm "$mutants/tas.mutants"
  mutants 2
  says "$answer" 'no lock nolock'
}

@test "interrupted, it leaves neither processes nor files" {
  cat >"$mutants/tas.mutants" <<'END'
mutant: hangs
flavour: plain
file: locks/tas_byte.h
old: atomic_store_explicit(&lock->held, 0, memory_order_release);
new: atomic_store_explicit(&lock->held, 1, memory_order_release);
END
  tests/mutants/run --mutants="$mutants" tas >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
  runner=$!
  wait_for "$BATS_TEST_TMPDIR/out" 'ok 1 - '
  hanging() { find /proc/[0-9]*/exe -maxdepth 0 -lname "$TMPDIR/*/check-locks" 2>/dev/null | grep .; }
  for ((n = 0; n < 600; n++)); do
    ! hanging || break
    sleep 0.1
  done
  hanging
  kill -TERM "$runner"
  status=0
  wait "$runner" || status=$?
  [ "$status" -eq 130 ]
  [ -z "$(hanging)" ]
  nothing_left
}
