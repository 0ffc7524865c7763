/*
 * PNG with libpng: all kinds of pixels, interlaced or not.
 *
 * libpng ends a failed call with longjmp(). Everything that is freed afterwards is in a
 * job, which belongs to the caller of the function with setjmp().
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "examples/picture/canvas.h"

/* deflate makes at most this number of bytes from one. */
enum { DEFLATE_MOST = 1032 };

typedef struct job {
    canvas *to;
    content rest;
    png_structp png;
    png_infop info;
    /* A row, or all rows of an interlaced picture, and their addresses. */
    png_bytep samples;
    png_bytep *rows;
    size_t row_bytes;
    unsigned channels;
} job;

_Noreturn static void fail(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);
    canvas_refuse(j->to, "%s", text);
    png_longjmp(png, 1);
}

/* Warnings begin with the name of a chunk, in lower case if it is not essential; but no
 * chunk may be longer than the file. Other warnings say that something is wrong with
 * the pixels, except for surplus ones. */
static void warn(png_structp png, png_const_charp text)
{
    bool essential = !islower((unsigned char)text[0]) || strncmp(text + 4, ": ", 2) ||
                     strstr(text, "chunk data is too large");
    if (essential && !strstr(text, "Extra compressed data") &&
        !strstr(text, "Too much image data"))
        fail(png, text);
}

static void read_bytes(png_structp png, png_bytep to, size_t count)
{
    job *j = png_get_io_ptr(png);
    if (count > j->rest.size)
        fail(png, "is truncated");
    memcpy(to, j->rest.bytes, count);
    j->rest.bytes += count;
    j->rest.size -= count;
}

/* Whether the compressed data can have all pixels. */
static bool can_have_pixels(job *j, uint64_t rows, uint64_t cols)
{
    unsigned bits =
        png_get_channels(j->png, j->info) * png_get_bit_depth(j->png, j->info);
    uint64_t bytes = rows * ((cols * bits + 7) / 8);
    return bytes / DEFLATE_MOST <= j->rest.size ||
           canvas_refuse(j->to,
                         "is truncated: has %zu bytes, too few for %llu by %llu "
                         "pixels",
                         j->rest.size, (unsigned long long)rows,
                         (unsigned long long)cols);
}

/* Allocates the canvas and the samples. */
static bool allocate(job *j, bool interlaced)
{
    size_t rows = png_get_image_height(j->png, j->info);
    j->channels = png_get_channels(j->png, j->info);
    j->row_bytes = png_get_rowbytes(j->png, j->info);
    if (!canvas_create(j->to, rows, png_get_image_width(j->png, j->info),
                       j->channels % 2 == 0))
        return false;
    j->samples = malloc(j->row_bytes * (interlaced ? rows : 1));
    j->rows = interlaced ? malloc(rows * sizeof(*j->rows)) : NULL;
    if (!j->samples || (interlaced && !j->rows))
        return canvas_refuse(j->to, "no memory for its samples");
    for (size_t i = 0; interlaced && i < rows; i++)
        j->rows[i] = j->samples + i * j->row_bytes;
    return true;
}

static void read_rows(job *j)
{
    size_t rows = j->to->grey.rows;
    if (j->rows)
        png_read_image(j->png, j->rows);
    for (size_t i = 0; i < rows; i++) {
        if (!j->rows)
            png_read_row(j->png, j->samples, NULL);
        canvas_put_row(j->to, i, j->rows ? j->rows[i] : j->samples, j->channels);
    }
    png_read_end(j->png, j->info);
}

static void read_orientation(job *j)
{
    png_bytep exif;
    png_uint_32 size;
    if (png_get_eXIf_1(j->png, j->info, &size, &exif))
        j->to->orientation = canvas_exif_orientation((content){exif, size});
}

static bool read_png(job *j)
{
    if (setjmp(png_jmpbuf(j->png)))
        return false;
    png_set_read_fn(j->png, j, read_bytes);
    /* Wrong checksums are errors in all chunks, also in those that are not parsed. */
    png_set_crc_action(j->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(j->png, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                (png_const_bytep) "eXIf", 1);
    png_set_user_limits(j->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    /* libpng allocates a chunk before it reads it: none is longer than the file. */
    png_set_chunk_malloc_max(j->png, j->rest.size);
    png_read_info(j->png, j->info);
    png_uint_32 rows = png_get_image_height(j->png, j->info);
    png_uint_32 cols = png_get_image_width(j->png, j->info);
    if (!canvas_check(j->to, rows, cols) || !can_have_pixels(j, rows, cols))
        return false;
    /* 8 bits of grey or RGB, with alpha where the file has transparency. */
    png_set_expand(j->png);
    png_set_scale_16(j->png);
    bool interlaced = png_set_interlace_handling(j->png) > 1;
    png_read_update_info(j->png, j->info);
    if (!allocate(j, interlaced))
        return false;
    read_rows(j);
    read_orientation(j);
    return true;
}

bool canvas_read_png(canvas *c, content file)
{
    job j = {.to = c, .rest = file};
    j.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &j, fail, warn);
    j.info = j.png ? png_create_info_struct(j.png) : NULL;
    bool done = j.info ? read_png(&j) : canvas_refuse(c, "no memory for libpng");
    png_destroy_read_struct(&j.png, &j.info, NULL);
    free(j.samples);
    free(j.rows);
    return done;
}
