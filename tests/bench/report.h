/**
 * @file
 * Results of lstm-bench: a table for people on stdout, the same as JSON in a file.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/lstm/io/json.h"
#include "tests/bench/network.h"

typedef struct report {
    /** JSON: what begins the object, and the items of two arrays in it. */
    lstm_text head, limits, results;
    /** Tables go to stderr when JSON goes to stdout. */
    FILE *table;
} report;

report report_create(bool table_to_stderr);

/** Writes the file ("-": stdout) unless path is NULL, and frees; false on failure. */
bool report_finish(report *r, const char *path);

void report_limit(report *r, const char *name, const char *unit, size_t threads,
                  double value);

/** A measured piece of work: name "train", "infer" or that of a phase. Times are in
 *  seconds; cpu is 0 for more than one thread, flop and peak for what has none. */
typedef struct result {
    const char *name;
    shape shape;
    size_t threads;
    double median, p10, cpu;
    double flop, peak;
} result;

void report_heading(report *r, const char *title);
void report_result(report *r, const result *x);

#endif
