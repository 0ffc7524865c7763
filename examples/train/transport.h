/**
 * @file
 * How the ranks of a training exchange numbers: a small interface with two
 * implementations, shared memory of processes on one machine (transport_shared.h) and
 * MPI (transport_mpi.h).
 *
 * A rank is a process that trains with others. All ranks make the same calls in the
 * same order, and each call waits for the others. A transport only moves numbers. It
 * adds none: what adds them, in which order, is the caller's.
 */
#ifndef EXAMPLES_TRAIN_TRANSPORT_H
#define EXAMPLES_TRAIN_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TRANSPORT_MOST_RANKS = 64, TRANSPORT_UNIT = 16 };

typedef struct transport transport;

typedef struct transport_calls {
    /** Begins an exchange: gives each rank its range of the rows of all ranks, of which
     *  rank q has rows[q]. False after an error message. */
    bool (*share)(transport *t, const size_t *rows);
    /** Value i, of the range of this rank, of a row of a rank after share(); the others
     *  of the range follow it. Valid until complete(). */
    const float *(*source)(const transport *t, size_t rank, size_t row, size_t i);
    /** Ends an exchange: gives all ranks the ranges of total that each has written.
     *  Valid until the next complete(). False after an error message. */
    bool (*complete)(transport *t);
    /** Gives all ranks the words of all, words[ranks]. False after an error message, or
     *  if the run is over. */
    bool (*words)(transport *t, uint64_t mine, uint64_t *words);
    /** Whether all ranks live; rank 0 may call it alone. False after an error message.
     */
    bool (*check)(transport *t);
} transport_calls;

struct transport {
    const transport_calls *calls;
    size_t rank, ranks;
    /** Values of a row, a multiple of TRANSPORT_UNIT. */
    size_t stride;
    /** Rows of this rank, and the sum of all ranks, [stride]. */
    float *rows, *total;
    /** Whether rank 0 has ended the run, or a call has failed. */
    bool over, failed;
};

/** The first value of the range of a rank; the last range ends at the stride. */
size_t transport_range(const transport *t, size_t rank);

#endif
