#!/bin/bash
# SPDX-License-Identifier: MIT
# One test program for prove: TAP on stdout whatever it is written with (bats, cmocka, our own).
set -euo pipefail
case $1 in
*.bats) exec bats --tap "$1" ;;
*/host/*) CMOCKA_MESSAGE_OUTPUT=TAP exec timeout 120 "$1" ;;
*/tsan/*) TSAN_OPTIONS=halt_on_error=0:exitcode=66 exec timeout 120 "$1" --without-null --budget-ms=40 ;;
*/ubsan/*) exec timeout 120 "$1" --budget-ms=40 ;;
*) exec timeout 120 "$1" ;;
esac
