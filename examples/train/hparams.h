/**
 * @file
 * The options of a run as TensorBoard shows them.
 */
#ifndef EXAMPLES_TRAIN_HPARAMS_H
#define EXAMPLES_TRAIN_HPARAMS_H

#include "examples/train/options.h"
#include "examples/train/protobuf.h"
#include "examples/train/trainer.h"

/** Adds to a summary, as values of the field: the command line and the sizes as text,
 *  and the hyperparameters. */
void hparams_add(protobuf *summary, unsigned field, const train_options *options,
                 const train_state *trainer);

#endif
