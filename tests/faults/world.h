/**
 * @file
 * One of each object of both libraries, for calls of every function.
 */
#ifndef TESTS_FAULTS_WORLD_H
#define TESTS_FAULTS_WORLD_H

#include <lstm/lstm.h>
#include <mnist/mnist.h>

#include "tests/support/folder.h"

enum {
    ROWS = 3,
    STEPS = 4,
    INPUTS = 5,
    HIDDEN = 6,
    LAYERS = 2,
    CLASSES = 3,
    IMAGES = 7
};
enum { WORLD_ROOM = 1 << 16, WORLD_VALUES = 4096, SIDE = 28 };

/** The objects. All worlds are equal. */
typedef struct world {
    lstm_rng *rng;
    /** [N, T, I], [N, T, H], [N, T, 4H], [L, N, H], [N, H], [N, I] and [N, C]. */
    lstm_tensor *x, *dx, *out, *dout, *gates, *h, *c, *last, *dlast, *row, *logits,
        *dlogits, *probabilities;
    /** [C, H]. */
    lstm_tensor *weight;
    /** With dropout, in training; the other without, in evaluation. */
    lstm_layer *layer, *still;
    lstm_linear *linear;
    lstm_embedding *embedding;
    lstm_cross_entropy *loss;
    /** Of layer, linear and embedding. */
    lstm_params *params;
    lstm_adam *adam;
    lstm_tape *tape;
    lstm_stream *stream;
    lstm_plateau plateau;
    lstm_file *file;
    mnist_dataset *digits;
    mnist_loader *loader;
    /** A checkpoint of params, in memory and in "model" in the test's folder. */
    unsigned char bytes[WORLD_ROOM];
    size_t size;
    /** Results of calls. */
    float values[WORLD_VALUES];
    int64_t numbers[16];
    uint64_t result;
    lstm_rng *new_rng;
    lstm_tensor *new_tensor;
    lstm_layer *new_layer;
    lstm_linear *new_linear;
    lstm_embedding *new_embedding;
    lstm_cross_entropy *new_loss;
    lstm_params *new_params;
    lstm_adam *new_adam;
    lstm_tape *new_tape;
    lstm_stream *new_stream;
    lstm_file *new_file;
    mnist_dataset *new_digits;
    mnist_loader *new_loader;
    /** Memory of 64 bytes alignment for a workspace. */
    void *workspace;
    size_t workspace_size;
} world;

/** A call of one function. */
typedef struct world_call {
    const char *name;
    /** Returns its status. */
    int (*run)(world *w);
    /** What has to happen before it; NULL for nothing. */
    void (*prepare)(world *w);
    /** Offset of the handle in world that it creates; 0 for none. */
    size_t handle;
} world_call;

/** Calls of every function of both libraries. */
extern const world_call world_lstm_calls[], world_mnist_calls[], world_file_calls[];
extern const size_t world_lstm_count, world_mnist_count, world_file_count;

/** Options that the calls share. */
extern const lstm_layer_config world_layer;

/** Creates a world. */
world *world_create(void);

/** Frees a world, and what calls created in it. */
void world_destroy(world *w);

/** Hash of all values and states that can be read. */
uint64_t world_hash(world *w);

/** Trains, so that what no function reads has an effect on the hash too. */
void world_train(world *w);

/** Runs the forwards of the layer, the linear layer and the loss. */
void world_forward(world *w);

#endif
