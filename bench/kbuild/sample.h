/* SPDX-License-Identifier: MIT */
/* Random draws from the profile, in integers: the same seed gives the same draws on every machine.
 */
#ifndef PVSPIN_BENCH_KBUILD_SAMPLE_H
#define PVSPIN_BENCH_KBUILD_SAMPLE_H

#include "bench/kbuild/profile.h"
#include <stdint.h>

struct random {
	uint64_t state;
};

/* Returns the random sequence of this pair of numbers. */
struct random random_begin(uint64_t seed, uint64_t stream);
/* A uniform number in 0..bound-1, bound > 0. */
uint32_t random_below(struct random *random, uint32_t bound);

/* The value at `rank`, 0..KBUILD_WHOLE-1: at the ranks of the table exactly the table's. */
uint32_t distribution_at(const struct distribution *distribution, uint32_t rank);
uint32_t distribution_draw(const struct distribution *distribution, struct random *random);

/* An index below `count`; probabilities fall as 1 / (index + 1), in steps of powers of two. */
uint32_t random_zipf(struct random *random, uint32_t count);

/* How often to draw a class, in KBUILD_WHOLE acquisitions: its share less the acquisitions inside
 * other classes' sections. */
uint32_t class_weight(enum kbuild_class class);

/* The cumulated weights: filled once, read in each draw. */
struct class_table {
	uint32_t up_to[CLASS_COUNT];
};

void class_table_fill(struct class_table *table);
enum kbuild_class class_draw(const struct class_table *table, struct random *random);

/* The class taken inside this section of `outer`, or CLASS_COUNT. */
enum kbuild_class nested_draw(enum kbuild_class outer, struct random *random);

#endif
