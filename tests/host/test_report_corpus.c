/* SPDX-License-Identifier: MIT */
/*
 * Runs the fuzz target of tests/report without libFuzzer: reads each log of the corpus, and damaged
 * copies of it, and prints them in every format under ASan and UBSan.
 */
#include "tests/host/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORPUS  "tests/report/corpus"
#define MOST    65536
#define DAMAGED 120 /* copies of a log; they take 2 s under ASan on a slow CPU */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static uint64_t seed = 3;

/* Replaces libFuzzer's function for fuzz_mutate.c: changes a bit of one byte. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most)
{
	(void)most;
	if (size > 0)
		data[next_random(&seed) % size] ^= (uint8_t)(1 << next_random(&seed) % 8);
	return size;
}

static size_t load(const char *name, uint8_t data[MOST])
{
	char path[512];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	file = fopen(path, "r");
	assert_non_null(file);
	size = fread(data, 1, MOST, file);
	fclose(file);
	return size;
}

static void damaged_logs_do_no_harm(void **state)
{
	static uint8_t log[MOST], damaged[MOST];
	struct dirent **entry;
	int entries = scandir(CORPUS, &entry, NULL, alphasort), logs = 0;

	(void)state;
	assert_true(entries > 0);
	for (int i = 0; i < entries; i++) {
		if (entry[i]->d_name[0] != '.') {
			size_t size = load(entry[i]->d_name, log);

			LLVMFuzzerTestOneInput(log, size);
			for (int round = 0; round < DAMAGED; round++) {
				size_t changed = size;

				memcpy(damaged, log, size);
				for (int change = round % 4; change >= 0; change--)
					changed = LLVMFuzzerCustomMutator(
						damaged, changed, MOST,
						(unsigned)next_random(&seed));
				LLVMFuzzerTestOneInput(damaged, changed);
			}
			logs++;
		}
		free(entry[i]);
	}
	free(entry);
	assert_true(logs >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_logs_do_no_harm)};

	return cmocka_run_group_tests_name("report_corpus", tests, NULL, NULL);
}
