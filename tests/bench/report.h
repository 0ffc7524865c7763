/**
 * @file
 * Output of lstm-bench: a table on stdout and, optionally, JSON in a file.
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

/** Writes the JSON file unless path is NULL ("-" is stdout), and frees the report;
 * false on failure. */
bool report_finish(report *r, const char *path);

void report_limit(report *r, const char *name, const char *unit, size_t threads,
                  double value);

/** A measurement; name is "train", "infer" or a phase. Times are in seconds. cpu is 0
 *  with several threads; flop and peak are 0 where they do not apply. */
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
