/*
 * BMP: 1, 2, 4, 8 bits with a palette, 16, 24 and 32 bits, headers from OS/2's to
 * version 5, rows from the bottom or from the top. Rows are padded to 4 bytes.
 */
#include <stdlib.h>

#include "examples/picture/canvas.h"

enum {
    FILE_HEADER = 14,
    CORE_HEADER = 12,
    INFO_HEADER = 40,
    /* With masks for red, green and blue; with one for alpha, too. */
    RGB_HEADER = 52,
    RGBA_HEADER = 56,
    LARGEST_HEADER = 124,
    MOST_COLOURS = 256,
    RED = 0,
    GREEN,
    BLUE,
    ALPHA,
    CHANNELS
};

enum { PLAIN = 0, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS };

typedef struct bmp {
    canvas *to;
    content file;
    uint32_t header, compression, pixels_at, colours_used;
    unsigned bits;
    uint32_t rows, cols;
    bool from_top;
    uint32_t masks[CHANNELS];
    /* Palette entries, in grey. */
    uint8_t palette[MOST_COLOURS];
    unsigned colours;
    size_t row_bytes;
} bmp;

static uint32_t word(const bmp *b, size_t at)
{
    const uint8_t *from = b->file.bytes + at;
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static unsigned half(const bmp *b, size_t at)
{
    return b->file.bytes[at] | (unsigned)b->file.bytes[at + 1] << 8;
}

/* The sizes in the header; rows below 0 mean that the first row is the top. */
static bool read_sizes(bmp *b)
{
    if (b->header == CORE_HEADER) {
        b->cols = half(b, FILE_HEADER + 4);
        b->rows = half(b, FILE_HEADER + 6);
        b->bits = half(b, FILE_HEADER + 10);
    } else {
        b->cols = word(b, FILE_HEADER + 4);
        b->rows = word(b, FILE_HEADER + 8);
        b->bits = half(b, FILE_HEADER + 14);
        b->from_top = b->rows >> 31;
        if (b->from_top)
            b->rows = 0 - b->rows;
    }
    if (b->header >= INFO_HEADER) {
        b->compression = word(b, FILE_HEADER + 16);
        b->colours_used = word(b, FILE_HEADER + 32);
    }
    return canvas_check(b->to, b->rows, b->cols);
}

static bool check_kind(bmp *b)
{
    static const char *const names[] = {
        [RLE8] = "RLE8", [RLE4] = "RLE4",          [JPEG] = "JPEG",
        [PNG] = "PNG",   [ALPHA_BITFIELDS] = NULL,
    };
    bool masked = b->compression == BITFIELDS || b->compression == ALPHA_BITFIELDS;
    if (b->compression > ALPHA_BITFIELDS)
        return canvas_refuse(b->to, "compression is %u, expected 0, 3 or 6",
                             b->compression);
    if (names[b->compression])
        return canvas_refuse(b->to,
                             "is compressed with %s, expected no compression; save it "
                             "without",
                             names[b->compression]);
    if (masked && b->bits != 16 && b->bits != 32)
        return canvas_refuse(
            b->to, "has %u bits per pixel, expected 16 or 32 for masks", b->bits);
    if (b->bits != 1 && b->bits != 2 && b->bits != 4 && b->bits != 8 && b->bits != 16 &&
        b->bits != 24 && b->bits != 32)
        return canvas_refuse(
            b->to, "has %u bits per pixel, expected 1, 2, 4, 8, 16, 24 or 32", b->bits);
    return true;
}

static bool read_header(bmp *b)
{
    size_t size = b->file.size;
    if (size < FILE_HEADER + CORE_HEADER)
        return canvas_refuse(b->to, "has %zu bytes, expected at least %d", size,
                             FILE_HEADER + CORE_HEADER);
    b->pixels_at = word(b, 10);
    b->header = word(b, FILE_HEADER);
    if (b->header < CORE_HEADER || b->header > LARGEST_HEADER ||
        (b->header > CORE_HEADER && b->header < 16))
        return canvas_refuse(b->to, "the header has %u bytes, expected 12 to %d",
                             b->header, LARGEST_HEADER);
    if (size < FILE_HEADER + b->header)
        return canvas_refuse(b->to, "has %zu bytes, expected at least %u of headers",
                             size, FILE_HEADER + b->header);
    return read_sizes(b) && check_kind(b);
}

/* Masks stand in the header, or after one that has no room for them. Sets *end to the
 * first byte after both. */
static bool read_masks(bmp *b, size_t *end)
{
    static const uint32_t five[] = {0x7c00, 0x3e0, 0x1f};
    unsigned count = b->compression == BITFIELDS         ? 3
                     : b->compression == ALPHA_BITFIELDS ? 4
                                                         : 0;
    *end = FILE_HEADER + b->header;
    for (unsigned i = 0; count == 0 && i < 3; i++)
        b->masks[i] = b->bits == 16 ? five[i] : 0xff0000u >> 8 * i;
    if (count == 0)
        return true;
    if (b->header >= RGBA_HEADER)
        count = 4;
    if (b->header < RGB_HEADER) {
        *end = FILE_HEADER + INFO_HEADER + 4 * count;
        if (b->file.size < *end)
            return canvas_refuse(b->to, "ends before its masks");
    }
    for (unsigned i = 0; i < count; i++)
        b->masks[i] = word(b, FILE_HEADER + INFO_HEADER + 4 * i);
    for (unsigned i = 0; i < CHANNELS; i++) {
        uint32_t mask = b->masks[i];
        /* Without its lower zeros, a mask of neighbouring bits is 2^n - 1. */
        uint32_t ones = mask ? mask / (mask & (0 - mask)) : 0;
        if ((i < ALPHA && !mask) || (ones & (ones + 1)) ||
            (b->bits == 16 && mask > 0xffff))
            return canvas_refuse(b->to, "mask %u is 0x%x, expected neighbouring bits",
                                 i, mask);
    }
    return true;
}

static bool read_palette(bmp *b, size_t at)
{
    size_t entry = b->header == CORE_HEADER ? 3 : 4;
    size_t most = (size_t)1 << b->bits;
    size_t colours = b->colours_used ? b->colours_used : most;
    size_t end = b->pixels_at < b->file.size ? b->pixels_at : b->file.size;
    size_t room = end > at ? (end - at) / entry : 0;
    colours = colours < most ? colours : most;
    b->colours = (unsigned)(colours < room ? colours : room);
    for (size_t i = 0; i < b->colours; i++) {
        const uint8_t *from = b->file.bytes + at + i * entry;
        b->palette[i] = canvas_luma(from[2], from[1], from[0]);
    }
    return b->colours > 0 || canvas_refuse(b->to,
                                           "has no palette, expected colours "
                                           "for %u bits",
                                           b->bits);
}

/* Whether all pixels are in the file; checked before memory is allocated. */
static bool has_pixels(bmp *b, size_t headers)
{
    b->row_bytes = ((size_t)b->cols * b->bits + 31) / 32 * 4;
    if (b->pixels_at < headers || b->pixels_at > b->file.size)
        return canvas_refuse(b->to, "pixels begin at byte %u, expected %zu to %zu",
                             b->pixels_at, headers, b->file.size);
    size_t found = b->file.size - b->pixels_at;
    /* Some programs do not pad the last row. */
    size_t last = ((size_t)b->cols * b->bits + 7) / 8;
    size_t expected = b->row_bytes * (b->rows - 1) + last;
    return found >= expected ||
           canvas_refuse(b->to, "has %zu bytes of pixels, expected %zu for %u by %u",
                         found, expected, b->rows, b->cols);
}

/* Writes a row of palette indices as grey samples. */
static bool read_indices(bmp *b, const uint8_t *from, uint8_t *samples)
{
    for (size_t col = 0; col < b->cols; col++) {
        size_t bit = col * b->bits;
        unsigned index = from[bit / 8] >> (8 - b->bits - bit % 8);
        index &= (1u << b->bits) - 1;
        if (index >= b->colours)
            return canvas_refuse(b->to, "pixel has colour %u, the palette has %u",
                                 index, b->colours);
        samples[col] = b->palette[index];
    }
    return true;
}

/* The part of a pixel that a mask selects, from 0 to 255; opaque without mask. */
static uint8_t masked(uint32_t pixel, uint32_t mask)
{
    if (!mask)
        return 255;
    uint32_t low = mask & (0 - mask);
    uint64_t value = (pixel & mask) / low, most = mask / low;
    return (uint8_t)((value * 255 + most / 2) / most);
}

/* Writes a row as RGBA samples. */
static void read_colours(const bmp *b, const uint8_t *from, uint8_t *samples)
{
    for (size_t col = 0; col < b->cols; col++) {
        uint32_t pixel = 0;
        for (unsigned i = 0; i < b->bits / 8; i++)
            pixel |= (uint32_t)*from++ << 8 * i;
        for (unsigned i = 0; i < CHANNELS; i++)
            samples[4 * col + i] = masked(pixel, b->masks[i]);
    }
}

/* Programs that do not know alpha write 0 into every pixel: such a picture is opaque.
 */
static void forget_empty_alpha(canvas *c)
{
    if (!c->alpha)
        return;
    for (size_t i = 0; i < c->grey.rows * c->grey.cols; i++)
        if (c->alpha[i])
            return;
    free(c->alpha);
    c->alpha = NULL;
}

static bool read_rows(bmp *b, uint8_t *samples)
{
    for (size_t i = 0; i < b->rows; i++) {
        const uint8_t *from = b->file.bytes + b->pixels_at + i * b->row_bytes;
        if (b->bits > 8)
            read_colours(b, from, samples);
        else if (!read_indices(b, from, samples))
            return false;
        canvas_put_row(b->to, b->from_top ? i : b->rows - 1 - i, samples,
                       b->bits > 8 ? 4 : 1);
    }
    forget_empty_alpha(b->to);
    return true;
}

bool canvas_read_bmp(canvas *c, content file)
{
    bmp b = {.to = c, .file = file};
    size_t end;
    if (!read_header(&b) || !read_masks(&b, &end) ||
        (b.bits <= 8 && !read_palette(&b, end)) || !has_pixels(&b, end) ||
        !canvas_create(c, b.rows, b.cols, b.masks[ALPHA] != 0))
        return false;
    uint8_t *samples = malloc((size_t)b.cols * CHANNELS);
    bool done = samples ? read_rows(&b, samples)
                        : canvas_refuse(c, "no memory for a row of %u pixels", b.cols);
    free(samples);
    return done;
}
