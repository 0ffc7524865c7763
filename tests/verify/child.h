/**
 * @file
 * A part of lstm-verify as a child process whose output is read line by line.
 */
#ifndef TESTS_VERIFY_CHILD_H
#define TESTS_VERIFY_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct child {
    pid_t process;
    FILE *output;
} child;

/**
 * Starts this program with "--part NAME ARGUMENT".
 *
 * @param kernels value of LSTM_CPU; NULL for the best
 * @param argument NULL for none
 * @return false if it cannot be started, with errno set
 */
bool child_start(child *c, const char *kernels, const char *name, const char *argument);

/** Reads the next line, standard error included, without its end; false at the end. */
bool child_line(child *c, char *line, size_t size);

/** Kills the process now. */
void child_kill(child *c);

/**
 * Waits for the end.
 *
 * @param[out] how [size] "" after success or a kill of ours, else how it ended
 */
void child_wait(child *c, char *how, size_t size);

#endif
