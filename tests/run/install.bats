#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Distribution: the tarball of `make dist` builds without git; an image
# built elsewhere has the same bytes; an installation by `make install` works for an ordinary user
# who may not write to it. And the files for editors.
# shellcheck disable=SC2016,SC2154 # $ for make; tree: common.bash

load guest

setup() {
  private_tmpdir
  # Not bats's own directory, which other users may not enter.
  place=$(mktemp -d /tmp/pvspin-test.XXXXXX)
  chmod 755 "$place"
}

teardown() {
  keep_failed
  chmod -R u+w "$place"
  rm -rf "$place"
}

@test "make dist: the tarball builds without git, here with clang, and both programs keep exclusion" {
  cd "$tree"
  if [ ! -e .git ]; then skip 'no repository'; fi
  run make -s dist
  [ "$status" -eq 0 ]
  tar -xzf "$output" -C "$place"
  local unpacked
  unpacked=$(echo "$place"/pvspin-*)
  cd "$unpacked"
  PATH=$(path_without git) make -s -j2 CI=1 CC=clang HOSTCC=clang all hosted
  [ "${unpacked##*/}" = "pvspin-$(cat VERSION)" ]
  [ "$(./run.sh --version)" = "$(cat VERSION)" ]
  build/hosted/pvspin locks=all threads=2 ms=5 warmup_ms=0 reps=1 >hosted.log
  guest 0 --accel=tcg -kernel build/pvspin.elf -smp 4 -append "locks=all ms=5 reps=1 warmup_ms=1 dispatch=patched"
  records '.[0].build | contains("clang")'
  for log in hosted.log "$log"; do
    records "[.[] | select(.type == \"run\")] | length == $(all_locks) and all(.exclusion == \"ok\")" "$log"
    records ".[0].version == \"$(cat VERSION)\""
  done
}

@test "an image built in another place has the same bytes" {
  cd "$tree"
  make -s CI=1 all
  ! grep -F "$tree/" build/pvspin.elf || return 1
  mkdir "$place/e l s e"
  tar -c --exclude=./out --exclude=./build --exclude=./.git . | tar -x -C "$place/e l s e"
  cp VERSION "$place/e l s e/" 2>/dev/null || make -s -f - version >"$place/e l s e/VERSION" <<<'include Makefile
version: ; @echo "$(VERSION)"'
  cd "$place/e l s e"
  # A part of each kind: NASM, C with and without assembly, a preprocessed file, the one with the
  # version.
  local object objects=(boot/multiboot.o boot/ap.o guest/kmain.o guest/report.o locks/paq.o bench/patched.o linker.ld)
  make -s "${objects[@]/#/build/guest/}"
  for object in "${objects[@]}"; do
    cmp "build/guest/$object" "$tree/build/guest/$object"
  done
}

@test "edited flags cause recompilation; running make again, or CI= (only -Werror), does not" {
  mkdir "$place/flags"
  tar -c -C "$tree" --exclude=./out --exclude=./build --exclude=./.git . | tar -x -C "$place/flags"
  cd "$place/flags"
  local object objects=(guest/boot/ap.o guest/lib/printf.o hosted/lib/printf.o
    report/bench/quoting.o host/lib/printf.o peers/lib/printf.o locks/plain/lib/printf.o)
  objects=("${objects[@]/#/build/}")
  make -s "${objects[@]}"
  mkdir before
  for object in "${objects[@]}"; do cp "$object" "before/${object//\//-}"; done
  stat -c %y "${objects[@]}" >when
  make -s "${objects[@]}"
  make -s CI=1 "${objects[@]}"
  stat -c %y "${objects[@]}" | cmp when -
  tar -cf makefiles.tar Makefile ./*/*.mk ./*/*/*.mk
  sed -i 's/ -O[12] / -Os /; s/-w+all/& -O0/' Makefile ./*/*.mk ./*/*/*.mk
  make -s "${objects[@]}"
  [ "$(stat -c %y "${objects[@]}" | grep -cxFf when)" -eq 0 ]
  tar -xf makefiles.tar
  make -s "${objects[@]}"
  for object in "${objects[@]}"; do cmp "$object" "before/${object//\//-}"; done
}

@test "make install: any user can run it from a read-only tree; logs in the current directory" {
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
  TMPDIR=/tmp ordinary_user timeout 100 ./link --accel=tcg --boot=pvh --out=by-pvh -append "locks=tas ms=5 reps=1"
  grep -F '"loader":"pvh"' by-pvh/serial-0.log
  [ "$(./link --version)" = "$(cd "$tree" && make -s -f - version <<<'include Makefile
version: ; @echo "$(VERSION)"')" ]
  # The installed files do not contain the path of the source tree.
  ! grep -rlF "$tree/" "$place/d e" || return 1
  # The Linux guest's init is there, and nothing else has to be.
  [ -x "$place/d e/opt/pvspin/share/pvspin/build/linux/init" ]
}

@test "make compile_commands: files of the guest have the guest's flags" {
  cd "$tree"
  make -s compile_commands
  jq -e 'length > 150 and (map(.file) | length == (unique | length))' compile_commands.json
  jq -e '.[] | select(.file == "locks/paq.c") | .command | contains(" -ffreestanding ")' compile_commands.json
  if command -v clangd >/dev/null; then
    clangd --check=kernel/memory.c 2>&1 | grep -F ', 0 errors'
  fi
}
