/**
 * @file
 * CRC-32 of ISO 3309, as in zlib, gzip and PNG.
 */
#ifndef LSTM_IO_CRC32_H
#define LSTM_IO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/** Adds bytes to a checksum, which starts at 0. */
uint32_t lstm_crc32(uint32_t crc, const void *data, size_t size);

#endif
