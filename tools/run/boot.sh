# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --boot=: how the guest is loaded (docs/boot.md). Sourced by run.sh.
#
#   boot_check     checks that the loader can carry the command line; otherwise a usage error
#   boot_prepare   sets medium: its GRUB boots $image at once
#   boot_place DIR makes, in an instance's scratch directory, the files that boot_options names
#   boot_options   prints QEMU's options, NUL-separated
#
# Takes  image, inner: run.sh
# Takes  append, boot, machine_type: options.sh
# Takes  scratch: environment.sh
# Gives  medium: the image for CD and disk, for iso and uefi

# Descriptors of QEMU's firmware (QEMU, docs/interop/firmware.json); the firmware's file names
# differ by distribution.
boot_descriptors=${PVSPIN_QEMU_FIRMWARE:-/usr/share/qemu/firmware}
# The magic numbers that a loader looks for at the start of an image (Multiboot Specification
# 0.6.96, 3.1; Multiboot2 Specification 2.0, 3.1), little-endian.
readonly BOOT_MULTIBOOT='\x02\xb0\xad\x1b' BOOT_MULTIBOOT_WITHIN=8192
readonly BOOT_MULTIBOOT2='\xd6\x50\x52\xe8' BOOT_MULTIBOOT2_WITHIN=32768

# QEMU 7.2: "tcg_handle_interrupt: assertion failed: (qemu_mutex_iothread_locked())".
readonly BOOT_UEFI_NESTED="QEMU's emulation of SVM dies of UEFI firmware, so --boot=uefi needs kvm or tcg"

boot_by_grub() {
  [[ $boot == iso || $boot == uefi ]]
}

boot_has() { # FILE MAGIC WITHIN
  # No pipe: grep ends at the first match, and with pipefail head's SIGPIPE would look like no
  # match.
  LC_ALL=C grep -qaP "$2" <(head -c "$3" "$1")
}

