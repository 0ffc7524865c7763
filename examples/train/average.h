/**
 * @file
 * --ema: the exponential moving average of the weights, as AveragedModel of
 * torch.optim.swa_utils with get_ema_multi_avg_fn(decay).
 *
 * After the first step the average has the weights of the network; after each later
 * step,
 *
 *     average = average + (1 - decay) (weights - average)
 *
 * in float32, with the operations of torch.lerp but without fused ones: the same bits
 * on all processors.
 */
#ifndef EXAMPLES_TRAIN_AVERAGE_H
#define EXAMPLES_TRAIN_AVERAGE_H

#include <stdbool.h>

#include <lstm/lstm.h>

typedef struct train_average {
    double decay;
    /** [lstm_params_count()] the average, which checkpoints contain; NULL without
     *  --ema. */
    lstm_tensor *values;
    /** The weights of the network, in the same order. */
    lstm_tensor *network;
    /** Whether there was a step. */
    bool started;
} train_average;

/** Allocates the average of a set of parameters and adds it to stored as "average".
 *  False if liblstm failed. Frees nothing. */
bool average_create(train_average *average, double decay, const lstm_params *params,
                    lstm_params *stored);

/** Frees the average; stored MUST be freed first. */
void average_destroy(train_average *average);

/** Takes the weights after a step. Does nothing without --ema, as the next two. */
bool average_update(train_average *average, const lstm_params *params);

/** Gives the network the average, if there is one, and keeps its weights. */
bool average_show(train_average *average, lstm_params *params);

/** Gives the network the weights of before average_show(). */
bool average_hide(train_average *average, lstm_params *params);

/** The average [lstm_params_count()]; NULL if there is none. */
const float *average_values(const train_average *average);

#endif
