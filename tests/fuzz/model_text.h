/**
 * @file
 * Writes safetensors files in memory, for harnesses of what is inside them.
 */
#ifndef TESTS_FUZZ_MODEL_TEXT_H
#define TESTS_FUZZ_MODEL_TEXT_H

#include "lib/lstm/io/json.h"
#include "tests/fuzz/fuzz.h"

enum { FUZZ_VALUES = 256 };

/** Adds an F32 tensor of one axis, or of two if columns is not 0, to a header that has
 *  other members already; bytes is the size of all tensors. */
static inline void fuzz_add_tensor(lstm_text *header, const char *prefix,
                                   const char *name, size_t rows, size_t columns,
                                   size_t *bytes)
{
    size_t size = rows * (columns ? columns : 1) * sizeof(float);
    lstm_text_add(header, ",\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%zu", prefix, name,
                  rows);
    if (columns)
        lstm_text_add(header, ",%zu", columns);
    lstm_text_add(header, "],\"data_offsets\":[%zu,%zu]}", *bytes, *bytes + size);
    *bytes += size;
}

/** Writes a file of a header and its values, all of which are the same. */
static inline void fuzz_write_file(lstm_text *file, const lstm_text *header,
                                   size_t bytes, float value)
{
    float values[FUZZ_VALUES];
    const uint64_t length = header->size;
    FUZZ_CHECK(!header->failed && bytes <= sizeof(values));
    for (size_t i = 0; i < FUZZ_VALUES; i++)
        values[i] = value;
    lstm_text_bytes(file, &length, sizeof(length));
    lstm_text_bytes(file, header->data, header->size);
    lstm_text_bytes(file, values, bytes);
    FUZZ_CHECK(!file->failed);
}

#endif
