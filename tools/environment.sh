# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # set for those who source it
# What pvspin's programs in bash need of their environment, whatever the caller's is like. Each sources this first:
#
#   #!/bin/bash -p
#   here=$(readlink -f -- "${BASH_SOURCE[0]}") here=${here%/*}     # through a symlink, too
#   source "$here/.../environment.sh" || exit 4
#
#   scratch_make NAME   sets scratch, a new directory below TMPDIR; or scratch_error, and returns 1
#   status_guard        from here on the program ends with a documented status only (below)
#
# `bash -p` takes neither functions nor options (SHELLOPTS) from its environment, no CDPATH, and no start-up file
# (BASH_ENV), in which a hardened machine may have made TMOUT read-only. Started as `bash run.sh`, it is started again.
[[ $- == *p* || ${BASH_SOURCE[1]:-} != "$0" ]] || exec "$BASH" -p "$0" "$@"

# A standard stream that is closed: else the next file opened takes its number. What is written to stdout must fail.
# (With stderr closed, bash has its script there.)
[[ -e /dev/fd/0 ]] || exec </dev/null
[[ -e /dev/fd/1 ]] || exec >/dev/full
[[ -e /dev/fd/2 && ! /dev/fd/2 -ef $0 ]] || exec 2>/dev/null

# Messages of apt and others are read, lists are sorted, and [a-z] has no i in Turkish, no t to z in Estonian.
export LC_ALL=C
# `read` ends after so many seconds.
unset TMOUT
# For the bash of others: what -p leaves out here. BASH_COMPAT and FUNCNEST change even this one.
unset BASH_ENV ENV CDPATH GLOBIGNORE BASH_COMPAT FUNCNEST
# Options after operands are none then; df counts in 512 bytes.
unset POSIXLY_CORRECT
# Options by the back door.
unset GREP_OPTIONS GREP_COLOR GREP_COLORS TAR_OPTIONS XZ_DEFAULTS XZ_OPT
# nproc takes these for the number of CPUs.
unset OMP_NUM_THREADS OMP_THREAD_LIMIT
# A value that it does not understand is a message each time.
unset JQ_COLORS
# Names of lower case are our variables, but for those of proxies, which apt needs.
while read -r inherited; do
  [[ $inherited != [a-z]* || $inherited == *_proxy ]] || unset "$inherited"
done < <(compgen -e)
unset inherited

# Unset in a service or under cron: the user's entry in passwd tells.
[[ -n ${HOME:-} ]] || { unset HOME; export HOME=~; }
# What is relative means nothing after the next cd. (XDG's specification has such a directory ignored.)
[[ ${XDG_CACHE_HOME:-/} == /* ]] || unset XDG_CACHE_HOME
[[ -n ${TMPDIR:-} ]] || TMPDIR=/tmp
[[ $TMPDIR == /* ]] || TMPDIR=$PWD/$TMPDIR
export TMPDIR

# ~/.jq is a part of each program that jq runs, and jq looks for it in passwd's directory, too.
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
    scratch_error="TMPDIR=$TMPDIR: cannot make a directory there (is it writable, is the disk full?)"
  fi
  [[ -z $scratch_error ]]
}

# A command that fails where nobody expects it ends the program (set -e), and must not end it with a status of its own,
# which would mean something else: jq's 3 is no failed test. The trap on ERR notes such a command, status_end, called
# by the trap on EXIT, says which it was and makes it 4, and so what bash itself ends with (an unset variable).
#
# Also: a signal before there is anything to stop; a reader that goes away, and a limit on the size of files, which are
# errors of the one command then.
readonly STATUS_DOCUMENTED=' 0 2 3 4 5 77 124 130 '

status_guard() {
  set -E
  status_command=''
  trap 'status_command="${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
  trap 'status_end $?' EXIT
  trap 'exit 130' INT TERM HUP QUIT
  trap : PIPE XFSZ
}

# The last thing that a program does. STATUS is kept if it was meant.
status_end() { # STATUS
  [[ -n $status_command || $STATUS_DOCUMENTED != *" $1 "* ]] || exit "$1"
  printf '%s: internal error: status %s%s\n' "${0##*/}" "$1" "${status_command:+ of $status_command}" >&2 || true
  exit 4
}
