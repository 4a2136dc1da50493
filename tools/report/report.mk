# SPDX-License-Identifier: MIT
# build/pvspin-report: the analyser of serial logs (docs/report.md). Part of the Makefile.

report_cflags := -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla $(if $(CI),-Werror) -I. -Ibuild/report
report_libs := -ljansson -lgsl -lgslcblas -lm
report_c := $(sort $(wildcard tools/report/*.c))
report_objects := $(report_c:%.c=build/report/%.o)

.PHONY: report
report: build/pvspin-report ## the analyser of serial logs

build/pvspin-report: $(report_objects)
	$(say) LD $@
	$(Q)$(HOSTCC) $(report_objects) $(report_libs) -o $@

build/report/%.o: %.c
	@mkdir -p $(@D)
	$(say) HOSTCC $<
	$(Q)$(HOSTCC) $(report_cflags) -MMD -MP -c $< -o $@

build/report/tools/report/main.o: build/report/version.h

-include $(report_objects:.o=.d)
