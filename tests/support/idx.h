/**
 * @file
 * IDX files for tests, compressed by zlib.
 */
#ifndef TESTS_SUPPORT_IDX_H
#define TESTS_SUPPORT_IDX_H

#include <zlib.h>

#include "tests/support/folder.h"

/** The bytes of a file. */
typedef struct test_bytes {
    uint8_t *data;
    size_t size;
} test_bytes;

static inline void test_bytes_free(test_bytes *bytes)
{
    free(bytes->data);
    *bytes = (test_bytes){0};
}

static inline void test_big_endian(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/** An IDX file with rank extents and payload bytes of a fixed pattern below limit. */
static inline test_bytes test_idx(unsigned rank, const uint32_t *extents,
                                  size_t payload, unsigned limit)
{
    size_t header = 4 * (rank + 1);
    test_bytes bytes = {malloc(header + payload), header + payload};
    assert_non_null(bytes.data);
    test_big_endian(bytes.data, 0x800 | rank);
    for (unsigned i = 0; i < rank; i++)
        test_big_endian(bytes.data + 4 * (i + 1), extents[i]);
    uint32_t word = 1;
    for (size_t i = 0; i < payload; i++) {
        word = word * 1664525u + 1013904223u;
        bytes.data[header + i] = (uint8_t)((word >> 16) % limit);
    }
    return bytes;
}

static inline test_bytes test_images(uint32_t count, uint32_t rows, uint32_t cols)
{
    const uint32_t extents[] = {count, rows, cols};
    return test_idx(3, extents, (size_t)count * rows * cols, 256);
}

static inline test_bytes test_labels(uint32_t count)
{
    return test_idx(1, &count, count, 10);
}

/** Compresses bytes to a gzip file of one member. */
static inline test_bytes test_gzip(const uint8_t *data, size_t size)
{
    z_stream zlib = {0};
    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
    size_t bound = deflateBound(&zlib, size);
    test_bytes bytes = {malloc(bound), 0};
    assert_non_null(bytes.data);
    zlib.next_in = (uint8_t *)(uintptr_t)data;
    zlib.avail_in = (unsigned)size;
    zlib.next_out = bytes.data;
    zlib.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    bytes.size = zlib.total_out;
    deflateEnd(&zlib);
    return bytes;
}

#endif
