#!/bin/bash
# SPDX-License-Identifier: MIT
# One test program for prove: TAP on stdout whatever it is written with (bats, cmocka, our own).
set -euo pipefail
case $1 in
*.bats) exec bats --tap "$1" ;;
*/model/*) exec timeout 600 "$1" ;; # one minute of CPU time
*/host/*) CMOCKA_MESSAGE_OUTPUT=TAP exec timeout 120 "$1" ;;
esac
arguments=()
case $1 in
*/tsan/*) # null is left out: that it excludes nobody is a data race, and the point of it
  export TSAN_OPTIONS=halt_on_error=0:exitcode=66
  arguments=(--without-null --budget-ms=40)
  ;;
*/ubsan/*) arguments=(--budget-ms=40) ;;
esac
# Debian 12's prove knows TAP up to 13; these programs use nothing newer.
timeout 240 "$1" "${arguments[@]}" | sed -u 's/^TAP version 14$/TAP version 13/'
