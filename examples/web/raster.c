#include "examples/web/raster.h"

#include <math.h>
#include <stddef.h>

/* Distance of a point from a line from [0, 0] to [dx, dy]. */
static float distance(float x, float y, float dx, float dy)
{
    float square = dx * dx + dy * dy;
    float along = square > 0 ? (x * dx + y * dy) / square : 0;
    along = along < 0 ? 0 : along > 1 ? 1 : along;
    x -= along * dx;
    y -= along * dy;
    return sqrtf(x * x + y * y);
}

/* The pixel at a position, within the raster; the first for NaN. */
static int clamp(float position)
{
    if (position >= RASTER_SIDE)
        return RASTER_SIDE - 1;
    return position > 0 ? (int)position : 0;
}

void raster_line(raster *to, float x0, float y0, float x1, float y1, float width)
{
    /* A pixel that the edge of the line crosses is partly covered. */
    float radius = width / 2, reach = radius + 1;
    int top = clamp((y0 < y1 ? y0 : y1) - reach);
    int bottom = clamp((y0 < y1 ? y1 : y0) + reach);
    int left = clamp((x0 < x1 ? x0 : x1) - reach);
    int right = clamp((x0 < x1 ? x1 : x0) + reach);
    for (int row = top; row <= bottom; row++)
        for (int col = left; col <= right; col++) {
            float far = distance((float)col + 0.5f - x0, (float)row + 0.5f - y0,
                                 x1 - x0, y1 - y0);
            float covered = radius + 0.5f - far;
            covered = covered < 0 ? 0 : covered > 1 ? 1 : covered;
            uint8_t ink = (uint8_t)(covered * 255 + 0.5f);
            if (ink > to->ink[row][col])
                to->ink[row][col] = ink;
        }
}

void raster_grey(const raster *from, bool inverted, uint8_t *pixels)
{
    const uint8_t *ink = from->ink[0];
    for (size_t i = 0; i < RASTER_PIXELS; i++)
        pixels[i] = inverted ? ink[i] : (uint8_t)(255 - ink[i]);
}
