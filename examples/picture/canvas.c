#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/picture/canvas.h"

bool canvas_refuse(canvas *c, const char *format, ...)
{
    va_list arguments;
    size_t length = 0;
    if (c->format)
        length = (size_t)snprintf(c->why, c->why_size, "%s picture: ", c->format);
    va_start(arguments, format);
    if (length < c->why_size)
        vsnprintf(c->why + length, c->why_size - length, format, arguments);
    va_end(arguments);
    return false;
}

bool canvas_check(canvas *c, uint64_t rows, uint64_t cols)
{
    if (rows == 0 || cols == 0)
        return canvas_refuse(c, "has %llu rows and %llu columns, expected at least 1",
                             (unsigned long long)rows, (unsigned long long)cols);
    if (rows > PICTURE_LARGEST_SIDE || cols > PICTURE_LARGEST_SIDE)
        return canvas_refuse(c, "has %llu rows and %llu columns, the limit is %d",
                             (unsigned long long)rows, (unsigned long long)cols,
                             PICTURE_LARGEST_SIDE);
    if (rows * cols > PICTURE_MOST_PIXELS)
        return canvas_refuse(c, "has %llu by %llu pixels, the limit is %d",
                             (unsigned long long)rows, (unsigned long long)cols,
                             PICTURE_MOST_PIXELS);
    return true;
}

bool canvas_create(canvas *c, uint64_t rows, uint64_t cols, bool transparent)
{
    if (!canvas_check(c, rows, cols))
        return false;
    size_t pixels = (size_t)(rows * cols);
    c->grey = (picture){.pixels = malloc(pixels), .rows = rows, .cols = cols};
    c->alpha = transparent ? malloc(pixels) : NULL;
    if (c->grey.pixels && (c->alpha || !transparent))
        return true;
    return canvas_refuse(c, "no memory for %zu by %zu pixels", c->grey.rows,
                         c->grey.cols);
}

void canvas_put_row(canvas *c, size_t row, const uint8_t *samples, unsigned channels)
{
    size_t cols = c->grey.cols;
    uint8_t *grey = c->grey.pixels + row * cols;
    for (size_t col = 0; col < cols; col++) {
        const uint8_t *from = samples + col * channels;
        grey[col] = channels < 3 ? from[0] : canvas_luma(from[0], from[1], from[2]);
    }
    if (c->alpha)
        for (size_t col = 0; col < cols; col++)
            c->alpha[row * cols + col] = samples[(col + 1) * channels - 1];
}

static uint8_t blended(unsigned ink, unsigned alpha, unsigned paper)
{
    return (uint8_t)((ink * alpha + paper * (255 - alpha) + 127) / 255);
}

/* Whether the drawing would hardly show on white: a quarter of the picture is
 * transparent, and less than a hundredth of the rest is darker than middle grey. */
static bool vanishes_on_white(const canvas *c)
{
    enum { HALF = 128, TRANSPARENT_PART = 4, DARK_PART = 100 };
    size_t pixels = c->grey.rows * c->grey.cols, visible = 0, dark = 0;
    for (size_t i = 0; i < pixels; i++) {
        visible += c->alpha[i] >= HALF;
        dark += blended(c->grey.pixels[i], c->alpha[i], 255) < HALF;
    }
    return (pixels - visible) * TRANSPARENT_PART >= pixels &&
           dark * DARK_PART < visible;
}

static void blend(canvas *c)
{
    unsigned paper = vanishes_on_white(c) ? 0 : 255;
    for (size_t i = 0; i < c->grey.rows * c->grey.cols; i++)
        c->grey.pixels[i] = blended(c->grey.pixels[i], c->alpha[i], paper);
}

/* Turns the picture as its orientation says. The result's pixel [row, col] is pixel
 * [i, k] of the picture, or [k, i] for orientations that swap the axes. */
static bool turn(canvas *c)
{
    unsigned o = c->orientation;
    bool swap = o >= 5, last_row = o == 3 || o == 4 || o == 6 || o == 7;
    bool last_col = o == 2 || o == 3 || o == 7 || o == 8;
    picture from = c->grey, to = from;
    if (swap)
        to = (picture){.rows = from.cols, .cols = from.rows};
    to.pixels = malloc(to.rows * to.cols);
    if (!to.pixels)
        return canvas_refuse(c, "no memory to turn %zu by %zu pixels", to.rows,
                             to.cols);
    for (size_t row = 0; row < to.rows; row++)
        for (size_t col = 0; col < to.cols; col++) {
            size_t i = swap ? col : row, k = swap ? row : col;
            i = last_row ? from.rows - 1 - i : i;
            k = last_col ? from.cols - 1 - k : k;
            to.pixels[row * to.cols + col] = from.pixels[i * from.cols + k];
        }
    free(from.pixels);
    c->grey = to;
    return true;
}

bool canvas_finish(canvas *c, picture *out)
{
    if (c->alpha)
        blend(c);
    if (c->orientation > 1 && !turn(c))
        return false;
    *out = c->grey;
    c->grey.pixels = NULL;
    return true;
}

void canvas_free(canvas *c)
{
    free(c->grey.pixels);
    free(c->alpha);
    c->grey.pixels = c->alpha = NULL;
}
