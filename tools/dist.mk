# SPDX-License-Identifier: MIT
# Targets for people who work on pvspin or package it. Part of the Makefile.

.PHONY: soak
soak: all hosted build/pvspin-broken.elf ## boot SOAK=200 random guests, tcg and nested, each with a known verdict (tests/soak/soak)
	$(Q)tests/soak/soak

.PHONY: compile_commands
compile_commands: ## write compile_commands.json for clangd; files of the guest with the guest's flags
	$(Q)$(MAKE) -nB --no-print-directory CI= V=1 check-build | tools/compile-commands.sh >compile_commands.json.new
	$(Q)mv compile_commands.json.new compile_commands.json

# A tarball of the files that git knows, as they are now, with VERSION in place of git.
.PHONY: dist
dist: ## write build/pvspin-VERSION.tar.gz, which builds without git
	$(Q)tools/dist.sh "$(VERSION)"

PREFIX ?= /usr/local
# The analyser is installed if the tree has one.
.PHONY: install
install: all hosted linux $(if $(wildcard tools/report/main.c),build/pvspin-report) ## install bin/pvspin and what it needs below DESTDIR and PREFIX (/usr/local)
	$(Q)tools/install.sh "$(DESTDIR)$(PREFIX)" "$(VERSION)"
