/**
 * @file
 * The lines of a log: one for each step, in CSV or as JSON.
 *
 * A line has the epoch and the step, both from 1; the loss of the batch; the learning
 * rate; the accuracy from 0 to 1; and the seconds since the start of the run, earlier
 * parts of a resumed run included. Only the last step of an epoch that was evaluated
 * has an accuracy: on the validation set if there is one, else on the test set. The
 * line of the last step of an epoch is therefore written after the evaluation.
 */
#ifndef EXAMPLES_TRAIN_LINE_H
#define EXAMPLES_TRAIN_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Names of the values, in the order of the columns. */
#define LINE_COLUMNS "epoch,step,loss,lr,accuracy,seconds"

typedef enum line_format {
    /** Columns after a header line; no accuracy is an empty field. */
    LINE_CSV,
    /** An object in each line, without header; no accuracy is null. */
    LINE_JSON
} line_format;

/** A step: epoch and step count from 1. */
typedef struct train_line {
    size_t epoch, step;
    float loss;
    double lr, seconds;
} train_line;

/** Whether a name says JSON: a log is CSV, or lines of JSON. */
bool line_name_misleads(const char *path);

/** JSON for a name that ends with .jsonl, else CSV. */
line_format line_format_of(const char *path);

/** The first line of a log with its end; empty if the format has none. */
const char *line_header(line_format format);

/** Writes a line; the accuracy is left out if it is negative. False with errno set. */
bool line_write(FILE *log, line_format format, const train_line *line, double accuracy);

/**
 * Reads a line that line_write() has written.
 *
 * @param[out] accuracy negative if the line has none
 * @return false for other text
 */
bool line_read(const char *text, line_format format, train_line *line,
               double *accuracy);

#endif
