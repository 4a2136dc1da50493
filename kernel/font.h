/* SPDX-License-Identifier: MIT */
/* Glyphs of printable ASCII for a screen without a text mode, drawn for pvspin. */
#ifndef PVSPIN_KERNEL_FONT_H
#define PVSPIN_KERNEL_FONT_H

#include <stdint.h>

#define FONT_FIRST  ' '
#define FONT_LAST   '~'
#define FONT_WIDTH  5
#define FONT_HEIGHT 8

/* By character and row, from the top; bit 4 is the leftmost pixel. */
extern const uint8_t font[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
