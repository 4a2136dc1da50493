# SPDX-License-Identifier: MIT
# build/hosted/pvspin: the guest's locks and measurement on Linux threads. Part of the Makefile.

# General registers only, as in the guest. Otherwise gcc 12 writes two neighbouring words of a lock
# by one store of a vector register, and the next load of either word waits for that store to reach
# the cache and come back (docs/locks.md).
hosted_cflags := -std=c11 -O2 -g $(prefix_map) $(call branch_flag,$(HOSTCC)) -pthread -mgeneral-regs-only -fno-omit-frame-pointer -fno-strict-aliasing \
	-Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	$(if $(CI),-Werror) -I. -Ibuild/hosted
hosted_c := $(sort $(wildcard bench/*.c bench/kbuild/*.c bench/session/*.c locks/*.c locks/core/*.c port/common/*.c port/hosted/*.c hosted/*.c) \
	$(filter-out lib/string.c,$(wildcard lib/*.c)))
# The inline assembly in bench/patched.c calls functions, so that file must do without a red zone,
# like the whole guest.
hosted_patched := -mno-red-zone
hosted_flags = $(HOSTCC) $(hosted_cflags) : $(hosted_patched)
$(eval $(call keep_flags,build/hosted,hosted_flags))
hosted_objects := $(hosted_c:%.c=build/hosted/%.o)

.PHONY: hosted
hosted: build/hosted/pvspin ## the same measurement on Linux threads

build/hosted/pvspin: $(hosted_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -pthread $(hosted_objects) -o $@

build/hosted/%.o: %.c build/hosted/flags
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(hosted_cflags) $(hosted_extra) -MMD -MP -c $< -o $@

build/hosted/bench/patched.o: hosted_extra := $(hosted_patched)

build/hosted/hosted/main.o: build/hosted/version.h

-include $(hosted_objects:.o=.d)