# GRUB passes words on but puts a backslash before quotes and backslashes.
boot_check() {
  local LC_ALL=C
  boot_by_grub || return 0
  [[ $machine_type != microvm ]] || usage_error "--boot=$boot: microvm has no CD drive; use --boot=pvh"
  [[ ! $append =~ [^\ -~] && $append != *[\'\"\\]* ]] ||
    usage_error "-append ${append@Q}: with --boot=$boot, GRUB carries printable ASCII without ' \" \\ unchanged"
}

# Prints the image for --boot= without -kernel.
boot_image() {
  if [[ $boot == pvh ]]; then echo build/pvspin-pvh.elf; else echo build/pvspin.elf; fi
}

# Prints a script without a menu. GRUB takes each word in single quotes literally. As with QEMU's
# multiboot, the guest's first word is the image's name, which the guest ignores.
boot_grub_script() {
  local words command=multiboot
  read -ra words <<<"$(qemu_append)"
  ! boot_has "$image" "$BOOT_MULTIBOOT2" "$BOOT_MULTIBOOT2_WITHIN" || command=multiboot2
  cat <<SCRIPT
if serial --unit=0 --speed=115200; then
  terminal_output serial
fi
if [ "\$grub_platform" = efi ]; then
  insmod efi_gop
else
  set gfxpayload=text
fi
if $command /boot/pvspin.elf pvspin.elf$(printf " '%s'" "${words[@]}"); then
  boot
fi
echo "GRUB did not start the guest"
halt
SCRIPT
}

# Sets boot_uefi: path and format of UEFI's code, then of its initial variables. Takes the first
# suitable descriptor by name, as the specification asks for. Firmware that needs SMM or brings
# Secure Boot's keys would not start GRUB here.
boot_firmware() {
  IFS=$'\t' read -ra boot_uefi < <(cat "$boot_descriptors"/*.json 2>/dev/null | jq -r '
    select((.["interface-types"] | index("uefi")) and (.features | index("requires-smm") or index("enrolled-keys") | not) and
      any(.targets[]; .architecture == "x86_64" and any(.machines[]; startswith("pc-")))) | .mapping |
    select(.device == "flash" and .["nvram-template"]) |
    [.executable, .["nvram-template"] | .filename, .format // "raw"] | @tsv' 2>/dev/null) || true
  [[ -r ${boot_uefi[0]-} && -r ${boot_uefi[2]-} ]] || die "$EXIT_ENVIRONMENT" \
    "--boot=uefi: no descriptor in $boot_descriptors names UEFI firmware for x86_64 that is there:" \
    "$(setup_command <<<boot:ovmf:)"
}

# Prints GRUB's own directory: that of Debian, Fedora and Arch, or that of openSUSE.
boot_grub_modules() { # PLATFORM
  local dir
  for dir in /usr/lib/grub /usr/share/grub2; do
    [[ ! -e $dir/$1 ]] || break
  done
  echo "$dir/$1"
}

boot_prepare() {
  local platform=i386-pc disk=$scratch/disk mkrescue
  medium=${PVSPIN_MEDIUM:-}
  case $boot in
  pvh)
    ! boot_has "$image" "$BOOT_MULTIBOOT" "$BOOT_MULTIBOOT_WITHIN" ||
      usage_error '--boot=pvh: QEMU would load this -kernel by multiboot, for it has that header too;' \
        'build/pvspin-pvh.elf has none'
    ;;
  iso | uefi)
    ((!inner)) || return 0
    setup_check boot || exit "$EXIT_ENVIRONMENT"
    if [[ $boot == uefi ]]; then
      platform=x86_64-efi
      boot_firmware
    fi
    medium=$scratch/pvspin.iso
    mkdir -p "$disk/boot/grub"
    # GRUB reads it by the BIOS, word by word, which is five times faster without the debug
    # sections.
    objcopy --strip-debug "$image" "$disk/boot/pvspin.elf" 2>/dev/null || cp "$image" "$disk/boot/pvspin.elf"
    boot_grub_script >"$disk/boot/grub/grub.cfg"
    mkrescue=$(command -v grub-mkrescue || command -v grub2-mkrescue)
    "$mkrescue" -d "$(boot_grub_modules "$platform")" --locales= --themes= --fonts= -o "$medium" "$disk" \
      >"$scratch/grub-mkrescue.log" 2>&1 || {
      cat "$scratch/grub-mkrescue.log" >&2
      die "$EXIT_ENVIRONMENT" "--boot=$boot: $mkrescue failed"
    }
    ;;
  esac
}

boot_place() { # DIRECTORY
  ln -s "$image" "$1/pvspin.elf"
  ! boot_by_grub || ln -s "$medium" "$1/pvspin.iso"
  if [[ $boot == uefi ]]; then
    ln -s "${boot_uefi[0]}" "$1/code.fd"
    cp "${boot_uefi[2]}" "$1/vars.fd" # UEFI writes to it
  fi
}

boot_options() {
  case $boot in
  multiboot) printf '%s\0' -kernel "$QEMU_DIR/pvspin.elf" -append "$(qemu_append)" ;;
  pvh) printf '%s\0' -kernel "$QEMU_DIR/pvspin.elf" -append "pvspin.elf $(qemu_append)" ;;
  uefi)
    printf '%s\0' -drive "if=pflash,unit=0,format=${boot_uefi[1]},readonly=on,file=$QEMU_DIR/code.fd" \
      -drive "if=pflash,unit=1,format=${boot_uefi[3]},file=$QEMU_DIR/vars.fd"
    # As a disk, which the image is, too: of some images OVMF cannot read the guest's last blocks
    # from a CD, be it IDE or AHCI (GRUB: "failure reading sector").
    printf '%s\0' -drive "if=virtio,format=raw,readonly=on,file=$QEMU_DIR/pvspin.iso"
    ;;
  iso) printf '%s\0' -cdrom "$QEMU_DIR/pvspin.iso" ;;
  esac
}
