/**
 * @file
 * Ranks as processes that mpirun starts, on one machine or several.
 *
 * Numbers travel unchanged in messages from one rank to another; MPI adds none. A rank
 * that waits sleeps most of the time. If a rank is killed, mpirun ends all. A build
 * without MPI has the same functions, which refuse to be started by mpirun.
 */
#ifndef EXAMPLES_TRAIN_TRANSPORT_MPI_H
#define EXAMPLES_TRAIN_TRANSPORT_MPI_H

#include "examples/train/transport.h"

/** What mpirun started: this process and the number of processes; 0 and 1 without it.
 */
typedef struct transport_world {
    size_t rank, ranks;
} transport_world;

/** Number of processes that mpirun says it has started, on all machines and on this
 * one; 0 without mpirun, or if it does not say. */
uint64_t transport_mpi_count(void);
uint64_t transport_mpi_local(void);

/** Joins the other processes that mpirun has started, if any; false after an error
 *  message. */
bool transport_mpi_join(transport_world *world);

/** Starts the exchange between them; false after an error message. */
bool transport_mpi_start(transport **out, size_t rows, size_t values);

/** Gives all ranks the words of all without a transport; false after an error message.
 */
bool transport_mpi_words(uint64_t mine, uint64_t *words);

/** Frees the transport; accepts NULL. */
void transport_mpi_end(transport **t);

/** Leaves the others at the end of the program: together with them, or so that mpirun
 *  ends them. Does nothing for a process alone. */
void transport_mpi_leave(const transport_world *world, bool together, int status);

#endif
