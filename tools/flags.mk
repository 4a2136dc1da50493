# SPDX-License-Identifier: MIT
# What is compiled is compiled anew when its compiler or flags change: it depends on a file that has
# both and is rewritten only then. Included by the makefiles that compile; each has
#
#   build/x/flags: flags = $(CC) $(x_cflags)
#   build/x/flags: FORCE ; $(write_flags)
#
# -Werror is left out, as it changes no object: `make` after `make CI=1` has nothing to do.

flags_quoted = '$(subst ','\'',$(filter-out -Werror,$(flags)))'
write_flags = @mkdir -p $(@D) && printf '%s\n' $(flags_quoted) | cmp -s - $@ || printf '%s\n' $(flags_quoted) >$@

.PHONY: FORCE
FORCE:
