/**
 * @file
 * CRC-32 of ISO 3309, as zlib, gzip and PNG have it.
 */
#ifndef LSTM_IO_CRC32_H
#define LSTM_IO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/** Continues a checksum, which begins as 0, with the next bytes. */
uint32_t lstm_crc32(uint32_t crc, const void *data, size_t size);

#endif
