; SPDX-License-Identifier: MIT
; Enters any mode and privilege level, with any registers, by one IRETQ. Returns when the exception
; handler's IRETQ lands here (modes.c). AMD64 APM vol. 3, IRET.

%include "layout.inc"

%include "boot/registers.inc"

global abi_enter:function
global abi_landing:function
global abi_landing_rsp:data

section .text
bits 64
; void abi_enter(const struct trap_frame *start): interrupts masked. Loads all registers from
; *start, in the order of kernel/traps.h. Returns when abi_landing is reached.
abi_enter:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	mov [abi_landing_rsp], rsp
	mov rsp, rdi
	POP_REGISTERS
	add rsp, 16			; vector, error code
	iretq

; With rsp = [abi_landing_rsp], 64-bit, ring 0. Ring 3 left ds and es null (AMD64 APM vol. 3, IRET).
abi_landing:
	mov eax, SELECTOR_DATA
	mov ds, eax
	mov es, eax
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret

section .bss
align 8
abi_landing_rsp:
	resq 1
