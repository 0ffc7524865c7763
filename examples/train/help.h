/**
 * @file
 * What --help of mnist-train prints after the options.
 */
#ifndef EXAMPLES_TRAIN_HELP_H
#define EXAMPLES_TRAIN_HELP_H

/** Prints schedules, changes of images, where data are searched, and what files a run
 *  writes. */
void help_print(void);

#endif
