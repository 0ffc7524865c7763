/**
 * @file
 * The report of a run as a page, --report: what goes on is collected, and the page is
 * written after each epoch and at the end.
 */
#ifndef EXAMPLES_TRAIN_PAGE_H
#define EXAMPLES_TRAIN_PAGE_H

#include <stdbool.h>

#include "examples/report/answers.h"
#include "examples/report/history.h"
#include "examples/train/data.h"
#include "examples/train/line.h"
#include "examples/train/options.h"
#include "examples/train/trainer.h"

typedef struct train_page {
    const train_options *options;
    const train_data *data;
    const char *run;
    history history;
    /** The set that is being read, and the last one that was; its name is NULL before.
     */
    answers next, last;
    const char *set;
    size_t set_epoch;
    /** Accuracies of this epoch, negative if not evaluated. */
    double validation, test;
    /** Whether the run diverges. */
    bool diverges;
} train_page;

/**
 * Begins a page, if --report is given; all other calls do nothing without it.
 *
 * @param run the number of the run, which stays valid
 * @return false after an error message; page_free() is to be called in any case
 */
bool page_open(train_page *page, train_state *trainer, const train_options *options,
               const train_data *data, const char *run);

/** Adds a step; false after an error message. */
bool page_step(train_page *page, const train_line *line);

/** Adds a step of an earlier part of the run, from its log: the last one of an epoch
 *  ends it. The accuracy is negative if there is none. */
bool page_read(train_page *page, const train_line *line, double accuracy);

/** Takes the answers of an evaluation that is complete. */
void page_accuracy(train_page *page, const char *set, size_t epoch, double accuracy);

/** Ends an epoch; false after an error message. */
bool page_end_epoch(train_page *page, const train_line *line, bool diverges);

/** Writes the page; state says why the run is not complete, or is NULL. False after an
 *  error message. */
bool page_save(const train_page *page, const train_state *trainer, const char *state);

void page_free(train_page *page);

#endif
