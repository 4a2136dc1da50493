# SPDX-License-Identifier: MIT Recompiles when the compiler or its flags change: each object depends
# on a file that holds both and is rewritten only when they differ. Makefiles that compile include
# this one and have
#
#   build/x/flags: flags = $(CC) $(x_cflags)
#   build/x/flags: FORCE ; $(write_flags)
#
# -Werror is left out, as it changes no object: `make` after `make CI=1` has nothing to do.

flags_quoted = '$(subst ','\'',$(filter-out -Werror,$(flags)))'
write_flags = @mkdir -p $(@D) && printf '%s\n' $(flags_quoted) | cmp -s - $@ || printf '%s\n' $(flags_quoted) >$@

.PHONY: FORCE
FORCE:
