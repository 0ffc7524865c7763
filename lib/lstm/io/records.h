/**
 * @file
 * Tensors of a parameter set, an optimiser or a layer, with their names in a file.
 */
#ifndef LSTM_IO_RECORDS_H
#define LSTM_IO_RECORDS_H

#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/nn/parameter.h"

/** Records: first the parameters in the order of the set, then the moments. Zero it
 *  before its first use. */
typedef struct lstm_records {
    lstm_record *items;
    size_t count;
    /** Begins messages: "params". */
    const char *object;
} lstm_records;

/** Begins the names of moments, which loading without an optimiser ignores. */
#define LSTM_ADAM_NAME "__adam__."

/** Names the tensors of a set in a file; LSTM_OK or LSTM_OUT_OF_MEMORY. */
lstm_status lstm_records_create(lstm_records *records, const lstm_params *params,
                                const lstm_file_options *options);

/** Names the parameters of a layer in a file. end is removed from their names: "_l0"
 * for an LSTMCell, "" for others. */
lstm_status lstm_records_create_named(lstm_records *records, const char *object,
                                      const char *prefix, const char *end,
                                      const lstm_parameter *parameters, size_t count);

/** Frees records, not their tensors. */
void lstm_records_destroy(lstm_records *records);

/** Checks that a file has all of these tensors in their shapes and, unless surplus is
 *  set, no others. */
lstm_status lstm_records_check(const lstm_records *records, const lstm_file *file,
                               bool surplus);

/** Bytes of all these tensors in a file that has been checked; SIZE_MAX for more than
 *  memory can have. */
size_t lstm_records_bytes(const lstm_records *records, const lstm_file *file);

/** Reads and checks the bytes of all these tensors, one after the other. */
lstm_status lstm_records_read(const lstm_records *records, const lstm_file *file,
                              unsigned char *data);

/** Converts the bytes to the tensors; returns the number of those that are not F32. */
size_t lstm_records_fill(const lstm_records *records, const lstm_file *file,
                         const unsigned char *data);

/** Loads all parameters of a new layer. */
lstm_status lstm_records_load(const char *object, const lstm_file *file,
                              const char *prefix, const char *end,
                              lstm_parameter *parameters, size_t count);

#endif
