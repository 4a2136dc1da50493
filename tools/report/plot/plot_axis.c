/* SPDX-License-Identifier: MIT */
/* plot_axis.h: ranges, and the order of the locks in a plot. */
#include "tools/report/plot/plot_axis.h"

#include <math.h>
#include <stdlib.h>

void axis_add(struct axis *axis, double value)
{
	if (!isfinite(value) || value <= 0)
		return;
	if (axis->least == 0 || value < axis->least)
		axis->least = value;
	if (value > axis->largest)
		axis->largest = value;
}

bool axis_is_log(const struct axis *axis)
{
	return axis->least > 0 && axis->largest / axis->least > 100;
}

double axis_start(const struct axis *axis)
{
	/* 0.8: the least value is to have a bar one can see */
	return axis_is_log(axis) ? pow(10, floor(log10(axis->least * 0.8))) : 0;
}

/* %s %c: 150 k; below a thousand the plain number, or 0.5 would be 500 m. A linear axis that ends
 * below 5 k, 5 M... has tics between the whole ones. */
static const char *number_format(const struct axis *axis, double span)
{
	if (span < 1000)
		return "%g";
	if (!axis_is_log(axis) && span / pow(1000, floor(log10(span) / 3)) < 5)
		return "%.1s %c";
	return "%.0s %c";
}

void axis_print(const struct axis *axis, char name, double room, FILE *script)
{
	double span = axis->largest > 0 ? axis->largest : 1, start = axis_start(axis);
	/* the room is a share of the axis's length, which is in decades when it is logarithmic */
	double end = axis_is_log(axis) ? span * pow(span / start, room) : span * (1 + room);

	fprintf(script, "set %crange [%.6g:%.6g]\n", name, start, end);
	if (axis_is_log(axis))
		fprintf(script, "set logscale %c 10\n", name);
	fprintf(script, "set format %c '%s'\n", name, number_format(axis, span));
}

bool sweep_is_fixed_work(const struct sweep *sweep)
{
	return sweep->count > 0 && sweep->cells[0]->fixed_work;
}

static int by_merit(const void *a, const void *b)
{
	const struct cell *const *left = a, *const *right = b;
	double a_mean = sample_mean(&(*left)->merit), b_mean = sample_mean(&(*right)->merit);
	double difference = a_mean - b_mean;

	/* less time is better, and no time is work that was never finished */
	if ((*left)->fixed_work)
		difference = (a_mean > 0 ? 1 / a_mean : 0) - (b_mean > 0 ? 1 / b_mean : 0);
	return (difference < 0) - (difference > 0);
}

const struct cell **sweep_ranked(const struct sweep *sweep, size_t *count)
{
	const struct cell **ranked = calloc(sweep->count + 1, sizeof(*ranked)), *cell;

	*count = 0;
	while (ranked != NULL && (cell = sweep_at_most(sweep, *count)) != NULL)
		ranked[(*count)++] = cell;
	if (ranked != NULL)
		qsort(ranked, *count, sizeof(*ranked), by_merit);
	return ranked;
}
