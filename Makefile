# SPDX-License-Identifier: MIT
# pvspin's one makefile: `make help`. Everything built goes to build/, a mirror of the tree.

# -p ignores the caller's functions, start-up file (BASH_ENV) and CDPATH; with LC_ALL=C, [A-Z] and
# sort mean the same everywhere.
SHELL := /bin/bash
.SHELLFLAGS := -pc
export LC_ALL := C
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
# CC is undefined in a make that runs below make -R
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(shell command -v $(CROSS_COMPILE)gcc >/dev/null 2>&1 && echo $(CROSS_COMPILE)gcc || echo gcc)
endif
NASM ?= nasm
OBJCOPY ?= $(if $(findstring $(CROSS_COMPILE),$(CC)),$(CROSS_COMPILE))objcopy
# Both formats have line numbers. dwarf also has the tree's path, so that images of two trees differ
# (NASM 2.16).
NASM_DEBUG ?= stabs
HOSTCC ?= gcc

# A tree from `make dist` has the file VERSION and may lie inside another repository. The options
# let git read a tree that another user owns (git 2.38 or later) without running a program that its
# configuration names.
VERSION := $(shell cat VERSION 2>/dev/null || { test -e .git && git -c safe.directory='*' -c core.fsmonitor=false describe --tags --always --dirty 2>/dev/null; } || echo unknown)

include tools/flags.mk

warnings := -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla
werror := $(if $(CI),-Werror)
# Keeps the tree's path out of the binaries; that path may contain a quote.
quote := '
prefix_map := '-ffile-prefix-map=$(subst $(quote),'\'',$(CURDIR))=.'
# Keeps branches off 32-byte boundaries, where they miss the decoded cache of Skylake to Cascade
# Lake (Intel, "Mitigations for Jump Conditional Code Erratum", 2019): the speed of a lock must not
# depend on its address. GNU as has the option from 2.34 on, clang from 10 on.
branch_option := -mbranches-within-32B-boundaries
branch_flag = $(shell for option in -Wa,$(branch_option) $(branch_option); do \
	: | $(1) $$option -c -x assembler -o /dev/null - 2>/dev/null && { echo $$option; break; }; done)
guest_cflags := -std=c11 -O2 -g -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -fno-omit-frame-pointer -fno-stack-protector -fno-strict-aliasing \
	-fasynchronous-unwind-tables -fcf-protection=none $(warnings) $(werror) \
	$(prefix_map) $(call branch_flag,$(CC)) \
	-I. -Ibuild/guest
# With -w+all, NASM 2.16.02 and later warn of every address in another section, even in a call of a
# C function. The image is linked below 4 GiB, so 32 and 64 bits hold an address, and ld checks that
# they do; relocations of 8 and 16 bits stay errors. An older NASM does not know these warnings'
# names, so -w-unknown-warning comes first.
guest_asmflags := -f elf64 -g -F $(NASM_DEBUG) --reproducible -w+all -w-unknown-warning \
	-w-reloc-abs-dword -w-reloc-abs-qword -w-reloc-rel-dword -Werror
guest_ldflags := -nostdlib -static -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack -Wl,--build-id=none

guest_folders := lib kernel locks locks/core port/common port/guest bench bench/kbuild bench/session guest tests/suites \
	tests/suites/abi tests/suites/kernel tests/suites/locks
