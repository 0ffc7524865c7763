/**
 * @file
 * What the readers of all formats write to: limits, luma, transparency, orientation.
 */
#ifndef EXAMPLES_PICTURE_CANVAS_H
#define EXAMPLES_PICTURE_CANVAS_H

#include "examples/picture/picture.h"

/** A picture that is being read. */
typedef struct canvas {
    /** Name of the format, which begins messages; NULL if no reader has it. */
    const char *format;
    picture grey;
    /** [rows, cols] opacity, 0 transparent to 255; NULL if all pixels are opaque. */
    uint8_t *alpha;
    /** EXIF orientation, 1 to 8. */
    unsigned orientation;
    char *why;
    size_t why_size;
} canvas;

/** Content of a file. */
typedef struct content {
    const uint8_t *bytes;
    size_t size;
} content;

/** A reader of one format; false after canvas_refuse(). */
typedef bool canvas_reader(canvas *c, content file);

canvas_reader canvas_read_bmp, canvas_read_farbfeld, canvas_read_jpeg,
    canvas_read_netpbm, canvas_read_png, canvas_read_qoi;

/** Writes why the file is refused; returns false, so that callers can return the call.
 */
__attribute__((format(printf, 2, 3))) bool canvas_refuse(canvas *c, const char *format,
                                                         ...);

/** Checks a size against the limits. */
bool canvas_check(canvas *c, uint64_t rows, uint64_t cols);

/** Checks a size and allocates its pixels. */
bool canvas_create(canvas *c, uint64_t rows, uint64_t cols, bool transparent);

/**
 * Writes a row.
 *
 * @param samples [cols, channels] with 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 channels
 *        (RGBA); alpha is used only if the canvas is transparent
 */
void canvas_put_row(canvas *c, size_t row, const uint8_t *samples, unsigned channels);

/** Blends with the background, turns, and moves the picture to out. */
bool canvas_finish(canvas *c, picture *out);

/** Frees what canvas_create() has allocated. */
void canvas_free(canvas *c);

/** Luma of a colour: the weights of Rec. 601 with 16 bits. */
static inline uint8_t canvas_luma(unsigned red, unsigned green, unsigned blue)
{
    return (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
}

/** Scales a sample from 0 to maximum, at most 65,535, to 0 to 255. */
static inline uint8_t canvas_scale(unsigned value, unsigned maximum)
{
    return (uint8_t)((value * 255 + maximum / 2) / maximum);
}

/** EXIF orientation in a TIFF header of either byte order; 1 if there is none. */
unsigned canvas_exif_orientation(content tiff);

/** Says what a file is that no reader reads; false. */
bool canvas_refuse_unknown(canvas *c, content file, const char *path);

/** Whether the file begins with these bytes. */
bool canvas_begins(content file, const char *bytes, size_t count);

#endif
