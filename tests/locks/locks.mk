# SPDX-License-Identifier: MIT
# Builds the locks' correctness tests for this host, over the hosted port, into build/locks/. The
# guest has the same tests (tests=locks).
#   check-locks       runs them under chosen schedules (sim/explore/explore.mk), then on Linux
#                     threads, optimised
#   check-locks-tsan  runs them under ThreadSanitizer and the undefined-behaviour sanitizer, for a
#                     shorter time
# The tests find every lock in locks/ by themselves; no list names the locks. Cases run in link
# order, races last: a broken lock usually hangs in a race, and the cases played step by step tell
# more about it.

LOCKS_HOSTCC ?= gcc
LOCKS_BUILD := build/locks
LOCKS_SOURCES := $(wildcard locks/*.c locks/core/*.c port/hosted/*.c tests/locks/*.c) port/common/pause_gap.c port/common/pv_none.c \
	lib/histogram.c lib/printf.c lib/cmdline.c \
	$(filter-out %/guest.c %/exclusion.c,$(wildcard tests/suites/locks/*.c)) tests/suites/locks/exclusion.c
LOCKS_CFLAGS := -std=c11 -O2 -g -pthread -fno-strict-aliasing -fno-omit-frame-pointer \
	-Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror \
	-I. -MMD -MP

# One build per flavour: $(1) directory, $(2) extra flags
define LOCKS_FLAVOUR
$(1)_flags = $$(LOCKS_HOSTCC) $$(LOCKS_CFLAGS) $(2)
$(call keep_flags,$(1),$(1)_flags)
$(1)/%.o: %.c $(1)/flags
	@mkdir -p $$(@D)
	$$(Q)$$(LOCKS_HOSTCC) $$(LOCKS_CFLAGS) $(2) -c -o $$@ $$<
$(1)/check-locks: $$(LOCKS_SOURCES:%.c=$(1)/%.o)
	$$(Q)$$(LOCKS_HOSTCC) $$(LOCKS_CFLAGS) $(2) -o $$@ $$^
-include $$(LOCKS_SOURCES:%.c=$(1)/%.d)
endef
$(eval $(call LOCKS_FLAVOUR,$(LOCKS_BUILD)/plain,))
$(eval $(call LOCKS_FLAVOUR,$(LOCKS_BUILD)/tsan,-fsanitize=thread -fsanitize=undefined -fno-sanitize-recover=undefined))

.PHONY: check-locks check-locks-tsan
check-locks: $(SIM_BUILD)/check-locks $(LOCKS_BUILD)/plain/check-locks ## test the locks' correctness under chosen schedules and on Linux threads
	timeout 600 $(SIM_BUILD)/check-locks
	timeout 600 $(LOCKS_BUILD)/plain/check-locks

# Without null: it does not exclude, so ThreadSanitizer would rightly report its data races.
check-locks-tsan: $(LOCKS_BUILD)/tsan/check-locks ## the same under ThreadSanitizer
	TSAN_OPTIONS=halt_on_error=0:exitcode=66 timeout 600 $(LOCKS_BUILD)/tsan/check-locks \
		--without-null --budget-ms=40
