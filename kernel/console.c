/* SPDX-License-Identifier: MIT */
/*
 * Keeps a screenful of characters and paints it as VGA text or as pixels. Video memory is slow to
 * write and slower to read, so it is never read, and only the changed part of each row is painted,
 * in whole words. Lines longer than the screen continue on the next row. VGA text: IBM VGA
 * technical reference, "alphanumeric modes": character and attribute alternate from 0xb8000 on.
 */
#include "kernel/console.h"

#include "kernel/font.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "lib/string.h"

#define VGA_TEXT       0xb8000
#define VGA_COLUMNS    80
#define VGA_ROWS       25
#define VGA_LIGHT_GREY 0x07

#define MAX_COLUMNS 160
#define MAX_ROWS    80
#define CELL_WIDTH  (FONT_WIDTH + 1)
#define CELL_HEIGHT (FONT_HEIGHT + 2)
#define WIDE_SCREEN 1200 /* from this width on a font pixel is two by two screen pixels */

#define MAX_SCALE 2
#define MAX_BYTES 4 /* of a pixel */

#define BDA_TEXT_COLUMNS 0x44a /* BIOS data area, 16 bits: set with the video mode */

/* Paints characters from..to - 1 of a row. NULL: no console. */
static void (*paint)(uint32_t row, uint32_t from, uint32_t to);
static struct screen screen;
static uint8_t *video; /* where its memory is mapped */
static uint32_t scale, columns, rows;
static char cells[MAX_ROWS][MAX_COLUMNS];
static char painted[MAX_ROWS][MAX_COLUMNS]; /* 0: not painted yet */
static uint32_t at_row, at_column;
static bool line_begins = true, in_record;

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void paint_text(uint32_t row, uint32_t from, uint32_t to)
{
	volatile uint16_t *text = (volatile uint16_t *)video + row * columns;

	for (uint32_t i = from; i < to; i++)
		text[i] = (uint16_t)(VGA_LIGHT_GREY << 8 | (uint8_t)cells[row][i]);
}

struct word {
	uint32_t value;
} __attribute__((packed, may_alias));

static void store(uint8_t *to, const uint8_t *from, uint32_t bytes)
{
	for (; bytes >= sizeof(struct word); bytes -= (uint32_t)sizeof(struct word)) {
		*(volatile struct word *)to = *(const struct word *)from;
		to += sizeof(struct word);
		from += sizeof(struct word);
	}
	while (bytes-- != 0)
		*(volatile uint8_t *)to++ = *from++;
}

/* White or black: all bits or none, so the order of the colours does not matter. */
static void paint_pixels(uint32_t row, uint32_t from, uint32_t to)
{
	static uint8_t line[MAX_COLUMNS * CELL_WIDTH * MAX_SCALE * MAX_BYTES];
	uint32_t pixel_bytes = screen.bits_per_pixel / 8u * scale;
	uint8_t *at = video + (uint64_t)row * CELL_HEIGHT * scale * screen.pitch +
		      (uint64_t)from * CELL_WIDTH * pixel_bytes;

	for (uint32_t y = 0; y < CELL_HEIGHT; y++) {
		uint8_t *next = line;

		for (uint32_t i = from; i < to; i++) {
			uint8_t bits = y < FONT_HEIGHT ? font[cells[row][i] - FONT_FIRST][y] : 0;

			for (uint32_t x = 0; x < CELL_WIDTH; x++)
				for (uint32_t n = 0; n < pixel_bytes; n++)
					*next++ = bits & (1u << FONT_WIDTH) >> (x + 1) ? 0xff : 0;
		}
		for (uint32_t n = 0; n < scale; n++, at += screen.pitch)
			store(at, line, (uint32_t)(next - line));
	}
}

static void paint_changes(uint32_t row)
{
	uint32_t from = 0, to = columns;

	while (from < to && painted[row][from] == cells[row][from])
		from++;
	while (to > from && painted[row][to - 1] == cells[row][to - 1])
		to--;
	if (from == to)
		return;
	paint(row, from, to);
	memcpy(painted[row] + from, cells[row] + from, to - from);
}

static bool is_framebuffer(const struct screen *s)
{
	uint32_t bits = s->bits_per_pixel;

	return s->kind == SCREEN_RGB && s->address != 0 &&
	       (bits == 16 || bits == 24 || bits == 32) &&
	       (uint64_t)s->width * bits / 8 <= s->pitch && s->width >= CELL_WIDTH &&
	       s->height >= CELL_HEIGHT;
}

bool console_there(const struct boot_info *boot)
{
	const uint16_t *text_columns = memory_map_physical(BDA_TEXT_COLUMNS, sizeof(*text_columns));

	return is_framebuffer(&boot->screen) ||
	       (text_columns != NULL && *text_columns == VGA_COLUMNS);
}

void console_init(const struct boot_info *boot)
{
	screen = boot->screen;
	video = is_framebuffer(&screen)
			? paging_map_screen(screen.address, (uint64_t)screen.pitch * screen.height)
			: NULL;
	if (video != NULL) {
		scale = screen.width < WIDE_SCREEN ? 1 : MAX_SCALE;
		columns = smaller(screen.width / (CELL_WIDTH * scale), MAX_COLUMNS);
		rows = smaller(screen.height / (CELL_HEIGHT * scale), MAX_ROWS);
		paint = paint_pixels;
	} else {
		video = (uint8_t *)VGA_TEXT;
		columns = VGA_COLUMNS;
		rows = VGA_ROWS;
		paint = paint_text;
	}
	at_row = at_column = 0;
	memset(cells, ' ', sizeof(cells));
	memset(painted, 0, sizeof(painted));
	for (uint32_t row = 0; row < rows; row++)
		paint_changes(row);
}

bool console_used(void)
{
	return paint != NULL;
}

static void next_line(void)
{
	paint_changes(at_row);
	at_column = 0;
	if (at_row + 1 < rows) {
		at_row++;
		return;
	}
	memmove(cells[0], cells[1], (rows - 1) * sizeof(cells[0]));
	memset(cells[rows - 1], ' ', sizeof(cells[0]));
	for (uint32_t row = 0; row < rows; row++)
		paint_changes(row);
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
		} else if (at_column != 0) { /* skips empty lines, to save space */
			next_line();
		}
	}
}
