/**
 * @file
 * Output of a training run: losses and accuracies on standard output, every step in a
 * CSV file, and a progress line on a terminal.
 *
 * The CSV file has a line for each step: epoch and step, both from 1; the loss of the
 * batch; the learning rate; the accuracy from 0 to 1; and the seconds since the start
 * of the run, earlier parts of a resumed run included. Only the last step of an epoch
 * that was evaluated has an accuracy: on the validation set if there is one, else on
 * the test set. The line of the last step of an epoch is therefore written after the
 * evaluation.
 */
#ifndef EXAMPLES_TRAIN_REPORT_H
#define EXAMPLES_TRAIN_REPORT_H

#include <stdio.h>

#include "examples/train/options.h"

/** Header line of the CSV file. */
#define REPORT_COLUMNS "epoch,step,loss,lr,accuracy,seconds"

typedef struct train_report {
    size_t epochs, steps, log_every;
    FILE *log;
    const char *log_name;
    /** Seconds of the earlier parts of the run. */
    double before;
    /** Whether to draw the progress line, the time of its last update, and the start of
     *  the run. */
    bool progress;
    double drawn, started;
    size_t samples_done, samples_total;
    /** Whether the log or the standard output failed. */
    bool failed;
} train_report;

/** Seconds on a monotonic clock. */
double report_seconds(void);

/** Begins a report. before has the seconds of the earlier parts of the run; log is the
 *  open CSV file or NULL, and closed by report_close(). */
void report_open(train_report *report, const train_options *options, size_t steps,
                 size_t samples, double before, FILE *log);

/** Closes the CSV file; false after an error message if it could not be written. */
bool report_close(train_report *report);

/** Seconds of the run, earlier parts included. */
double report_elapsed(const train_report *report);

/** A step: epoch and step count from 1. */
typedef struct train_line {
    size_t epoch, step;
    float loss;
    double lr, seconds;
} train_line;

/** Reports a step of samples images, except for the line in the CSV file; false after
 *  an error message. */
bool report_step(train_report *report, const train_line *line, size_t samples);

/** Writes the line of a step into the CSV file, if there is one. The accuracy is empty
 *  if it is negative. Returns false after an error message. */
bool report_log(train_report *report, const train_line *line, double accuracy);

/** Waits until all lines of the log are on the disk. */
bool report_sync(train_report *report);

/** Reports an evaluation on a set, "Test" or "Validation"; false after an error
 *  message. */
bool report_accuracy(train_report *report, const char *set, size_t epoch,
                     size_t correct, size_t count);

#endif
