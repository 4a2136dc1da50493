; SPDX-License-Identifier: MIT
; PVH direct boot: a note in the ELF file tells the VMM the 32-bit entry (Xen docs/misc/pvh.pandoc;
; QEMU -kernel, cloud-hypervisor, Firecracker, Xen). ebx = physical address of the start info.

%include "layout.inc"

XEN_ELFNOTE_PHYS32_ENTRY equ 18		; xen/include/public/elfnote.h

extern start_32
global pvh_entry:function

section .note.pvh note alloc noexec nowrite align=4
	dd .description - .name
	dd .end - .description
	dd XEN_ELFNOTE_PHYS32_ENTRY
.name:
	db "Xen", 0
.description:
	dq pvh_entry			; 4 or 8 bytes; QEMU reads 8 in an ELF64 (hw/i386/x86.c)
.end:

section .text
bits 32
; 32-bit protected mode, flat segments, paging and interrupts off. eax is undefined; loader_read()
; recognises PVH by the magic at the start of the start info.
pvh_entry:
	mov edi, PVH_MAGIC
	mov esi, ebx
	jmp start_32
