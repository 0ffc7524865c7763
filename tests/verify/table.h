/**
 * @file
 * The results of lstm-verify, as text or JSON.
 */
#ifndef TESTS_VERIFY_TABLE_H
#define TESTS_VERIFY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_ABSENT } verdict;

/** Prints results as they come. */
typedef struct table {
    bool json;
    size_t count, failed, absent;
} table;

/** Begins with facts: names and values, ended by NULL. */
void table_begin(table *t, const char *const *facts);

/**
 * Adds a result.
 *
 * @param group what was checked, for example a set of kernels
 * @param check the check in it
 * @param found what was found
 */
void table_add(table *t, verdict v, const char *group, const char *check,
               const char *found);

/** Ends the table; returns whether no check failed. */
bool table_end(table *t, double seconds);

#endif
