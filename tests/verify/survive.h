/**
 * @file
 * Whether checkpoints in a folder survive kills.
 */
#ifndef TESTS_VERIFY_SURVIVE_H
#define TESTS_VERIFY_SURVIVE_H

#include "tests/verify/table.h"

/**
 * Adds the result for a folder, in which it writes and removes two files.
 *
 * @return whether all trainings ended; others may have left files
 */
bool survive(table *t, const char *folder);

#endif
