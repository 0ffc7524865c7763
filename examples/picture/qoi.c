/*
 * Two simple formats. QOI ("quite OK image"): a byte for what follows, pixels as
 * differences from the one before, as indices into the last colours, or repeated.
 * farbfeld: RGBA with 16 bits, without compression.
 */
#include <stdlib.h>

#include "examples/picture/canvas.h"

enum {
    QOI_HEADER = 14,
    QOI_END = 8,
    QOI_COLOURS = 64,
    /* Most pixels of one byte. */
    QOI_LONGEST_RUN = 62,
    QOI_RGB = 0xfe,
    QOI_RGBA = 0xff,
    FARBFELD_HEADER = 16
};

typedef struct colour {
    uint8_t r, g, b, a;
} colour;

typedef struct qoi {
    const uint8_t *at, *end;
    colour last, seen[QOI_COLOURS];
    unsigned run;
} qoi;

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Adds a difference to a sample, modulo 256. */
static void add(uint8_t *sample, int difference)
{
    *sample = (uint8_t)(*sample + difference);
}

/* Decodes what follows one tag; false at the end of the data. */
static bool decode(qoi *q)
{
    size_t left = (size_t)(q->end - q->at);
    if (left == 0)
        return false;
    unsigned tag = *q->at++, low = tag & 0x3f;
    size_t more = tag == QOI_RGB ? 3 : tag == QOI_RGBA ? 4 : tag >> 6 == 2 ? 1 : 0;
    if (left - 1 < more)
        return false;
    const uint8_t *at = q->at;
    q->at += more;
    colour *c = &q->last;
    if (tag == QOI_RGB || tag == QOI_RGBA) {
        *c = (colour){at[0], at[1], at[2], tag == QOI_RGBA ? at[3] : c->a};
    } else if (tag >> 6 == 0) {
        *c = q->seen[low];
    } else if (tag >> 6 == 1) {
        add(&c->r, (int)(low >> 4) - 2);
        add(&c->g, (int)(low >> 2 & 3) - 2);
        add(&c->b, (int)(low & 3) - 2);
    } else if (tag >> 6 == 2) {
        int green = (int)low - 32;
        add(&c->r, green + (at[0] >> 4) - 8);
        add(&c->g, green);
        add(&c->b, green + (at[0] & 15) - 8);
    } else {
        q->run = low;
    }
    q->seen[(c->r * 3u + c->g * 5u + c->b * 7u + c->a * 11u) % QOI_COLOURS] = *c;
    return true;
}

static bool decode_rows(canvas *c, qoi *q, colour *samples)
{
    for (size_t row = 0; row < c->grey.rows; row++) {
        for (size_t col = 0; col < c->grey.cols; col++) {
            if (q->run > 0)
                q->run--;
            else if (!decode(q))
                return canvas_refuse(c, "ends in row %zu, expected %zu rows", row,
                                     c->grey.rows);
            samples[col] = q->last;
        }
        canvas_put_row(c, row, &samples->r, 4);
    }
    return true;
}

bool canvas_read_qoi(canvas *c, content file)
{
    if (file.size < QOI_HEADER + QOI_END)
        return canvas_refuse(c, "has %zu bytes, expected at least %d", file.size,
                             QOI_HEADER + QOI_END);
    uint32_t cols = big_endian(file.bytes + 4), rows = big_endian(file.bytes + 8);
    unsigned channels = file.bytes[12];
    if (channels != 3 && channels != 4)
        return canvas_refuse(c, "has %u channels, expected 3 or 4", channels);
    if (!canvas_check(c, rows, cols))
        return false;
    if ((uint64_t)rows * cols > (uint64_t)file.size * QOI_LONGEST_RUN)
        return canvas_refuse(c, "has %zu bytes, too few for %u by %u pixels", file.size,
                             rows, cols);
    if (!canvas_create(c, rows, cols, channels == 4))
        return false;
    qoi q = {.at = file.bytes + QOI_HEADER,
             .end = file.bytes + file.size - QOI_END,
             .last = {.a = 255}};
    colour *samples = malloc(cols * sizeof(*samples));
    bool done = samples ? decode_rows(c, &q, samples)
                        : canvas_refuse(c, "no memory for a row of %u pixels", cols);
    free(samples);
    return done;
}

bool canvas_read_farbfeld(canvas *c, content file)
{
    if (file.size < FARBFELD_HEADER)
        return canvas_refuse(c, "has %zu bytes, expected at least %d", file.size,
                             FARBFELD_HEADER);
    uint32_t cols = big_endian(file.bytes + 8), rows = big_endian(file.bytes + 12);
    if (!canvas_check(c, rows, cols))
        return false;
    uint64_t expected = FARBFELD_HEADER + 8 * (uint64_t)rows * cols;
    if (file.size != expected)
        return canvas_refuse(c, "has %zu bytes, expected %llu for %u by %u pixels",
                             file.size, (unsigned long long)expected, rows, cols);
    if (!canvas_create(c, rows, cols, true))
        return false;
    uint8_t *samples = malloc((size_t)cols * 4);
    if (!samples)
        return canvas_refuse(c, "no memory for a row of %u pixels", cols);
    const uint8_t *at = file.bytes + FARBFELD_HEADER;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < (size_t)cols * 4; i++, at += 2)
            samples[i] = canvas_scale((unsigned)at[0] << 8 | at[1], 65535);
        canvas_put_row(c, row, samples, 4);
    }
    free(samples);
    return true;
}
