/**
 * @file
 * Checksums of small files: cyclic redundancy checks of 32 bits, bit by bit.
 */
#ifndef EXAMPLES_COMMON_CRC_H
#define EXAMPLES_COMMON_CRC_H

#include <stddef.h>
#include <stdint.h>

/** Polynomials with the lowest power first: that of PNG, and Castagnoli's. */
static const uint32_t crc_of_png = 0xedb88320, crc_of_castagnoli = 0x82f63b78;

/** Goes on with more bytes; begins with 0. */
static inline uint32_t crc_add(uint32_t polynomial, uint32_t crc, const void *data,
                               size_t size)
{
    const unsigned char *bytes = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
    }
    return ~crc;
}

#endif
