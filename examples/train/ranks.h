/**
 * @file
 * --ranks N: the shards of a batch divided among N processes, the ranks.
 *
 * Each rank has the whole network and optimiser, and computes consecutive shards. In
 * each step the ranks exchange the largest nodes of the tree that they have (tree.h),
 * and each of them adds a range of the values of all nodes, in the order of the tree.
 * All ranks then have the sum of all shards, clip it and update their weights with the
 * same bits, which are those of one process.
 *
 * Rank 0 is the program that was started: it alone evaluates, prints and writes files.
 * The others follow its epochs. A signal to any rank ends all after the same step.
 */
#ifndef EXAMPLES_TRAIN_RANKS_H
#define EXAMPLES_TRAIN_RANKS_H

#include "examples/train/options.h"
#include "examples/train/trainer.h"
#include "examples/train/transport_mpi.h"
#include "examples/train/tree.h"

/** How the ranks of a run work together. */
typedef struct train_ranks {
    transport *transport;
    /** Threads of each rank, and of rank 0 while the others wait. */
    size_t threads, threads_alone;
    /** Whether mpirun has started them. */
    bool mpi;
    /** The nodes that each rank has at the end of its shards, and their numbers. */
    tree_stack nodes[TRANSPORT_MOST_RANKS];
    size_t rows[TRANSPORT_MOST_RANKS];
    /** Sums of a few values, one for each node of a stack. */
    float *sums;
    /** Whether a signal ends all ranks after the last step; whether the ranks had
     *  different parameters. */
    bool stop, differ;
    /** Seconds in which this rank added rows, or waited for them. */
    double exchange;
} train_ranks;

/**
 * Starts the ranks of --ranks, and prepares the shards of each; for one rank and one
 * shard does nothing. It returns in rank 0, and in those that mpirun has started.
 *
 * @return false after an error message
 */
bool ranks_start(train_state *trainer, const train_options *options,
                 const train_data *data);

/** Lets the messages of this process name its rank. */
void ranks_name(size_t rank);

/** Trains as rank 0 does until it ends the run; the exit status. */
int ranks_follow(train_state *trainer);

/** Ends the others; accepts a trainer without ranks, as all of the following. False if
 *  ranks that mpirun has started do not know it. */
bool ranks_end(train_state *trainer);

/** Takes the ranks that mpirun has started, if any: -1, or the exit status after an
 *  error message. */
int ranks_adopt(train_options *options, const transport_world *world);

/** Gives all ranks the seed of rank 0; false after an error message. */
bool ranks_share_seed(const train_options *options, uint64_t *seed);

/** Threads of each rank: as the options say, else the processors divided by the ranks.
 *  0: as the library chooses. */
size_t ranks_threads(const train_options *options);

/**
 * Adds the rows of all ranks.
 *
 * @param tail index of the values after the gradients
 * @return the sum, valid until the next call; NULL after an error message
 */
const float *ranks_add(train_ranks *ranks, size_t tail);

/** Compares the parameters of all ranks in some of the steps; false after an error
 *  message. */
bool ranks_compare(train_state *trainer);

/** Lets the others begin the next epoch. */
bool ranks_next_epoch(const train_state *trainer);

/** Seconds of all exchanges so far; 0 without ranks. */
double ranks_exchange(const train_state *trainer);

/** Whether all ranks live; false after an error message. */
bool ranks_check(const train_state *trainer);

/** Whether a signal ends the epoch after this step. */
bool ranks_stop(const train_state *trainer);

/** Whether the ranks had different parameters. */
bool ranks_differ(const train_state *trainer);

/** Whether the ranks failed for this or another reason. */
bool ranks_failed(const train_state *trainer);

/** Gives rank 0 the processors of all while the others wait, or its own again. */
void ranks_alone(const train_state *trainer, bool alone);

#endif
