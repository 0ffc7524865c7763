/**
 * @file
 * The position of a run as one line of text, in the metadata of its checkpoint.
 */
#ifndef EXAMPLES_TRAIN_POSITION_H
#define EXAMPLES_TRAIN_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Room for the text. */
enum { POSITION_SIZE = 600 };

/** What train_state and its schedule have under the same names. */
typedef struct train_position {
    uint64_t seed;
    size_t samples, batch, epoch, step;
    uint64_t order;
    double loss_sum;
    size_t loss_count;
    float loss_last;
    /** State of lstm_plateau. */
    int plateau_started;
    double plateau_best;
    uint64_t plateau_bad, plateau_cooling;
    size_t completed;
    /** State of train_best. */
    size_t best_epoch, best_correct, best_bad;
    double seconds;
} train_position;

/** What the options and the data of a run say of its positions. */
typedef struct train_limits {
    /** Steps of an epoch. */
    size_t steps;
    /** Images for validation; 0: none. */
    size_t validation;
    /** Whether the rate falls on a plateau, after how many bad epochs, and how many
     * wait then. */
    bool plateau;
    uint64_t patience, cooldown;
} train_limits;

/** Writes a position to text, [POSITION_SIZE]. */
void position_write(const train_position *position, char *text);

/** Reads a position; false for text that position_write() does not write. */
bool position_read(train_position *position, const char *text);

/** Whether a run can be there: false for numbers that do not fit together. */
bool position_is_possible(const train_position *position, const train_limits *limits);

#endif
