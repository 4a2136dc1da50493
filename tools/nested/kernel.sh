# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The kernel of L1: a Debian kernel package, fetched with apt (which verifies it; works as any
# user), of which the image and the few modules needed are kept in the user's cache. Sourced.
#
#   nested_kernel KERNEL [refresh]   6.12, 6.1, or the path of a bzImage (image.sh): sets l1_dir, or l1_error and
#                                    returns 1. Its last part is a name of the kernel that is accepted, too
#
# l1_dir holds vmlinuz, modules/*.ko, modules/order and package (name and version), of an image instead release.
# shellcheck source=tools/nested/image.sh
source "${BASH_SOURCE[0]%/*}/image.sh"

nested_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/pvspin/nested

# In the order of insmod. One that the kernel has built in is not in the package: skipped.
nested_modules=(
  drivers/virtio/virtio_ring drivers/virtio/virtio
  drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci_legacy_dev
  drivers/virtio/virtio_pci
  drivers/char/virtio_console                       # the command's stdout and stderr
  fs/netfs/netfs fs/fscache/fscache net/9p/9pnet net/9p/9pnet_virtio fs/9p/9p
  virt/lib/irqbypass arch/x86/kvm/kvm
  drivers/char/hw_random/rng-core drivers/crypto/ccp/ccp # symbols that kvm-amd links to
  arch/x86/kvm/kvm-amd
)

nested_meta_package() { # LINE
  case $1 in
  6.1) echo linux-image-amd64 ;; # Debian 12's own
  *) echo "linux-image-$1-amd64" ;;
  esac
}

# The full kernels: Debian's cloud kernels come without 9p.
nested_kernel() {
  local line=$1 refresh=${2:-}
  l1_error=''
  if [[ $line == */* ]]; then
    nested_image "$line"
    return
  fi
  l1_dir=$nested_cache/$line
  [[ $line != image-* || -e $l1_dir/vmlinuz ]] || { l1_error="no kernel $line in $nested_cache"; return 1; }
  [[ -z $refresh && -e $l1_dir/vmlinuz ]] && return
  mkdir -p "$nested_cache" 2>/dev/null || { l1_error="cannot write $nested_cache"; return 1; }
  local lock
  exec {lock}>"$nested_cache/lock"
  if ! flock -w 300 "$lock"; then
    l1_error="another download holds $nested_cache/lock"
  elif [[ -n $refresh || ! -e $l1_dir/vmlinuz ]]; then # else another process was faster
    nested_fetch "$line"
  fi
  exec {lock}>&-
  [[ -z $l1_error ]]
}

nested_fetch() { # LINE
  local meta package new deb name
  rm -rf "$nested_cache"/.new.* # of one that was interrupted: the lock is ours
  meta=$(nested_meta_package "$1")
  package=$(apt-cache depends --important "$meta" 2>/dev/null | sed -n 's/^ *Depends: *//p;T;q')
  if [[ -z $package ]]; then
    l1_error="apt knows no package $meta (as root: apt-get update;"
    l1_error+=" it is in Debian 12 with bookworm-security)"
    return
  fi
  echo "nested: fetching $package into $nested_cache" >&2
  new=$(mktemp -d "$nested_cache/.new.XXXXXX")
  (cd "$new" && apt-get -q download "$package" >download.log 2>&1)
  deb=$(find "$new" -name '*.deb')
  if [[ -z $deb ]]; then
    l1_error="apt-get download $package: $(grep '^E:' "$new/download.log" | tail -n 1)"
  elif nested_unpack "$new" "$deb"; then
    name=${deb##*/}
    name=${name%_*}
    # Whole or not at all: readers see a directory only after this rename.
    [[ -e $nested_cache/$name ]] || mv -T "$new" "$nested_cache/$name"
    ln -sfnT "$name" "$nested_cache/.$1" && mv -T "$nested_cache/.$1" "$nested_cache/$1"
  fi
  rm -rf "$new"
}

nested_unpack() { # DIRECTORY PACKAGE
  local dir=$1 module file
  mkdir "$dir/x" "$dir/modules"
  if ! dpkg-deb --fsys-tarfile "$2" | tar -x -C "$dir/x"; then
    l1_error="cannot unpack ${2##*/} in $nested_cache (disk full?)"
    return 1
  fi
  mv "$dir"/x/boot/vmlinuz-* "$dir/vmlinuz"
  for module in "${nested_modules[@]}"; do
    file=$(echo "$dir"/x/lib/modules/*/kernel/"$module".ko*)
    case $file in
    *.ko) cp "$file" "$dir/modules/" ;;
    *.ko.xz) xz -dc "$file" >"$dir/modules/${module##*/}.ko" ;;
    *) continue ;;
    esac
    echo "${module##*/}.ko" >>"$dir/modules/order"
  done
  [[ -e $dir/modules/kvm-amd.ko ]] || { l1_error="${2##*/} has no kvm-amd module"; return 1; }
  # shellcheck disable=SC2016 # dpkg-deb's variables
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$2" >"$dir/package"
  rm -rf "$dir/x" "$2" "$dir/download.log"
}

# The initrd of the kernel in l1_dir: busybox, the modules and tools/nested/init; cached beside the
# kernel under a hash of what else goes into it. Sets l1_initrd.
nested_initrd() { # PATH-OF-INIT
  local busybox hash root
  busybox=$(command -v busybox)
  read -r hash _ < <(cat "$1" "$busybox" | sha256sum)
  l1_initrd=$l1_dir/initrd-${hash:0:16}
  [[ -e $l1_initrd ]] && return
  root=$(mktemp -d)
  mkdir "$root"/{bin,dev,proc,sys,host,ctl}
  cp "$busybox" "$root/bin/busybox"
  cp -r "$l1_dir/modules" "$root/modules"
  cp "$1" "$root/init"
  chmod 755 "$root/init"
  # Not compressed: inflating it in an emulated CPU costs more than reading it.
  (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$root.cpio"
  mv "$root.cpio" "$l1_initrd.$$"
  mv "$l1_initrd.$$" "$l1_initrd"
  rm -rf "$root"
}
