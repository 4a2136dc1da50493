# SPDX-License-Identifier: MIT
# Fuzzes the parsers of foreign input by libFuzzer under ASan and
# UBSan: the command line (plan.c) and ACPI tables (acpi.c). Part of the Makefile. New inputs
# collect in build/fuzz/corpus-*; an input that fails is kept beside them, and build/fuzz/plan FILE
# repeats it.

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
fuzz_cflags := -std=gnu11 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all $(warnings) -Werror -I.
fuzz_plan_c := tests/fuzz/plan.c $(host_sources_plan)
fuzz_acpi_c := tests/fuzz/acpi.c $(host_sources_acpi)

build/fuzz/plan: $(fuzz_plan_c) $(wildcard bench/plan*.h locks/core/tunables.h)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(fuzz_cflags) $(fuzz_plan_c) -o $@

build/fuzz/acpi: $(fuzz_acpi_c) $(wildcard kernel/acpi*.h tests/host/*.h)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(fuzz_cflags) $(fuzz_acpi_c) -lcmocka -o $@

# The fuzzer's words: keys, values and names from the sources.
build/fuzz/plan.dict: bench/plan.c bench/plan_keys.def tests/host/stub_locks.c
	@mkdir -p $(@D)
	$(Q)sed 's/^PLAN_[A-Z]*(\([a-z_]*\),/"\1",/' $^ | grep -oE '"[a-z0-9_-]+"' | sort -u > $@

# $(1): plan or acpi
fuzz_flags = -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	-artifact_prefix=build/fuzz/$(1)- -max_len=4096

.PHONY: fuzz-plan fuzz-acpi
fuzz-plan: build/fuzz/plan build/fuzz/plan.dict ## fuzz the parser of the guest's command line (FUZZ_SECONDS=60)
	@mkdir -p build/fuzz/corpus-plan
	$(Q)build/fuzz/plan $(call fuzz_flags,plan) -dict=build/fuzz/plan.dict build/fuzz/corpus-plan tests/fuzz/corpus-plan

fuzz-acpi: build/fuzz/acpi ## fuzz the parser of ACPI tables
	@mkdir -p build/fuzz/corpus-acpi build/fuzz/seeds-acpi
	$(Q)tests/fuzz/acpi-seeds.sh "$(CURDIR)/build/fuzz/seeds-acpi"
	$(Q)build/fuzz/acpi $(call fuzz_flags,acpi) build/fuzz/corpus-acpi build/fuzz/seeds-acpi
