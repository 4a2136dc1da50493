# SPDX-License-Identifier: MIT
# build/peers/bench-peers: pvspin's locks beside those of other libraries. Part of the Makefile.
# The lock files are compiled once more, with bench/peers/bench/register.h in the place of
# bench/register.h. Nothing else is needed to measure a lock of pvspin here.

peers_cflags := -std=gnu11 -O2 -g -pthread -fno-strict-aliasing -Wall -Wextra -Wshadow -Wundef \
	-Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI),-Werror) -Ibench/peers -I.
peers_c := $(sort $(wildcard bench/peers/*.c port/hosted/*.c) $(filter-out locks/core/registry.c,$(wildcard \
	locks/*.c locks/core/*.c))) lib/arith.c lib/histogram.c port/common/pause_gap.c port/common/pv_none.c \
	lib/printf.c lib/cmdline.c
# For all files but those that calculate with double; hosted/hosted.mk gives the reason.
peers_measured := -mgeneral-regs-only
peers_flags = $(HOSTCC) $(peers_cflags) : $(peers_measured)
$(eval $(call keep_flags,build/peers,peers_flags))
peers_objects := $(peers_c:%.c=build/peers/%.o)
$(filter-out $(patsubst %,build/peers/bench/peers/%.o,main pairs overcommit),$(peers_objects)): \
	peers_extra := $(peers_measured)

build/peers/bench-peers: $(peers_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -pthread $(peers_objects) -o $@

build/peers/%.o: %.c build/peers/flags
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(peers_cflags) $(peers_extra) -MMD -MP -c $< -o $@

-include $(peers_objects:.o=.d)

.PHONY: bench-peers
bench-peers: build/peers/bench-peers ## measure the locks beside Concurrency Kit's and glibc's (minutes)
	$(Q)build/peers/bench-peers $(PEERS_ARGS)
