/**
 * @file
 * What a report of a fault says of the machine and of the build.
 */
#ifndef TESTS_VERIFY_FACTS_H
#define TESTS_VERIFY_FACTS_H

#include "tests/verify/table.h"

/**
 * Adds the facts to a table.
 *
 * @param kernels the set of kernels that programs use here
 * @param folder where files are saved
 */
void facts_add(const table *t, const char *kernels, const char *folder);

#endif
