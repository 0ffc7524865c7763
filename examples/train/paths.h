/**
 * @file
 * The files that a run writes: which of them may be written, and under which names.
 */
#ifndef EXAMPLES_TRAIN_PATHS_H
#define EXAMPLES_TRAIN_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "examples/digits/classifier.h"
#include "examples/train/options.h"

/** Key of the number of a run in the metadata of its models and checkpoints. It follows
 *  from the seed and the options, so that all parts of a run have the same one. */
#define PATHS_RUN_KEY "mnist-train.run"
enum { PATHS_RUN_SIZE = 17 };

/** What is known of a file before the training. */
typedef struct paths_file {
    bool exists;
    uint64_t device, number;
} paths_file;

/** Whether two paths are of one file, also over links and different spellings. */
bool paths_same(const char *one, const char *other);

/** The path of a file without links, followed by an ending; the caller frees it. NULL
 * if memory is exhausted. */
char *paths_beside(const char *path, const char *ending);

/** Refuses options that name one file twice: -1, or the exit status after a message. */
int paths_check_options(const train_options *options);

/**
 * Checks that no file that the run writes is one of a data set, also with --force.
 *
 * @param origin of the data set; others than files have none
 * @return false after an error message
 */
bool paths_check_data(const train_options *options, const char *origin);

/**
 * Checks that a file can be written, and that it is not of another run.
 *
 * @param path of a model, a checkpoint or a report
 * @param run the number of this run if it is resumed, else NULL
 * @param force whether any file may be replaced
 * @param[out] found the file
 * @return false after an error message
 */
bool paths_check(const char *path, const char *run, bool force, paths_file *found);

/**
 * Saves a model. If another program has written path since paths_check(), the model
 * gets a name beside it. If it cannot be saved, tries the folder for temporary files.
 *
 * @return whether the model is saved under path or beside it; else after an error
 *         message
 */
bool paths_save(const classifier *network, const char *path, const char *run,
                const paths_file *found);

#endif
