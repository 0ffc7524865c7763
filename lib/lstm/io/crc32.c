/*
 * CRC-32 of the reversed polynomial edb88320. Small data is processed four bits at a
 * time with a table of 16 entries, large data eight bytes at a time with tables that
 * each call computes ("slicing by 8", Kounavis and Berry 2005).
 */
#include "lib/lstm/io/crc32.h"

enum {
    /** Number of bytes of a slice, and of tables. */
    SLICE = 8,
    /** From this size on the tables save more time than their computation takes. */
    LARGE = 8192
};

static uint32_t add_small(uint32_t crc, const unsigned char *data, size_t size)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return crc;
}

/* tables[k][b]: the checksum of byte b followed by k zero bytes. */
static void make_tables(uint32_t tables[SLICE][256])
{
    for (uint32_t b = 0; b < 256; b++) {
        unsigned char byte = (unsigned char)b;
        tables[0][b] = add_small(0, &byte, 1);
    }
    for (size_t k = 1; k < SLICE; k++)
        for (size_t b = 0; b < 256; b++)
            tables[k][b] = tables[0][tables[k - 1][b] & 255] ^ tables[k - 1][b] >> 8;
}

static uint32_t add_large(uint32_t crc, const unsigned char *data, size_t slices)
{
    uint32_t t[SLICE][256];
    make_tables(t);
    for (const unsigned char *d = data; slices > 0; d += SLICE, slices--)
        crc = t[7][(crc ^ d[0]) & 255] ^ t[6][(crc >> 8 ^ d[1]) & 255] ^
              t[5][(crc >> 16 ^ d[2]) & 255] ^ t[4][crc >> 24 ^ d[3]] ^ t[3][d[4]] ^
              t[2][d[5]] ^ t[1][d[6]] ^ t[0][d[7]];
    return crc;
}

uint32_t lstm_crc32(uint32_t crc, const void *data, size_t size)
{
    size_t slices = size < LARGE ? 0 : size / SLICE;
    crc = ~crc;
    if (slices > 0)
        crc = add_large(crc, data, slices);
    size_t done = slices * SLICE;
    return ~add_small(crc, (const unsigned char *)data + done, size - done);
}
