/**
 * @file
 * Metadata of a file: the keys of this library, which begin with "lstm.", and those of
 * the caller. docs/file-format.md describes each.
 *
 *     lstm.checksum      CRC-32 of the content of the header
 *     lstm.crc32.NAME    CRC-32 of the bytes of a tensor
 *     lstm.layer.PREFIX  options of a layer, a JSON object
 *     lstm.adam          steps and learning rate of an optimiser, a JSON object
 *     lstm.adam.NAME     steps and rates of a parameter, a JSON object, if they are not
 *                        those of the optimiser
 *     lstm.rng           state of a generator, hexadecimal
 */
#ifndef LSTM_IO_METADATA_H
#define LSTM_IO_METADATA_H

#include <stdint.h>

#include "lib/lstm/io/records.h"
#include "lib/lstm/io/safetensors.h"
#include "lib/lstm/nn/parameter.h"

/** The keys that the library writes begin with this text. */
#define LSTM_OWN_KEYS "lstm."
/** Key of the options of a layer, without its prefix. */
#define LSTM_LAYER_KEY "lstm.layer."
/** Keys of an optimiser, of a parameter (without its name), and of a generator. */
#define LSTM_ADAM_KEY "lstm.adam"
#define LSTM_SLOT_KEY "lstm.adam."
#define LSTM_RNG_KEY  "lstm.rng"

/** Version of the JSON objects. The reader rejects another major version, and ignores
 * unknown members of a higher minor version. */
#define LSTM_OBJECT_VERSION "1.0"

/** The texts of lstm_precision. */
static const char *const lstm_precision_names[] = {"float32", "bfloat16", "int8"};
enum { LSTM_PRECISIONS = sizeof(lstm_precision_names) / sizeof(*lstm_precision_names) };

/** Creates the metadata of a file. The caller frees it with lstm_metadata_destroy(),
 * even after a failure. */
lstm_status lstm_metadata_fill(lstm_metadata *metadata, const lstm_params *params,
                               const lstm_file_options *options,
                               const lstm_records *records);

/** Checks the version of an object of the metadata. Its key is first followed by
 * second. An object without a version has version 1.0. */
lstm_status lstm_object_version(const lstm_object *object, const lstm_file *file,
                                const char *first, const char *second);

/** Steps and rates of a parameter in a file. */
typedef struct lstm_slot_progress {
    uint64_t steps;
    lstm_adam_rates rates;
} lstm_slot_progress;

/** State of an optimiser and a generator in a file. */
typedef struct lstm_progress {
    uint64_t steps;
    double lr;
    /** [parameters]; NULL without an optimiser. */
    lstm_slot_progress *slots;
    uint8_t rng[LSTM_RNG_STATE_SIZE];
} lstm_progress;

/** Reads the state of the optimiser and the generator of the options. The first records
 * name the parameters. Set progress to zero before the call, and free its slots with
 * common_free() afterwards, even after a failure. */
lstm_status lstm_progress_read(const lstm_file *file, const lstm_file_options *options,
                               const lstm_records *records, size_t parameters,
                               lstm_progress *progress);

#endif
