/**
 * @file
 * Steps of the library that have the same bits everywhere: each has a hash of what it
 * makes of many small cases drawn at random. Small numbers are often exactly at a limit
 * of its rules, so that a limit that moves by one changes the hash.
 */
#ifndef TESTS_SUPPORT_STEPS_H
#define TESTS_SUPPORT_STEPS_H

#include <inttypes.h>

#include "lib/mnist/plane.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

/** A step, and the hash of its cases. */
typedef struct step {
    const char *name;
    /** Draws a case; returns the hash continued with its result. */
    uint64_t (*hash)(uint64_t hash, uint64_t *seed);
    size_t cases;
    uint64_t expected;
} step;

static inline uint64_t step_hash(const step *s)
{
    uint64_t hash = HASH_START, seed = 1;
    for (size_t i = 0; i < s->cases; i++)
        hash = s->hash(hash, &seed);
    return hash;
}

/** Compares all steps with their hashes; prints the names of those that differ. */
static inline void step_assert_all(const step *steps, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t found = step_hash(&steps[i]);
        if (found == steps[i].expected)
            continue;
        print_message("# %s: 0x%016" PRIx64 ", expected 0x%016" PRIx64 "\n",
                      steps[i].name, found, steps[i].expected);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static inline uint64_t hash_number(uint64_t hash, size_t number)
{
    uint32_t value = (uint32_t)number;
    return hash_bytes(hash, &value, sizeof(value));
}

static inline uint64_t hash_plane(uint64_t hash, const mnist_plane *p)
{
    hash = hash_number(hash_number(hash, p->rows), p->cols);
    return p->pixels ? hash_bytes(hash, p->pixels, p->rows * p->cols) : hash;
}

/** Whether a draw of 1 in so many wins. */
static inline bool one_in(uint64_t *seed, size_t count)
{
    return draw_size(seed, 1, count) == 1;
}

/** A plane of a size drawn up to the given ones, filled with a value. */
static inline mnist_plane draw_plane(uint64_t *seed, size_t least, size_t rows,
                                     size_t cols, uint8_t value)
{
    mnist_plane p;
    size_t tall = draw_size(seed, least, rows);
    size_t wide = draw_size(seed, least, cols);
    assert_int_equal(mnist_plane_create(&p, tall, wide), MNIST_OK);
    memset(p.pixels, value, p.rows * p.cols);
    return p;
}

/** Fills a rectangle, as far as it is inside. */
static inline void plane_fill(mnist_plane *p, size_t top, size_t left, size_t rows,
                              size_t cols, uint8_t value)
{
    for (size_t y = top; y < top + rows && y < p->rows; y++)
        for (size_t x = left; x < left + cols && x < p->cols; x++)
            p->pixels[y * p->cols + x] = value;
}

/** Fills a rectangle of up to so many rows and columns, which may reach outside. */
static inline void draw_fill(mnist_plane *p, uint64_t *seed, size_t rows, size_t cols,
                             uint8_t value)
{
    size_t top = draw_size(seed, 0, p->rows - 1);
    size_t left = draw_size(seed, 0, p->cols - 1);
    size_t tall = draw_size(seed, 1, rows);
    size_t wide = draw_size(seed, 1, cols);
    plane_fill(p, top, left, tall, wide, value);
}

#endif
