#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The release after the one that CI runs on: in a minimal Debian 13,
# run.sh sets itself up, builds without a warning and runs under real KVM, and the unit tests pass.
# The chroot is made once for this file, with this machine's settings of apt (mirror, proxy). Each
# call has its own mount and PID namespaces: when it ends, in whatever way, its mounts and processes
# are gone, and bats removes only files.
# shellcheck disable=SC2016,SC2154 # $ for the shell in there; common.bash sets tree

load common

setup_file() {
  export DEBIAN=$BATS_FILE_TMPDIR/debian
  if ((EUID)); then
    because 'only root can make a chroot'
  elif ! command -v mmdebstrap >/dev/null; then
    because 'mmdebstrap is missing (make setup)'
  elif ! make_debian >"$BATS_FILE_TMPDIR/log" 2>&1; then
    because "no Debian 13 in a chroot: $(tail -n 3 "$BATS_FILE_TMPDIR/log" | paste -sd'|')"
  fi
}

because() { # WHY: skips all tests; in CI, where nothing may be missing, they fail instead
  echo "$1" >"$BATS_FILE_TMPDIR/because"
}

setup() {
  [ -e "$BATS_FILE_TMPDIR/because" ] || return 0
  [ -z "${CI:-}" ] || { cat "$BATS_FILE_TMPDIR/because" >&2; return 1; }
  skip "$(<"$BATS_FILE_TMPDIR/because")"
}

make_debian() {
  apt-config dump | grep -E '^Acquire::(Check-|https?::Proxy)' >"$BATS_FILE_TMPDIR/apt.conf" || true
  # No fsync of each file: nothing here must survive a power cut.
  timeout --kill-after=5 600 mmdebstrap --mode=root --variant=minbase --include=libcmocka-dev \
    --aptopt="$BATS_FILE_TMPDIR/apt.conf" --dpkgopt=force-unsafe-io \
    trixie "$DEBIAN" </dev/null &&
    mkdir "$DEBIAN/pvspin" &&
    tar -C "$tree" --exclude=./build --exclude=./out --exclude=./.git -cf - . | tar -C "$DEBIAN/pvspin" -xf - &&
    in_debian 20 'test -r /proc/self/status -a -d /sys/kernel -a -c /dev/null'
}

in_debian() { # SECONDS COMMAND: runs COMMAND by bash in the chroot, in its copy of this tree
  timeout --kill-after=5 "$1" unshare --mount --propagation private --pid --fork --kill-child bash -ec '
    mount -t proc proc "$1/proc"
    mount -t sysfs sys "$1/sys"
    mount --rbind /dev "$1/dev"
    cp /etc/resolv.conf "$1/etc/"
    exec chroot "$1" /usr/bin/env -i ${3:+CI="$3"} HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /pvspin && $2"' \
    in_debian "$DEBIAN" "$2" "${CI:-}" </dev/null
}

@test "run.sh --setup: builds without a warning, fetches the release's kernel and runs nested on it" {
  in_debian 900 './run.sh --setup --accel=nested -smp 4 --timeout=120 --out=/out -append "locks=tas,paq ms=20 reps=1"' \
    >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || { cat "$BATS_TEST_TMPDIR"/std* >&2; return 1; }
  says "$(<"$BATS_TEST_TMPDIR/stdout")" 'verdict: ok'
  says "$(<"$BATS_TEST_TMPDIR/stderr")" 'accel nested' 'nested: fetching linux-image-6.12.'
  if grep -i 'warning:' "$BATS_TEST_TMPDIR/stderr"; then return 1; fi
  in_debian 20 'jq -e ".accel.class == \"nested\" and (.l1.package | startswith(\"linux-image-6.12.\")) and
    all(.instances[]; .qemu_exit == 33 and (.vcpus | length == 4 and all(.kvm.exits > 0)))" /out/manifest.json'
}

# On the kernel that the test above has fetched. This QEMU offers a feature more than Debian 12's.
@test "--conformance: the clauses of CPUID have no finding" {
  in_debian 300 './run.sh --accel=nested --timeout=250 --conformance=default -append tests=abi.cpuid' \
    >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" || { cat "$BATS_TEST_TMPDIR"/std* >&2; return 1; }
  says "$(<"$BATS_TEST_TMPDIR/stdout")" '0 findings, 0 failed, 0 errors, 0 without a result'
}

@test "hosted build, analyser and unit tests, with warnings as errors" {
  in_debian 900 'make -s -j2 CI=1 hosted report check-host' >&2
}

@test "all packages that make setup asks for exist" {
  in_debian 100 'command=$(tools/setup.sh --check 2>&1 | sed -n "s/^to install: apt-get //p")
    test -n "$command" && LC_ALL=C apt-get -s $command' >"$BATS_TEST_TMPDIR/said" 2>&1 || { cat "$BATS_TEST_TMPDIR/said" >&2; return 1; }
}
