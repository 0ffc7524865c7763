#include <stdio.h>
#include <string.h>

#include "examples/digits/reading.h"

const char *const reading_names[] = {
    [READING_ROWS] = "rows",         [READING_COLUMNS] = "columns",
    [READING_BOTH] = "both",         [READING_PIXELS] = "pixels",
    [READING_PERMUTED] = "permuted", [READING_PERMUTED + 1] = NULL};
static const char permuted[] = "permuted:0";
_Static_assert(READING_SEED == 0, "the text has the seed");

const char *reading_text(reading order)
{
    return order == READING_ROWS       ? NULL
           : order == READING_PERMUTED ? permuted
                                       : reading_names[order];
}

bool reading_find(const lstm_file *file, const char *path, reading *order, char *why,
                  size_t size)
{
    const char *text = lstm_file_metadata(file, READING_KEY);
    *order = READING_ROWS;
    for (; text && *order <= READING_PERMUTED; (*order)++) {
        const char *known = reading_text(*order);
        if (known && strcmp(text, known) == 0)
            return true;
    }
    if (!text)
        return true;
    snprintf(why, size,
             "%s: metadata " READING_KEY " is '%.80s', expected columns, both, pixels "
             "or %s",
             path, text, permuted);
    return false;
}

static bool reads_pixels(reading order)
{
    return order == READING_PIXELS || order == READING_PERMUTED;
}

size_t reading_steps(reading order, size_t rows, size_t cols)
{
    return reads_pixels(order) ? rows * cols : order == READING_COLUMNS ? cols : rows;
}

size_t reading_inputs(reading order, size_t rows, size_t cols)
{
    return reads_pixels(order) ? 1 : order == READING_COLUMNS ? rows : cols;
}

bool reading_create(lstm_tensor **out, const lstm_tensor *images, reading order)
{
    size_t rows = lstm_tensor_extent(images, 1), cols = lstm_tensor_extent(images, 2);
    const size_t shape[] = {lstm_tensor_extent(images, 0),
                            reading_steps(order, rows, cols),
                            reading_inputs(order, rows, cols)};
    const ptrdiff_t image = (ptrdiff_t)(rows * cols), row = (ptrdiff_t)cols;
    const ptrdiff_t across[] = {image, 1, row};
    if (order == READING_PERMUTED)
        return lstm_tensor_create(out, 3, shape) == LSTM_OK;
    return lstm_tensor_wrap(out, lstm_tensor_data(images), 3, shape,
                            order == READING_COLUMNS ? across : NULL) == LSTM_OK;
}

bool reading_permutation(int64_t *order, size_t count)
{
    lstm_rng *rng;
    bool done = lstm_rng_create(&rng, READING_SEED) == LSTM_OK &&
                lstm_rng_permutation(rng, order, count) == LSTM_OK;
    lstm_rng_destroy(&rng);
    return done;
}

void reading_permute(const int64_t *order, size_t pixels, const float *from,
                     size_t count, float *to)
{
    for (size_t i = 0; i < count; i++, from += pixels, to += pixels)
        for (size_t t = 0; t < pixels; t++)
            to[t] = from[order[t]];
}
