/* SPDX-License-Identifier: MIT */
/* The frame of a plot's script: see drawing.h. */
#include "tools/report/plot/drawing.h"

#include "tools/report/base/memory.h"
#include "tools/report/plot/plot_axis.h"

#include <stdlib.h>

bool drawing_begin(struct drawing *drawing, const struct sweep *sweep, struct plot *plot)
{
	drawing->ranked = sweep_ranked(sweep, &drawing->count);
	drawing->script = open_memstream(&plot->script, &drawing->bytes);
	if (drawing->script != NULL && drawing->ranked != NULL)
		return true;
	drawing_end(drawing, plot, "out of memory");
	return false;
}

void drawing_end(struct drawing *drawing, struct plot *plot, const char *missing)
{
	if (drawing->script != NULL)
		fclose(drawing->script);
	free(drawing->ranked);
	if (missing == NULL)
		return;
	free(plot->script);
	plot->script = NULL;
	plot->missing = memory_print("%s", missing);
}
