; SPDX-License-Identifier: MIT
; The 256 interrupt entry points. Each completes a struct trap_frame
; (kernel/traps.h) on the stack and calls trap_dispatch(frame) with interrupts masked (interrupt
; gates). SDM vol. 3A, 6.14.

%include "boot/registers.inc"

VECTOR_COUNT equ 256
; Vectors for which the CPU pushes an error code: #DF #TS #NP #SS #GP #PF #AC #CP #VC #SX.
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

global vector_entries:data
extern trap_dispatch

section .text
bits 64
%assign vector 0
%rep VECTOR_COUNT
vector_%+ vector:
%if !HAS_ERROR_CODE(vector)
	push qword 0
%endif
	push qword vector
	jmp trap_common
%assign vector vector + 1
%endrep

FRAME_RIP equ 17 * 8			; of struct trap_frame

; Saves the registers in the order of struct trap_frame; clears the direction flag, as C expects.
; For backtraces, the stack frame looks as if the interrupted instruction had called this code.
trap_common:
	PUSH_REGISTERS
	cld
	mov rdi, rsp
	mov rbx, rsp			; callee-saved: the frame survives the call
	and rsp, -16			; System V ABI alignment
	push qword [rdi + FRAME_RIP]
	push rbp
	mov rbp, rsp
	call trap_dispatch
	mov rsp, rbx
	POP_REGISTERS
	add rsp, 16			; vector, error code
	iretq

section .rodata
align 8
vector_entries:
%assign vector 0
%rep VECTOR_COUNT
	dq vector_%+ vector
%assign vector vector + 1
%endrep
