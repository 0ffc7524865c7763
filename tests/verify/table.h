/**
 * @file
 * The results of lstm-verify, as text or JSON.
 */
#ifndef TESTS_VERIFY_TABLE_H
#define TESTS_VERIFY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum verdict {
    VERDICT_PASSED,
    VERDICT_FAILED,
    /** This machine does not have what was to be checked. */
    VERDICT_ABSENT,
    /** Something other than the library kept it from being checked. */
    VERDICT_UNCHECKED,
    VERDICT_COUNT
} verdict;

/** Prints results as they come. Names in them are cleaned by message_clean(). */
typedef struct table {
    bool json;
    size_t count, of[VERDICT_COUNT];
} table;

/** Begins with the facts that follow. */
void table_begin(const table *t);

/** Adds a fact: a text, or a number. */
void table_fact(const table *t, const char *name, const char *value);
void table_number(const table *t, const char *name, size_t value);

/** Ends the facts; the results follow. */
void table_begin_results(const table *t);

/**
 * Adds a result. One that failed or could not be checked is named on standard error,
 * too.
 *
 * @param group what was checked, for example a set of kernels
 * @param check the check in it
 * @param found what was found
 */
void table_add(table *t, verdict v, const char *group, const char *check,
               const char *found);

/** Ends the table; returns the verdict of the whole. */
verdict table_end(table *t, double seconds);

#endif
