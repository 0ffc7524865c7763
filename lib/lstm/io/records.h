/**
 * @file
 * Tensors of a parameter set, an optimiser or a layer, with their names in a file.
 */
#ifndef LSTM_IO_RECORDS_H
#define LSTM_IO_RECORDS_H

#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/nn/parameter.h"

/** Records: first the parameters in the order of the set, then the moments, then the
 * scales of int8 values. Set it to zero before its first use. */
typedef struct lstm_records {
    lstm_record *items;
    size_t count;
    /** The object that messages begin with: "params". */
    const char *object;
} lstm_records;

/** The names of moments begin with this text. Loading without an optimiser ignores
 * them. */
#define LSTM_ADAM_NAME "__adam__."

/** Names the tensors of a set in a file; LSTM_OK or LSTM_OUT_OF_MEMORY. */
lstm_status lstm_records_create(lstm_records *records, const lstm_params *params,
                                const lstm_file_options *options);

/** Names the parameters of a layer in a file. end is removed from their names: "_l0"
 * for an LSTMCell, "" for others. */
lstm_status lstm_records_create_named(lstm_records *records, const char *object,
                                      const char *prefix, const char *end,
                                      const lstm_parameter *parameters, size_t count);

/** For saving: gives the parameters of int8 layers their int8 values, and appends
 * records of the scales. LSTM_OK, LSTM_NOT_FINITE or LSTM_OUT_OF_MEMORY. */
lstm_status lstm_records_quantise(lstm_records *records, const lstm_params *params);

/** Frees records, but not the tensors that belong to others. */
void lstm_records_destroy(lstm_records *records);

/** Checks that a file has all tensors of the records in their shapes and, unless
 * surplus is set, no others. */
lstm_status lstm_records_check(const lstm_records *records, const lstm_file *file,
                               bool surplus);

/** Number of bytes of all these tensors in a file that has been checked; SIZE_MAX on
 * overflow. */
size_t lstm_records_bytes(const lstm_records *records, const lstm_file *file);

/** Reads and checks the bytes of all these tensors, one after the other. */
lstm_status lstm_records_read(const lstm_records *records, const lstm_file *file,
                              unsigned char *data);

/** Checks that the moments in these bytes are finite and those of squares not negative,
 * as Adam needs them. */
lstm_status lstm_records_check_moments(const lstm_records *records,
                                       const lstm_file *file,
                                       const unsigned char *data);

/** Converts the bytes to the values of the tensors; returns the number of tensors that
 * are not F32 in the file. */
size_t lstm_records_fill(const lstm_records *records, const lstm_file *file,
                         const unsigned char *data);

/** Loads all parameters of a new layer. */
lstm_status lstm_records_load(const char *object, const lstm_file *file,
                              const char *prefix, const char *end,
                              lstm_parameter *parameters, size_t count);

#endif
