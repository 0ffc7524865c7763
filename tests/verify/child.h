/**
 * @file
 * A part of lstm-verify as a child process whose output is read line by line.
 */
#ifndef TESTS_VERIFY_CHILD_H
#define TESTS_VERIFY_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/verify/table.h"

/** The last line of each part. A part without it did not do all of its work. */
#define CHILD_LAST_LINE "end of part"

enum { CHILD_LINE = 512 };

typedef struct child {
    pid_t process;
    int output;
    /** Bytes that are read and not yet returned. */
    char text[CHILD_LINE];
    size_t held;
    /** When the part is killed. */
    double deadline;
    bool complete, killed, late;
} child;

/** Sets the seconds after which a part is killed. */
void child_set_limit(double seconds);

/**
 * Starts this program with "--part NAME ARGUMENT".
 *
 * @param kernels value of LSTM_CPU; NULL for that of this process
 * @param argument NULL for none
 * @return false if it cannot be started, with errno set
 */
bool child_start(child *c, const char *kernels, const char *name, const char *argument);

/**
 * Reads the next line, standard error included, without its end.
 *
 * @param[out] line [CHILD_LINE]
 * @return false at the end, which is also after the limit of time, or when a signal has
 *         interrupted this program: the part is killed then
 */
bool child_line(child *c, char *line);

/** Kills the process now. */
void child_kill(child *c);

/**
 * Waits for the end.
 *
 * @param[out] how [CHILD_LINE] how it ended unless the result is VERDICT_PASSED
 * @return VERDICT_PASSED after all of its work or a kill of ours; VERDICT_UNCHECKED if
 *         something from outside ended it
 */
verdict child_wait(child *c, char *how);

#endif
