; SPDX-License-Identifier: MIT
; The 32-bit path of the boot CPU from a loader's entry (multiboot.asm, pvh.asm) to kmain: checks that
; the CPU can do what follows, before it does it, and says so where it cannot.

%include "layout.inc"

FLAGS_ID equ 1 << 21			; can be changed: the CPU has CPUID (SDM vol. 1, 3.4.3.3)
CPUID_1_TSC equ 1 << 4			; edx of leaf 1
CPUID_EXTENDED_MAX equ 0x80000000
CPUID_EXTENDED equ 0x80000001		; edx: bit 29 long mode, bit 20 no-execute (SDM vol. 2A CPUID)
CPUID_LONG_MODE equ 1 << 29
CPUID_NX equ 1 << 20

PTE_PRESENT_WRITE equ 0x3
PTE_LARGE equ 0x80			; 2 MiB page in a page directory

VGA_TEXT equ 0xb8000
VGA_WHITE_ON_RED equ 0x4f

; The 16550's registers and what too_old writes there are explained in kernel/serial.c.
UART_LINE_CONTROL equ COM1_PORT + 3
UART_LINE_STATUS equ COM1_PORT + 5
UART_DLAB_8N1 equ 0x83
UART_8N1 equ 0x03
UART_TRANSMIT_EMPTY equ 0x20
MAX_STATUS_READS equ 1000000

extern enter_long_mode, kmain
extern boot_cr3
global start_32:function
global entry_tsc:data

section .text
bits 32
; In: edi = the loader's magic, esi = its information; 32-bit protected mode, paging off, interrupts
; off. These two are kmain's arguments and stay in their registers.
start_32:
	cli
	cld
	mov esp, boot_stack_top
	pushfd
	pop eax
	mov ecx, eax
	xor eax, FLAGS_ID
	push eax
	popfd
	pushfd
	pop eax
	cmp eax, ecx
	je too_old
	mov eax, 1
	cpuid
	test edx, CPUID_1_TSC
	jz too_old
	rdtsc
	mov [entry_tsc], eax
	mov [entry_tsc + 4], edx

	mov eax, CPUID_EXTENDED_MAX
	cpuid
	cmp eax, CPUID_EXTENDED
	jb too_old
	mov eax, CPUID_EXTENDED
	cpuid
	and edx, CPUID_LONG_MODE | CPUID_NX
	cmp edx, CPUID_LONG_MODE | CPUID_NX
	jne too_old

	call map_first_4_gib
	mov dword [boot_cr3], boot_pml4
	mov ebx, boot_cpu_64
	jmp enter_long_mode

; Says why on the serial port and on the text screen (which only such old machines surely have), and
; stops. Touches no port that could make it wait for ever.
too_old:
	mov dx, UART_LINE_CONTROL	; 115200 8N1
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
	mov ebx, too_old_message
	mov edi, VGA_TEXT
.next:
	mov ah, [ebx]
	test ah, ah
	jz .stop
	mov dx, UART_LINE_STATUS
	mov ecx, MAX_STATUS_READS
.wait:
	in al, dx
	test al, UART_TRANSMIT_EMPTY
	loopz .wait
	mov al, ah
	mov dx, COM1_PORT
	out dx, al
	inc ebx
	cmp al, ' '
	jb .next
	mov ah, VGA_WHITE_ON_RED
	mov [edi], ax
	add edi, 2
	jmp .next
.stop:
	mov dx, DEBUG_EXIT_PORT
	mov al, DEBUG_EXIT_ERROR
	out dx, al
.halt:
	hlt
	jmp .halt

; Identity-maps 0..4 GiB with 2 MiB pages, all rights: good until paging_init() builds the real
; tables a few milliseconds later. Clobbers eax, ecx, edx.
map_first_4_gib:
	mov dword [boot_pml4], boot_pdpt + PTE_PRESENT_WRITE
	mov eax, boot_directories + PTE_PRESENT_WRITE
	xor ecx, ecx
.directory:
	mov [boot_pdpt + ecx * 8], eax
	add eax, PAGE_BYTES
	inc ecx
	cmp ecx, 4
	jb .directory
	mov eax, PTE_PRESENT_WRITE | PTE_LARGE
	xor ecx, ecx
.page:
	mov [boot_directories + ecx * 8], eax
	add eax, 0x200000
	inc ecx
	cmp ecx, 4 * 512
	jb .page
	ret

bits 64
boot_cpu_64:
	mov rsp, boot_stack_top
	mov edi, edi			; zero-extend: the loader's magic
	mov esi, esi			; and its information block
	xor ebp, ebp			; ends backtraces
	call kmain
.halt:
	hlt
	jmp .halt

section .rodata
too_old_message:
	; IA32_MISC_ENABLE bit 34 hides no-execute pages (SDM vol. 4, table 2-2)
	db "error: this CPU has no 64-bit long mode with no-execute pages; pvspin needs both "
	db "(firmware may have them off: NX, XD, execute disable)", 13, 10, 0

section .data
align 8
entry_tsc:
	dq 0

section .bss
alignb PAGE_BYTES
boot_pml4:
	resb PAGE_BYTES
boot_pdpt:
	resb PAGE_BYTES
boot_directories:
	resb 4 * PAGE_BYTES
boot_stack_guard:
	resb PAGE_BYTES			; unmapped by paging_init()
	resb STACK_BYTES
boot_stack_top:

global boot_stack_guard:data
global boot_stack_top:data
