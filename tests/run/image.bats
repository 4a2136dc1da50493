#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# --l1-kernel=PATH up to the boot of L1 (tools/nested/image.sh): which modules are taken, from where
# and in which order, and the errors for an unsuitable image. Image and modules are fakes;
# nested.bats boots a real one.
# shellcheck disable=SC2016,SC2154 # $ for another shell; tree, stderr: common.bash; l1_dir, l1_error: kernel.sh

load common

setup() {
  private_tmpdir
  export XDG_CACHE_HOME=$TMPDIR/cache
  # shellcheck source=/dev/null
  source "$tree/tools/nested/kernel.sh"
  own="$BATS_TEST_TMPDIR/my own"
  modules="$own/lib/modules/6.99.1-x"
  mkdir -p "$own/boot" "$modules/kernel"
  image >"$own/boot/vmlinuz"
  module virtio_pci virtio_pci_modern_dev,virtio
  module virtio_pci_modern_dev ''
  module virtio ''
  module 9pnet_virtio 9pnet,virtio
  module 9pnet ''
  module 9p 9pnet
  module kvm-amd kvm,ccp
  module kvm ''
  module ccp ''
  echo kernel/drivers/char/virtio_console.ko >"$modules/modules.builtin"
}

# Prints an image with a boot header: "HdrS" at 0x202; at 0x20e the offset of the release, less
# 0x200.
image() {
  head -c $((0x202)) /dev/zero
  printf 'HdrS\0\0\0\0\0\0\0\0\x40\0'
  head -c $((0x30)) /dev/zero
  printf '6.99.1-x (me@here) #1\0'
}

module() { # NAME DEPENDS
  printf 'ELF\0license=GPL\0depends=%s\0name=%s\0' "$2" "$1" >"$modules/kernel/$1.ko"
}

refused() { # WORDS...: the image must be refused, with these words
  if nested_kernel "$own/boot/vmlinuz"; then return 1; fi
  says "$l1_error" "$@"
}

