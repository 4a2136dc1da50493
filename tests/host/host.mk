# SPDX-License-Identifier: MIT
# Unit tests of the pure modules, on the host under ASan and UBSan: make check-host
# Included by the top Makefile; alone: make -f tests/host/host.mk check-host

Q ?= @
HOSTCC ?= gcc

include tools/flags.mk

host_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
host_cflags := -std=gnu11 -O1 -g -fno-omit-frame-pointer $(host_sanitize) -Wall -Wextra -Wshadow \
	-Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla $(if $(CI),-Werror) -I.

report_tests := report_log report_stats report_set report_schema report_corpus report_study \
	report_study_judge report_verdicts trace trace_locks timeline plot report_study_why \
	report_overlap report_tables
sched_tests := sched sched_balance sched_random sched_cfs sched_eevdf
host_tests := string cmdline printf histogram record linux_choice plan plan_print acpi acpi_damage \
	srat nodes unwind cgroup slice loader multiboot2 power console topology hpet serial virtio_serial log \
	watchdog tsc trace_ring lhp_cost kbuild_observe kbuild_profile \
	streak latency gaps spin slices promotion sim_heap sim_host linux $(sched_tests) $(report_tests)

# the sources that each test is linked with, besides its own file
host_sources_string := lib/string.c
host_sources_cmdline := lib/cmdline.c
host_sources_printf := lib/printf.c
host_sources_histogram := lib/histogram.c
host_sources_record := lib/record.c lib/printf.c
host_sources_linux_choice := bench/linux_choice.c
host_sources_plan := bench/linux_choice.c bench/plan.c bench/quoting.c bench/plan_parse.c \
	bench/plan_error.c bench/plan_foreign.c bench/plan_print.c bench/plan_workload.c \
	lib/cmdline.c lib/printf.c tests/host/stub_locks.c
host_sources_plan_print := $(host_sources_plan)
host_sources_acpi := kernel/acpi.c kernel/acpi_madt.c kernel/acpi_srat.c kernel/acpi_hpet.c \
	kernel/mp_table.c lib/printf.c tests/host/fake_memory.c
host_sources_slice := locks/core/slice.c lib/histogram.c
host_sources_acpi_damage := $(host_sources_acpi)
host_sources_srat := $(host_sources_acpi)
host_sources_loader := kernel/loader.c kernel/multiboot.c kernel/multiboot2.c kernel/pvh.c \
	tests/host/fake_memory.c
host_sources_multiboot2 := $(host_sources_loader)
host_sources_power := kernel/acpi.c kernel/acpi_power.c lib/printf.c tests/host/fake_memory.c
host_sources_console := kernel/console.c kernel/font.c
host_sources_nodes := kernel/nodes.c
host_sources_unwind := kernel/unwind.c
host_sources_cgroup := port/hosted/cgroup.c
host_sources_kbuild_profile := bench/kbuild/profile.c bench/kbuild/sample.c
host_sources_topology := $(host_sources_acpi) kernel/topology.c kernel/nodes.c
host_sources_hpet := $(host_sources_acpi)
host_sources_streak := bench/worker.c bench/gaps.c lib/histogram.c tests/host/fake_vcpus.c
host_sources_latency := $(host_sources_streak)
host_sources_slices := bench/slices.c lib/arith.c
host_sources_gaps := $(host_sources_streak)
host_sources_promotion := port/common/pause_gap.c locks/qspinlock.c locks/cna.c locks/qspinlock_word.c \
	$(wildcard locks/core/*.c) bench/worker.c bench/gaps.c lib/histogram.c lib/cmdline.c \
	lib/string.c lib/printf.c tests/host/fake_vcpus.c
host_sources_spin := port/common/pause_gap.c locks/core/spin.c locks/core/trace.c tests/host/fake_vcpus.c
host_sources_serial := kernel/serial.c
host_sources_virtio_serial := kernel/virtio_serial.c kernel/pci.c
host_sources_log := kernel/log.c
host_sources_watchdog := kernel/watchdog.c kernel/hpet.c kernel/ioapic.c
host_sources_tsc := kernel/tsc.c kernel/tsc_measure.c kernel/tsc_check.c
host_sources_trace_ring := locks/core/trace.c
host_sources_lhp_cost := $(host_sources_streak)
host_sources_kbuild_observe := bench/kbuild/observe.c lib/histogram.c locks/core/trace.c

host_sources_linux := linux/plan.c linux/text.c lib/cmdline.c
host_sources_sim_heap := sim/heap.c
host_sources_sim_host := sim/host.c sim/presets.c sim/sched_config.c
# the simulated host's scheduler
$(foreach test,$(sched_tests),$(eval host_sources_$(test) := sim/sched.c $(sort $(wildcard sim/sched_*.c)) tests/host/sched_host.c))

# each test of the analyser is linked with all of it but main()
report_sources := $(filter-out tools/report/main.c,$(sort $(wildcard tools/report/*.c tools/report/*/*.c))) bench/quoting.c
$(foreach test,$(report_tests),$(eval host_sources_$(test) := $(report_sources)))
host_sources_plot += tests/host/report_sample.c
host_sources_report_log += tests/host/report_logs.c
host_sources_report_tables += tests/host/report_logs.c
host_sources_report_set += tests/host/report_logs.c
host_sources_report_overlap += tests/host/report_logs.c
host_sources_report_schema += tests/host/report_logs.c locks/core/stats.c
host_sources_report_stats += tests/host/report_logs.c
host_sources_report_corpus += tests/report/fuzz.c tests/report/fuzz_mutate.c
host_sources_trace += tests/host/trace_set.c
host_sources_trace_locks += tests/host/trace_set.c
host_sources_timeline += tests/host/trace_set.c
host_sources_report_study += tests/host/study_files.c
host_sources_report_study_judge += tests/host/study_files.c
host_sources_report_study_why += tests/host/study_files.c
$(report_tests:%=build/host/test_%): host_libs := -ljansson -lgsl -lgslcblas -lm

