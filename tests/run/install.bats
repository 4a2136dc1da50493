#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What leaves the tree: the tarball of `make dist` builds without git, to the same bytes as the tree
# itself; what `make install` puts somewhere runs there, for an ordinary user who may not write to it.
# And the files for editors.
# shellcheck disable=SC2154 # tree: common.bash

load common

setup() {
  # An ordinary user must get here: bats's own directory is closed to others.
  place=$(mktemp -d /tmp/pvspin-test.XXXXXX)
  chmod 755 "$place"
}

teardown() {
  chmod -R u+w "$place"
  rm -rf "$place"
}

@test "make dist: the tarball builds without git, elsewhere, to the same image; and runs on threads" {
  cd "$tree"
  if [ ! -e .git ]; then skip 'no repository'; fi
  make -s all
  run make -s dist
  [ "$status" -eq 0 ]
  tar -xzf "$output" -C "$place"
  local unpacked
  unpacked=$(echo "$place"/pvspin-*)
  mv "$unpacked" "$place/e l s e"
  cd "$place/e l s e"
  PATH=$(path_without git) make -s -j2 all hosted
  cmp build/pvspin.elf "$tree/build/pvspin.elf"
  build/hosted/pvspin locks=tas ms=5 reps=1 threads=1 | grep -F "\"version\":\"$(cat VERSION)\""
  [ "pvspin-$(cat VERSION)" = "${unpacked##*/}" ]
  [ "$(./run.sh --version)" = "$(cat VERSION)" ]
}

@test "make install: any user runs it from a tree that nobody can write to, logs in the current directory" {
  cd "$tree"
  make -s install DESTDIR="$place/d e" PREFIX=/opt/pvspin
  "$tree/run.sh" --list | cmp - "$place/d e/opt/pvspin/share/pvspin/list"
  chmod -R a-w "$place/d e"
  mkdir "$place/cwd"
  chmod 777 "$place/cwd"
  cd "$place/cwd"
  ln -s "$place/d e/opt/pvspin/bin/pvspin" link
  TMPDIR=/tmp ordinary_user timeout 100 ./link --accel=tcg -smp 2 -append "locks=tas ms=5 reps=1" >said
  grep -F 'verdict: ok' said
  jq -e .code==0 out/*/manifest.json
  # shellcheck disable=SC2016 # make expands it
  [ "$(./link --version)" = "$(cd "$tree" && make -s -f - version <<<'include Makefile
version: ; @echo "$(VERSION)"')" ]
  # no path of the tree it came from is in what was installed
  ! grep -rlF "$tree/" "$place/d e" || return 1
}

@test "make compile_commands: clangd takes a file of the guest as the guest's" {
  cd "$tree"
  make -s compile_commands
  jq -e 'length > 150 and (map(.file) | length == (unique | length))' compile_commands.json
  jq -e '.[] | select(.file == "locks/paq.c") | .command | contains(" -ffreestanding ")' compile_commands.json
  if command -v clangd >/dev/null; then
    clangd --check=kernel/memory.c 2>&1 | grep -F ', 0 errors'
  fi
}
