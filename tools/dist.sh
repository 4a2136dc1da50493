#!/bin/bash
# SPDX-License-Identifier: MIT
# build/pvspin-VERSION.tar.gz: the files that git knows, as they are now, and VERSION, which stands for
# git in the unpacked tree. The same tree gives the same bytes. For `make dist`, from the top.
set -euo pipefail
version=$1 name=pvspin-$1
if [[ ! -e .git ]] || ! git rev-parse HEAD >/dev/null; then
  echo 'dist: the files are those that git knows, and this tree has no repository' >&2
  exit 4
fi
mkdir -p build
# With changes that are not committed: a commit of them that no branch has.
tree=$(git -c user.name=dist -c user.email=dist@localhost stash create)
tree=${tree:-HEAD}
git archive --format=tar --prefix="$name/" \
  --add-virtual-file="$name/VERSION:$version"$'\n' "$tree" | gzip -9n >"build/$name.tar.gz.new"
mv "build/$name.tar.gz.new" "build/$name.tar.gz"
echo "build/$name.tar.gz"
