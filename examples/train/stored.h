/**
 * @file
 * The options of a run in its checkpoint: which ones a resumed run takes, and which
 * ones it may change.
 *
 * A checkpoint may come from anybody. Its names of files and folders are therefore
 * never used, only printed.
 */
#ifndef EXAMPLES_TRAIN_STORED_H
#define EXAMPLES_TRAIN_STORED_H

#include "examples/common/options.h"
#include "examples/train/options.h"

/** Whether a checkpoint has the option. */
bool stored_contains(const option_row *row);

/** Whether an option is a part of what the run computes, so that it cannot change. */
bool stored_is_fixed(const option_row *row);

/**
 * Applies the options of a checkpoint, except for names of files.
 *
 * @param given as for options_parse()
 * @return -1 to continue, else the exit status after an error message
 */
int stored_take(const option_table *table, train_options *options, const char *path,
                const char **given);

/**
 * Compares the options of the command line with those of the checkpoint that
 * stored_take() has read, and prints the command line that goes on with the same files.
 *
 * @param before the options of the checkpoint
 * @param options those of the command line on top of them
 * @param words text of each option of the command line, or NULL
 * @return -1 to continue, else the exit status after an error message
 */
int stored_check(const option_table *table, const train_options *before,
                 const train_options *options, const char *const *words);

/**
 * Name of a file of before that the resumed run does not name. Its checkpoints keep the
 * name, so that the next one can print it.
 *
 * @return NULL if there is none
 */
const char *stored_path(const option_row *row, size_t i);

/** The text of an option in the checkpoint that is resumed; NULL if it has none. Names
 *  of files are compared only. */
const char *stored_file(const char *name);

#endif
