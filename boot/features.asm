; SPDX-License-Identifier: MIT
; Checks the CPU features that the image needs before the first
; instruction that needs one. A CPU that lacks one gets a message with the feature's name and an end
; record (docs/serial-log.md), not a reset or a panic. Names are those of Linux's /proc/cpuinfo and
; QEMU's -cpu. Bits: SDM vol. 2A, CPUID.

%include "layout.inc"

FLAGS_ID equ 1 << 21			; changeable if the CPU has CPUID (SDM vol. 1, 3.4.3.3)
CPUID_MAX_MASK equ 0x80000000		; leaf & mask: its eax is the last leaf of the range

VGA_TEXT equ 0xb8000
VGA_WHITE_ON_RED equ 0x4f

; kernel/serial.c explains the 16550's registers and the values that open_uart writes.
UART_LINE_CONTROL equ COM1_PORT + 3
UART_LINE_STATUS equ COM1_PORT + 5
UART_DLAB_8N1 equ 0x83
UART_8N1 equ 0x03
UART_TRANSMIT_EMPTY equ 0x20
MAX_STATUS_READS equ 1000000

global check_features:function

section .text
bits 32
; Returns if no feature is missing. Preserves esi and edi.
check_features:
	push esi
	push edi
	xor edi, edi			; next position on the screen; 0: nothing is missing yet
	mov esi, no_cpuid
	pushfd
	pop eax
	mov ecx, eax
	xor eax, FLAGS_ID
	push eax
	popfd
	pushfd
	pop eax
	cmp eax, ecx
	jne .has_cpuid
	call say_missing
	jmp .refuse
.has_cpuid:
	mov esi, leaf_1_edx
	mov eax, 1
	call check_leaf
	mov esi, leaf_80000001_edx
	mov eax, 0x80000001
	call check_leaf
	test edi, edi
	jnz .refuse
	pop edi
	pop esi
	ret
.refuse:
	mov esi, advice
	call say
	mov esi, end_record
	call send
	mov dx, DEBUG_EXIT_PORT
	mov al, DEBUG_EXIT_ERROR
	out dx, al
.halt:
	hlt
	jmp .halt

; Prints the names of the bits missing in edx of CPUID leaf eax. In: esi = entries {mask, name, 0},
; the last one with mask 0. Clobbers all but edi, which belongs to say.
check_leaf:
	push eax
	and eax, CPUID_MAX_MASK
	cpuid
	pop ecx				; the leaf
	xor edx, edx			; a leaf that does not exist has no bits
	cmp eax, ecx
	jb .compare
	mov eax, ecx
	cpuid
.compare:
	mov ebp, edx
.next:
	lodsd
	test eax, eax
	jz .done
	test eax, ebp
	jz .missing
.skip:
	lodsb
	test al, al
	jnz .skip
	jmp .next
.missing:
	call say_missing
	jmp .next
.done:
	ret

; Prints the name at esi; before the first name, the beginning of the message. Out: esi after the
; name's 0.
say_missing:
	test edi, edi
	jnz .name
	mov edi, VGA_TEXT
	call open_uart
	push esi
	mov esi, message
	call say
	pop esi
.name:
	push esi
	mov esi, space
	call say
	pop esi
	call say
	ret

; Sends the text at esi and writes it to the VGA text screen at edi. (Only machines as old as such a
; CPU are sure to have that screen.) Out: esi after the text's 0, edi moved on. Clobbers eax, ecx,
; edx.
say:
	lodsb
	test al, al
	jz .done
	call send_byte
	mov ah, VGA_WHITE_ON_RED
	mov [edi], ax
	add edi, 2
	jmp say
.done:
	ret

; Sends the text at esi.
send:
	lodsb
	test al, al
	jz .done
	call send_byte
	jmp send
.done:
	ret

; Sends al and preserves it. The wait for the UART is bounded.
send_byte:
	mov ah, al
	mov dx, UART_LINE_STATUS
	mov ecx, MAX_STATUS_READS
.wait:
	in al, dx
	test al, UART_TRANSMIT_EMPTY
	loopz .wait
	mov al, ah
	mov dx, COM1_PORT
	out dx, al
	ret

open_uart:				; 115200 8N1
	mov dx, UART_LINE_CONTROL
	mov al, UART_DLAB_8N1
	out dx, al
	mov dx, COM1_PORT
	mov al, 1
	out dx, al
	inc dx
	mov al, 0
	out dx, al
	mov dx, UART_LINE_CONTROL
	mov al, UART_8N1
	out dx, al
	ret

section .rodata
no_cpuid:
	db "cpuid", 0
leaf_1_edx:
	dd 1 << 4
	db "tsc", 0
	dd 1 << 5
	db "msr", 0
	dd 1 << 6
	db "pae", 0
	dd 1 << 9			; clear if firmware disabled the APIC (SDM vol. 3A, 11.4.3)
	db "apic", 0
	dd 1 << 15
	db "cmov", 0
	dd 1 << 26			; MFENCE, LFENCE
	db "sse2", 0
	dd 0
leaf_80000001_edx:
	dd 1 << 20			; IA32_MISC_ENABLE bit 34 hides it (SDM vol. 4, table 2-2)
	db "nx", 0
	dd 1 << 29
	db "lm (64-bit long mode)", 0
	dd 0
message:
	db 13, 10, "error: this CPU lacks what pvspin needs:", 0
space:
	db " ", 0
advice:
	db "; it is not in the CPU model that the VMM shows, switched off by firmware, or the CPU is "
	db "too old", 0
end_record:
	db 13, 10
	db '{"type":"end","seq":1,"records":1,"verdict":"error","failed":0,"skipped":0,"findings":0,'
	db '"reason":"cpu-features"}', 13, 10, 0
