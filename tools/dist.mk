# SPDX-License-Identifier: MIT
# What is for those who work on pvspin or package it, and not the program. Part of the Makefile.

.PHONY: soak
soak: all hosted ## SOAK=200 random boots, tcg and nested, each with a known verdict (tests/soak/soak)
	$(Q)tests/soak/soak
