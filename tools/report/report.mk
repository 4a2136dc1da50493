# SPDX-License-Identifier: MIT
# build/pvspin-report: the analyser of serial logs (docs/report.md). Part of the Makefile.

report_cflags := -std=gnu11 -D_GNU_SOURCE -O2 -g $(prefix_map) -Wall -Wextra -Wshadow -Wundef \
	-Wstrict-prototypes \
	-Wmissing-prototypes -Wvla $(if $(CI),-Werror) -I. -Ibuild/report
report_libs := -ljansson -lgsl -lgslcblas -lm
# bench/quoting.c has the rules for quoting figures, which the guest uses, too.
report_c := $(sort $(wildcard tools/report/*.c tools/report/*/*.c)) bench/quoting.c
report_flags = $(HOSTCC) $(report_cflags)
$(eval $(call keep_flags,build/report,report_flags))
report_objects := $(report_c:%.c=build/report/%.o)

.PHONY: report
report: build/pvspin-report ## the analyser of serial logs

build/pvspin-report: $(report_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) $(report_objects) $(report_libs) -o $@

build/report/%.o: %.c build/report/flags
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(report_cflags) -MMD -MP -c $< -o $@

build/report/tools/report/main.o: build/report/version.h

-include $(report_objects:.o=.d)

# libFuzzer tests the reader and the printers: make fuzz-report FUZZ_SECONDS=60
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
fuzz_report_cflags := -std=gnu11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all -I.
fuzz_report_c := $(filter-out tools/report/main.c,$(report_c)) tests/report/fuzz.c tests/report/fuzz_mutate.c

build/fuzz/report: $(fuzz_report_c) $(wildcard tools/report/*/*.h)
	@mkdir -p $(@D)
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) $(fuzz_report_cflags) $(fuzz_report_c) $(report_libs) -o $@

# New inputs go to build/fuzz/found, crashes to build/fuzz/crash-*.
.PHONY: fuzz-report
fuzz-report: build/fuzz/report ## fuzz the log reader for FUZZ_SECONDS
	@mkdir -p build/fuzz/found
	$(Q)build/fuzz/report -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 -print_final_stats=1 \
		-dict=tests/report/log.dict -artifact_prefix=build/fuzz/ build/fuzz/found tests/report/corpus
