/* SPDX-License-Identifier: MIT */
/*
 * A screenful of characters is kept here and painted line by line, as VGA text or as pixels: video
 * memory is slow to read, so that scrolling paints everything anew from the copy. Lines longer than
 * the screen go on below. VGA text: IBM VGA technical reference, "alphanumeric modes": character
 * and attribute alternate from 0xb8000 on.
 */
#include "kernel/console.h"

#include "kernel/font.h"
#include "kernel/memory.h"
#include "pvspin/string.h"

#define VGA_TEXT       0xb8000
#define VGA_COLUMNS    80
#define VGA_ROWS       25
#define VGA_LIGHT_GREY 0x07

#define MAX_COLUMNS 160
#define MAX_ROWS    80
#define CELL_WIDTH  (FONT_WIDTH + 1)
#define CELL_HEIGHT (FONT_HEIGHT + 2)
#define WIDE_SCREEN 1200 /* from this width on a pixel of the font is two by two on the screen */

static void paint_text(uint32_t row);
static void paint_pixels(uint32_t row);

static void (*paint)(uint32_t row); /* NULL: no console */
static struct screen screen;
static uint32_t scale, columns, rows;
static char cells[MAX_ROWS][MAX_COLUMNS];
static uint32_t at_row, at_column;
static bool line_begins = true, in_record;

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void paint_text(uint32_t row)
{
	volatile uint16_t *video = (volatile uint16_t *)screen.address + row * columns;

	for (uint32_t i = 0; i < columns; i++)
		video[i] = (uint16_t)(VGA_LIGHT_GREY << 8 | (uint8_t)cells[row][i]);
}

/* White or black: all bits or none, in whatever order the colours are. */
static void paint_pixels(uint32_t row)
{
	uint32_t bytes = screen.bits_per_pixel / 8u * scale;

	for (uint32_t y = 0; y < CELL_HEIGHT * scale; y++) {
		volatile uint8_t *line = (volatile uint8_t *)screen.address +
					 (uint64_t)(row * CELL_HEIGHT * scale + y) * screen.pitch;
		uint32_t glyph_row = y / scale;

		for (uint32_t i = 0; i < columns; i++) {
			uint8_t bits = glyph_row < FONT_HEIGHT
					       ? font[cells[row][i] - FONT_FIRST][glyph_row]
					       : 0;

			for (uint32_t x = 0; x < CELL_WIDTH; x++)
				for (uint32_t n = 0; n < bytes; n++)
					*line++ = bits & (1u << FONT_WIDTH) >> (x + 1) ? 0xff : 0;
		}
	}
}

static bool is_framebuffer(const struct screen *s)
{
	uint32_t bits = s->bits_per_pixel;

	return s->kind == SCREEN_RGB && s->address != 0 &&
	       (bits == 16 || bits == 24 || bits == 32) &&
	       (uint64_t)s->width * bits / 8 <= s->pitch && s->width >= CELL_WIDTH &&
	       s->height >= CELL_HEIGHT &&
	       memory_map_physical(s->address, (uint64_t)s->pitch * s->height) != NULL;
}

void console_init(const struct boot_info *boot)
{
	screen = boot->screen;
	if (is_framebuffer(&screen)) {
		scale = screen.width < WIDE_SCREEN ? 1 : 2;
		columns = smaller(screen.width / (CELL_WIDTH * scale), MAX_COLUMNS);
		rows = smaller(screen.height / (CELL_HEIGHT * scale), MAX_ROWS);
		paint = paint_pixels;
	} else {
		screen = (struct screen){.address = VGA_TEXT, .kind = SCREEN_TEXT};
		columns = VGA_COLUMNS;
		rows = VGA_ROWS;
		paint = paint_text;
	}
	at_row = at_column = 0;
	memset(cells, ' ', sizeof(cells));
	for (uint32_t row = 0; row < rows; row++)
		paint(row);
}

bool console_used(void)
{
	return paint != NULL;
}

static void next_line(void)
{
	paint(at_row);
	at_column = 0;
	if (at_row + 1 < rows) {
		at_row++;
		return;
	}
	memmove(cells[0], cells[1], (rows - 1) * sizeof(cells[0]));
	memset(cells[rows - 1], ' ', sizeof(cells[0]));
	for (uint32_t row = 0; row < rows; row++)
		paint(row);
}

static void put(char c)
{
	if (at_column == columns)
		next_line();
	cells[at_row][at_column++] = c >= FONT_FIRST && c <= FONT_LAST ? c : '?';
}

void console_write(const char *bytes, size_t count)
{
	for (size_t i = 0; paint != NULL && i < count; i++) {
		if (line_begins)
			in_record = bytes[i] == '{';
		line_begins = bytes[i] == '\n';
		if (in_record || bytes[i] == '\r')
			continue;
		if (!line_begins) {
			put(bytes[i]);
		} else if (at_column != 0) { /* no empty lines: a screen has few */
			next_line();
		}
	}
}
