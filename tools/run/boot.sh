# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # globals shared with the other parts
# --boot=: how the guest is loaded (docs/boot.md). Sourced by run.sh.
#
#   boot_check     the command line, against what the loader can carry; a usage error if it cannot
#   boot_prepare   sets medium: for iso and uefi a CD image whose GRUB boots $image at once
#   boot_place DIR makes, in an instance's scratch directory, the files that boot_options names
#   boot_options   prints QEMU's options, one a line's worth: NUL-separated

readonly BOOT_OVMF=/usr/share/OVMF
# What a loader looks for in the first bytes of an image (Multiboot Specification 0.6.96, 3.1;
# Multiboot2 Specification 2.0, 3.1), little-endian.
readonly BOOT_MULTIBOOT='\x02\xb0\xad\x1b' BOOT_MULTIBOOT_WITHIN=8192
readonly BOOT_MULTIBOOT2='\xd6\x50\x52\xe8' BOOT_MULTIBOOT2_WITHIN=32768

# QEMU 7.2: "tcg_handle_interrupt: assertion failed: (qemu_mutex_iothread_locked())".
readonly BOOT_UEFI_NESTED="QEMU's emulation of SVM dies of UEFI firmware, so --boot=uefi needs kvm or tcg"

boot_by_grub() {
  [[ $boot == iso || $boot == uefi ]]
}

boot_has() { # FILE MAGIC WITHIN
  # No pipe: grep ends at the first match, and pipefail would take head's SIGPIPE for "it has not".
  LC_ALL=C grep -qaP "$2" <(head -c "$3" "$1")
}

# GRUB passes words on, and puts a backslash before quotes and backslashes.
boot_check() {
  local LC_ALL=C
  boot_by_grub || return 0
  [[ $machine_type != microvm ]] || usage_error "--boot=$boot: microvm has no CD drive; use --boot=pvh"
  [[ ! $append =~ [^\ -~] && $append != *[\'\"\\]* ]] ||
    usage_error "-append ${append@Q}: with --boot=$boot, GRUB carries printable ASCII without ' \" \\ unchanged"
}

# The image that --boot= takes if there is no -kernel.
boot_image() {
  if [[ $boot == pvh ]]; then echo build/pvspin-pvh.elf; else echo build/pvspin.elf; fi
}

# A script without a menu: each word in single quotes means itself to GRUB. The guest's first word is
# the image's name by every loader, as QEMU's multiboot has it: it is the one that may be anything.
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

boot_prepare() {
  local platform=i386-pc disk=$scratch/disk
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
    [[ $boot == iso ]] || platform=x86_64-efi
    medium=$scratch/pvspin.iso
    mkdir -p "$disk/boot/grub"
    # GRUB reads it by the BIOS, word by word: five times faster without what is for debuggers.
    objcopy --strip-debug "$image" "$disk/boot/pvspin.elf" 2>/dev/null || cp "$image" "$disk/boot/pvspin.elf"
    boot_grub_script >"$disk/boot/grub/grub.cfg"
    grub-mkrescue -d "/usr/lib/grub/$platform" --locales= --themes= --fonts= -o "$medium" "$disk" \
      >"$scratch/grub-mkrescue.log" 2>&1 || {
      cat "$scratch/grub-mkrescue.log" >&2
      die "$EXIT_ENVIRONMENT" "--boot=$boot: grub-mkrescue failed"
    }
    ;;
  esac
}

boot_place() { # DIRECTORY
  ln -s "$image" "$1/pvspin.elf"
  ! boot_by_grub || ln -s "$medium" "$1/pvspin.iso"
  if [[ $boot == uefi ]]; then
    ln -s "$BOOT_OVMF/OVMF_CODE_4M.fd" "$1/code.fd"
    cp "$BOOT_OVMF/OVMF_VARS_4M.fd" "$1/vars.fd" # UEFI writes to it
  fi
}

boot_options() {
  case $boot in
  multiboot) printf '%s\0' -kernel "$QEMU_DIR/pvspin.elf" -append "$(qemu_append)" ;;
  pvh) printf '%s\0' -kernel "$QEMU_DIR/pvspin.elf" -append "pvspin.elf $(qemu_append)" ;;
  uefi)
    printf '%s\0' -drive "if=pflash,unit=0,format=raw,readonly=on,file=$QEMU_DIR/code.fd" \
      -drive "if=pflash,unit=1,format=raw,file=$QEMU_DIR/vars.fd"
    ;;&
  iso | uefi) printf '%s\0' -cdrom "$QEMU_DIR/pvspin.iso" ;;
  esac
}
