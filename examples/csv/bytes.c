#include <stdlib.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/scan.h"

/* Code points of the bytes 0x80 to 0x9f in Windows-1252; 0 where there is none. */
static const unsigned windows[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
    0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

/* Formats that are not text, by their first bytes, and what to do with them. */
static const struct {
    const char *bytes;
    size_t size;
    const char *what;
} formats[] = {
    {"PK\3\4", 4, "a ZIP archive or an Excel workbook, expected text: save it as CSV"},
    {"\xd0\xcf\x11\xe0", 4, "an old Excel workbook, expected text: save it as CSV"},
    {"\x1f\x8b", 2, "compressed with gzip, expected text: run gunzip on it first"},
    {"(\xb5/\xfd", 4, "compressed with zstd, expected text: run unzstd on it first"},
    {"\xfd"
     "7zXZ",
     5, "compressed with xz, expected text: run unxz on it first"},
    {"BZh", 3, "compressed with bzip2, expected text: run bunzip2 on it first"},
    {"PAR1", 4, "a Parquet file, expected text: convert it to CSV"},
    {"SQLite format 3", 15, "an SQLite database, expected text: export a table as CSV"},
    {"%PDF-", 5, "a PDF document, expected text"},
    {"\xff\xfe\0\0", 4,
     "UTF-32, expected UTF-8: run iconv -f UTF-32 -t UTF-8 on it first"},
    {"\0\0\xfe\xff", 4,
     "UTF-32, expected UTF-8: run iconv -f UTF-32 -t UTF-8 on it first"},
    {"\xff\xfe", 2, "UTF-16, expected UTF-8: run iconv -f UTF-16 -t UTF-8 on it first"},
    {"\xfe\xff", 2, "UTF-16, expected UTF-8: run iconv -f UTF-16 -t UTF-8 on it first"},
};

/* Whether most of the first bytes at even or odd places are 0, as in UTF-16 without a
 * mark at the beginning. Writes the order of its bytes. */
static bool is_utf16(const unsigned char *bytes, size_t size, const char **order)
{
    enum { PART = 1024 };
    size_t pairs = (size < PART ? size : PART) / 2, zeros[2] = {0};
    for (size_t i = 0; i < 2 * pairs; i++)
        zeros[i % 2] += bytes[i] == 0;
    *order = zeros[1] > zeros[0] ? "LE" : "BE";
    size_t most = zeros[1] > zeros[0] ? zeros[1] : zeros[0];
    size_t least = zeros[1] > zeros[0] ? zeros[0] : zeros[1];
    return pairs > 1 && 4 * most > 3 * pairs && 4 * least < pairs;
}

/* Length of the character in UTF-8 at the beginning; 0 if it is not valid. */
static size_t character(const unsigned char *at, size_t left)
{
    static const unsigned lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0x80   ? 1
                    : *at < 0xc2 ? 0
                    : *at < 0xe0 ? 2
                    : *at < 0xf0 ? 3
                                 : 4;
    if (length == 0 || length > left || *at > 0xf4)
        return 0;
    unsigned code = length == 1 ? *at : *at & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    bool valid = code >= lowest[length] && code <= 0x10ffff;
    return valid && !(code >= 0xd800 && code < 0xe000) ? length : 0;
}

static bool is_utf8(const unsigned char *at, const unsigned char *end)
{
    for (size_t length; at < end; at += length)
        if ((length = character(at, (size_t)(end - at))) == 0)
            return false;
    return true;
}

static unsigned char *put_code(unsigned char *out, unsigned code)
{
    if (code >= 0x800) {
        *out++ = (unsigned char)(0xe0 | code >> 12);
        *out++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *out++ = (unsigned char)(0xc0 | code >> 6);
    }
    *out++ = (unsigned char)(0x80 | (code & 0x3f));
    return out;
}

/* Converts from Windows-1252; a character takes at most three bytes. */
static bool convert(const csv_scan *start, unsigned char **converted, size_t *size)
{
    unsigned char *out = malloc(3 * (size_t)(start->end - start->at) + 1);
    *converted = out;
    if (!out)
        return csv_fail(start, 1, "no memory");
    for (const unsigned char *at = start->at; at < start->end; at++) {
        if (*at < 0x80)
            *out++ = *at;
        else
            out = put_code(out, *at < 0xa0 && windows[*at - 0x80] ? windows[*at - 0x80]
                                                                  : *at);
    }
    *size = (size_t)(out - *converted);
    return true;
}

bool csv_check_bytes(const csv_scan *start, unsigned char **converted,
                     size_t *converted_size)
{
    const unsigned char *bytes = start->at;
    size_t size = (size_t)(start->end - bytes), line = 1;
    const char *order;
    *converted = NULL;
    if (size > CSV_MOST_BYTES)
        return csv_fail(start, 1, "the text has %zu bytes, expected at most %d", size,
                        CSV_MOST_BYTES);
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (size >= formats[i].size &&
            memcmp(bytes, formats[i].bytes, formats[i].size) == 0)
            return csv_fail(start, 1, "is %s", formats[i].what);
    if (is_utf16(bytes, size, &order))
        return csv_fail(start, 1,
                        "is UTF-16, expected UTF-8: run iconv -f UTF-16%s -t UTF-8 on "
                        "it first",
                        order);
    const unsigned char *zero = size ? memchr(bytes, 0, size) : NULL;
    for (const unsigned char *at = bytes; zero && at < zero; at++)
        line += *at == '\n' || (*at == '\r' && at[1] != '\n');
    if (zero)
        return csv_fail(start, line, "contains a byte 0, expected text");
    return is_utf8(bytes, start->end) || convert(start, converted, converted_size);
}
