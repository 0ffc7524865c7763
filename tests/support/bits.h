/**
 * @file
 * Trainings and inferences of small networks, and hashes of their bits, which are the
 * same for any number of threads and, in the reproducible mode, on every processor.
 *
 * A call of the library that fails ends the program with its message.
 */
#ifndef TESTS_SUPPORT_BITS_H
#define TESTS_SUPPORT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

#include "tests/golden/bits.h"

enum {
    BITS_NETWORKS = sizeof(golden_bits) / sizeof(golden_bits[0]),
    /** The only network for which plain C uses OpenBLAS. */
    BITS_WITH_OPENBLAS = 2,
    /** The largest number of rows of a head, and of sequences. */
    BITS_ROWS = 2061
};

/** The objects and tensors of a training. */
typedef struct bits_training {
    const struct bits_network *network;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *out, *dout, *seen, *dseen, *logits, *dlogits;
    int64_t targets[BITS_ROWS];
    size_t lengths[BITS_ROWS];
} bits_training;

/** Whether a network computes in bfloat16. */
bool bits_in_bfloat16(size_t index);

/** Creates a training of network index, below BITS_NETWORKS. */
bits_training bits_create(size_t index);

void bits_destroy(bits_training *t);

/** Draws a batch from seed, trains one step on it, and returns its loss. */
float bits_update(bits_training *t, uint64_t *seed);

/** Continues a hash over all parameters. */
uint64_t bits_parameters(const bits_training *t, uint64_t hash);

/** Trains all steps of the network, none in int8; hash of all losses and of the final
 * parameters. */
uint64_t bits_train(bits_training *t);

/** Hash of an evaluation, whole and as a stream of sequences. */
uint64_t bits_infer(bits_training *t);

/** Trains a network and runs inference on this number of threads. */
bits_of_network bits_run(size_t index, size_t threads);

/** Prints the name of the kernels and a hash of all networks for each precision.
 *
 * @param teams how many numbers of threads to try, at most 6
 * @return the exit status, 1 if a number of threads has other bits than one
 */
int bits_print_hashes(size_t teams);

#endif
