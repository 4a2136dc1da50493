# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # globals of kernel.sh, which is sourced first
# Headers and build programs for modules of L1's kernel: Debian packages, fetched with apt and
# unpacked beside the kernel. Nothing is installed, and any user can do it. Sourced.
#
#   nested_headers   sets l1_headers for the kernel in l1_dir; or sets l1_error and returns 1
#
# l1_headers is the directory for `make -C $l1_headers M=...`.

nested_headers() {
  local package version release root=$l1_dir/headers lock
  l1_error=''
  read -r package version <"$l1_dir/package"
  release=${package#linux-image-}
  l1_headers=$root/usr/src/linux-headers-$release
  [[ ! -e $l1_headers/Makefile ]] || return 0
  exec {lock}>"$nested_cache/lock"
  if ! flock -w 300 "$lock"; then
    l1_error="another download holds $nested_cache/lock"
  elif [[ ! -e $l1_headers/Makefile ]]; then
    nested_fetch_headers "$release" "$version" "$root"
  fi
  exec {lock}>&-
  [[ -z $l1_error ]]
}

nested_fetch_headers() { # RELEASE VERSION ROOT
  local name=linux-headers-$1 new more
  echo "nested: fetching $name into $nested_cache" >&2
  new=$(mktemp -d "$l1_dir/.headers.XXXXXX")
  # It needs two more packages: -common (all architectures) and linux-kbuild.
  if nested_headers_package "$new" "$name" "$2"; then
    for more in $(dpkg-deb -f "$new"/deb "Depends" | tr -s ',|' '\n' |
      sed -nE 's/^ *(linux-headers-[^ ]*-common|linux-kbuild-[^ ]*).*/\1/p' | sort -u); do
      nested_headers_package "$new" "$more" "$2" || break
    done
  fi
  rm -f "$new/deb" "$new/download.log"
  # The makefile includes -common by its installed path. Make that relative to the makefile.
  # shellcheck disable=SC2016 # make's variables
  [[ -n $l1_error ]] ||
    sed -i 's,^include /usr/src/,include $(dir $(lastword $(MAKEFILE_LIST)))../,' \
      "$new/usr/src/$name/Makefile" || l1_error="cannot adapt the makefile of $name"
  if [[ -z $l1_error ]]; then
    rm -rf "$3"
    mv -T "$new" "$3"
  fi
  rm -rf "$new"
}

nested_headers_package() { # DIRECTORY PACKAGE VERSION; unpacks it, leaves it as DIRECTORY/deb
  local deb
  (cd "$1" && apt-get -q download "$2=$3" >download.log 2>&1)
  deb=$(find "$1" -maxdepth 1 -name '*.deb')
  if [[ -z $deb ]]; then
    l1_error="apt-get download $2=$3: $(grep '^E:' "$1/download.log" | tail -n 1)"
    l1_error+=' (a newer kernel and its headers: tools/nested/nested.sh --prepare)'
    return 1
  fi
  dpkg-deb -x "$deb" "$1" || { l1_error="cannot unpack ${deb##*/} in $1 (disk full?)"; return 1; }
  mv "$deb" "$1/deb"
}
