/* SPDX-License-Identifier: MIT */
/*
 * Tests kernel/console.c with a framebuffer that is an allocation of exactly its size, under ASan,
 * and with a page mapped at the address of VGA text memory. The console must check what the loader
 * says about the screen.
 */
#include "kernel/console.h"

#include "kernel/font.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "tests/host/test.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WIDTH  640u
#define HEIGHT 105u /* ten rows and a half */
#define VGA    ((uint16_t *)0xb8000)

static uint8_t *pixels;
static size_t pixel_bytes;
static struct boot_info boot;

const void *memory_map_physical(uint64_t address, size_t length)
{
	uint64_t offset = address - (uint64_t)pixels;

	return offset <= pixel_bytes && length <= pixel_bytes - offset ? (void *)address : NULL;
}

void *paging_map_screen(uint64_t physical, uint64_t bytes)
{
	return (void *)memory_map_physical(physical, bytes);
}

/* Makes a framebuffer whose pitch is longer than a line; the bytes between must not be written. */
static void framebuffer(uint8_t bits)
{
	uint32_t pitch = WIDTH * bits / 8 + 12;

	free(pixels);
	pixel_bytes = (size_t)pitch * HEIGHT;
	pixels = malloc(pixel_bytes);
	assert_non_null(pixels);
	memset(pixels, 0x55, pixel_bytes);
	boot.screen = (struct screen){.address = (uint64_t)pixels,
				      .pitch = pitch,
				      .width = WIDTH,
				      .height = HEIGHT,
				      .bits_per_pixel = bits,
				      .kind = SCREEN_RGB};
}

static uint8_t pixel(uint32_t x, uint32_t y)
{
	return pixels[y * boot.screen.pitch + x * boot.screen.bits_per_pixel / 8];
}

static void assert_character(uint32_t column, uint32_t row, char c)
{
	for (uint32_t y = 0; y < FONT_HEIGHT; y++)
		for (uint32_t x = 0; x < FONT_WIDTH; x++)
			assert_int_equal(pixel(column * 6 + x, row * 10 + y),
					 font[c - FONT_FIRST][y] >> (FONT_WIDTH - 1 - x) & 1 ? 0xff
											     : 0);
}

static void say(const char *text)
{
	console_write(text, strlen(text));
}

static void draws_the_glyphs(void **state)
{
	static const uint8_t depths[] = {16, 24, 32};

	(void)state;
	for (size_t i = 0; i < sizeof(depths); i++) {
		char text[] = "Ag~\n0\x80\x7f\n";

		framebuffer(depths[i]);
		console_init(&boot);
		say(text);
		assert_character(0, 0, 'A');
		assert_character(1, 0, 'g');
		assert_character(2, 0, '~');
		assert_character(3, 0, ' ');
		assert_character(0, 1, '0');
		assert_character(1, 1, '?');
		assert_character(2, 1, '?');
		assert_int_equal(pixels[boot.screen.pitch - 1], 0x55);
		assert_int_equal(pixels[pixel_bytes - 1], 0x55);
	}
}

static void records_and_empty_lines_are_left_out(void **state)
{
	(void)state;
	framebuffer(32);
	console_init(&boot);
	say("A\n{\"type\":");
	say("\"boot\"}\n\n{}\r\nB{\n");
	assert_character(0, 0, 'A');
	assert_character(0, 1, 'B');
	assert_character(1, 1, '{');
	assert_character(0, 2, ' ');
}

static void long_lines_wrap_and_the_screen_scrolls(void **state)
{
	char text[WIDTH / 6 + 2];

	(void)state;
	framebuffer(24);
	console_init(&boot);
	memset(text, 'x', sizeof(text));
	text[WIDTH / 6] = 'y';
	text[WIDTH / 6 + 1] = '\0';
	say(text);
	say("\n");
	assert_character(WIDTH / 6 - 1, 0, 'x');
	assert_character(0, 1, 'y');
	say("c\nd\ne\nf\ng\nh\ni\n"); /* the cursor is in the tenth row, the last */
	assert_character(0, 0, 'x');
	say("j\n");
	assert_character(0, 0, 'y');
	assert_character(0, 8, 'j');
	assert_character(0, 9, ' ');
}

/* Video memory is slow, so the console writes only characters that change, and never reads it. */
static void only_changes_are_painted(void **state)
{
	uint8_t *untouched;

	(void)state;
	framebuffer(32);
	console_init(&boot);
	say("abc\nabd\nabd\n1\n2\n3\n4\n5\n6\n");
	untouched = pixels + 8; /* in the first character's cell */
	*untouched = 0x55;
	say("7\n"); /* scrolls: only the third character of the first row changes */
	assert_int_equal(*untouched, 0x55);
	assert_character(2, 0, 'd');
	assert_character(0, 8, '7');
	assert_character(0, 7, '6');
}

static void falls_back_to_vga_text(void **state)
{
	static const struct screen bad[] = {
		{.kind = SCREEN_TEXT},
		{.kind = SCREEN_INDEXED, .bits_per_pixel = 32},
		{.kind = SCREEN_RGB, .bits_per_pixel = 15},
		{.kind = SCREEN_RGB, .bits_per_pixel = 32, .pitch = WIDTH * 4 - 1},
		{.kind = SCREEN_RGB, .bits_per_pixel = 32, .width = 5},
		{.kind = SCREEN_RGB, .bits_per_pixel = 32, .width = 0x8000001},
		{.kind = SCREEN_RGB, .bits_per_pixel = 32, .height = 9},
		{.kind = SCREEN_RGB, .bits_per_pixel = 32, .height = UINT32_MAX},
	};

	(void)state;
	assert_ptr_equal(mmap(VGA, 4096, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
			 VGA);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		framebuffer(32);
		boot.screen.kind = bad[i].kind;
		boot.screen.bits_per_pixel = bad[i].bits_per_pixel;
		if (bad[i].pitch != 0)
			boot.screen.pitch = bad[i].pitch;
		if (bad[i].width != 0)
			boot.screen.width = bad[i].width;
		if (bad[i].height != 0)
			boot.screen.height = bad[i].height;
		memset(VGA, 0, 4096);
		console_init(&boot);
		say("Z\n");
		assert_true(memchr(VGA, 'Z', 4000) != NULL);
		assert_int_equal(VGA[79], 0x0720);
		assert_int_equal(VGA[80 * 25 - 1], 0x0720);
		assert_int_equal(VGA[80 * 25], 0);
		assert_int_equal(pixels[0], 0x55);
	}
}

static int free_pixels(void **state)
{
	(void)state;
	free(pixels);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(draws_the_glyphs),
		cmocka_unit_test(records_and_empty_lines_are_left_out),
		cmocka_unit_test(long_lines_wrap_and_the_screen_scrolls),
		cmocka_unit_test(only_changes_are_painted),
		cmocka_unit_test(falls_back_to_vga_text),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, free_pixels);
}
