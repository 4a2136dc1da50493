#!/bin/bash -p
# SPDX-License-Identifier: MIT
# The one list of the packages that pvspin uses, each with its reason.
# Installs them on Debian and Ubuntu; on other distributions prints the command that installs them
# there. Sourced by run.sh; as a program, for `make setup`:
#
#   tools/setup.sh [--check] [GROUP...]    installs (--check: only names) the missing packages
#
# Groups: run (start the guest), nested (KVM without hardware virtualisation), build, boot (the
# guest behind GRUB), report (the analyser), linux (a Linux as the guest), test; default all. Status 0: nothing is missing any
# more; 4: something is, and a message says what to do.

# group:package:proof:why. The proof that the package is installed is a command or an absolute path,
# which may be a pattern; one of several proofs, separated by |, is enough.
setup_list='
run:qemu-system-x86:qemu-system-x86_64:runs the guest
run:jq:jq:checks the log, writes manifest.json
run:util-linux:flock:one build at a time; taskset for --pin
run:util-linux:taskset:--pin
run:coreutils:timeout:bounds each QEMU
run:perl-base:perl:stores the logs
sim:gcc:gcc:compiles the simulated host
sim:make:make:builds it
sim:binutils:objdump:checks that no atomic access escapes it
sim:libc6-dev:/usr/include/stdio.h:its C library
sim:jq:jq:checks the logs, writes manifest.json
sim:util-linux:flock:one build at a time
sim:coreutils:timeout:bounds it
nested:qemu-system-x86:qemu-system-x86_64:emulates a CPU with SVM
nested:busybox-static:busybox:init of the nested hypervisor
nested:cpio:cpio:builds its initrd
nested:xz-utils:xz:unpacks its kernel modules
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
linux:cpio:cpio:packs the initramfs of a Linux guest
linux:xz-utils:xz:unpacks the modules of its kernel
linux:libc6-dev:/usr/lib/*/libc.a|/usr/lib*/libc.a:the static C library of its init
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
boot:grub-pc-bin:/usr/lib/grub/i386-pc/multiboot2.mod|/usr/share/grub2/i386-pc/multiboot2.mod:--boot=iso, make iso: GRUB for BIOS
boot:grub-common:grub-mkrescue|grub2-mkrescue:makes the image
boot:xorriso:xorriso:makes the image
boot:mtools:mformat:makes the image
test:python3:python3:a pseudo-terminal for the tests of run.sh
test:valgrind:valgrind:make fastpath: counts instructions
test:chromium:chromium:the HTML report, as a browser shows it
test:fonts-dejavu-core:/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:text in its pictures
test:python3-pandas:/usr/lib/python3/dist-packages/pandas/__init__.py:docs/serial-log.md shows it
test:libclang-rt-dev:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a:fuzzing
boot:ovmf:/usr/share/qemu/firmware/*.json:--boot=uefi: UEFI for QEMU
boot:grub-efi-amd64-bin:/usr/lib/grub/x86_64-efi/multiboot2.mod|/usr/share/grub2/x86_64-efi/multiboot2.mod:--boot=uefi, make iso: GRUB for UEFI
test:mandoc:mandoc:checks the man pages
test:bsdextrautils:col:checks the man pages
test:mmdebstrap:mmdebstrap:a minimal Debian 13, to build and run in
'

# Names that differ from Debian's: package:Fedora:Arch:openSUSE. Taken from their package lists, not
# tried there.
setup_names='
perl-base:perl-interpreter:perl:perl-base
qemu-system-x86:qemu-system-x86-core:qemu-system-x86:qemu-x86
busybox-static:busybox:busybox:busybox-static
xz-utils:xz:xz:xz
libc6-dev:glibc-devel:glibc:glibc-devel
libjansson-dev:jansson-devel:jansson:libjansson-devel
libgsl-dev:gsl-devel:gsl:gsl-devel
gnuplot-nox:gnuplot:gnuplot:gnuplot
libcmocka-dev:libcmocka-devel:cmocka:libcmocka-devel
grub-pc-bin:grub2-pc-modules:grub:grub2-i386-pc
grub-common:grub2-tools-extra:grub:grub2
grub-efi-amd64-bin:grub2-efi-x64-modules:grub:grub2-x86_64-efi
xorriso:xorriso:libisoburn:xorriso
ovmf:edk2-ovmf:edk2-ovmf:qemu-ovmf-x86_64
'

# Another process may hold dpkg's lock or that of the package lists, as unattended upgrades do on a
# machine's first boot.
readonly SETUP_LOCK_SECONDS=300

# Prints debian (also for unknown ones), fedora, arch or suse: os-release(5).
setup_family() {
  local word words
  # shellcheck source=/dev/null
  words=$(. "${PVSPIN_OS_RELEASE:-/etc/os-release}" 2>/dev/null &&
    echo "${ID:-} ${ID_LIKE:-}") || true
  for word in $words; do
    case $word in
    debian | ubuntu) break ;;
    fedora | rhel | centos) echo fedora; return ;;
    arch) echo arch; return ;;
    suse | opensuse*) echo suse; return ;;
    esac
  done
  echo debian
}

setup_proven() { # PROOF
  local proof alternatives
  IFS='|' read -ra alternatives <<<"$1"
  for proof in "${alternatives[@]}"; do
    case $proof in
    busybox) # a dynamic one, whose ELF header names the loader, needs libraries and cannot be init
      type -P busybox >/dev/null &&
        ! head -c 1024 "$(type -P busybox)" | LC_ALL=C grep -qa ld-linux && return
      ;;
    /*) compgen -G "$proof" >/dev/null && return ;;
    *) type -P "$proof" >/dev/null && return ;;
    esac
  done
  return 1
}

# Prints the lines of these groups whose proof is missing.
setup_missing() { # GROUP...
  local group package proof why
  while IFS=: read -r group package proof why; do
    [[ -n $group && " $* " == *" $group "* ]] || continue
    setup_proven "$proof" || echo "$group:$package:$proof:$why"
  done <<<"$setup_list"
}

# Prints the command that installs the packages of the lines on stdin, or nothing.
setup_command() {
  local packages column names
  packages=$(cut -d: -f2 | sort -u)
  [[ -n $packages ]] || return 0
  case $(setup_family) in
  fedora) column=2 names='dnf install' ;;
  arch) column=3 names='pacman -S --needed' ;;
  suse) column=4 names='zypper install' ;;
  *) column=1 names='apt-get install --no-install-recommends' ;;
  esac
  echo "$names $(awk -F: -v column="$column" 'NR == FNR { name[$1] = $column; next }
    { print (($1 in name) ? name[$1] : $1) }' <(echo "$setup_names") <(echo "$packages") |
    sort -u | paste -sd' ')"
}

# Prints to stderr which packages of the groups are missing and the command that installs them; true
# if none is.
setup_check() { # GROUP...
  local missing command group package proof why
  missing=$(setup_missing "$@")
  [[ -n $missing ]] || return 0
  while IFS=: read -r group package proof why; do
    echo "missing: ${proof//|/ or } (package $package): $why" >&2
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
    setup_check "$@" || echo 'no apt-get here: install the packages of these by other means' >&2
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
  # Fresh machines have no package lists, or old ones. A failing third-party source is no reason to
  # stop. $command is split into words on purpose.
  setup_update "${as_root[@]}"
  # shellcheck disable=SC2086
  "${as_root[@]}" ${command/install/-q -y -o DPkg::Lock::Timeout=$SETUP_LOCK_SECONDS install} >&2 ||
    true
  setup_check "$@"
}

# apt waits for dpkg's lock (DPkg::Lock::Timeout), but not for that of the package lists.
setup_update() { # AS-ROOT...
  local last=$((SECONDS + SETUP_LOCK_SECONDS)) said
  while said=$("$@" apt-get -q update 2>&1) || true
    [[ $said == *lists/lock* ]] && ((SECONDS < last)); do
    sleep 1
  done
  echo "$said" >&2
}

setup_main() {
  local check=0 groups=() word
  for word; do
    case $word in
    --check) check=1 ;;
    run | nested | build | boot | report | linux | test) groups+=("$word") ;;
    *)
      echo "usage: tools/setup.sh [--check] [run|nested|build|boot|report|linux|test]..." >&2
      return 2
      ;;
    esac
  done
  ((${#groups[@]})) || groups=(run nested build boot report linux test)
  if ((check)); then
    setup_check "${groups[@]}" || return 4
  else
    setup_install "${groups[@]}" || return 4
  fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  set -euo pipefail
  here=$(readlink -f -- "${BASH_SOURCE[0]}") here=${here%/*}
  # shellcheck source=tools/environment.sh
  source "$here/environment.sh" || exit 4
  setup_main "$@"
fi
