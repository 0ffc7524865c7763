/**
 * @file
 * What reading and writing safetensors files share.
 */
#ifndef LSTM_IO_FORMAT_H
#define LSTM_IO_FORMAT_H

#include <stdbool.h>

#include "lib/lstm/io/safetensors.h"

/** Bytes of the length of the header, and the most that a header may have. */
enum { LSTM_LENGTH_SIZE = 8, LSTM_HEADER_LIMIT = 1 << 20 };

/** Key of the metadata in a header. */
#define LSTM_METADATA_KEY "__metadata__"

/** Fails because of an errno: "safetensors: PATH: No space left on device". */
lstm_status lstm_fail_file(const char *path, int error);

/** Whether a text is UTF-8. */
bool lstm_is_utf8(const char *text);

/** The format of a name such as "BF16"; NULL when there is none. */
const lstm_dtype *lstm_dtype_find(const char *name);

/**
 * Reads a JSON text in which no object has a key twice.
 *
 * @return LSTM_OK, LSTM_OUT_OF_MEMORY, or LSTM_BAD_FILE without a message: error has
 *         what is wrong, and the caller knows of what
 */
lstm_status lstm_json_read(json_t **out, const char *text, size_t length,
                           json_error_t *error);

/** Reads a JSON object of count keys, no values of which are kept, as json_unpack()
 *  does; the status is as that of lstm_json_read(). */
lstm_status lstm_json_unpack(const char *text, size_t count, const char *format, ...);

/** Reads file->header's tensors and metadata to file->tensors and checks them. */
lstm_status lstm_header_read(lstm_safetensors *file);

#endif
