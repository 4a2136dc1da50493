# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # set for those who source it
# Gives pvspin's bash programs a known environment, whatever the caller's is. Each sources this
# first:
#
#   #!/bin/bash -p
#   here=$(readlink -f -- "${BASH_SOURCE[0]}") here=${here%/*}     # through a symlink, too
#   source "$here/.../environment.sh" || exit 4
#
#   scratch_make NAME   sets scratch, a new directory below TMPDIR; or sets scratch_error, returns 1
#   status_guard        makes the program end only with documented statuses (below)
#
# `bash -p` takes no functions, options (SHELLOPTS), CDPATH or start-up file (BASH_ENV) from its
# environment; in a start-up file, a hardened machine may have made TMOUT read-only. A program
# started as `bash run.sh` starts itself again.
[[ $- == *p* || ${BASH_SOURCE[1]:-} != "$0" ]] || exec "$BASH" -p "$0" "$@"

# Opens closed standard streams, because the next opened file would take their number. Writes to a
# closed stdout must fail. (If stderr is closed, bash has its script there.)
[[ -e /dev/fd/0 ]] || exec </dev/null
[[ -e /dev/fd/1 ]] || exec >/dev/full
[[ -e /dev/fd/2 && ! /dev/fd/2 -ef $0 ]] || exec 2>/dev/null

# The programs parse messages of apt and others and sort lists; and [a-z] lacks i in Turkish, t to z
# in Estonian.
export LC_ALL=C
# TMOUT would end `read` after so many seconds.
unset TMOUT
# Keeps from other bash programs what -p keeps from this one. BASH_COMPAT and FUNCNEST influence
# even this one.
unset BASH_ENV ENV CDPATH GLOBIGNORE BASH_COMPAT FUNCNEST
# POSIXLY_CORRECT would make options after operands operands, and df count in 512 bytes.
unset POSIXLY_CORRECT
# These variables add options.
unset GREP_OPTIONS GREP_COLOR GREP_COLORS TAR_OPTIONS XZ_DEFAULTS XZ_OPT
# nproc takes these for the number of CPUs.
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
# jq complains each time about a value that it does not understand.
unset JQ_COLORS
# Lower-case names are our variables, except those of proxies, which apt needs.
while read -r inherited; do
  [[ $inherited != [a-z]* || $inherited == *_proxy ]] || unset "$inherited"
done < <(compgen -e)
unset inherited

# HOME is unset in a service or under cron; the user's entry in passwd has it.
[[ -n ${HOME:-} ]] || { unset HOME; export HOME=~; }
# A relative path is wrong after the next cd. (XDG's specification ignores such a directory.)
[[ ${XDG_CACHE_HOME:-/} == /* ]] || unset XDG_CACHE_HOME
[[ -n ${TMPDIR:-} ]] || TMPDIR=/tmp
[[ $TMPDIR == /* ]] || TMPDIR=$PWD/$TMPDIR
export TMPDIR

# jq includes ~/.jq in each program, and also finds it in passwd's home directory, so HOME must be
# one without it.
jq() {
  HOME=/nonexistent command jq "$@"
}

scratch_make() { # NAME
  scratch_error=''
  if [[ $TMPDIR == *$'\n'* ]]; then
    scratch_error="TMPDIR=${TMPDIR@Q}: a name with a line break is not accepted"
  elif [[ ! -d $TMPDIR ]]; then
    scratch_error="TMPDIR=$TMPDIR: there is no such directory"
  elif ! scratch=$(mktemp -d "$TMPDIR/$1.XXXXXX" 2>/dev/null); then
    scratch_error="TMPDIR=$TMPDIR: cannot make a directory there"
    scratch_error+=' (is it writable, is the disk full?)'
  fi
  [[ -z $scratch_error ]]
}

# A command that fails unexpectedly ends the program (set -e). The command's status must not become
# the program's, because it would mean something else: jq's 3 is not a failed test. The trap on ERR
# records the command. status_end, called by the trap on EXIT, names it and makes the status 4; the
# same for errors of bash itself (an unset variable).
#
# Also handles a signal before there is anything to stop, and makes a vanished reader, or a limit on
# the size of files, an error of the one command only.
readonly STATUS_DOCUMENTED=' 0 2 3 4 5 77 124 130 '

status_guard() {
  set -E
  status_command=''
  trap 'status_command="${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
  trap 'status_end $?' EXIT
  trap 'exit 130' INT TERM HUP QUIT
  trap : PIPE XFSZ
}

# Ends the program. Keeps STATUS if it was intended.
status_end() { # STATUS
  [[ -n $status_command || $STATUS_DOCUMENTED != *" $1 "* ]] || exit "$1"
  printf '%s: internal error: status %s%s\n' "${0##*/}" "$1" \
    "${status_command:+ of $status_command}" >&2 || true
  exit 4
}
