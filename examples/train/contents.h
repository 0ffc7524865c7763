/**
 * @file
 * What a run reads: fingerprints of its images and labels, so that a resumed run does
 * not go on with others. Many data sets have the same names and sizes.
 */
#ifndef EXAMPLES_TRAIN_CONTENTS_H
#define EXAMPLES_TRAIN_CONTENTS_H

#include <lstm/lstm.h>

#include "examples/train/data.h"

/** Keys of the fingerprints in the metadata of a checkpoint. */
#define CONTENTS_TRAIN_KEY "mnist-train.train"
#define CONTENTS_TEST_KEY  "mnist-train.test"

/** Hexadecimal digits and the end of the text. */
enum { CONTENTS_SIZE = 17 };

/** Fingerprints of the training set with its validation part, and of the test set; a
 *  text is empty if the set was never open. */
typedef struct train_contents {
    char train[CONTENTS_SIZE], test[CONTENTS_SIZE];
} train_contents;

/** Computes the fingerprints of the open sets. */
void contents_find(train_contents *contents, const train_data *data);

/** The fingerprints in a checkpoint, as far as it has them; false after an error
 *  message. */
bool contents_read(train_contents *contents, const lstm_file *file, const char *path);

/**
 * Compares the open sets with those of a checkpoint. A set that is open in one of the
 * two only is not compared, and the next checkpoint has its fingerprint.
 *
 * @param contents of the open sets
 * @return false after an error message
 */
bool contents_check(train_contents *contents, const train_contents *before,
                    const train_data *data, const char *path);

#endif
