# SPDX-License-Identifier: MIT
# Part of the Makefile: --accel=sim. build/sim/pvspin-sim is the simulated host; for each VM it
# loads build/sim/guest.so, the guest's half: locks/ and bench/ over port/sim (sim/engine.h,
# docs/sim.md). Needs only a C compiler.

SIM_BUILD := build/sim
sim_flags := -std=gnu11 -O2 -g $(prefix_map) -fno-omit-frame-pointer -fno-strict-aliasing \
	-Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI),-Werror)
sim_host_cflags := $(sim_flags) -I.
# port/sim/include comes before the tree: it has its own port/inline.h, bench/work.h and
# <stdatomic.h>.
sim_guest_cflags := $(sim_flags) -fPIC -fvisibility=hidden -mgeneral-regs-only -mno-red-zone \
	-Iport/sim/include -I. -I$(SIM_BUILD)

sim_host_c := $(sort $(wildcard sim/*.c)) port/common/task.c
sim_guest_c := $(sort $(wildcard locks/*.c locks/core/*.c bench/*.c bench/kbuild/*.c bench/session/*.c port/sim/*.c sim/guest/*.c) port/common/pause_gap.c port/common/pv_none.c \
	port/common/task.c $(filter-out lib/string.c,$(wildcard lib/*.c)))
sim_host_objects := $(sim_host_c:%.c=$(SIM_BUILD)/host/%.o)
sim_guest_objects := $(sim_guest_c:%.c=$(SIM_BUILD)/guest/%.o)

sim_build_flags = $(HOSTCC) $(sim_host_cflags) : $(sim_guest_cflags)
$(eval $(call keep_flags,$(SIM_BUILD),sim_build_flags))

.PHONY: sim
sim: $(SIM_BUILD)/pvspin-sim $(SIM_BUILD)/guest.so ## the simulated host of --accel=sim

$(SIM_BUILD)/pvspin-sim: $(sim_host_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -rdynamic $(sim_host_objects) -ldl -o $@

# An atomic access that does not go through the engine would make a lock look faster than it is, or
# hide an error: no atomic instruction may be left in the object code.
$(SIM_BUILD)/guest.so: $(sim_guest_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) -shared -Wl,-Bsymbolic $(sim_guest_objects) -o $@
	$(Q)if objdump -d --no-show-raw-insn $@ | grep -E '\slock |\sxchg .*\(|\sm?fence' >&2; then \
		echo '$@: atomic instructions that port/sim/include/stdatomic.h does not catch' >&2; rm $@; exit 1; fi

# For tests: with locks that hang and trap.
sim_broken := $(patsubst %.c,$(SIM_BUILD)/guest/%.o,$(wildcard tests/run/fixtures/stuck-lock.c guest/broken/trap-lock.c))
$(SIM_BUILD)/guest-broken.so: $(sim_guest_objects) $(sim_broken)
	$(say) LD $@
	$(Q)$(HOSTCC) -shared -Wl,-Bsymbolic $^ -o $@

$(SIM_BUILD)/host/%.o: %.c $(SIM_BUILD)/flags
	@mkdir -p $(@D)
	$(say) SIMCC $<
	$(Q)$(HOSTCC) $(sim_host_cflags) -MMD -MP -c $< -o $@

$(SIM_BUILD)/guest/%.o: %.c $(SIM_BUILD)/flags
	@mkdir -p $(@D)
	$(say) SIMCC $<
	$(Q)$(HOSTCC) $(sim_guest_cflags) -MMD -MP -c $< -o $@

$(SIM_BUILD)/guest/sim/guest/main.o: $(SIM_BUILD)/version.h
$(SIM_BUILD)/version.h: compiler = $(host_compiler)
$(SIM_BUILD)/version.h: $(call unless_holds,$(SIM_BUILD)/version.h,$(call version_text,$(host_compiler))) ; $(write_version)

-include $(sim_host_objects:.o=.d) $(sim_guest_objects:.o=.d) $(sim_broken:.o=.d)

.PHONY: check-sim validate-sim bench-sim
check-sim: sim $(SIM_BUILD)/guest-broken.so build/host/test_sim_heap build/host/test_sim_host ## the simulated host's own tests
	$(Q)build/host/test_sim_heap && build/host/test_sim_host && timeout 900 bats tests/run/sim.bats && tests/sim/closed_forms

validate-sim: sim ## run all comparisons and write their tables in docs/sim-validation.md (CHECK=1: compare only; 10 minutes of CPU)
	$(Q)tests/sim/validate $(if $(CHECK),--check)

# CPU time, not wall-clock time: the machine may be busy. Without PAUSE exits nearly all of it is for accesses.
bench-sim: sim ## the simulated host's speed: 2 VMs of 8, 28, 64, 288 vCPUs on as many CPUs
	$(Q)out=$$(mktemp -d) && trap 'rm -rf $$out' EXIT && for ple in 1 0; do for n in 8 28 64 288; do \
		keys='locks=virt-spin,mcs,pv-qspinlock ms=20 warmup_ms=5 reps=1 hold=1000 think=20000 start=serial-each'; \
		echo "2 x $$n, ple=$$ple: $$($(SIM_BUILD)/pvspin-sim --speed --host=cpus=$$n,ple=$$ple --out=$$out $$n "$$keys" $$n "$$keys" 2>&1)"; \
	done; done
check check-quick: sim # tests/sim/closed_forms runs it
