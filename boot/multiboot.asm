; SPDX-License-Identifier: MIT
; The headers by which a multiboot loader knows the image, and its entry: multiboot 1 (QEMU -kernel,
; GRUB `multiboot`; Multiboot Specification 0.6.96, 3.1 header, 3.2 machine state) and multiboot 2
; (GRUB `multiboot2`, BIOS and UEFI; Multiboot2 Specification 2.0, 3.1 header, 3.3 machine state).
;
; Both headers are in a section of their own, which build/pvspin-pvh.elf lacks, because QEMU's
; -kernel looks for a PVH note only if it finds no multiboot 1 header (hw/i386/x86.c).

%include "layout.inc"

MULTIBOOT_MAGIC equ 0x1badb002
MULTIBOOT_ALIGN equ 1 << 0		; modules on page boundaries
MULTIBOOT_MEMORY equ 1 << 1		; memory map wanted
MULTIBOOT_ADDRESSES equ 1 << 16		; the address fields are valid: the loader need not parse ELF
MULTIBOOT_FLAGS equ MULTIBOOT_ALIGN | MULTIBOOT_MEMORY | MULTIBOOT_ADDRESSES

MULTIBOOT2_MAGIC equ 0xe85250d6
MULTIBOOT2_I386 equ 0			; 32-bit protected mode
TAG_END equ 0
TAG_CONSOLE equ 4
TAG_FRAMEBUFFER equ 5
TAG_OPTIONAL equ 1			; a loader that does not know the tag boots nevertheless
CONSOLE_EGA_TEXT equ 1 << 1		; we can write to a text screen

extern text_start, load_end, image_end
extern start_32
global multiboot_entry:function

section .multiboot progbits alloc noexec nowrite align=8
bits 32
header:
	dd MULTIBOOT_MAGIC
	dd MULTIBOOT_FLAGS
	dd -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	dd header			; where the header itself goes
	dd text_start			; load address of the image
	dd load_end			; end of what the file holds
	dd image_end			; end of bss, cleared by the loader
	dd multiboot_entry

align 8
header2:
	dd MULTIBOOT2_MAGIC
	dd MULTIBOOT2_I386
	dd header2_end - header2
	dd -(MULTIBOOT2_MAGIC + MULTIBOOT2_I386 + (header2_end - header2))
	; A machine that boots with a text screen may keep it. Otherwise any graphics mode will do
	; (width, height and depth 0: no preference).
	dw TAG_CONSOLE, TAG_OPTIONAL
	dd 12
	dd CONSOLE_EGA_TEXT
	align 8, db 0
	dw TAG_FRAMEBUFFER, TAG_OPTIONAL
	dd 20
	dd 0, 0, 0
	align 8, db 0
	dw TAG_END, 0
	dd 8
header2_end:

section .text
bits 32
; 32-bit protected mode, flat segments, paging and interrupts off, A20 on; eax = the loader's magic,
; ebx = physical address of its information.
multiboot_entry:
	mov edi, eax
	mov esi, ebx
	jmp start_32
