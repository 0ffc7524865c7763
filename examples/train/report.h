/**
 * @file
 * Output of a training run: losses and accuracies on standard output, every step in
 * the log, and a progress line on a terminal.
 */
#ifndef EXAMPLES_TRAIN_REPORT_H
#define EXAMPLES_TRAIN_REPORT_H

#include <stdio.h>

#include "examples/train/events.h"
#include "examples/train/line.h"
#include "examples/train/options.h"
#include "examples/train/page.h"

/** What a run writes while it trains: each is empty without its option. */
typedef struct train_files {
    FILE *log;
    train_events events;
    train_page page;
} train_files;

typedef struct train_report {
    size_t epochs, steps, log_every;
    FILE *log;
    const char *log_name;
    /** Of TensorBoard. */
    train_events events;
    const char *events_name;
    train_page *page;
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

/** Begins a report. before has the seconds of the earlier parts of the run.
 *  report_close() closes the log and the events; the page stays with its owner. */
void report_open(train_report *report, const train_options *options, size_t steps,
                 size_t samples, double before, train_files *files);

/** Closes the log and the events; false after an error message if they could not be
 *  written. */
bool report_close(train_report *report);

/** Seconds of the run, earlier parts included. */
double report_elapsed(const train_report *report);

/** Reports a step of samples images, except for the line in the log; false after
 *  an error message. */
bool report_step(train_report *report, const train_line *line, size_t samples);

/** Writes the line of a step into the log and its loss into the events and the page, if
 *  there are any. The accuracy is empty if it is negative. Returns false after an error
 * message.
 */
bool report_log(train_report *report, const train_line *line, double accuracy);

/** Writes the mean loss and the learning rate of an epoch, and whether it diverges,
 * into the events and the page. */
bool report_epoch(train_report *report, const train_line *line, double mean,
                  bool diverges);

/** Writes the page; state says why the run is not complete, or is NULL. */
bool report_page(train_report *report, const train_state *trainer, const char *state);

/** Waits until all lines of the log and all events are on the disk. */
bool report_sync(train_report *report);

/** Reports an evaluation on a set, "Test" or "Validation"; false after an error
 *  message. */
bool report_accuracy(train_report *report, const char *set, size_t epoch,
                     size_t correct, size_t count);

#endif
