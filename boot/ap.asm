; SPDX-License-Identifier: MIT
; Where application processors start. smp.c copies
; trampoline..trampoline_end to a page below 1 MiB and sends SIPIs. All APs run this code at once,
; so it writes to no shared memory: each AP finds its slot (stack, per-CPU data) by its own APIC ID.
; SDM vol. 3A, 9.4.4 (MP initialization).

%include "layout.inc"

CR0_PE equ 1
CPUID_TOPOLOGY equ 0xb			; edx = x2APIC ID, valid if ebx != 0

global trampoline:data
global trampoline_end:data
extern enter_long_mode, boot_gdt, ap_main
extern ap_slots, ap_slot_count

section .rodata
bits 16
; Real mode, cs = the page's address >> 4, ip = 0, interrupts off. Position-independent.
trampoline:
	cli
	mov ax, cs
	mov ds, ax
	o32 lgdt [.gdt_pointer - trampoline]
	mov eax, cr0
	or al, CR0_PE
	mov cr0, eax
	jmp dword SELECTOR_CODE32:ap_entry_32
.gdt_pointer:
	dw 4 * 8 - 1
	dd boot_gdt
trampoline_end:

section .text
bits 32
ap_entry_32:
	mov eax, SELECTOR_DATA
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov ebx, ap_entry_64
	jmp enter_long_mode

bits 64
ap_entry_64:
	xor eax, eax
	cpuid
	cmp eax, CPUID_TOPOLOGY
	jb .legacy_id
	mov eax, CPUID_TOPOLOGY
	xor ecx, ecx
	cpuid
	test ebx, ebx
	jnz .have_id			; edx = 32-bit ID
.legacy_id:
	mov eax, 1
	cpuid
	mov edx, ebx
	shr edx, 24			; initial APIC ID: CPUID.1 EBX[31:24]
.have_id:
	mov rsi, [abs ap_slots]
	mov ecx, [abs ap_slot_count]
.search:
	test ecx, ecx
	jz .unknown
	cmp [rsi + AP_SLOT_APIC_ID], edx
	je .found
	add rsi, AP_SLOT_BYTES
	dec ecx
	jmp .search
.found:
	mov rsp, [rsi + AP_SLOT_STACK]
	mov rdi, [rsi + AP_SLOT_CPU]
	xor ebp, ebp			; ends backtraces
	call ap_main			; does not return
.unknown:				; not in the MADT: smp.c does not wait for it
	cli
	hlt
	jmp .unknown
