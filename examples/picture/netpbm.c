/*
 * Netpbm's formats: PBM (P1, P4), PGM (P2, P5), PPM (P3, P6) and PAM (P7). P1 to P3 are
 * text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/picture/canvas.h"

enum { LARGEST_MAXIMUM = 65535 };

/* The rest of the file, and what its header says. */
typedef struct netpbm {
    canvas *to;
    const uint8_t *at, *end;
    bool text, bits;
    size_t rows, cols;
    unsigned channels, maximum;
} netpbm;

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Skips white space, and comments from # to the end of the line. */
static void skip_blanks(netpbm *file)
{
    bool comment = false;
    for (; file->at < file->end; file->at++) {
        if (*file->at == '#')
            comment = true;
        else if (*file->at == '\n' || *file->at == '\r')
            comment = false;
        if (!comment && !is_blank(*file->at))
            return;
    }
}

/* Reads a number from low to high that is followed by white space or the end of the
 * file. */
static bool read_number(netpbm *file, const char *what, unsigned low, unsigned high,
                        unsigned *number)
{
    skip_blanks(file);
    if (file->at == file->end)
        return canvas_refuse(file->to, "ends before the %s", what);
    const uint8_t *start = file->at;
    unsigned value = 0;
    while (file->at < file->end && *file->at >= '0' && *file->at <= '9' &&
           value <= high)
        value = 10 * value + *file->at++ - '0';
    bool digits = file->at > start && value <= high;
    if (digits && file->at < file->end)
        digits = is_blank(*file->at) || *file->at == '#';
    if (!digits && value <= high)
        return canvas_refuse(file->to,
                             "%s has the byte 0x%02x, expected a number from %u to %u",
                             what, *file->at, low, high);
    if (value < low || value > high)
        return canvas_refuse(file->to, "%s is %s%u, expected %u to %u", what,
                             value > high ? "at least " : "", value, low, high);
    *number = value;
    return true;
}

static bool read_size(netpbm *file)
{
    unsigned rows, cols;
    if (!read_number(file, "width", 1, PICTURE_LARGEST_SIDE, &cols) ||
        !read_number(file, "height", 1, PICTURE_LARGEST_SIDE, &rows))
        return false;
    file->rows = rows;
    file->cols = cols;
    return true;
}

/* The header of P1 to P6, after these two bytes. */
static bool read_classic_header(netpbm *file, char kind)
{
    file->text = kind <= '3';
    file->bits = kind == '1' || kind == '4';
    file->channels = kind == '3' || kind == '6' ? 3 : 1;
    file->maximum = 1;
    if (!read_size(file) ||
        (!file->bits &&
         !read_number(file, "maximum", 1, LARGEST_MAXIMUM, &file->maximum)))
        return false;
    /* Exactly one blank ends the header, since the first pixel may look like another.
     */
    file->at += file->at < file->end;
    return true;
}

/* Whether the word begins at the cursor; skips it. */
static bool take_word(netpbm *file, const char *word)
{
    size_t length = strlen(word), left = (size_t)(file->end - file->at);
    if (left < length || memcmp(file->at, word, length) != 0 ||
        (left > length && !is_blank(file->at[length])))
        return false;
    file->at += length;
    return true;
}

static void skip_line(netpbm *file)
{
    while (file->at < file->end && *file->at++ != '\n') {
    }
}

/* Reads one line of a PAM header; *ended after ENDHDR. */
static bool read_pam_line(netpbm *file, bool *ended)
{
    unsigned value;
    skip_blanks(file);
    if (file->at == file->end)
        return canvas_refuse(file->to, "ends before ENDHDR");
    if (take_word(file, "ENDHDR")) {
        skip_line(file);
        *ended = true;
    } else if (take_word(file, "TUPLTYPE")) {
        skip_line(file);
    } else if (take_word(file, "DEPTH")) {
        return read_number(file, "DEPTH", 1, 4, &file->channels);
    } else if (take_word(file, "MAXVAL")) {
        return read_number(file, "MAXVAL", 1, LARGEST_MAXIMUM, &file->maximum);
    } else if (take_word(file, "WIDTH")) {
        if (!read_number(file, "WIDTH", 1, PICTURE_LARGEST_SIDE, &value))
            return false;
        file->cols = value;
    } else if (take_word(file, "HEIGHT")) {
        if (!read_number(file, "HEIGHT", 1, PICTURE_LARGEST_SIDE, &value))
            return false;
        file->rows = value;
    } else {
        return canvas_refuse(file->to,
                             "the header has the byte 0x%02x, expected WIDTH, HEIGHT, "
                             "DEPTH, MAXVAL, TUPLTYPE or ENDHDR",
                             *file->at);
    }
    return true;
}