guest_c := $(sort $(foreach folder,$(guest_folders),$(wildcard $(folder)/*.c)))
guest_asm := $(sort $(wildcard boot/*.asm tests/suites/abi/*.asm))
guest_flags = $(CC) $(guest_cflags) : $(guest_ldflags) : $(NASM) $(guest_asmflags)
$(eval $(call keep_flags,build/guest,guest_flags))
guest_objects := $(guest_asm:%.asm=build/guest/%.o) $(guest_c:%.c=build/guest/%.o)

.PHONY: all
all: build/pvspin.elf build/pvspin-pvh.elf ## the guest image (default)

build/pvspin.elf: $(guest_objects) build/guest/linker.ld build/guest/flags
	$(say) LD $@
	$(Q)$(CC) $(guest_ldflags) -T build/guest/linker.ld $(guest_objects) -o $@

# The same image without the multiboot headers, so that QEMU's -kernel takes the PVH note
# (docs/boot.md).
build/pvspin-pvh.elf: build/pvspin.elf
	$(say) PVH $@
	$(Q)$(OBJCOPY) --remove-section=.multiboot $< $@

# The image that can be made to fail (docs/failures.md), and with locks that hang and trap.
broken_objects := $(patsubst %.c,build/guest/%.o,$(wildcard guest/broken/*.c) tests/run/fixtures/stuck-lock.c)
build/pvspin-broken.elf: $(guest_objects) $(broken_objects) build/guest/linker.ld
	$(say) LD $@
	$(Q)$(CC) $(guest_ldflags) -T build/guest/linker.ld $(guest_objects) $(broken_objects) -o $@

build/guest/linker.ld: linker.ld kernel/layout.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -include kernel/layout.h $< -o $@

build/guest/layout.inc: kernel/layout.h lib/debug_exit.h
	@mkdir -p $(@D)
	$(Q)sed -n 's/^#define \([A-Z0-9_]* .*\)/%define \1/p' $^ > $@

build/guest/%.o: %.asm build/guest/layout.inc build/guest/flags
	@mkdir -p $(@D)
	$(say) NASM $<
	$(Q)$(NASM) $(guest_asmflags) -Ibuild/guest/ -MD $(@:.o=.d) -MP -MT $@ $< -o $@

build/guest/%.o: %.c build/guest/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(guest_cflags) -MMD -MP -c $< -o $@

# Rewritten only when it changes, so that a new commit rebuilds one file.
define version_text
#define PVSPIN_VERSION "$(VERSION)"
#define PVSPIN_BUILD "$(1)"
endef
compiler_line = $(shell $(1) --version | head -n 1 | tr -d "\"\\\\'")
guest_compiler := $(call compiler_line,$(CC))
host_compiler := $(call compiler_line,$(HOSTCC))
version_holds = $(call unless_holds,build/$(1)/version.h,$(call version_text,$($(2)_compiler)))
build/guest/version.h: compiler = $(guest_compiler)
build/guest/version.h: $(call version_holds,guest,guest)
build/hosted/version.h build/linux/version.h build/report/version.h: compiler = $(host_compiler)
build/hosted/version.h: $(call version_holds,hosted,host)
build/linux/version.h: $(call version_holds,linux,host)
build/report/version.h: $(call version_holds,report,host)
define write_version
@mkdir -p $(@D)
@printf '#define PVSPIN_VERSION "%s"\n#define PVSPIN_BUILD "%s"\n' '$(VERSION)' '$(compiler)' > $@.$$PPID
@mv $@.$$PPID $@
endef
build/guest/version.h build/hosted/version.h build/linux/version.h build/report/version.h: ; $(write_version)
build/guest/guest/report.o: build/guest/version.h

-include $(guest_objects:.o=.d) $(broken_objects:.o=.d)
include sim/sim.mk sim/explore/explore.mk
include tests/host/host.mk tests/locks/locks.mk hosted/hosted.mk linux/linux.mk bench/peers/peers.mk tools/report/report.mk
include tests/fuzz/fuzz.mk tools/dist.mk

# Every test program prints TAP. prove judges it; prove's last line is the verdict.
check_programs := $(host_programs) $(LOCKS_BUILD)/plain/check-locks \
	$(SIM_BUILD)/check-locks $(LOCKS_BUILD)/tsan/check-locks tests/locks/many-threads tests/locks/search tests/model/check-models tests/sim/closed_forms
# tests/bounds has their order and how long each may take.
check_bats := $(sort $(wildcard tests/run/*.bats))
# What run.sh would build in each test is built. Three jobs, also on 2 CPUs, because a quarter of a
# program's time is waiting: for downloads, for time that must pass, for an answer of a virtual machine;
# no more, because a job may need 3 GiB.
prove := PVSPIN_BUILD=off PERL5LIB=tests prove --harness=Harness --jobs=3 --timer --failures --comments --exec tests/run-one.sh

.PHONY: check check-quick check-build
check-build: all hosted linux report $(check_programs) build/peers/bench-peers build/pvspin-broken.elf ## build everything that the tests run (make -j2)

check: all hosted linux report $(check_programs) build/pvspin-broken.elf ## all tests (a quarter of an hour and more on 2 CPUs), and lint
	$(Q)$(prove) $(check_programs) $(check_bats) tests/lint

# Left to `make check`: nested KVM; trees built anew; each environment, failure and way to boot by a call
# of its own; figures against each other; the locks' races under sanitizers.
check_slow := $(patsubst %,tests/run/%.bats,boot contributing debian13 environment experiment fuzz guest_nested \
	guest_nested_abi guest_nested_locks harness hostile install measure meet mutants nested peers provoke)
check_quick := $(host_programs) $(LOCKS_BUILD)/plain/check-locks $(filter-out $(check_slow),$(check_bats))

check-quick: all hosted linux report $(check_quick) build/pvspin-broken.elf ## the tests that say most in a few minutes, none nested
	$(Q)$(prove) $(check_quick)

.PHONY: check-models
check-models: ## verify the Spin models of the wait/kick protocols
	$(Q)tests/model/check-models

.PHONY: check-mutants
check-mutants: ## break every lock on purpose; its tests must notice
	$(Q)tests/mutants/run

.PHONY: check-faults
check-faults: ## break KVM on purpose, in nested hosts; the ABI tests must notice (FAULTS="...": arguments)
	$(Q)tests/faults/check-faults $(FAULTS)

.PHONY: conformance
conformance: all ## test KVM's paravirtual ABI in each configuration of tests/suites/abi/configurations
	$(Q)./run.sh --conformance

.PHONY: results
results: all report sim ## measure anew what docs/results.md shows of the simulated host (half an hour on two CPUs), and write it
	$(Q)tools/results/results.sh $(RESULTS)

.PHONY: abi-coverage
abi-coverage: ## write docs/abi-coverage.md: each clause, its test or why it has none (CHECK=1: compare only)
	$(Q)tools/abi-coverage.sh $(if $(CHECK),--check)

.PHONY: setup
setup: ## install all packages that building and testing need (Debian, Ubuntu; root or sudo)
	$(Q)tools/setup.sh

lint_c := $(sort $(filter-out build/%,$(wildcard */*.[ch] */*/*.[ch] */*/*/*.[ch] bench/peers/bench/*.h port/sim/include/*/*.h)))
lint_shell := completions/pvspin.bash .ci/run tools/nested/init tools/nested/served tests/soak/soak tests/faults/check-faults tests/faults/table.sh tests/faults/in-l1 tests/faults/build-module tests/model/check-models tests/locks/many-threads tests/locks/search tests/lint tests/sim/closed_forms tests/sim/anchors tests/sim/sensitivity tests/sim/validate $(sort $(wildcard tools/*.sh \
	tools/nested/*.sh tools/results/*.sh tests/*.sh tests/*/*.sh tests/*/*/*.sh tests/run/*.bash))
# clang's analyser visits 225000 states of a function by default. That takes 15 s for each lock,
# because the measured loops inline everything.
tidy_flags := -std=c11 -O2 -mno-red-zone -mgeneral-regs-only -I. -Ibuild/guest \
	-Xclang -analyzer-config -Xclang max-nodes=20000

.PHONY: lint format
lint: build/guest/version.h ## folders that include each other, clang-format, clang-tidy, cppcheck, shellcheck: all clean
	$(Q)tools/layers.sh docs/design.md $(lint_c)
	@# a CPU is its index there
	$(Q)! grep -rniE 'apic_?id' lib locks bench port/*.h port/common port/hosted
	$(Q)clang-format --dry-run -Werror $(lint_c)
	$(Q)printf '%s\n' $(guest_c) $(wildcard guest/broken/*.c) | xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- $(tidy_flags) -ffreestanding 2>/dev/null' tidy
	@# comparePointers: we treat the linker's start and end symbols as bounds of one array
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=comparePointers --error-exitcode=1 -I. lib kernel locks bench port guest hosted linux tools/report tests/report
	@# one program with all its parts
	$(Q)shellcheck -x -a run.sh
	$(Q)tools/lint-parts.sh
	$(Q)shellcheck -x $(lint_shell)
	$(Q)shellcheck $(check_bats)
	$(Q)tools/lint-prose.sh

format: ## clang-format all C
	$(Q)clang-format -i $(lint_c)

.PHONY: fastpath
fastpath: hosted ## count each lock's instructions for one uncontended acquire and release (valgrind)
	$(Q)tools/fastpath.sh

.PHONY: iso
iso: build/pvspin.iso ## the guest image with GRUB, for BIOS and UEFI, CD or stick (docs/boot.md)
build/pvspin.iso: build/pvspin.elf tools/grub.cfg
	$(say) ISO $@
	$(Q)rm -rf build/iso && mkdir -p build/iso/boot/grub
	$(Q)$(OBJCOPY) --strip-debug build/pvspin.elf build/iso/boot/pvspin.elf && cp tools/grub.cfg build/iso/boot/grub/grub.cfg
	$(Q)$$(command -v grub-mkrescue || command -v grub2-mkrescue || echo grub-mkrescue) --locales= --themes= --fonts= -o $@ build/iso 2>build/iso.log || { cat build/iso.log >&2; exit 1; }

.PHONY: clean
clean: ## remove build/
	$(Q)rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z][a-z_-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 24
