/**
 * @file
 * The report of an experiment: one HTML page that needs no other file and no script.
 */
#ifndef EXAMPLES_REPORT_EXPERIMENT_H
#define EXAMPLES_REPORT_EXPERIMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "examples/report/answers.h"
#include "examples/report/history.h"

/** A line of what was run. Texts are NULL where nothing is to be said. */
typedef struct experiment_fact {
    const char *name, *text;
    /** Whether the text is what one types. */
    bool code;
} experiment_fact;

typedef struct experiment {
    /** The data set, the network in a few words, and the number of the run. */
    const char *data, *network, *run;
    /** Why the run is not complete, or NULL. */
    const char *state;
    const experiment_fact *facts;
    size_t fact_count;
    const history *history;
    /** How the set "validation" or "test" was read after an epoch; NULL if none was. */
    const answers *answers;
    const char *set;
    size_t set_epoch;
    /** The images of the set, for the pictures of those read worst. */
    const uint8_t *(*image)(size_t index, void *user);
    void *user;
    size_t rows, cols;
    double seconds;
    /** Epochs of the run, and what advice depends on. */
    size_t epochs;
    double lr;
    bool validates, keeps_best, constant_rate, bidirectional, dropout, synthetic;
    const char *checkpoint;
    /** Whether the mean loss of an epoch was above its start. */
    bool diverges;
    /** When the page was written. */
    const char *date;
} experiment;

/** Writes the page. Errors are those of the stream. */
void experiment_write(FILE *out, const experiment *e);

/** The parts of the page, in the order in which they follow each other. */
void experiment_style(FILE *out);
void experiment_curves(FILE *out, const experiment *e);
void experiment_table(FILE *out, const answers *a);
void experiment_classes(FILE *out, const answers *a);
void experiment_worst(FILE *out, const experiment *e);
void experiment_advice(FILE *out, const experiment *e);

#endif
