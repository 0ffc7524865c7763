/**
 * @file
 * The parts of lstm-verify.
 *
 * Each part runs in a process of its own, so that a crash, a set of kernels or a kill
 * stays there. A part prints one line for each check: a verdict, the check, and what
 * was found, separated by tabs, and a last line, so that a part which ends too early is
 * seen. The first process collects the lines of all parts.
 */
#ifndef TESTS_VERIFY_PART_H
#define TESTS_VERIFY_PART_H

#include <lstm/lstm.h>

/** Prints the line of a check that passed or failed. */
__attribute__((format(printf, 3, 4))) void part_line(bool passed, const char *check,
                                                     const char *format, ...);

/** Ends the process with the message of the library unless the status is LSTM_OK, and
 * with ENDING_WITHOUT_MEMORY if there is too little memory. */
void part_must(lstm_status status);

/** Infinities, not-a-number and the smallest numbers are handled as IEEE 754 says. */
void part_arithmetic(void);

/** The errors of forward and gradients against double precision, for these kernels. */
void part_numbers(void);

/** The bits of trainings and inferences, for these kernels and several threads. */
void part_bits(void);

/**
 * Trains with a checkpoint after each step; goes on from path if it exists. Prints a
 * line after each step, and at the end the hash of the parameters.
 */
void part_train(const char *path);

/** Time of the training step of the experiment, and its share of the peak. */
void part_speed(void);

#endif
