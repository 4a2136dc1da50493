; SPDX-License-Identifier: MIT
; The code that an AP runs in real mode for insn_real.c, which copies it to a page below 1 MiB,
; replaces the NOPs by hypercall instructions, and reads the results there.

%include "layout.inc"

global real_ap:data
global real_ap_end:data
global real_ap_calls:data		; offsets of the NOPs
global real_ap_results:data		; number of results, then eax of each call
global real_ap_kicked_id:data
global real_ap_invalid:data		; handler of #UD
global real_ap_invalid_at:data		; ip of that #UD; 0: none

section .rodata
bits 16
; cs = page << 8, ip = 0.
real_ap:
	cli
	mov ax, cs
	mov ds, ax
	mov ss, ax
	mov sp, PAGE_BYTES
	mov eax, 1
.first:
	times 3 nop
	mov [real_ap_results - real_ap + 4], eax
	mov eax, 99
.second:
	times 3 nop
	mov [real_ap_results - real_ap + 8], eax
	mov eax, 5
	xor ebx, ebx
	mov ecx, [real_ap_kicked_id - real_ap]
.third:
	times 3 nop
	mov [real_ap_results - real_ap + 12], eax
	mov dword [real_ap_results - real_ap], 3
.rest:
	hlt
	jmp .rest
; ip is the first word of the stack (SDM vol. 3B, 21.1.4)
real_ap_invalid:
	pop ax
	mov [real_ap_invalid_at - real_ap], ax
	jmp real_ap.rest
align 4
real_ap_kicked_id:
	dd 0
real_ap_results:
	dd 0, 0, 0, 0
real_ap_invalid_at:
	dd 0
real_ap_end:

align 2
real_ap_calls:
	dw real_ap.first - real_ap, real_ap.second - real_ap, real_ap.third - real_ap
