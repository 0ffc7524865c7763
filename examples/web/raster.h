/**
 * @file
 * The pixels of strokes. The page does not read the pixels that a browser draws: they
 * differ between browsers, and some give random ones to protect their users.
 */
#ifndef EXAMPLES_WEB_RASTER_H
#define EXAMPLES_WEB_RASTER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /** Rows and columns. */
    RASTER_SIDE = 280,
    RASTER_PIXELS = RASTER_SIDE * RASTER_SIDE
};

/** Ink on paper: 0 is paper, 255 is ink. */
typedef struct raster {
    uint8_t ink[RASTER_SIDE][RASTER_SIDE];
} raster;

/** Adds a line with round ends from [x0, y0] to [x1, y1]; the centre of the first pixel
 *  is at [0.5, 0.5]. What is outside is cut off. */
void raster_line(raster *to, float x0, float y0, float x1, float y1, float width);

/** Writes the grey pixels: dark ink on light paper, or the inverse. */
void raster_grey(const raster *from, bool inverted, uint8_t *pixels);

#endif
