/**
 * @file
 * Command line of mnist-predict.
 */
#ifndef EXAMPLES_PREDICT_OPTIONS_H
#define EXAMPLES_PREDICT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The options, and what follows them. */
typedef struct predict_options {
    bool show, json, csv, digits, transpose, force;
    /** A mnist_paper. */
    unsigned paper;
    /** Index of shifts_names. */
    unsigned tta;
    uint64_t threads, limit;
    const char *labels, *lstm, *head, *explain;
    const char *model;
    char **files;
    size_t file_count;
} predict_options;

/** Parses the command line; returns -1 to continue, otherwise the exit status. */
int predict_options_parse(predict_options *parsed, int argc, char **argv);

#endif
