#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes build/pvspin-VERSION.tar.gz: the files that git knows, as they are now, and VERSION, which
# replaces git in the unpacked tree. The same tree gives the same bytes. For `make dist`, run from the
# top of the tree.
set -euo pipefail
version=$1 name=pvspin-$1
if [[ ! -e .git ]] || ! git rev-parse HEAD >/dev/null; then
  echo 'dist: packs the files that git knows, but this tree has no repository' >&2
  exit 4
fi
mkdir -p build
# If there are uncommitted changes, makes a commit of them that is on no branch.
tree=$(git -c user.name=dist -c user.email=dist@localhost stash create)
tree=${tree:-HEAD}
git archive --format=tar --prefix="$name/" \
  --add-virtual-file="$name/VERSION:$version"$'\n' "$tree" | gzip -9n >"build/$name.tar.gz.new"
mv "build/$name.tar.gz.new" "build/$name.tar.gz"
echo "build/$name.tar.gz"
