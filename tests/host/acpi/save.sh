#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Saves the ACPI tables that QEMU's firmware leaves in memory, as fixtures for test_acpi.c: one
# directory per machine, one file per table, named by its physical address. SeaBIOS runs under TCG
# until the RSDP shows up below 1 MiB; QEMU's monitor (pmemsave) then writes out RSDP, RSDT and
# every table that the RSDT lists. Nothing is booted. Usage, from anywhere: save.sh
#
# ACPI 6.5: 5.2.5.3 (RSDP: RSDT address at byte 16), 5.2.6 (header: length at byte 4), 5.2.7 (RSDT).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scratch=$(mktemp -d)
qemu=${QEMU:-qemu-system-x86_64}
qemu_pid=

cleanup() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || true
	rm -rf "$scratch"
}
trap cleanup EXIT

# u32 FILE OFFSET: little-endian
u32() {
	od -An -tu4 --endian=little -j "$2" -N 4 "$1" | tr -d ' '
}

# pmemsave ADDRESS BYTES FILE: returns when the file is whole, at most 5 s
pmemsave() {
	local tries=0

	rm -f "$3"
	# quoted: "20 /tmp" would be a division
	echo "pmemsave $1 $2 \"$3\"" >&"$monitor"
	until [ "$(stat -c %s "$3" 2>/dev/null || echo 0)" -eq "$2" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 50 ]; then
			echo "save.sh: no answer to: pmemsave $1 $2 $3" >&2
			exit 1
		fi
		sleep 0.1
	done
}

# save_table ADDRESS DIRECTORY: prints the file's name
save_table() {
	local file
	file=$2/$(printf '%08x' "$1").bin

	pmemsave "$1" 36 "$scratch/header"
	pmemsave "$1" "$(u32 "$scratch/header" 4)" "$scratch/table"
	mv "$scratch/table" "$file"
	echo "$file"
}

# find_rsdp: its address, once the firmware has written it, at most 20 s
find_rsdp() {
	local offset

	for _ in $(seq 40); do
		pmemsave $((0xe0000)) $((0x20000)) "$scratch/bios"
		while IFS=: read -r offset _; do
			# 16-byte aligned, and with an RSDT: SeaBIOS' own code has the string too
			if [ $((offset % 16)) -eq 0 ] && [ "$(u32 "$scratch/bios" $((offset + 16)))" -ne 0 ]; then
				echo $((0xe0000 + offset))
				return
			fi
		done < <(grep -abo 'RSD PTR ' "$scratch/bios")
		sleep 0.5
	done
	echo "save.sh: the firmware wrote no RSDP" >&2
	exit 1
}

# save NAME QEMU-OPTION...
save() {
	local out=$here/$1 rsdp rsdt_file length offset
	shift

	mkdir -p "$out"
	rm -f "$out"/*.bin
	mkfifo "$scratch/monitor"
	"$qemu" -accel tcg -nodefaults -display none -monitor stdio "$@" \
		<"$scratch/monitor" >/dev/null &
	qemu_pid=$!
	exec {monitor}>"$scratch/monitor"

	rsdp=$(find_rsdp)
	pmemsave "$rsdp" 36 "$scratch/rsdp"
	length=20
	[ "$(od -An -tu1 -j 15 -N 1 "$scratch/rsdp" | tr -d ' ')" -lt 2 ] || length=36
	head -c "$length" "$scratch/rsdp" >"$out/$(printf '%08x' "$rsdp").bin"

	rsdt_file=$(save_table "$(u32 "$scratch/rsdp" 16)" "$out")
	length=$(u32 "$rsdt_file" 4)
	for ((offset = 36; offset + 4 <= length; offset += 4)); do
		save_table "$(u32 "$rsdt_file" "$offset")" "$out" >/dev/null
	done

	echo quit >&"$monitor"
	wait "$qemu_pid"
	qemu_pid=
	exec {monitor}>&-
	rm "$scratch/monitor"
	echo "$out: $(find "$out" -name '*.bin' | wc -l) tables"
}

"$qemu" --version | head -1
save pc-smp4 -machine pc -smp 4
save q35-smp12 -machine q35 -smp 12,sockets=3,cores=2,threads=2
# three cores take two bits of the APIC ID: 0 1 2, 4 5 6, ...
save q35-sparse -machine q35 -smp 12,sockets=4,cores=3,threads=1
save pc-maxcpus7 -machine pc -smp 3,maxcpus=7
# nodes of two CPUs; one of the nodes has no memory
save pc-numa2 -machine pc -m 128 -smp 4 -object memory-backend-ram,id=m0,size=128M \
	-numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3
# sockets dealt out in turn: 0 and 3 to node 0, 1 to node 1, 2 to node 2; sparse APIC IDs
save q35-numa3 -machine q35 -m 192 -smp 12,sockets=4,cores=3,threads=1 \
	-object memory-backend-ram,id=m0,size=64M -object memory-backend-ram,id=m1,size=64M \
	-object memory-backend-ram,id=m2,size=64M -numa node,nodeid=0,memdev=m0 \
	-numa node,nodeid=1,memdev=m1 -numa node,nodeid=2,memdev=m2
