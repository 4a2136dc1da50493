/* SPDX-License-Identifier: MIT */
/* Colours, dashes and points by lock: palette.h. */
#include "tools/report/plot/palette.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* After Okabe and Ito, "Color Universal Design" (2008), the set meant for all kinds of colour
 * blindness; its light ones are darkened so that each has a contrast of 3:1 to white and to the
 * dark page (WCAG 2.1, 1.4.11). */
static const char *const colours[] = {
	"#0072b2", "#d55e00", "#009e73", "#b3529a", "#b88200", "#3a93c8", "#808891",
};
static const unsigned points[] = {7, 5, 9, 13, 11, 15, 3};

struct palette palette_new(const struct set *sets, size_t count)
{
	struct palette palette = {0};
	size_t cells = 0;

	for (size_t i = 0; i < count; i++)
		cells += sets[i].cell_count;
	palette.locks = calloc(cells + 1, sizeof(*palette.locks));
	for (size_t i = 0; palette.locks != NULL && i < count; i++) {
		for (size_t j = 0; j < sets[i].cell_count; j++) {
			const char *lock = sets[i].cells[j].key.lock;
			size_t known = 0;

			while (known < palette.count && strcmp(palette.locks[known], lock) != 0)
				known++;
			if (known == palette.count)
				palette.locks[palette.count++] = lock;
		}
	}
	return palette;
}

void palette_free(struct palette *palette)
{
	free(palette->locks);
	*palette = (struct palette){0};
}

static size_t position(const struct palette *palette, const char *lock)
{
	for (size_t i = 0; i < palette->count; i++) {
		if (strcmp(palette->locks[i], lock) == 0)
			return i;
	}
	return 0;
}

const char *palette_colour(const struct palette *palette, const char *lock)
{
	return colours[position(palette, lock) % COUNT(colours)];
}

void palette_line(const struct palette *palette, const char *lock, FILE *script)
{
	/* solid, dashed, dotted, dash-dot: gnuplot's numbers, of which svg has 5 */
	static const unsigned dashes[] = {1, 2, 3, 5};
	size_t index = position(palette, lock), lap = index / COUNT(colours);

	fprintf(script, "lc rgb '%s' dt %u pt %u ", colours[index % COUNT(colours)],
		dashes[lap % COUNT(dashes)], points[(index + lap) % COUNT(points)]);
}
