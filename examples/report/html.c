#include <string.h>

#include "examples/common/crc.h"
#include "examples/report/html.h"

void html_part(FILE *out, const char *text, size_t size)
{
    for (; size > 0; size--, text++)
        switch (*text) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc((unsigned char)*text < 0x20 ? '?' : *text, out);
        }
}

void html_text(FILE *out, const char *text)
{
    html_part(out, text, strlen(text));
}

void html_count(FILE *out, size_t count)
{
    if (count >= 1000) {
        html_count(out, count / 1000);
        fprintf(out, ",%03zu", count % 1000);
    } else
        fprintf(out, "%zu", count);
}

void html_percent(FILE *out, double share, int digits)
{
    char text[40], zero[40];
    snprintf(text, sizeof(text), "%.*f", digits, 100 * share);
    snprintf(zero, sizeof(zero), "%.*f", digits, 0.0);
    double least = 1;
    for (int i = 0; i < digits; i++)
        least /= 10;
    if (share > 0 && strcmp(text, zero) == 0)
        fprintf(out, "&lt; %.*f%%", digits, least);
    else if (share < 1 && strncmp(text, "100", 3) == 0)
        fprintf(out, "&gt; %.*f%%", digits, 100 - least);
    else
        fprintf(out, "%s%%", text);
}

void html_duration(FILE *out, double seconds)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (seconds < 59.95)
        fprintf(out, "%.1f s", seconds);
    else if (whole < 3600)
        fprintf(out, "%lu min %lu s", whole / 60, whole % 60);
    else
        fprintf(out, "%lu h %lu min", whole / 3600, whole / 60 % 60);
}

/* Bytes that are being written in base 64, three at a time. */
typedef struct encoder {
    FILE *out;
    unsigned char waiting[3];
    size_t count;
    /* Checksum of a chunk so far. */
    uint32_t crc;
} encoder;

static void flush(encoder *e)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0;
    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < e->count ? e->waiting[i] : 0U);
    for (size_t i = 0; i < 4 && e->count > 0; i++)
        putc(i <= e->count ? digits[bits >> (18 - 6 * i) & 63] : '=', e->out);
    e->count = 0;
}

static void put(encoder *e, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        e->waiting[e->count++] = bytes[i];
        if (e->count == 3)
            flush(e);
    }
}

/* Bytes that the checksum of a chunk counts. */
static void put_summed(encoder *e, const void *data, size_t size)
{
    e->crc = crc_add(crc_of_png, e->crc, data, size);
    put(e, data, size);
}

static void put_number(encoder *e, size_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24),
                                   (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    put(e, bytes, sizeof(bytes));
}

/* A chunk of a PNG file begins and ends; between them its checksum grows. */
static void begin_chunk(encoder *e, const char *name, size_t size)
{
    put_number(e, size);
    e->crc = 0;
    put_summed(e, name, 4);
}

static void end_chunk(encoder *e)
{
    put_number(e, e->crc);
}

/* The rows in a zlib stream of stored blocks. Each row begins with its filter, 0 for
 * none. The stream ends with a checksum of two sums. */
static void put_rows(encoder *e, const uint8_t *pixels, size_t rows, size_t cols)
{
    static const unsigned char head[] = {0x78, 0x01}, filter[] = {0};
    uint32_t one = 1, other = 0;
    put_summed(e, head, sizeof(head));
    for (size_t i = 0; i < rows; i++) {
        size_t count = cols + 1;
        const unsigned char block[] = {
            i == rows - 1, (unsigned char)count, (unsigned char)(count >> 8),
            (unsigned char)~count, (unsigned char)(~count >> 8)};
        put_summed(e, block, sizeof(block));
        put_summed(e, filter, sizeof(filter));
        put_summed(e, pixels + i * cols, cols);
        other = (other + one) % 65521;
        for (size_t k = 0; k < cols; k++) {
            one = (one + pixels[i * cols + k]) % 65521;
            other = (other + one) % 65521;
        }
    }
    const uint32_t sums = other << 16 | one;
    const unsigned char end[] = {(unsigned char)(sums >> 24),
                                 (unsigned char)(sums >> 16),
                                 (unsigned char)(sums >> 8), (unsigned char)sums};
    put_summed(e, end, sizeof(end));
}

void html_picture(FILE *out, const uint8_t *pixels, size_t rows, size_t cols)
{
    enum { STREAM = 6, BLOCK = 6 };
    encoder e = {.out = out};
    unsigned char header[13] = {0};
    for (size_t i = 0; i < 4; i++) {
        header[i] = (unsigned char)(cols >> (24 - 8 * i));
        header[4 + i] = (unsigned char)(rows >> (24 - 8 * i));
    }
    header[8] = 8;
    fputs("data:image/png;base64,", out);
    put(&e, "\x89PNG\r\n\x1a\n", 8);
    begin_chunk(&e, "IHDR", sizeof(header));
    put_summed(&e, header, sizeof(header));
    end_chunk(&e);
    begin_chunk(&e, "IDAT", STREAM + rows * (BLOCK + cols));
    put_rows(&e, pixels, rows, cols);
    end_chunk(&e);
    begin_chunk(&e, "IEND", 0);
    end_chunk(&e);
    flush(&e);
}
