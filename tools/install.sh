#!/bin/bash -p
# SPDX-License-Identifier: MIT
# Copies the built files below a prefix, for `make install`. Run from the top of the tree:
#
#   bin/pvspin                  run.sh under another name        bin/pvspin-hosted, pvspin-report
#   share/pvspin/               run.sh, its parts, the image, the output of --list; read-only
#   share/man/man1/, share/bash-completion/completions/, share/doc/pvspin/
set -euo pipefail
here=$(readlink -f -- "${BASH_SOURCE[0]}") here=${here%/*}
# shellcheck source=tools/environment.sh
source "$here/environment.sh" || exit 4
prefix=$1 version=$2

put() { # MODE DIRECTORY FILE...
  local mode=$1 to=$prefix/$2
  shift 2
  install -d "$to"
  install -m "$mode" "$@" "$to"
}

put 755 share/pvspin run.sh
put 755 share/pvspin/tools tools/setup.sh
put 644 share/pvspin/tools tools/environment.sh
put 644 share/pvspin/tools/run tools/run/*
put 644 share/pvspin/tools/nested tools/nested/*
chmod 755 "$prefix/share/pvspin/tools/nested/nested.sh"
put 644 share/pvspin/tests/suites/abi tests/suites/abi/configurations
put 644 share/pvspin/build build/pvspin.elf build/pvspin-pvh.elf
./run.sh --list >"$prefix/share/pvspin/list"
echo "$version" >"$prefix/share/pvspin/VERSION"
chmod 644 "$prefix/share/pvspin"/{list,VERSION}
put 644 share/pvspin/experiments experiments/*
put 644 share/doc/pvspin README.md CONTRIBUTING.md LICENSE docs/*.md

install -d "$prefix/bin"
ln -sf ../share/pvspin/run.sh "$prefix/bin/pvspin"
# run.sh looks for them here (--host-peer, --experiment).
put 755 share/pvspin/build/hosted build/hosted/pvspin
put 755 share/pvspin/build/linux build/linux/init
ln -sf ../share/pvspin/build/hosted/pvspin "$prefix/bin/pvspin-hosted"
if [[ -e build/pvspin-report ]]; then
  put 755 share/pvspin/build build/pvspin-report
  ln -sf ../share/pvspin/build/pvspin-report "$prefix/bin/pvspin-report"
fi
# For --boot=iso and uefi, if make iso has built it.
[[ ! -e build/pvspin.iso ]] || put 644 share/pvspin/build build/pvspin.iso
for page in man/*.1; do
  [[ ! -e $page ]] || put 644 share/man/man1 "$page"
done
[[ ! -e completions/pvspin.bash ]] ||
  install -D -m 644 completions/pvspin.bash "$prefix/share/bash-completion/completions/pvspin"
