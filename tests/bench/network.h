/**
 * @file
 * The library under measurement: a stack of layers with a head, and its training step.
 */
#ifndef TESTS_BENCH_NETWORK_H
#define TESTS_BENCH_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/lstm.h>

/** N, T, I, H, L. */
typedef struct shape {
    size_t batch, steps, inputs, hidden, layers;
} shape;

/** Multiply-adds times two of the products of a forward, or of a whole training step
 *  without the gradient of the input; the first state is zero. */
double shape_forward_flop(const shape *s);
double shape_training_flop(const shape *s);

/** What of a training step takes its own time. */
typedef enum phase {
    PHASE_LOADER,
    /** Weights into panels, for forward and for backward. */
    PHASE_PACK,
    PHASE_FORWARD,
    /** Linear layer and loss, both ways. */
    PHASE_HEAD,
    PHASE_BACKWARD,
    PHASE_GRADIENTS,
    PHASE_OPTIMISER,
    PHASES
} phase;

extern const char *const phase_names[PHASES];

/** Floating-point operations of a phase; 0 for those that are not bound by them. */
double phase_flop(const shape *s, phase p);

/** All that a training step needs. */
typedef struct network {
    shape shape;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *hn, *cn, *dhn, *last, *dlast, *logits, *dlogits;
    int64_t *targets;
    /** Of sequences.c alone: NULL but in its measurements. */
    lstm_stream *stream;
    lstm_tensor *out, *dout;
    size_t *lengths;
} network;

/** Ends the program with the library's message unless the status is LSTM_OK. */
void must(lstm_status status);

/** Random weights and input; ends the program when that fails. */
network network_create(const shape *s, lstm_precision precision);
void network_destroy(network *net);

/** Forward, loss, backward, Adam. */
void network_train(network *net);

/** Forward and head of a layer in evaluation mode. */
void network_infer(network *net);

/**
 * The same as network_train(), taken apart: seconds of each phase. What cannot be seen
 * from outside is run once more by itself and taken off the call that contains it.
 */
void network_train_phases(network *net, double (*clock)(void), double *seconds);

#endif
