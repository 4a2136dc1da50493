; SPDX-License-Identifier: MIT
; The 32-bit path of the boot CPU from a loader's entry (multiboot.asm, pvh.asm) to kmain.

%include "layout.inc"

PTE_PRESENT_WRITE equ 0x3
PTE_LARGE equ 0x80			; 2 MiB page in a page directory

extern check_features, enter_long_mode, kmain
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
	call check_features
	rdtsc
	mov [entry_tsc], eax
	mov [entry_tsc + 4], edx

	call map_first_4_gib
	mov dword [boot_cr3], boot_pml4
	mov ebx, boot_cpu_64
	jmp enter_long_mode

; Identity-maps 0..4 GiB with 2 MiB pages and all rights. paging_init() builds the real tables a few
; milliseconds later. Clobbers eax, ecx, edx.
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
