/**
 * @file
 * The tensors that a set of parameters, and an optimiser with it, have in a file.
 */
#ifndef LSTM_IO_RECORDS_H
#define LSTM_IO_RECORDS_H

#include <lstm/file.h>

#include "lib/lstm/io/safetensors.h"

/** Records: first the parameters in the order of the set, then the moments. Zero it
 *  before its first use. */
typedef struct lstm_records {
    lstm_record *items;
    size_t count;
} lstm_records;

/** Begins the names of the tensors of optimisers, which loading without one skips. */
#define LSTM_ADAM_NAME "__adam__."

/** Names the tensors in a file; LSTM_OK or LSTM_OUT_OF_MEMORY. */
lstm_status lstm_records_create(lstm_records *records, const lstm_params *params,
                                const lstm_file_options *options);

/** Frees records, not their tensors. */
void lstm_records_destroy(lstm_records *records);

/** Checks that a file has all of these tensors, in their shapes, and no others unless
 *  surplus says so. */
lstm_status lstm_records_check(const lstm_records *records,
                               const lstm_safetensors *file, bool surplus);

/** Copies the data of a file that has been checked to the tensors; returns how many of
 *  them were converted. */
size_t lstm_records_fill(const lstm_records *records, const lstm_safetensors *file,
                         const unsigned char *data);

#endif
