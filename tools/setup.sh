#!/bin/bash
# SPDX-License-Identifier: MIT
# The one list of the packages that pvspin uses, each with its reason, for Debian and Ubuntu.
# Sourced by run.sh; as a program, for `make setup`:
#
#   tools/setup.sh [--check] [GROUP...]    installs (--check: only names) what is missing
#
# Groups: run (start the guest), nested (KVM without hardware virtualisation), build, boot (the guest
# behind GRUB), report (the analyser), test; default all. Status 0: nothing is missing any more; 4: something is, and what to do about it is said.

# group:package:what proves that it is there (a command, or an absolute path):why
setup_list='
run:qemu-system-x86:qemu-system-x86_64:runs the guest
run:jq:jq:checks the log, writes manifest.json
run:util-linux:flock:one build at a time; taskset for --pin
run:util-linux:taskset:--pin
run:coreutils:timeout:bounds each QEMU
nested:qemu-system-x86:qemu-system-x86_64:emulates a CPU with SVM
nested:busybox-static:busybox:init of the nested hypervisor
nested:cpio:cpio:builds its initrd
nested:xz-utils:xz:unpacks its kernel modules
nested:apt:apt-get:fetches its kernel
nested:dpkg:dpkg-deb:unpacks its kernel
build:make:make:builds
build:gcc:gcc:compiles the guest (freestanding)
build:binutils:ld:links it
build:binutils:addr2line:names the addresses of a panic
build:nasm:nasm:assembles boot/
build:libc6-dev:/usr/include/stdio.h:the hosted build
report:gcc:gcc:compiles pvspin-report
report:make:make:builds it
report:libjansson-dev:/usr/include/jansson.h:reads and writes JSON
report:libgsl-dev:/usr/include/gsl/gsl_statistics.h:statistics
report:gnuplot-nox:gnuplot:draws its plots
test:bats:bats:tests run.sh
test:libcmocka-dev:/usr/include/cmocka.h:unit tests on the host
test:shellcheck:shellcheck:make lint
test:clang-format:clang-format:make lint
test:clang:clang:the second compiler
test:clang-tidy:clang-tidy:make lint
test:cppcheck:cppcheck:make lint
test:perl:prove:runs all tests
test:spin:spin:make check-models
test:libxml2-utils:xmllint:whether JUnit XML is XML
test:libck-dev:/usr/include/ck_spinlock.h:make bench-peers: locks to compare with
test:git:git:the version
boot:grub-pc-bin:/usr/lib/grub/i386-pc/multiboot2.mod:--boot=iso, make iso: GRUB for BIOS
boot:grub-common:grub-mkrescue:makes the image
boot:xorriso:xorriso:makes the image
boot:mtools:mformat:makes the image
test:python3:python3:a pseudo-terminal for the tests of run.sh
test:valgrind:valgrind:make fastpath: counts instructions
test:chromium:chromium:the HTML report, as a browser shows it
test:fonts-dejavu-core:/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:text in its pictures
test:python3-pandas:/usr/lib/python3/dist-packages/pandas/__init__.py:docs/serial-log.md shows it
test:libclang-rt-14-dev:/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a:fuzzing
boot:ovmf:/usr/share/OVMF/OVMF_CODE_4M.fd:--boot=uefi: UEFI for QEMU
boot:grub-efi-amd64-bin:/usr/lib/grub/x86_64-efi/multiboot2.mod:--boot=uefi, make iso: GRUB for UEFI
test:mandoc:mandoc:checks the man pages
'

# Prints the lines of the groups given whose proof is not there.
setup_missing() { # GROUP...
  local group package proof why
  while IFS=: read -r group package proof why; do
    [[ -n $group && " $* " == *" $group "* ]] || continue
    case $proof in
    busybox) # a dynamic one (its ELF header names the loader) needs libraries: no use as init
      command -v busybox >/dev/null &&
        ! head -c 1024 "$(command -v busybox)" | LC_ALL=C grep -qa ld-linux && continue
      ;;
    /*) [[ -e $proof ]] && continue ;;
    *) command -v "$proof" >/dev/null && continue ;;
    esac
    echo "$group:$package:$proof:$why"
  done <<<"$setup_list"
}

# The command that installs the packages of the lines on stdin, or nothing.
setup_command() {
  local packages
  packages=$(cut -d: -f2 | sort -u | tr '\n' ' ')
  [[ -z ${packages// /} ]] || echo "apt-get install --no-install-recommends ${packages% }"
}

# Says on stderr what of the groups is missing and what installs it; true if nothing is.
setup_check() { # GROUP...
  local missing command group package proof why
  missing=$(setup_missing "$@")
  [[ -n $missing ]] || return 0
  while IFS=: read -r group package proof why; do
    echo "missing: $proof (package $package): $why" >&2
  done <<<"$missing"
  command=$(setup_command <<<"$missing")
  if ((EUID == 0)); then
    echo "to install: $command" >&2
  else
    echo "to install: sudo $command" >&2
  fi
  return 1
}

setup_install() { # GROUP...
  local missing command as_root=()
  missing=$(setup_missing "$@")
  [[ -n $missing ]] || return 0
  if ! command -v apt-get >/dev/null; then
    setup_check "$@" || echo 'no apt-get here: install what belongs to these by other means' >&2
    return 1
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      setup_check "$@" || echo 'neither root nor sudo: have root run this command' >&2
      return 1
    fi
    as_root=(sudo)
  fi
  command=$(setup_command <<<"$missing")
  echo "setup: $command" >&2
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  # Fresh machines have no package lists or old ones; a failing third-party source is no reason
  # to stop. $command is split into words on purpose.
  "${as_root[@]}" apt-get -q update >&2 || true
  # shellcheck disable=SC2086
  "${as_root[@]}" ${command/install/-q -y install} >&2 || true
  setup_check "$@"
}

setup_main() {
  local check=0 groups=() word
  for word; do
    case $word in
    --check) check=1 ;;
    run | nested | build | boot | report | test) groups+=("$word") ;;
    *)
      echo "usage: tools/setup.sh [--check] [run|nested|build|boot|report|test]..." >&2
      return 2
      ;;
    esac
  done
  ((${#groups[@]})) || groups=(run nested build boot report test)
  if ((check)); then
    setup_check "${groups[@]}" || return 4
  else
    setup_install "${groups[@]}" || return 4
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  setup_main "$@"
fi
