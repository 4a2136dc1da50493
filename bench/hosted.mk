# SPDX-License-Identifier: MIT
# build/hosted/pvspin: the guest's locks and measurement on Linux threads. Included by the Makefile;
# also works alone: make -f bench/hosted.mk build/hosted/pvspin

HOSTCC ?= gcc
Q ?= @
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION 2>/dev/null || echo unknown)

hosted_cflags := -std=c11 -O2 -g -pthread -fno-omit-frame-pointer -fno-strict-aliasing \
	-Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	$(if $(CI),-Werror) -I. -Iinclude -Ibuild/hosted
hosted_c := $(sort $(wildcard bench/*.c locks/*.c port/hosted*.c)) kernel/printf.c kernel/cmdline.c
hosted_objects := $(hosted_c:%.c=build/hosted/%.o)

.PHONY: hosted
hosted: build/hosted/pvspin ## the same measurement on Linux threads

build/hosted/pvspin: $(hosted_objects)
	@printf '  %-6s %s\n' LD $@
	$(Q)$(HOSTCC) -pthread $(hosted_objects) -o $@

build/hosted/%.o: %.c
	@mkdir -p $(@D)
	@printf '  %-6s %s\n' HOSTCC $<
	$(Q)$(HOSTCC) $(hosted_cflags) -MMD -MP -c $< -o $@

# Rewritten only when it changes, so that a new commit rebuilds one file.
build/hosted/version.h: hosted_force
	@mkdir -p $(@D)
	@printf '#define PVSPIN_VERSION "%s"\n#define PVSPIN_BUILD "%s"\n' '$(VERSION)' \
		'$(shell $(HOSTCC) --version | head -n 1 | tr -d '"\\')' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
build/hosted/bench/hosted_main.o: build/hosted/version.h
.PHONY: hosted_force
hosted_force:

-include $(hosted_objects:.o=.d)
