/**
 * @file
 * liblstm: LSTM networks for C programs. This header includes all other headers.
 *
 * | header            | contents                                                   |
 * | ----------------- | ---------------------------------------------------------- |
 * | version.h         | version of the headers and of the library                  |
 * | status.h          | status of calls, and the message of the last failure       |
 * | threads.h         | number of threads, kernels, reproducible mode              |
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
 * Axes. Brackets give a shape. Arrays are row-major: the last axis is contiguous.
 * Letters name the axes: T steps of a sequence, N sequences of a batch, I inputs, H
 * hidden units, P size of the projection, S size of h (P with projection, else H), D
 * directions, L layers, C classes. The gates have the order i, f, g, o.
 *
 * Objects are opaque. `lstm_X_create(&x, ...)` sets the handle to the new object, or to
 * NULL on failure. `lstm_X_destroy(&x)` frees the object and sets the handle to NULL;
 * the address of a NULL handle and NULL are allowed. Calls keep no reference to their
 * arguments unless the documentation says so: then the argument MUST outlive the
 * object. MUST marks conditions that the library does not check.
 *
 * NULL. A pointer must not be NULL unless the documentation of the argument allows it.
 * Calls with a status return LSTM_INVALID_ARGUMENT for NULL. Getters return 0, NULL or
 * false for a NULL object.
 *
 * Overlap. An output MUST NOT overlap another argument in memory unless the
 * documentation of the argument allows it.
 *
 * Options. Zero is the default of each option, except for sizes. Set options with
 * designated initialisers, or zero the struct first: the reserved fields must be zero.
 * Otherwise the call fails with LSTM_UNSUPPORTED.
 *
 * Errors. A call that can fail returns an lstm_status. lstm_last_error() returns one
 * line about the last failure in the same thread, with the shapes or values. The
 * library never prints, exits or aborts. A call that fails changes nothing, unless its
 * documentation says otherwise.
 *
 * Threads. Different objects can be used from different threads at the same time. Only
 * one thread at a time may use an object, with these exceptions. Calls that only read
 * an object (const arguments) can run at the same time in any number of threads. So can
 * streams of one layer (stream.h), and forwards of one layer with a tape for each
 * (tape.h). A process may fork: the library works in the parent and in the child. The
 * worker threads of the library block all signals.
 *
 * Determinism. All random numbers come from generators (lstm_rng) that the caller
 * passes. The same seed, calls and kernels give the same bits for any number of
 * threads. All kernels except plain C give the same bits. In the reproducible mode
 * plain C gives these bits, too (threads.h).
 *
 * Locale. The locale of the program has no effect: files and messages always use a
 * decimal point.
 *
 * Environment. LSTM_NUM_THREADS, LSTM_CPU and LSTM_REPRODUCIBLE set the defaults that
 * threads.h describes. The library reads no other variable.
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
