/**
 * @file
 * What a file says beside its tensors: strings under keys that begin with "lstm.", and
 * what the caller adds.
 *
 *     lstm.crc32         CRC-32 of the data of all tensors, eight hexadecimal digits
 *     lstm.layer.PREFIX  options of a layer, a JSON object
 *     lstm.adam          steps and learning rate of an optimiser, a JSON object
 *     lstm.adam.NAME     own rates of a parameter, a JSON object
 *     lstm.rng           state of a generator, hexadecimal
 */
#ifndef LSTM_IO_METADATA_H
#define LSTM_IO_METADATA_H

#include <stdint.h>

#include <lstm/file.h>

#include "lib/lstm/io/records.h"
#include "lib/lstm/nn/parameter.h"

/** Key of the options of a layer, without its prefix. */
#define LSTM_LAYER_KEY "lstm.layer."

/** Makes the metadata of a file; *out is freed with json_decref(). */
lstm_status lstm_metadata_create(json_t **out, const lstm_params *params,
                                 const lstm_file_options *options,
                                 const lstm_records *records);

/** The text of a key; NULL when there is none. */
const char *lstm_metadata_find(const lstm_safetensors *file, const char *key);

/** Checks the data of a file against its checksum, when it has one. */
lstm_status lstm_metadata_check_data(const lstm_safetensors *file,
                                     const unsigned char *data);

/** State of an optimiser and a generator, as a file has it. */
typedef struct lstm_progress {
    uint64_t steps;
    double lr;
    /** [parameters] of those that were given rates; NULL without an optimiser. */
    lstm_adam_rates *rates;
    uint8_t rng[LSTM_RNG_STATE_SIZE];
} lstm_progress;

/** Reads the state that options ask for, of a set of so many parameters, which records
 *  name. Zero progress before; its rates are freed with common_free() in any case. */
lstm_status lstm_metadata_read_progress(const lstm_safetensors *file,
                                        const lstm_file_options *options,
                                        const lstm_records *records, size_t parameters,
                                        lstm_progress *progress);

#endif
