/**
 * @file
 * The order in which a network reads the pixels of an image.
 *
 * A model file has the order in its metadata, under READING_KEY; without this key the
 * network reads rows.
 */
#ifndef EXAMPLES_DIGITS_READING_H
#define EXAMPLES_DIGITS_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

/** What a step reads. */
typedef enum reading {
    /** A row, from the first to the last. */
    READING_ROWS,
    /** A column, from the first to the last. */
    READING_COLUMNS,
    /** Two LSTMs: one reads rows, one columns. */
    READING_BOTH,
    /** A pixel, row by row. */
    READING_PIXELS,
    /** A pixel, in the fixed order of reading_permutation(). */
    READING_PERMUTED
} reading;

/** Key of the metadata of a model. */
#define READING_KEY "model.read"
/** Prefix of the LSTM that reads columns, beside one that reads rows. */
#define READING_COLUMNS_PREFIX "columns"
/** Seed of the permutation. */
enum { READING_SEED = 0 };

/** Names for options, in the order of the enum, ended by NULL. */
extern const char *const reading_names[];

/** Value of READING_KEY: the name, and of a permutation its seed; NULL for rows. */
const char *reading_text(reading order);

/**
 * Finds how a model reads.
 *
 * @param path of the file, for the message
 * @param[out] why [size] on failure, one line
 * @return false if the file names an order that is not known
 */
bool reading_find(const lstm_file *file, const char *path, reading *order, char *why,
                  size_t size);

/** Number of steps, and of inputs of each, for images of rows by cols. Of READING_BOTH
 *  those of the LSTM that reads rows. */
size_t reading_steps(reading order, size_t rows, size_t cols);
size_t reading_inputs(reading order, size_t rows, size_t cols);

/**
 * Creates a tensor [N, steps, inputs] for an LSTM: a view of the images, or, for
 * READING_PERMUTED, memory that reading_permute() fills. READING_BOTH is not an order
 * of one LSTM.
 *
 * @param images [N, ROWS, COLS], contiguous; MUST outlive the view
 */
bool reading_create(lstm_tensor **out, const lstm_tensor *images, reading order);

/** Writes the order of pixels: torch.randperm(count) after
 *  torch.manual_seed(READING_SEED). */
bool reading_permutation(int64_t *order, size_t count);

/** Writes the pixels of count images in an order: to[n][t] = from[n][order[t]]. */
void reading_permute(const int64_t *order, size_t pixels, const float *from,
                     size_t count, float *to);

#endif
