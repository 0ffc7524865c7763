/**
 * @file
 * Ranks as processes of one machine, which share memory.
 *
 * Rank 0 is the process that starts the others; they are copies of it, and end with
 * status 1 after a message if they fail. A rank that waits looks every tenth of a
 * second whether the others live. Rank 0 ends all if one has ended; if rank 0 has
 * ended, the others end.
 */
#ifndef EXAMPLES_TRAIN_TRANSPORT_SHARED_H
#define EXAMPLES_TRAIN_TRANSPORT_SHARED_H

#include "examples/train/transport.h"

/**
 * Starts ranks: returns once in each of them, with its number in rank. All but rank 0
 * have no open files but the standard streams, and MUST end with _exit().
 *
 * @param rows most rows of a rank
 * @param values of a row
 * @param spin whether a rank may use its processor for a moment while it waits
 * @return false after an error message, in rank 0 alone
 */
bool transport_shared_start(transport **out, size_t ranks, size_t rows, size_t values,
                            bool spin);

/** Rank 0: ends all others and waits for them. Frees the transport; accepts NULL. */
void transport_shared_end(transport **t);

#endif
