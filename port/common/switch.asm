; SPDX-License-Identifier: MIT
; The switch between two stacks of one CPU, for both ports: port/task.h. What the System V ABI lets
; a function change is the caller's to save; the rest goes on the stack that is left. (x87 and SSE
; control words never change in pvspin.)

global port_switch:function
global port_task_entry:function

section .text
bits 64

; void port_switch(void **from, void *to)
port_switch:
	push rbp
	push rbx
	push r12
	push r13
	push r14
	push r15
	mov [rdi], rsp
	mov rsp, rsi
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	ret

; Where the first switch to a task returns to: rbx is its function, r12 the argument (port/common/task.c).
; rbp is 0: backtraces end here.
port_task_entry:
	mov rdi, r12
	call rbx
	ud2				; a task's function does not return

section .note.GNU-stack noalloc noexec nowrite progbits
