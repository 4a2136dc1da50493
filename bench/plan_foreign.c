/* SPDX-License-Identifier: MIT */
/*
 * VMMs treat every kernel as Linux and add words for it to the command line. QEMU's microvm adds
 * virtio_mmio.device= for each device (hw/i386/microvm.c). Firecracker adds the same, and root=, ro
 * or rw, pci=off; if the user gives no boot_args, also its defaults, the rest of this list
 * (src/vmm/src/vmm_config/boot_source.rs). Any other word stays an error, because it is more likely
 * a misspelt key of ours.
 */
#include "bench/plan_foreign.h"

#include "lib/string.h"
#include <stddef.h>

static const char *const words[] = {
	"nomodule", "nomodules", "panic", "pci", "reboot", "ro", "root", "rw", "swiotlb",
};

/* module.parameter */
static const char *const modules[] = {"8250.", "i8042.", "virtio_mmio."};

bool plan_foreign(const struct cmdline_word *word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cmdline_is(word->key, word->key_length, words[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		if (word->key_length > strlen(modules[i]) &&
		    memcmp(word->key, modules[i], strlen(modules[i])) == 0)
			return true;
	}
	return false;
}

void plan_ignore(struct plan *plan, const struct cmdline_word *word)
{
	size_t used = strlen(plan->ignored), i = 0;
	size_t length = word->value != NULL ? (size_t)(word->value + word->value_length - word->key)
					    : word->key_length;

	if (length + 2 > sizeof(plan->ignored) - used) /* " ", and the 0 */
		return;
	plan->ignored[used++] = ' ';
	for (; i < length; i++)
		plan->ignored[used++] =
			word->key[i] > ' ' && word->key[i] <= '~' ? word->key[i] : '?';
	plan->ignored[used] = '\0';
}
