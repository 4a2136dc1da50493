#!/bin/bash
# SPDX-License-Identifier: MIT
# acpi-seeds.sh DIRECTORY: the saved tables of tests/host/acpi/ as
# inputs of acpi.c, one file per machine.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/../host/acpi"

byte() { # NUMBER
  # shellcheck disable=SC2059 # an escape made of a number
  printf "\\x$(printf %x "$1")"
}

for machine in */; do
  {
    byte $((1 + (31 << 3))) # FLAG_REPAIR, room for 32 CPUs
    for table in "$machine"*.bin; do
      case $(head -c 4 "$table") in
      RSDT) place=1 ;; APIC) place=2 ;; SRAT) place=3 ;; *) continue ;;
      esac
      length=$(wc -c <"$table")
      byte "$place"
      byte $((length & 255))
      byte $((length >> 8))
      cat "$table"
    done
  } >"$1/${machine%/}"
done
