/**
 * @file
 * Output of a training run: losses and accuracies on standard output, every loss in a
 * CSV file, and a progress line on a terminal.
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
    /** Whether to draw the progress line, the time of its last update, and the start of
     *  the run. */
    bool progress;
    double drawn, started;
    size_t samples_done, samples_total;
} train_report;

/** Seconds on a monotonic clock. */
double report_seconds(void);

/** Opens the CSV file and writes its header line; false after an error message. */
bool report_open(train_report *report, const train_options *options, size_t steps,
                 size_t samples);

/** Closes the CSV file; false after an error message if it could not be written. */
bool report_close(train_report *report);

/** Reports a step and its learning rate lr; epoch and step count from 1. Returns false
 *  after an error message. */
bool report_step(train_report *report, size_t epoch, size_t step, float loss, double lr,
                 size_t samples);

/** Reports an evaluation on the test set; false after an error message. */
bool report_test(train_report *report, size_t epoch, size_t correct, size_t count);

#endif
