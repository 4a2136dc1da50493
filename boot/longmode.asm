; SPDX-License-Identifier: MIT
; The switch from 32-bit protected mode to 64-bit long mode, shared by all CPUs: the boot CPU comes
; from start.asm, the others from ap.asm. AMD64 APM vol. 2, 14.6; SDM vol. 3A, 10.8.5.

%include "layout.inc"

MSR_EFER equ 0xc0000080
EFER_LME equ 1 << 8			; long mode enable
EFER_NXE equ 1 << 11			; no-execute pages
CR0_PE_ET_NE_WP_PG equ 0x80010031	; no MP/EM/TS: nothing uses the FPU
CR4_PAE equ 1 << 5

global enter_long_mode:function
global boot_cr3:data
global boot_gdt:data

section .text
bits 32
; In: 32-bit protected mode, paging off, ebx = 64-bit code to go on with, [boot_cr3] = page tables.
; Out: at rbx in 64-bit mode, boot GDT loaded, data segments set, edi and esi preserved; rsp
; undefined. Clobbers eax, ecx, edx.
enter_long_mode:
	mov eax, CR4_PAE
	mov cr4, eax
	mov eax, [boot_cr3]
	mov cr3, eax
	mov ecx, MSR_EFER
	rdmsr
	or eax, EFER_LME | EFER_NXE
	wrmsr
	mov eax, CR0_PE_ET_NE_WP_PG
	mov cr0, eax
	lgdt [boot_gdt_pointer]
	jmp SELECTOR_CODE64:.in_64_bit
bits 64
.in_64_bit:
	mov eax, SELECTOR_DATA
	mov ds, eax
	mov es, eax
	mov ss, eax
	xor eax, eax
	mov fs, eax
	mov gs, eax
	mov ebx, ebx
	jmp rbx

section .rodata
align 8
boot_gdt:
	dq 0
	dq 0x00af9b000000ffff		; SELECTOR_CODE64: ring 0, L=1
	dq 0x00cf93000000ffff		; SELECTOR_DATA: flat
	dq 0x00cf9b000000ffff		; SELECTOR_CODE32: ring 0, D=1
boot_gdt_end:
boot_gdt_pointer:
	dw boot_gdt_end - boot_gdt - 1
	dd boot_gdt

section .data
align 8
boot_cr3:
	dq 0				; below 4 GiB; paging_init() replaces it before any AP starts
