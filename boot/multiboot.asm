; SPDX-License-Identifier: MIT
; Entry from a multiboot 1 loader (GRUB, QEMU -kernel): the header, and the 32-bit path of the boot
; CPU up to kmain. Multiboot Specification 0.6.96: header 3.1, machine state 3.2.
;
; At multiboot_entry: 32-bit protected mode, flat segments, paging and interrupts off, A20 on,
; eax = loader's magic, ebx = physical address of the multiboot information.

%include "layout.inc"

MULTIBOOT_MAGIC equ 0x1badb002
MULTIBOOT_ALIGN equ 1 << 0		; modules on page boundaries
MULTIBOOT_MEMORY equ 1 << 1		; memory map wanted
MULTIBOOT_ADDRESSES equ 1 << 16		; the address fields are valid: the loader need not parse ELF
MULTIBOOT_FLAGS equ MULTIBOOT_ALIGN | MULTIBOOT_MEMORY | MULTIBOOT_ADDRESSES

CPUID_EXTENDED_MAX equ 0x80000000
CPUID_EXTENDED equ 0x80000001		; edx: bit 29 long mode, bit 20 no-execute (SDM vol. 2A CPUID)
CPUID_LONG_MODE equ 1 << 29
CPUID_NX equ 1 << 20

PTE_PRESENT_WRITE equ 0x3
PTE_LARGE equ 0x80			; 2 MiB page in a page directory

extern text_start, load_end, image_end
extern enter_long_mode, kmain
extern boot_cr3
global multiboot_entry:function
global entry_tsc:data

section .multiboot progbits alloc exec nowrite align=8
bits 32
header:
	dd MULTIBOOT_MAGIC
	dd MULTIBOOT_FLAGS
	dd -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
	dd header			; where the header itself goes
	dd text_start			; load address of the image
	dd load_end			; end of what the file holds
	dd image_end			; end of bss, cleared by the loader
	dd multiboot_entry

section .text
bits 32
multiboot_entry:
	cli
	cld
	mov esp, boot_stack_top
	mov edi, eax			; kmain's arguments live in edi and esi from here on
	mov esi, ebx
	rdtsc
	mov [entry_tsc], eax
	mov [entry_tsc + 4], edx

	mov eax, CPUID_EXTENDED_MAX
	cpuid
	cmp eax, CPUID_EXTENDED
	jb .too_old
	mov eax, CPUID_EXTENDED
	cpuid
	and edx, CPUID_LONG_MODE | CPUID_NX
	cmp edx, CPUID_LONG_MODE | CPUID_NX
	jne .too_old

	call map_first_4_gib
	mov dword [boot_cr3], boot_pml4
	mov ebx, boot_cpu_64
	jmp enter_long_mode

.too_old:
	mov ebx, too_old_message
	mov dx, COM1_PORT
.next:
	mov al, [ebx]
	test al, al
	jz .stop
	out dx, al
	inc ebx
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
	db "error: this CPU has no 64-bit long mode with no-execute pages; pvspin needs both", 13, 10, 0

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
