# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with kernel.sh, which sources this
# A kernel of the user's own for L1: a bzImage given by its path, with the modules of its release.
# It may come from anywhere. The modules' own `depends=` (modinfo) tells which others L1 needs, so
# modules.dep may be missing (as in an unpacked Debian package).
#
#   image_check PATH    sets image_release; or sets l1_error and returns 1
#   nested_image PATH   caches it under a name made of its content: sets l1_dir, or l1_error
#
# nested_kernel accepts that name, such as image-0123456789abcdef, like 6.12.

# The modules that L1 needs; their dependencies are found.
image_modules=(virtio_pci virtio_console 9pnet_virtio 9p kvm_amd)
# An image is deleted after so many days without use.
readonly IMAGE_KEEP_DAYS=14

# The header of Linux's boot protocol (Documentation/arch/x86/boot.rst): "HdrS" at 0x202; at 0x20e
# the offset, less 0x200, of a string that begins with the release.
image_check() { # PATH
  local at
  image_release=''
  if [[ ! -f $1 || ! -r $1 ]]; then
    l1_error="$1: no such file, or not readable"
  elif [[ $(head -c $((0x206)) "$1" | tail -c 4 | tr -d '\0') != HdrS ]]; then
    l1_error="$1: not a bzImage (no boot header at 0x202); of a kernel tree it is arch/x86/boot/bzImage"
  else
    at=$(od -An -tu2 -j $((0x20e)) -N 2 "$1")
    read -r image_release _ < <(tail -c "+$((at + 0x200 + 1))" "$1" | head -c 256 | tr '\0' '\n') || true
    [[ $image_release =~ ^[0-9]+\.[0-9]+[-+._~A-Za-z0-9]*$ ]] || l1_error="$1: its boot header tells no release"
  fi
  [[ -z $l1_error ]]
}

# Sets image_tree, the directory of the image's modules: the layout of a package, that of `make
# modules_install INSTALL_MOD_PATH=` beside the image, or the system's own directory.
image_find_tree() { # PATH
  local dir top looked=()
  dir=$(cd "$(dirname "$1")" && pwd -P)
  for top in "$dir/.." "$dir" ''; do
    for image_tree in "$top/lib/modules/$image_release" "$top/usr/lib/modules/$image_release"; do
      image_tree=$(realpath -m "$image_tree")
      [[ ! -d $image_tree ]] || return 0
      [[ " ${looked[*]-} " == *" $image_tree "* ]] || looked+=("$image_tree")
    done
  done
  l1_error="$1: no modules of its release $image_release: looked for the directories $(printf '%s, ' "${looked[@]}")"
  l1_error="${l1_error%, } (with all of them built in, an empty one will do)"
  return 1
}

# Fills image_file: all module files below image_tree by name, with _ for -. As with depmod, a file
# in updates/ takes precedence over one in kernel/.
image_index() {
  local file name
  declare -gA image_file=() image_done=()
  while IFS= read -r file; do
    name=${file##*/}
    name=${name%%.ko*}
    image_file[${name//-/_}]=$file
  done < <(find "$image_tree/" -name '*.ko*' -type f | LC_ALL=C sort)
}

# Copies a module into DIR/modules, after those it needs. A module that is built in needs no file.
image_add() { # DIR NAME
  local dir=$1 name=${2//-/_} file need needs
  [[ -z ${image_done[$name]:-} ]] || return 0
  image_done[$name]=1
  file=${image_file[$name]:-}
  if [[ -z $file ]]; then
    # Without that list (no modules_install) the module may be built in; L1 will find out.
    [[ -e $image_tree/modules.builtin ]] || return 0
    # No pipe into grep -q, which ends at the first match: tr would then fail with SIGPIPE.
    ! grep -q "/$name\\.ko\$" <(tr - _ <"$image_tree/modules.builtin") || return 0
    l1_error="the kernel has no $name: neither a module below $image_tree nor in its modules.builtin"
    return 1
  fi
  image_unpack "$file" "$dir/modules/$name.ko" || return 1
  needs=$(tr '\0' '\n' <"$dir/modules/$name.ko" | LC_ALL=C sed -n 's/^depends=//p;T;q')
  for need in ${needs//,/ }; do
    image_add "$dir" "$need" || return 1
  done
  echo "$name.ko" >>"$dir/modules/order"
}

image_unpack() { # FILE TO
  local program
  case $1 in
  *.ko) program="cat" ;;
  *.ko.xz) program=xzcat ;;
  *.ko.gz) program="zcat" ;;
  *.ko.zst) program=zstdcat ;;
  *) l1_error="$1: a module in an unknown compression"; return 1 ;;
  esac
  "$program" <"$1" >"$2" 2>/dev/null || { l1_error="$1: $program (installed?) cannot unpack it"; return 1; }
}

nested_image() { # PATH
  local new name
  l1_error=''
  image_check "$1" && image_find_tree "$1" || return 1
  if ! mkdir -p "$nested_cache" 2>/dev/null || ! new=$(mktemp -d "$nested_cache/.new.XXXXXX"); then
    l1_error="cannot write $nested_cache"
    return 1
  fi
  if image_fill "$new" "$1"; then
    echo "$image_release" >"$new/release"
    name=$(cd "$new" && cat vmlinuz modules/order modules/*.ko 2>/dev/null | sha256sum)
    l1_dir=$nested_cache/image-${name:0:16}
    # The rename makes it appear whole or not at all. Another path with the same content may have
    # been first.
    [[ -e $l1_dir ]] || mv -T "$new" "$l1_dir" 2>/dev/null || [[ -e $l1_dir ]] || l1_error="cannot write $l1_dir"
    touch "$l1_dir"
    find "$nested_cache" -maxdepth 1 -name 'image-*' -mtime "+$IMAGE_KEEP_DAYS" -exec rm -rf {} +
  fi
  rm -rf "$new"
  [[ -z $l1_error ]]
}

# Fills DIR with the image and those modules of image_tree that L1 needs.
image_fill() { # DIR PATH
  local module
  mkdir "$1/modules"
  : >"$1/modules/order"
  cp "$2" "$1/vmlinuz" || { l1_error="cannot copy $2 to $nested_cache"; return 1; }
  image_index
  for module in "${image_modules[@]}"; do
    image_add "$1" "$module" || { l1_error="$2: $l1_error"; return 1; }
  done
}