host_programs := $(host_tests:%=build/host/test_%)

define host_program
build/host/test_$(1): $(patsubst %.c,build/host/%.o,tests/host/test_$(1).c $(host_sources_$(1)))
	$(Q)$(HOSTCC) $(host_sanitize) $$^ -lcmocka $$(host_libs) -o $$@
endef
$(foreach test,$(host_tests),$(eval $(call host_program,$(test))))

# The guest's mem* and str* must not replace the ones that ASan watches.
host_string := $(foreach name,memcpy memmove memset memcmp strlen strcmp strncmp,-D$(name)=test_$(name))
build/host/lib/string.o: host_extra := $(host_string)
# drivers run on a fake CPU whose devices the test provides
host_fake_cpu := -DPVSPIN_KERNEL_CPU_H -DPVSPIN_KERNEL_FIXUP_H -include tests/host/fake_cpu.h
$(patsubst %,build/host/kernel/%.o,serial pci virtio_serial tsc tsc_measure tsc_check): host_extra := $(host_fake_cpu)
# the driver has 32 bits for the number of a page
build/host/test_virtio_serial: host_libs := -no-pie
# this test uses odd formats on purpose
host_printf := -Wno-format -Wno-format-zero-length -Wno-format-truncation -Wno-format-overflow
build/host/tests/host/test_printf.o: host_extra := $(host_printf)

# _GNU_SOURCE for MAP_FIXED_NOREPLACE
host_gnu := -D_GNU_SOURCE
build/host/tests/host/test_watchdog.o: host_extra := $(host_gnu)
# _GNU_SOURCE for memmem, vasprintf
build/host/tools/report/%.o build/host/tests/report/%.o build/host/tests/host/report_logs.o build/host/tests/host/test_report_%.o: \
	host_extra := $(host_gnu)

host_flags = $(HOSTCC) $(host_cflags) : $(host_string) : $(host_printf) : $(host_gnu) : \
	$(host_fake_cpu)
$(eval $(call keep_flags,build/host,host_flags))
build/host/%.o: %.c build/host/flags
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(host_cflags) $(host_extra) -MMD -MP -c $< -o $@

-include $(wildcard build/host/*/*.d build/host/*/*/*.d build/host/*/*/*/*.d)

# A failure does not stop the remaining tests.
.PHONY: check-host
check-host: $(host_programs) ## unit tests of the pure modules (ASan, UBSan)
	$(Q)failed=; for program in $^; do \
		echo "== $$program"; timeout 120 $$program || failed="$$failed $$program"; \
	done; \
	test -z "$$failed" || { echo "check-host: failed:$$failed" >&2; exit 1; }
