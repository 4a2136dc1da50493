# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # used by those who source it
# QEMU's system call filter, and the check that QEMU is new enough. Sourced by run.sh and nested.sh.
#
#   sandbox_probe   sets qemu_version (7.2.22; '' if unknown) and sandbox, the options for QEMU's
#                   seccomp filter (none if this QEMU was built without it)
#
# QEMU needs none of what the filter forbids: starting processes, changing its user, setting
# affinity or priority of its own threads (--pin does that from outside), obsolete system calls.
# PVSPIN_SANDBOX=off leaves the filter out, for a kernel without seccomp or for options that start
# helpers.

# TCG has the virtual GIF that a nested hypervisor needs since 6.2 (QEMU's ChangeLog). Tested with
# 7.2.
readonly QEMU_OLDEST=6.2

# Sets sandbox, without asking QEMU.
sandbox_options() {
  sandbox=()
  [[ ${PVSPIN_SANDBOX:-on} == off ]] ||
    sandbox=(-sandbox 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny')
}

sandbox_probe() {
  local said
  sandbox_options
  # QEMU reads options in order: it fails on an unknown -sandbox before it answers -version.
  if ((!${#sandbox[@]})) || ! said=$(qemu-system-x86_64 "${sandbox[@]}" -version 2>/dev/null); then
    sandbox=()
    said=$(qemu-system-x86_64 -version 2>/dev/null) || said=''
  fi
  qemu_version=''
  [[ ! $said =~ version\ ([0-9]+\.[0-9]+[0-9.]*) ]] || qemu_version=${BASH_REMATCH[1]}
}

# False if this QEMU is known to be too old.
sandbox_qemu_new_enough() {
  local major minor
  [[ -n $qemu_version ]] || return 0
  IFS=. read -r major minor _ <<<"$qemu_version"
  ((major * 1000 + minor >= ${QEMU_OLDEST%.*} * 1000 + ${QEMU_OLDEST#*.}))
}
