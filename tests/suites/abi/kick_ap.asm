; SPDX-License-Identifier: MIT
; The code that an AP runs for the clauses about kicks and INIT. It announces that it has started,
; halts once with interrupts masked, announces that it has continued, and then halts for good.
; kick_init.c copies it to a page below 1 MiB.

global kick_ap:data
global kick_ap_stage:data
global kick_ap_end:data

section .rodata
bits 16
; Real mode, cs = page << 8, ip = 0.
kick_ap:
	cli
	mov ax, cs
	mov ds, ax
	mov dword [kick_ap_stage - kick_ap], 1
	hlt
	mov dword [kick_ap_stage - kick_ap], 2
.rest:
	hlt
	jmp .rest
align 4
kick_ap_stage:
	dd 0
kick_ap_end:
