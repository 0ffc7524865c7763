/**
 * @file
 * The kind of layer under a prefix.
 */
#ifndef LSTM_IO_LAYERS_H
#define LSTM_IO_LAYERS_H

#include <lstm/layer.h>

#include "lib/lstm/io/safetensors.h"

/** Kinds of layers, identified by the names and shapes of weight_ih and weight_hh. */
typedef enum lstm_kind {
    LSTM_KIND_NONE,
    LSTM_KIND_LSTM,
    /** An LSTMCell: names without "_l0". */
    LSTM_KIND_CELL,
    LSTM_KIND_GRU,
    LSTM_KIND_RNN
} lstm_kind;

/** The kind of layer under a prefix. */
lstm_kind lstm_file_kind(const lstm_file *file, const char *prefix);

/** The tensor "NAME_lLAYER" under a prefix; NULL when it is missing or not a matrix. */
const lstm_stored *lstm_file_weight(const lstm_file *file, const char *prefix,
                                    const char *name, size_t layer);

/** If the prefix is NULL, replaces it by the prefix of the only LSTM in the file. */
lstm_status lstm_file_choose(const lstm_file *file, const char **prefix);

/** Fails if a file has a tensor whose name is one of an LSTM under the prefix, and an
 * LSTM with these options does not use it. */
lstm_status lstm_file_check_surplus(const lstm_file *file, const char *prefix,
                                    const lstm_layer_config *config);

/** Fails because no LSTM has this prefix; the message describes the content of the
 * file. */
lstm_status lstm_fail_no_layer(const lstm_file *file, const char *prefix);

#endif
