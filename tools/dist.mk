# SPDX-License-Identifier: MIT
# What is for those who work on pvspin or package it, and not the program. Part of the Makefile.

.PHONY: soak
soak: all hosted ## SOAK=200 random boots, tcg and nested, each with a known verdict (tests/soak/soak)
	$(Q)tests/soak/soak

.PHONY: compile_commands
compile_commands: ## compile_commands.json, for clangd and the like: the guest's files as the guest's
	$(Q)$(MAKE) -nB --no-print-directory CI= V=1 check-build | tools/compile-commands.sh >compile_commands.json.new
	$(Q)mv compile_commands.json.new compile_commands.json

# A tarball of the tree as it is (what git knows of it), with VERSION in place of git.
.PHONY: dist
dist: ## build/pvspin-VERSION.tar.gz, which builds without git
	$(Q)tools/dist.sh "$(VERSION)"

PREFIX ?= /usr/local
# The analyser, where the tree has one.
.PHONY: install
install: all hosted $(if $(wildcard tools/report/main.c),build/pvspin-report) ## bin/pvspin and what it needs below DESTDIR and PREFIX (/usr/local)
	$(Q)tools/install.sh "$(DESTDIR)$(PREFIX)" "$(VERSION)"
