# SPDX-License-Identifier: MIT
# build/linux/init: the only program of a stock Linux guest (docs/experiments.md, `linux`). Static,
# because nothing else is in that guest. Part of the Makefile.

linux_cflags := -std=c11 -D_GNU_SOURCE -O2 -g $(prefix_map) -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	$(if $(CI),-Werror) -I. -Ibuild/linux
linux_c := $(sort $(wildcard linux/*.c)) lib/cmdline.c lib/histogram.c lib/kvm_info.c lib/log.c lib/printf.c lib/record.c
linux_flags = $(HOSTCC) $(linux_cflags)
$(eval $(call keep_flags,build/linux,linux_flags))
linux_objects := $(linux_c:%.c=build/linux/%.o)

.PHONY: linux
linux: build/linux/init ## the init of a Linux guest, for run.sh --experiment=linux

build/linux/init: $(linux_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -static $(linux_objects) -o $@

build/linux/%.o: %.c build/linux/flags
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(linux_cflags) -MMD -MP -c $< -o $@

build/linux/linux/init.o: build/linux/version.h

-include $(linux_objects:.o=.d)
