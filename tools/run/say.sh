# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# How run.sh talks: stdout carries the report and nothing else, all the rest goes to stderr.
# The exit statuses of run.sh --help, here with names. Sourced by run.sh.
#
# Gives  progress_on: 1 if there is a progress line

readonly EXIT_USAGE=2 EXIT_FAIL=3 EXIT_ENVIRONMENT=4 EXIT_CRASH=5
readonly EXIT_SKIP=77 EXIT_TIMEOUT=124 EXIT_INTERRUPT=130

say() {
  progress_end
  printf 'run.sh: %s\n' "$*" >&2 || true # nobody may be listening
}

die() { # STATUS MESSAGE
  local status=$1
  shift
  say "$@"
  exit "$status"
}

# Prints a file to stdout. If the reader has gone away, as in `./run.sh | head -n 1`, the rest is
# dropped and the status remains the verdict's. If stdout takes no data, says so and returns false.
print() { # FILE [OTHER PLACE]
  local gone=0
  ! cat "$1" 2>/dev/null || return 0
  # Nothing else fails there; not by cat's status, because SIGPIPE may be ignored, as in a service.
  [[ ! -p /dev/fd/1 && ! -S /dev/fd/1 ]] || gone=1
  exec >/dev/null
  ((!gone)) || return 0
  say "cannot write to standard output${2:+; the report is in $2}"
  return 1
}

usage_error() {
  die "$EXIT_USAGE" "$* (./run.sh --help tells more)"
}

# A progress line that is overwritten, on a terminal that can do so. The inner run.sh writes to a
# pipe to our terminal; PVSPIN_PROGRESS tells it.
progress_on=${PVSPIN_PROGRESS:-0}
[[ ! -t 2 || ${TERM:-dumb} == dumb ]] || progress_on=1
progress_open=0

progress_off() {
  progress_on=0
}

progress() {
  ((progress_on)) || return 0
  progress_open=1
  printf '\r\e[K%.79s' "$*" >&2 || true
}

progress_end() {
  ((progress_open)) || return 0
  progress_open=0
  printf '\r\e[K' >&2 || true
}