@test "the modules that L1 needs, each after those it depends on; names with - or _" {
  nested_kernel "$own/boot/vmlinuz"
  [ "$(paste -sd' ' "$l1_dir/modules/order")" = "virtio_pci_modern_dev.ko virtio.ko virtio_pci.ko 9pnet.ko \
9pnet_virtio.ko 9p.ko kvm.ko ccp.ko kvm_amd.ko" ]
  cmp "$l1_dir/vmlinuz" "$own/boot/vmlinuz"
  [ "$(<"$l1_dir/release")" = 6.99.1-x ]
  # A serving L1 names its kernel by this name, made of the content, so it is accepted, too.
  name=${l1_dir##*/}
  nested_kernel "$name"
  [ "${l1_dir##*/}" = "$name" ]
  # Different content gives a different kernel.
  module kvm ''
  echo more >>"$modules/kernel/kvm.ko"
  nested_kernel "$own/boot/vmlinuz"
  [ "${l1_dir##*/}" != "$name" ]
}

@test "compressed modules; updates/ takes precedence over kernel/; modules beside the image" {
  mkdir "$modules/updates"
  printf 'depends=\0newer' >"$modules/updates/kvm.ko"
  xz "$modules/kernel/9p.ko"
  gzip "$modules/kernel/9pnet.ko"
  mv "$own/boot/vmlinuz" "$own/bzImage"
  nested_kernel "$own/bzImage"
  grep -q newer "$l1_dir/modules/kvm.ko"
  grep -aq depends=9pnet "$l1_dir/modules/9p.ko"
  grep -q '^9pnet.ko' "$l1_dir/modules/order"
}

@test "a kernel with all modules built in" {
  rm -r "$modules/kernel"
  for name in kvm-amd 9p 9pnet_virtio virtio_pci; do echo "kernel/somewhere/$name.ko"; done >>"$modules/modules.builtin"
  nested_kernel "$own/boot/vmlinuz"
  [ ! -s "$l1_dir/modules/order" ]
}

@test "an unsuitable image is named, and the places that were searched" {
  rm "$modules/kernel/ccp.ko"
  refused "$own/boot/vmlinuz" 'no ccp' "$modules" modules.builtin
  echo broken >"$modules/kernel/ccp.ko.xz"
  refused ccp.ko.xz xzcat
  mv "$own/lib" "$own/elsewhere"
  refused 'no modules of its release 6.99.1-x' "$modules" /lib/modules/6.99.1-x
  echo text >"$own/boot/vmlinuz"
  refused "$own/boot/vmlinuz" 'not a bzImage'
  [ -z "$(ls -A "$XDG_CACHE_HOME/pvspin/nested")" ] # no half of a kernel is left
  run_sh 2 --accel=nested --l1-kernel="$own/boot/vmlinuz" -smp 1
  says "$stderr" "--l1-kernel=$own/boot/vmlinuz" 'not a bzImage'
  cd "$own"
  run_sh 2 --l1-kernel=boot/none -smp 1
  says "$stderr" --l1-kernel=boot/none 'no such file'
}

# Makes a fake apt that offers $BATS_TEST_TMPDIR/offers and delivers a package made of $own.
apt() { # DIRECTORY OF ITS MODULES
  local bin=$BATS_TEST_TMPDIR/bin package=$BATS_TEST_TMPDIR/package
  mkdir -p "$bin" "$package/DEBIAN" "$package/$1" "$package/boot"
  printf 'Package: linux-image-6.99.1+x-amd64\nVersion: 6.99.1-2\nArchitecture: amd64\nMaintainer: me <me@here>\nDescription: x\n' \
    >"$package/DEBIAN/control"
  cp "$own/boot/vmlinuz" "$package/boot/vmlinuz-6.99.1"
  cp -r "$modules" "$package/$1/"
  dpkg-deb --root-owner-group -b "$package" "$bin/deb" >/dev/null
  # Unless LC_ALL is C, answers in another language, as apt does.
  cat >"$bin/apt-cache" <<'STUB'
#!/bin/bash
[[ ${LC_ALL:-} == C ]] || { echo 'Paket: keins'; exit; }
[[ $1 == show ]] && cat "${0%/*}/../offers"
STUB
  cat >"$bin/apt-get" <<'STUB'
#!/bin/bash
[[ $* == *'download linux-image-6.99.1+x-amd64=6.99.1-2' ]] || { echo 'E: no such package'; exit 100; }
cp "${0%/*}/deb" ./linux-image-6.99.1+x-amd64_6.99.1-2_amd64.deb
STUB
  chmod +x "$bin/apt-cache" "$bin/apt-get"
  PATH=$bin:$PATH
}

offer() { # PACKAGE VERSION DEPENDS...
  printf 'Package: %s\nVersion: %s\nDepends: %s\nDescription-de: x\n\n' "$@"
}

@test "Debian kernels: the newest of the line, whichever package brings it; modules below /lib or /usr/lib" {
  export LC_ALL=de_DE.UTF-8
  { offer linux-image-amd64 6.100.1-1 'linux-image-6.100.1-amd64 (= 6.100.1-1)'
    offer linux-image-amd64 6.99.1-2 'linux-image-6.99.1+x-amd64 (= 6.99.1-2), other'
    offer linux-image-amd64 6.99.1-1~bpo1 'linux-image-6.99.1-amd64 (= 6.99.1-1~bpo1)'; } >"$BATS_TEST_TMPDIR/offers"
  for place in lib/modules usr/lib/modules; do
    rm -rf "$XDG_CACHE_HOME" "$BATS_TEST_TMPDIR/package"
    apt "$place"
    nested_kernel 6.99
    [ "$(<"$l1_dir/package")" = 'linux-image-6.99.1+x-amd64 6.99.1-2' ]
    grep -qx kvm_amd.ko "$l1_dir/modules/order"
    [ ! -e "$l1_dir/x" ]
  done
  if nested_kernel 6.9; then return 1; fi # 6.99 does not match 6.9
  says "$l1_error" 'apt offers no kernel 6.9 here, but 6.100.1-1 6.99.1-2' 'apt-get update'
  : >"$BATS_TEST_TMPDIR/offers"
  if nested_kernel 6.9; then return 1; fi
  says "$l1_error" 'linux-image-6.9-amd64' 'apt-get update'
}

@test "if the cache is not writable, the initrd is made elsewhere" {
  nested_kernel "$own/boot/vmlinuz"
  mkdir "$BATS_TEST_TMPDIR/other"
  nested_initrd "$tree/tools/nested/init" "$BATS_TEST_TMPDIR/other"
  [ "${l1_initrd%/*}" = "$l1_dir" ]
  rm "$l1_initrd"
  cp -r "$l1_dir" "$BATS_TEST_TMPDIR/kernel"
  mount_namespace=(unshare --mount --map-root-user)
  "${mount_namespace[@]}" true 2>/dev/null || skip 'no mount namespaces here'
  "${mount_namespace[@]}" bash -euc '
    mount --bind "$2" "$2"
    mount -o remount,bind,ro "$2"
    . "$1/tools/nested/kernel.sh"
    l1_error="" l1_dir=$2
    nested_initrd "$1/tools/nested/init" "$3"
    [[ $l1_initrd == "$3"/* ]] && cpio -t --quiet <"$l1_initrd" | grep -qx init' \
    initrd "$tree" "$BATS_TEST_TMPDIR/kernel" "$BATS_TEST_TMPDIR/other"
}
