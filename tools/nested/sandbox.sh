# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # used by those who source it
# What QEMU is allowed to do, and whether it is new enough: sourced by run.sh and nested.sh.
#
#   sandbox_probe   sets qemu_version (7.2.22; '' if it does not tell) and sandbox, the options of
#                   QEMU's seccomp filter or nothing where this QEMU is built without
#
# The filter forbids what QEMU needs for neither guest: to start processes, to change its user, to set
# affinity or priority of its own threads (--pin does that from outside), system calls long out of use.
# PVSPIN_SANDBOX=off leaves it out: for a kernel without seccomp, or options that start helpers.

# TCG's virtual GIF for a nested hypervisor came with 6.2 (QEMU's ChangeLog); tested is 7.2.
readonly QEMU_OLDEST=6.2

sandbox_probe() {
  local said
  sandbox=(-sandbox 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny')
  # Options are read in order: an unknown -sandbox ends it before -version is answered.
  if [[ ${PVSPIN_SANDBOX:-on} == off ]] || ! said=$(qemu-system-x86_64 "${sandbox[@]}" -version 2>/dev/null); then
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
