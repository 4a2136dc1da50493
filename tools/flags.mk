# SPDX-License-Identifier: MIT
# Recompiles when the compiler or its flags change: each object depends on a file that holds both and
# is rewritten only when they differ. Makefiles that compile include this one and have
#
#   x_flags = $(CC) $(x_cflags)
#   $(eval $(call keep_flags,build/x,x_flags))
#
# The comparison is made while the makefiles are read, so that `make -q` tells the truth. Two
# flags change no object and are left out: -Werror (`make` after `make CI=1` has nothing to do), and
# the option that keeps the tree's place out of them (a copy of a built tree is a built tree).

# $(call unless_holds,FILE,TEXT): FORCE, unless FILE holds TEXT. (strip: make 4.3 does not always take the
# last line break of a file away.)
unless_holds = $(if $(subst x$(strip $(file <$(1))),,x$(strip $(2))),FORCE)

flags_text = $(filter-out -Werror,$(subst $(prefix_map),,$($(1))))
define keep_flags
$(1)/flags: $$(call unless_holds,$(1)/flags,$$(call flags_text,$(2)))
	@mkdir -p $$(@D) && printf '%s\n' '$$(subst ','\'',$$(call flags_text,$(2)))' >$$@
endef

.PHONY: FORCE
FORCE:
