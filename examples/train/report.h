/**
 * @file
 * What a run tells while it trains: losses and accuracies on standard output, each loss
 * in a CSV file, a live line on a terminal.
 */
#ifndef EXAMPLES_TRAIN_REPORT_H
#define EXAMPLES_TRAIN_REPORT_H

#include <stdio.h>

#include "examples/train/options.h"

typedef struct train_report {
    size_t epochs, steps, log_every;
    FILE *log;
    const char *log_name;
    /** Whether the CSV file has a column for the learning rate. */
    bool log_rates;
    /** Whether the live line is wanted, when it was last drawn, and since when. */
    bool live;
    double drawn, started;
    size_t samples_done, samples_total;
} train_report;

/** Seconds on a clock that only goes forward. */
double report_seconds(void);

/** Opens the CSV file and writes its first line; false after a message. */
bool report_open(train_report *report, const train_options *options, size_t steps,
                 size_t samples);

/** Closes the CSV file; false after a message when its end could not be written. */
bool report_close(train_report *report);

/** Tells of a step, epoch and step counted from 1, and the learning rate that it was
 *  made with; false after a message. */
bool report_step(train_report *report, size_t epoch, size_t step, float loss, double lr,
                 size_t samples);

/** Tells of a pass over the test set; false after a message. */
bool report_test(train_report *report, size_t epoch, size_t correct, size_t count);

#endif
