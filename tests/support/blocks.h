/**
 * @file
 * Common parts of the kernel tests: seeded numbers, memory with guard zones, the
 * blocked layout of kernels.h, and hashes of results.
 */
#ifndef TESTS_SUPPORT_BLOCKS_H
#define TESTS_SUPPORT_BLOCKS_H

#include "lib/lstm/kernels/kernels.h"
#include "tests/support/test.h"

/** The unit roundoff of float: the relative error of one rounding. */
static const double unit_roundoff = 0x1p-24;

/** Values of guard zones and of padding. Both are finite; a sum that includes padding
 * is wrong. */
static const float guard_value = -77.0f, padding_value = 1e30f;

/** Uniform in [-1, 1), reproducible for a seed. */
static inline float seeded_number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return ((float)(*seed >> 8) - 8388608.0f) / 8388608.0f;
}

/** Floats with a guard zone on each side; data is aligned to a cache line. */
typedef struct guarded {
    void *memory;
    float *data;
    size_t count;
} guarded;

enum { GUARD = 64 };

/** Allocates floats, all with the guard value. */
static inline guarded guarded_create(size_t count)
{
    enum { LINE = 64 };
    size_t lines = (count + 2 * GUARD) * sizeof(float) / LINE + 1;
    guarded g = {.memory = aligned_alloc(LINE, lines * LINE), .count = count};
    assert_non_null(g.memory);
    g.data = (float *)g.memory + GUARD;
    for (size_t i = 0; i < count + 2 * GUARD; i++)
        g.data[(ptrdiff_t)i - GUARD] = guard_value;
    return g;
}

static inline guarded guarded_numbers(size_t count, uint32_t *seed)
{
    guarded g = guarded_create(count);
    for (size_t i = 0; i < count; i++)
        g.data[i] = seeded_number(seed);
    return g;
}

/** Checks the guard zones and frees the memory. */
static inline void guarded_destroy(guarded *g)
{
    for (ptrdiff_t i = 1; i <= GUARD; i++) {
        assert_true(g->data[-i] == guard_value);
        assert_true(g->data[(ptrdiff_t)g->count + i - 1] == guard_value);
    }
    free(g->memory);
}

/** Rows first to first + rows - 1 of a group of group rows. */
typedef struct row_range {
    size_t first, rows, group;
} row_range;

static inline size_t row_stride(row_range range)
{
    return range.group * LSTM_BLOCK;
}

/** Number of floats of a group of blocks. */
static inline size_t blocked_size(row_range range, size_t blocks)
{
    return blocks * row_stride(range);
}

/** Index of a channel of a segment, relative to the start of the group. */
static inline size_t blocked_index(row_range range, size_t row, size_t segment,
                                   size_t channels, size_t channel)
{
    size_t block = segment * lstm_blocks(channels) + channel / LSTM_BLOCK;
    return block * row_stride(range) + (range.first + row) * LSTM_BLOCK +
           channel % LSTM_BLOCK;
}

/** A blocked matrix of random numbers, with padding_value in its padding. */
static inline guarded blocked_numbers(row_range range, size_t segments, size_t channels,
                                      uint32_t *seed)
{
    guarded g = guarded_create(blocked_size(range, segments * lstm_blocks(channels)));
    for (size_t i = 0; i < g.count; i++)
        g.data[i] = padding_value;
    for (size_t row = 0; row < range.rows; row++)
        for (size_t s = 0; s < segments; s++)
            for (size_t c = 0; c < channels; c++)
                g.data[blocked_index(range, row, s, channels, c)] = seeded_number(seed);
    return g;
}

/** An operand that starts at the first row of the range. */
static inline lstm_operand blocked_operand(const guarded *g, row_range range,
                                           size_t segments, size_t channels)
{
    return (lstm_operand){g->data + range.first * LSTM_BLOCK, segments, channels};
}

/** Checks that rows outside a range still have the guard value. */
static inline void assert_other_rows_untouched(const guarded *g, row_range range)
{
    for (size_t i = 0; i < g->count; i++) {
        size_t row = i % row_stride(range) / LSTM_BLOCK;
        if (row < range.first || row >= range.first + range.rows)
            assert_true(g->data[i] == guard_value);
    }
}

/** Values as packed weights; memory of pairs holds them as the bits of floats. */
static inline const lstm_packed *packed_from(const float *values)
{
    return (const void *)values;
}

/** Whether the kernels in use fuse multiplication and addition: without fusing,
 * rounding (1 + 2^-12)^2 loses 2^-24. */
static inline bool kernels_fuse(void)
{
    _Alignas(64) float a[LSTM_BLOCK] = {0x1.001p0f}, weights[LSTM_BLOCK] = {0x1.001p0f};
    _Alignas(64) float out[LSTM_BLOCK] = {-0x1.002p0f};
    lstm_kernels_get()->product(&(lstm_panel_product){.rows = 1,
                                                      .stride = LSTM_BLOCK,
                                                      .a = {a, 1, 1},
                                                      .weights = packed_from(weights),
                                                      .blocks = 1,
                                                      .out = out,
                                                      .accumulate = true});
    return out[0] != 0;
}

/** Initial value of an FNV-1a hash over the bits of floats. */
static const uint64_t hash_start = 0xcbf29ce484222325u;

static inline uint64_t hash_floats(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof(bits));
        for (int byte = 0; byte < 4; byte++)
            hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3u;
    }
    return hash;
}

/**
 * Fails the calling line unless a hash equals fused, for kernels that fuse, or
 * rounded_twice, for kernels that do not.
 */
#define assert_hash(found, fused, rounded_twice)                                       \
    test_assert_hash(found, kernels_fuse() ? (fused) : (rounded_twice), __FILE__,      \
                     __LINE__)

static inline void test_assert_hash(uint64_t found, uint64_t expected, const char *file,
                                    int line)
{
    if (found == expected)
        return;
    print_error("hash 0x%016llx is not 0x%016llx\n", (unsigned long long)found,
                (unsigned long long)expected);
    _fail(file, line);
}

#endif
