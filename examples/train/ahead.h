/**
 * @file
 * Batches that a worker loads ahead, while the step before computes.
 *
 * The worker is at most one batch ahead, and never beyond the end of an epoch. What it
 * loads depends on the loader alone, and a checkpoint has the steps that are done; so
 * the batches, and those of a resumed run, are the same with and without a worker.
 */
#ifndef EXAMPLES_TRAIN_AHEAD_H
#define EXAMPLES_TRAIN_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/mnist.h>

/** Who has the loader and the batch of the worker: the caller, and nothing is loaded;
 *  the worker, which loads, or which ends; the caller, and the batch is loaded. */
typedef enum ahead_state {
    AHEAD_REST,
    AHEAD_LOAD,
    AHEAD_END,
    AHEAD_LOADED
} ahead_state;

typedef struct train_ahead {
    mnist_loader *loader;
    /** The batch of the worker, count images of size pixels each; NULL: each batch is
     *  loaded when it is asked for. */
    float *pixels;
    int64_t *labels;
    size_t size, count;
    /** Whether the worker runs. It starts with the first batch. */
    bool runs;
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    ahead_state state;
} train_ahead;

/**
 * Prepares to read batches from a loader, which MUST outlive this.
 *
 * @param images most of a batch
 * @param size pixels of an image
 * @param works whether a worker loads them
 * @return false after an error message
 */
bool ahead_open(train_ahead *ahead, mnist_loader *loader, size_t images, size_t size,
                bool works);

/** Ends the worker; accepts one that is all zeros. */
void ahead_close(train_ahead *ahead);

/** mnist_loader_next() of the loader. Without the thread of a worker, which the system
 *  may refuse, it takes longer. */
size_t ahead_next(train_ahead *ahead, float *pixels, int64_t *labels);

/** Reads from another loader from now on, and forgets what is loaded. */
void ahead_use(train_ahead *ahead, mnist_loader *loader);

/** Forgets what is loaded. MUST be called before the loader starts an epoch or is moved
 *  to another place of one. */
void ahead_forget(train_ahead *ahead);

#endif
