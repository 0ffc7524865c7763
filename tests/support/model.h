/**
 * @file
 * Builds safetensors files in memory, as other programs write them.
 */
#ifndef TESTS_SUPPORT_MODEL_H
#define TESTS_SUPPORT_MODEL_H

#include "tests/support/folder.h"

enum { TEST_MODEL_SIZE = 1 << 16 };

/** A file under construction: header and values. */
typedef struct test_model {
    char header[TEST_MODEL_SIZE / 2];
    unsigned char data[TEST_MODEL_SIZE / 2];
    size_t length, size;
    /** The complete file, after test_model_finish(). */
    unsigned char bytes[TEST_MODEL_SIZE + 8];
    size_t count;
} test_model;

/** Appends to the header. */
static inline void test_model_text(test_model *m, const char *text)
{
    size_t size = strlen(text);
    assert_true(m->length + size < sizeof(m->header));
    memcpy(m->header + m->length, text, size + 1);
    m->length += size;
}

/** Adds a tensor whose bytes are given; NULL for zeros. */
static inline void test_model_bytes(test_model *m, const char *name, const char *dtype,
                                    const char *shape, const void *bytes, size_t size)
{
    char text[512];
    snprintf(text, sizeof(text),
             "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
             m->length ? "," : "{", name, dtype, shape, m->size, m->size + size);
    test_model_text(m, text);
    assert_true(m->size + size <= sizeof(m->data));
    if (bytes)
        memcpy(m->data + m->size, bytes, size);
    m->size += size;
}

/** Adds a float32 matrix, or a vector when columns is 0, of values near value. */
static inline void test_model_matrix(test_model *m, const char *name, size_t rows,
                                     size_t columns, float value)
{
    static float values[TEST_MODEL_SIZE / 8];
    char shape[64];
    size_t count = rows * (columns ? columns : 1);
    for (size_t i = 0; i < count; i++)
        values[i] = value + 0.01f * (float)(i % 7) - 0.003f * (float)(i % 5);
    if (columns)
        snprintf(shape, sizeof(shape), "[%zu,%zu]", rows, columns);
    else
        snprintf(shape, sizeof(shape), "[%zu]", rows);
    test_model_bytes(m, name, "F32", shape, values, count * sizeof(float));
}

/** Adds entries of the metadata as text: "\"key\":\"value\"". */
static inline void test_model_metadata(test_model *m, const char *entries)
{
    test_model_text(m, m->length ? "," : "{");
    test_model_text(m, "\"__metadata__\":{");
    test_model_text(m, entries);
    test_model_text(m, "}");
}

/** Completes the file; returns its size. */
static inline size_t test_model_finish(test_model *m)
{
    test_model_text(m, m->length ? "}" : "{}");
    for (size_t i = 0; i < 8; i++)
        m->bytes[i] = (unsigned char)((uint64_t)m->length >> 8 * i);
    memcpy(m->bytes + 8, m->header, m->length);
    memcpy(m->bytes + 8 + m->length, m->data, m->size);
    return m->count = 8 + m->length + m->size;
}

/** Writes the file to test_folder; returns its path. */
static inline const char *test_model_write(test_model *m, const char *name)
{
    test_model_finish(m);
    return test_write_file(name, m->bytes, m->count);
}

/** Adds the parameters of an LSTM: names "PREFIX" + weight_ih and so on + suffix. */
static inline void test_model_lstm(test_model *m, const char *prefix,
                                   const char *suffix, size_t inputs, size_t hidden)
{
    char name[128];
    snprintf(name, sizeof(name), "%sweight_ih%s", prefix, suffix);
    test_model_matrix(m, name, 4 * hidden, inputs, 0.1f);
    snprintf(name, sizeof(name), "%sweight_hh%s", prefix, suffix);
    test_model_matrix(m, name, 4 * hidden, hidden, -0.2f);
    snprintf(name, sizeof(name), "%sbias_ih%s", prefix, suffix);
    test_model_matrix(m, name, 4 * hidden, 0, 0.3f);
    snprintf(name, sizeof(name), "%sbias_hh%s", prefix, suffix);
    test_model_matrix(m, name, 4 * hidden, 0, -0.1f);
}

/** A new file; it replaces the previous one. */
static inline test_model *test_model_new(void)
{
    static test_model model;
    memset(&model, 0, sizeof(model));
    return &model;
}

#endif
