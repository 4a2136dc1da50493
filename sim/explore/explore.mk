# SPDX-License-Identifier: MIT
# build/sim/check-locks: the locks' correctness tests on simulated CPUs under chosen schedules
# (sim/explore/explore.h). The guest's half is that of sim/sim.mk, linked into the program.
#   check-sim-locks  runs them for longer than `make check`; SEEDS=N: how many schedules, FIRST=S:
#                    from which seed on

explore_guest_c := $(sort $(wildcard locks/*.c locks/core/*.c) port/sim/port.c port/sim/pv.c port/common/pause_gap.c port/common/pv_none.c \
	lib/printf.c lib/cmdline.c lib/histogram.c kernel/nodes.c tests/locks/no_bench.c \
	tests/locks/sim/client.c tests/locks/sim/search.c) \
	$(filter-out %/guest.c %/exclusion.c,$(sort $(wildcard tests/suites/locks/*.c))) tests/suites/locks/exclusion.c
explore_host_c := $(sort $(wildcard sim/explore/*.c)) tests/locks/sim/main.c tests/locks/sim/report.c port/common/task.c sim/tso.c
explore_objects := $(explore_host_c:%.c=$(SIM_BUILD)/host/%.o) $(explore_guest_c:%.c=$(SIM_BUILD)/guest/%.o)

# Linked to fixed addresses, so that a seed means the same in each process.
$(SIM_BUILD)/check-locks: $(explore_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -no-pie $(explore_objects) -o $@

.PHONY: explore-guest-objects
explore-guest-objects: ; @echo $(explore_guest_c:%.c=$(SIM_BUILD)/guest/%.o) ## names the objects that tests/mutants links with a broken lock

SEEDS ?= 1000
FIRST ?= 1000
.PHONY: check-sim-locks
check-sim-locks: $(SIM_BUILD)/check-locks ## test the locks under SEEDS=1000 chosen schedules each, from FIRST=1000 on, and all short ones
	$(SIM_BUILD)/check-locks --search=3 --case=twice_2
	$(SIM_BUILD)/check-locks --seeds=$(SEEDS) --first=$(FIRST)

-include $(explore_objects:.o=.d)
