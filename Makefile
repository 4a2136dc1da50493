# SPDX-License-Identifier: MIT
# pvspin's one makefile: `make help`. Everything built goes to build/, a mirror of the tree.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += -rR

V ?= 0
ifeq ($(V),0)
Q := @
say = $(if $(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS)))),@:,@printf '  %-6s %s\n')
else
Q :=
say = @:
endif

CROSS_COMPILE ?= x86_64-linux-gnu-
ifeq ($(origin CC),default)
CC := $(shell command -v $(CROSS_COMPILE)gcc >/dev/null 2>&1 && echo $(CROSS_COMPILE)gcc || echo gcc)
endif
CC ?= gcc
NASM ?= nasm
HOSTCC ?= gcc

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION 2>/dev/null || echo unknown)

warnings := -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla
werror := $(if $(CI),-Werror)
guest_cflags := -std=c11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-omit-frame-pointer -fno-stack-protector -fno-strict-aliasing \
	-fno-asynchronous-unwind-tables -fcf-protection=none $(warnings) $(werror) \
	-I. -Iinclude -Ibuild/guest
guest_ldflags := -nostdlib -static -no-pie -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-Wl,--build-id=none -Wl,--no-warn-rwx-segments

# hosted.c and friends are the other port; tests/abi and tests/tap.c are part of the guest.
guest_c := $(sort $(filter-out port/hosted% bench/hosted%,\
	$(wildcard kernel/*.c locks/*.c bench/*.c port/*.c tests/*.c tests/abi/*.c)))
guest_asm := $(sort $(wildcard boot/*.asm))
guest_objects := $(guest_asm:%.asm=build/guest/%.o) $(guest_c:%.c=build/guest/%.o)

.PHONY: all
all: build/pvspin.elf ## the guest image (default)

build/pvspin.elf: $(guest_objects) build/guest/linker.ld
	$(say) LD $@
	$(Q)$(CC) $(guest_ldflags) -T build/guest/linker.ld $(guest_objects) -o $@

build/guest/linker.ld: linker.ld include/pvspin/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -include include/pvspin/layout.h $< -o $@

build/guest/layout.inc: include/pvspin/layout.h
	@mkdir -p $(@D)
	$(Q)sed -n 's/^#define \([A-Z0-9_]* .*\)/%define \1/p' $< > $@

build/guest/%.o: %.asm build/guest/layout.inc
	@mkdir -p $(@D)
	$(say) NASM $<
	$(Q)$(NASM) -f elf64 -g -F dwarf -w+all -Werror -Ibuild/guest/ \
		-MD $(@:.o=.d) -MP -MT $@ $< -o $@

build/guest/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(guest_cflags) -MMD -MP -c $< -o $@

# Rewritten only when it changes, so that a new commit rebuilds one file.
build/guest/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define PVSPIN_VERSION "%s"\n#define PVSPIN_BUILD "%s"\n' '$(VERSION)' \
		'$(shell $(CC) --version | head -n 1 | tr -d '"\\')' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
build/guest/kernel/report.o: build/guest/version.h
.PHONY: FORCE
FORCE:

-include $(guest_objects:.o=.d)
.PHONY: clean
clean: ## remove build/
	$(Q)rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z_-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 24