/* The depth says what the channels are: grey, grey and alpha, RGB, RGB and alpha. */
static bool read_pam_header(netpbm *file)
{
    for (bool ended = false; !ended;)
        if (!read_pam_line(file, &ended))
            return false;
    if (file->rows && file->cols && file->channels && file->maximum)
        return true;
    return canvas_refuse(file->to, "the header does not have %s",
                         !file->rows       ? "HEIGHT"
                         : !file->cols     ? "WIDTH"
                         : !file->channels ? "DEPTH"
                                           : "MAXVAL");
}

/* Bytes of a row of pixels; the least number in text, where a pixel needs a digit and,
 * except for PBM, a blank. */
static size_t row_bytes(const netpbm *file)
{
    size_t samples = file->cols * file->channels;
    if (file->bits)
        return file->text ? samples : (samples + 7) / 8;
    return file->text || file->maximum > 255 ? 2 * samples : samples;
}

/* Whether the file is long enough for its pixels; checked before memory is allocated.
 */
static bool has_pixels(const netpbm *file)
{
    size_t found = (size_t)(file->end - file->at), least = row_bytes(file) * file->rows;
    /* The last pixel in text needs no blank. */
    least -= file->text && !file->bits;
    if (found >= least)
        return true;
    return canvas_refuse(
        file->to, "has %zu bytes of pixels, expected %s%zu for %zu by %zu", found,
        file->text ? "at least " : "", least, file->rows, file->cols);
}

static bool read_text(netpbm *file, uint8_t *samples)
{
    for (size_t i = 0; i < file->cols * file->channels; i++) {
        unsigned value;
        if (!read_number(file, "pixel", 0, file->maximum, &value))
            return false;
        samples[i] = canvas_scale(value, file->maximum);
    }
    return true;
}

/* Pixels 0 and 1, not always with blanks between them. */
static bool read_text_bits(netpbm *file, uint8_t *samples)
{
    for (size_t i = 0; i < file->cols; i++) {
        skip_blanks(file);
        if (file->at == file->end)
            return canvas_refuse(file->to, "ends before the last pixel");
        if (*file->at != '0' && *file->at != '1')
            return canvas_refuse(file->to, "pixel has the byte 0x%02x, expected 0 or 1",
                                 *file->at);
        samples[i] = *file->at++ == '0' ? 255 : 0;
    }
    return true;
}

static bool read_bits(netpbm *file, uint8_t *samples)
{
    for (size_t i = 0; i < file->cols; i++)
        samples[i] = file->at[i / 8] >> (7 - i % 8) & 1 ? 0 : 255;
    file->at += row_bytes(file);
    return true;
}

static bool read_bytes(netpbm *file, uint8_t *samples)
{
    for (size_t i = 0; i < file->cols * file->channels; i++) {
        unsigned value = *file->at++;
        if (file->maximum > 255)
            value = value << 8 | *file->at++;
        if (value > file->maximum)
            return canvas_refuse(file->to, "pixel is %u, expected 0 to %u", value,
                                 file->maximum);
        samples[i] = canvas_scale(value, file->maximum);
    }
    return true;
}

static bool read_rows(netpbm *file, uint8_t *samples)
{
    bool (*read)(netpbm *, uint8_t *) = file->bits
                                            ? (file->text ? read_text_bits : read_bits)
                                            : (file->text ? read_text : read_bytes);
    for (size_t row = 0; row < file->rows; row++) {
        if (!read(file, samples))
            return false;
        canvas_put_row(file->to, row, samples, file->channels);
    }
    skip_blanks(file);
    return file->at == file->end ||
           canvas_refuse(file->to, "has %zu bytes after the last pixel, expected none",
                         (size_t)(file->end - file->at));
}

bool canvas_read_netpbm(canvas *c, content all)
{
    netpbm file = {.to = c, .at = all.bytes + 2, .end = all.bytes + all.size};
    char kind = (char)all.bytes[1];
    if (!(kind == '7' ? read_pam_header(&file) : read_classic_header(&file, kind)) ||
        !has_pixels(&file) ||
        !canvas_create(c, file.rows, file.cols, file.channels % 2 == 0))
        return false;
    uint8_t *samples = malloc(file.cols * file.channels);
    bool done = samples
                    ? read_rows(&file, samples)
                    : canvas_refuse(c, "no memory for a row of %zu pixels", file.cols);
    free(samples);
    return done;
}
