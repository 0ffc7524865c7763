/**
 * @file
 * The network that the benchmark measures: LSTM layers, a head, and a training step.
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

/** Floating-point operations of the matrix products of a forward, or of a training step
 *  without the gradient of the input. A multiply-add counts as two; the initial state
 * is zero. */
double shape_forward_flop(const shape *s);
double shape_training_flop(const shape *s);

/** Phases of a training step. */
typedef enum phase {
    PHASE_LOADER,
    /** Packing of the weights, for forward and backward. */
    PHASE_PACK,
    PHASE_FORWARD,
    /** Forward and backward of linear layer and loss. */
    PHASE_HEAD,
    PHASE_BACKWARD,
    PHASE_GRADIENTS,
    PHASE_OPTIMISER,
    PHASES
} phase;

extern const char *const phase_names[PHASES];

/** Floating-point operations of a phase; 0 for a phase that they do not limit. */
double phase_flop(const shape *s, phase p);

/** The objects of a training step. */
typedef struct network {
    shape shape;
    /** Outputs of the head. */
    size_t outputs;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *hn, *cn, *dhn, *last, *dlast, *logits, *dlogits;
    int64_t *targets;
    /** Used only in sequences.c; otherwise NULL. */
    lstm_stream *stream;
    lstm_tensor *out, *dout;
    size_t *lengths;
} network;

/** Exits with the message of the library unless the status is LSTM_OK. */
void must(lstm_status status);

/** Creates a network with random weights and input; exits on failure. */
network network_create(const shape *s, size_t outputs, lstm_precision precision);
void network_destroy(network *net);

/** Forward, loss, backward, Adam. */
void network_train(network *net);

/** Forward of the layer, in evaluation mode, and the head. */
void network_infer(network *net);

/**
 * Runs network_train() and measures the seconds of each phase. A phase inside a public
 * call is run separately and subtracted from the time of the call.
 */
void network_train_phases(network *net, double (*clock)(void), double *seconds);

#endif
