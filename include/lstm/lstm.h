/**
 * @file
 * liblstm: LSTM networks for C programs. This header includes all the others.
 *
 * | header            | what is in it                                              |
 * | ----------------- | ---------------------------------------------------------- |
 * | version.h         | version of headers and library                             |
 * | status.h          | what calls return, and the message of the last failure     |
 * | threads.h         | number of threads, kernels in use, reproducible mode       |
 * | tensor.h          | float32 arrays with strides, views, zero-copy wrapping     |
 * | rng.h             | random numbers with PyTorch's streams                      |
 * | layer.h           | the LSTM: forward and backward through time                |
 * | tape.h            | several pending forwards of one layer                      |
 * | linear.h          | the linear layer                                           |
 * | embedding.h       | rows of a table by index                                   |
 * | cross_entropy.h   | the loss of a classifier                                   |
 * | loss.h            | mean squared error, binary cross-entropy of logits         |
 * | params.h          | named parameters: gradients, norm, clipping                |
 * | file.h            | safetensors files: parameters, checkpoints, layers         |
 * | adam.h            | the optimiser                                              |
 * | schedule.h        | learning rates as functions of the step                    |
 * | stream.h          | inference step by step with carried state                  |
 * | weights.h         | weights in the layouts of PyTorch, Keras, ONNX, oneDNN     |
 *
 * Axes. Shapes are written in brackets, row-major, the last axis fastest: T steps of a
 * sequence, N sequences in a batch, I inputs, H hidden units, P projection, D
 * directions, L layers, C classes. The gates stand in the order i, f, g, o.
 *
 * Objects are opaque. `lstm_X_create(&x, ...)` writes the handle first, NULL when it
 * fails; `lstm_X_destroy(&x)` frees it, writes NULL, and accepts NULL. What a call is
 * given it does not keep, unless its text says so. Where the text does not say that
 * NULL is welcome, it is an error.
 *
 * Errors. A call that can fail returns an lstm_status; lstm_last_error() has one line
 * about the last failure of the thread, with the shapes. The library never prints,
 * exits or aborts, and after a failure everything is as it was, or as the text says.
 *
 * Threads. Different objects may be used from different threads at the same time, one
 * object from one thread at a time; getters of an object that nobody changes from any.
 * A process may fork: parent and child both go on.
 *
 * Determinism. Everything random comes from an lstm_rng of the caller's. The same seed,
 * calls and kernels give the same bits, whatever the number of threads; so do all
 * kernels but those of plain C, and these too in the reproducible mode (threads.h).
 */
#ifndef LSTM_LSTM_H
#define LSTM_LSTM_H

#include <lstm/adam.h>
#include <lstm/cross_entropy.h>
#include <lstm/embedding.h>
#include <lstm/file.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/loss.h>
#include <lstm/params.h>
#include <lstm/rng.h>
#include <lstm/schedule.h>
#include <lstm/status.h>
#include <lstm/stream.h>
#include <lstm/tape.h>
#include <lstm/tensor.h>
#include <lstm/threads.h>
#include <lstm/version.h>
#include <lstm/weights.h>

#endif
