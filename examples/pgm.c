#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/pgm.h"

/* The rest of the input, and the buffer for an error message. */
typedef struct cursor {
    const uint8_t *at, *end;
    char *why;
    size_t why_size;
} cursor;

__attribute__((format(printf, 2, 3))) static bool refuse(const cursor *input,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(input->why, input->why_size, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Skips white space, and comments from # to the end of the line. */
static void skip_blanks(cursor *input)
{
    bool comment = false;
    for (; input->at < input->end; input->at++) {
        if (*input->at == '#')
            comment = true;
        else if (*input->at == '\n' || *input->at == '\r')
            comment = false;
        if (!comment && !is_blank(*input->at))
            return;
    }
}

/* Reads a number from low to high that is followed by white space or the end of the
 * file. */
static bool read_number(cursor *input, const char *what, unsigned low, unsigned high,
                        unsigned *number)
{
    skip_blanks(input);
    if (input->at == input->end)
        return refuse(input, "ends before the %s", what);
    const uint8_t *start = input->at;
    unsigned value = 0;
    while (input->at < input->end && *input->at >= '0' && *input->at <= '9' &&
           value <= high)
        value = 10 * value + *input->at++ - '0';
    bool digits = input->at > start && value <= high;
    if (digits && input->at < input->end)
        digits = is_blank(*input->at) || *input->at == '#';
    if (!digits && value <= high)
        return refuse(input, "%s has the byte 0x%02x, expected a number from %u to %u",
                      what, *input->at, low, high);
    if (value < low || value > high)
        return refuse(input, "%s is %s%u, expected %u to %u", what,
                      value > high ? "at least " : "", value, low, high);
    *number = value;
    return true;
}

static uint8_t scaled(unsigned value, unsigned maximum)
{
    return (uint8_t)((value * 255 + maximum / 2) / maximum);
}

static bool read_text(cursor *input, pgm *picture, unsigned maximum)
{
    for (size_t i = 0; i < picture->rows * picture->cols; i++) {
        unsigned value;
        if (!read_number(input, "pixel", 0, maximum, &value))
            return false;
        picture->pixels[i] = scaled(value, maximum);
    }
    return true;
}

static bool read_bytes(cursor *input, pgm *picture, unsigned maximum)
{
    for (size_t i = 0; i < picture->rows * picture->cols; i++) {
        unsigned value = *input->at++;
        if (maximum > 255)
            value = value << 8 | *input->at++;
        if (value > maximum)
            return refuse(input, "pixel is %u, expected 0 to %u", value, maximum);
        picture->pixels[i] = scaled(value, maximum);
    }
    return true;
}

/* Whether the file is long enough for its pixels; checked before memory is allocated.
 */
static bool has_pixels(const cursor *input, const pgm *picture, bool text,
                       unsigned maximum)
{
    size_t pixels = picture->rows * picture->cols;
    size_t found = (size_t)(input->end - input->at);
    size_t least = text || maximum > 255 ? 2 * pixels : pixels;
    /* A text pixel needs a digit and a blank; the last one needs no blank. */
    if (found + (text ? 1 : 0) >= least)
        return true;
    return refuse(input, "has %zu bytes of pixels, expected %s%zu for %zu by %zu",
                  found, text ? "at least " : "", least - (text ? 1 : 0), picture->rows,
                  picture->cols);
}

static bool read_header(cursor *input, pgm *picture, bool *text, unsigned *maximum)
{
    unsigned rows, cols;
    if (input->end - input->at < 2 || input->at[0] != 'P' ||
        (input->at[1] != '2' && input->at[1] != '5'))
        return refuse(input,
                      "is not a PGM picture, expected it to begin with P2 or P5");
    *text = input->at[1] == '2';
    input->at += 2;
    if (!read_number(input, "width", 1, PGM_LARGEST, &cols) ||
        !read_number(input, "height", 1, PGM_LARGEST, &rows) ||
        !read_number(input, "maximum", 1, 65535, maximum))
        return false;
    /* Exactly one blank ends the header, since the first pixel may look like another.
     */
    input->at += input->at < input->end;
    picture->rows = rows;
    picture->cols = cols;
    return has_pixels(input, picture, *text, *maximum);
}

bool pgm_read(pgm *picture, const uint8_t *bytes, size_t size, char *why,
              size_t why_size)
{
    cursor input = {bytes, bytes + size, why, why_size};
    bool text = false;
    unsigned maximum = 0;
    *picture = (pgm){0};
    if (!read_header(&input, picture, &text, &maximum))
        return false;
    picture->pixels = malloc(picture->rows * picture->cols);
    bool done = picture->pixels ? (text ? read_text(&input, picture, maximum)
                                        : read_bytes(&input, picture, maximum))
                                : refuse(&input, "no memory for %zu by %zu pixels",
                                         picture->rows, picture->cols);
    if (done) {
        skip_blanks(&input);
        if (input.at < input.end)
            done = refuse(&input, "has %zu bytes after the last pixel, expected none",
                          (size_t)(input.end - input.at));
    }
    if (!done) {
        free(picture->pixels);
        picture->pixels = NULL;
    }
    return done;
}
