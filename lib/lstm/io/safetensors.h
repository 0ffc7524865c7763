/**
 * @file
 * The safetensors format: named tensors behind a JSON header.
 *
 * 8 bytes little-endian length of the header; the header, an object of
 * {"NAME": {"dtype": "F32", "shape": [10, 128], "data_offsets": [0, 5120]}} with an
 * optional "__metadata__" object of strings, padded with spaces; the values, row-major
 * and little-endian, at these offsets. Files are read more strictly than the format
 * asks for: no key twice, no unknown key, no byte that belongs to no tensor or to two.
 */
#ifndef LSTM_IO_SAFETENSORS_H
#define LSTM_IO_SAFETENSORS_H

#include <stddef.h>

#include <jansson.h>

#include <lstm/status.h>
#include <lstm/tensor.h>

#include "lib/common/file.h"

/** Largest rank of a tensor in a file that is read. */
enum { LSTM_STORED_RANK = 8 };

/** A format of numbers in a file. */
typedef struct lstm_dtype {
    const char *name;
    /** Bytes of a value. */
    size_t size;
    /** Converts count values to float32; NULL for formats that no parameter is read
     *  from. The bytes need no alignment. */
    void (*convert)(size_t count, const unsigned char *from, float *to);
} lstm_dtype;

/** A tensor as the header of a file describes it. */
typedef struct lstm_stored {
    /** Lives in the header. */
    const char *name;
    const lstm_dtype *dtype;
    size_t rank, shape[LSTM_STORED_RANK];
    /** Number of values. */
    size_t count;
    /** Its bytes, from the end of the header. */
    size_t start, end;
} lstm_stored;

/** A file whose header has been read and checked. Zero it before its first use. */
typedef struct lstm_safetensors {
    const char *path;
    common_input input;
    json_t *header;
    /** Tensors in the order of their bytes. */
    lstm_stored *tensors;
    size_t count;
    /** Bytes of all of them. */
    size_t size;
} lstm_safetensors;

/**
 * Opens a file and checks its header against its size.
 *
 * @param path MUST outlive file
 * @return LSTM_OK, LSTM_IO_ERROR, LSTM_BAD_FILE or LSTM_OUT_OF_MEMORY; on failure there
 *         is nothing to close
 */
lstm_status lstm_safetensors_open(lstm_safetensors *file, const char *path);

/** Closes a file; does nothing when it is not open. */
void lstm_safetensors_close(lstm_safetensors *file);

/** A tensor by its name; NULL when there is none. */
const lstm_stored *lstm_safetensors_find(const lstm_safetensors *file,
                                         const char *name);

/** The tensor "PREFIX.NAME", or NAME when the prefix is empty; NULL when there is none.
 */
const lstm_stored *lstm_safetensors_find_in(const lstm_safetensors *file,
                                            const char *prefix, const char *name);

/** Reads the bytes of all tensors, once, to data [size]. */
lstm_status lstm_safetensors_read(lstm_safetensors *file, unsigned char *data);

/** A tensor without gaps, and its name in a file. */
typedef struct lstm_record {
    char *name;
    lstm_tensor *tensor;
} lstm_record;

/**
 * Replaces a file by one that holds these tensors in this order.
 *
 * @param metadata object of strings, borrowed; NULL for none
 * @return LSTM_OK, LSTM_IO_ERROR, LSTM_OUT_OF_MEMORY, or LSTM_INVALID_ARGUMENT when a
 *         name is no UTF-8 or there twice, or the header would be too long to be read
 *         again
 */
lstm_status lstm_safetensors_write(const char *path, const lstm_record *records,
                                   size_t count, json_t *metadata);

#endif
