# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The kernel of L1: a Debian kernel package. apt fetches and verifies it, as any user; the image and
# the few modules that L1 needs are kept in the user's cache. Sourced.
#
#   nested_kernel KERNEL [refresh]   KERNEL is 6.12, 6.1, or the path of a bzImage (image.sh). Sets
#                                    l1_dir; or sets l1_error and returns 1. The last part of l1_dir
#                                    is accepted as KERNEL, too
#
# l1_dir holds vmlinuz, modules/*.ko, modules/order and package (name and version; for an image:
# release).
# shellcheck source=tools/nested/image.sh
source "${BASH_SOURCE[0]%/*}/image.sh"

nested_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/pvspin/nested

# Takes the full kernels, because Debian's cloud kernels come without 9p.
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

# Sets package and version to the newest Debian kernel of this line that apt offers; or sets
# l1_error. A release calls its own kernel linux-image-amd64 (6.1 in Debian 12, 6.12 in 13) and
# another one by its line (linux-image-6.12-amd64 in 12), so the version is read, not guessed from
# the release. LC_ALL=C because apt translates its messages.
nested_offered() { # LINE
  local metas=("linux-image-$1-amd64" linux-image-amd64) offers
  package='' version=''
  if ! command -v apt-get >/dev/null || ! command -v apt-cache >/dev/null || ! command -v dpkg-deb >/dev/null; then
    l1_error="fetching a Debian kernel takes apt-get, apt-cache and dpkg-deb \
(packages apt, dpkg); or name a kernel of your own: --l1-kernel=PATH"
    return 1
  fi
  # Lines "VERSION PACKAGE", where the meta-package depends on PACKAGE.
  offers=$(LC_ALL=C apt-cache show "${metas[@]}" 2>/dev/null | awk '
    $1 == "Package:" { version = depends = "" }
    $1 == "Version:" { version = $2 }
    $1 == "Depends:" { depends = $2; sub(",$", "", depends) }
    version != "" && depends ~ /^linux-image-/ { print version, depends; version = "" }' | LC_ALL=C sort -rV) || true
  read -r version package < <(awk -v line="$1." 'index($1, line) == 1' <<<"$offers") || true
  [[ -z $package ]] || return 0
  if [[ -z $offers ]]; then
    l1_error="apt knows no package ${metas[0]} or ${metas[1]} (sudo apt-get update; it is in Debian 12 and 13, with their security updates)"
  else
    l1_error="apt offers no kernel $1 here, but $(cut -d' ' -f1 <<<"$offers" | paste -sd' '): \
sudo apt-get update, or another --l1-kernel (6.1, 6.12 or the path of one)"
  fi
  return 1
}

nested_fetch() { # LINE
  local package version new deb name
  rm -rf "$nested_cache"/.new.* # left by an interrupted call, as we hold the lock
  nested_offered "$1" || return
  echo "nested: fetching $package into $nested_cache" >&2
  new=$(mktemp -d "$nested_cache/.new.XXXXXX") || { l1_error="cannot write $nested_cache"; return; }
  (cd "$new" && LC_ALL=C apt-get -q download "$package=$version" >download.log 2>&1) || true
  deb=$(find "$new" -name '*.deb')
  if [[ -z $deb ]]; then
    l1_error="apt-get download $package=$version: $(grep '^E:' "$new/download.log" | tail -n 1)"
    l1_error+=" (old package lists? sudo apt-get update)"
  elif nested_unpack "$new" "$deb"; then
    name=${deb##*/}
    name=${name%_*}
    # Readers see the directory only after this rename, so never half of it.
    [[ -e $nested_cache/$name ]] || mv -T "$new" "$nested_cache/$name"
    ln -sfnT "$name" "$nested_cache/.$1" && mv -T "$nested_cache/.$1" "$nested_cache/$1"
  fi
  rm -rf "$new"
}

# Takes image and modules out of a package, which has the modules in lib/modules or (Debian 13,
# where /usr is merged) in usr/lib/modules.
nested_unpack() { # DIRECTORY PACKAGE
  local dir=$1
  mkdir "$dir/x"
  if ! dpkg-deb --fsys-tarfile "$2" | tar -x -C "$dir/x"; then
    l1_error="cannot unpack ${2##*/} in $nested_cache (disk full?)"
    return 1
  fi
  for image_tree in "$dir"/x/{usr/,}lib/modules/*; do
    [[ ! -d $image_tree ]] || break
  done
  [[ -d $image_tree ]] || { l1_error="${2##*/} has no modules"; return 1; }
  image_fill "$dir" "$(echo "$dir"/x/boot/vmlinuz-*)" || { l1_error="${2##*/}: $l1_error"; return 1; }
  # shellcheck disable=SC2016 # dpkg-deb's variables
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$2" >"$dir/package"
  rm -rf "$dir/x" "$2" "$dir/download.log"
}

# Packs a directory as Linux's initramfs, owned by root.
initrd_pack() { # DIRECTORY FILE
  (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2"
}

# Makes the initrd of the kernel in l1_dir: busybox, the modules and tools/nested/init. It is cached
# beside the kernel under a hash of busybox and init or, if l1_dir is not writable, made in
# DIRECTORY. Sets l1_initrd; or sets l1_error and returns 1.
nested_initrd() { # PATH-OF-INIT DIRECTORY
  local busybox hash root
  busybox=$(command -v busybox) || { l1_error='busybox is missing (package busybox-static)'; return 1; }
  read -r hash _ < <(cat "$1" "$busybox" | sha256sum)
  l1_initrd=$l1_dir/initrd-${hash:0:16}
  [[ ! -e $l1_initrd ]] || return 0
  if ! root=$(mktemp -d "$l1_dir/.initrd.XXXXXX" 2>/dev/null); then
    l1_initrd=$2/initrd
    root=$(mktemp -d "$2/initrd.XXXXXX") || { l1_error="cannot write $l1_dir or $2"; return 1; }
  fi
  mkdir "$root"/{bin,dev,proc,sys,host,ctl} && cp "$busybox" "$root/bin/busybox" &&
    cp -r "$l1_dir/modules" "$root/modules" && cp "$1" "$root/init" && chmod 755 "$root/init" &&
    # Not compressed: inflating it in an emulated CPU costs more than reading it.
    initrd_pack "$root" "$root.cpio" &&
    mv "$root.cpio" "$l1_initrd" || l1_error="cannot write $l1_initrd (disk full?)"
  rm -rf "$root" "$root.cpio"
  [[ -z $l1_error ]]
}
