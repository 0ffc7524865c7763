/**
 * @file
 * Safetensors files: parameter sets, checkpoints and layers.
 */
#ifndef LSTM_FILE_H
#define LSTM_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/adam.h>
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/rng.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/**
 * Writes all values to a safetensors file, which safetensors.torch.load_file() reads.
 *
 * The file is written under a temporary name beside it, synced and renamed: after a
 * failure, or a crash at any moment, a file of that name is the old one or the new one,
 * whole.
 *
 * @param params a set
 * @param path where; a file of that name is replaced
 * @retval LSTM_OK on disk
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, a name is no UTF-8, or the names are
 * so many that the header would pass 1 MiB; nothing was written
 * @retval LSTM_IO_ERROR the file could not be written, or what is there is no regular
 * file; the message names it and says why
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was written
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_save(const lstm_params *params, const char *path);

/**
 * Reads all values from a safetensors file, whoever wrote it.
 *
 * Every parameter of the set has to be there in its shape, and nothing else. F32 is
 * taken as it is; F16 and BF16 are converted, which loses nothing, and F64 is rounded.
 * The file is checked and read as a whole before the first value changes.
 *
 * @param params a set
 * @param path the file
 * @retval LSTM_OK all values are read
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE it is no safetensors file, is truncated or has trailing bytes,
 * or lacks a tensor, or has one too many; the message names file and tensor; no value
 * was changed
 * @retval LSTM_SHAPE_MISMATCH a tensor has another shape, the message shows both; no
 *         value was changed
 * @retval LSTM_OUT_OF_MEMORY no memory; no value was changed
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_load(lstm_params *params, const char *path);

/** Options of files. Zero is the default of each. */
typedef struct lstm_file_options {
    /** [2 * rename_count] pairs of texts: a name that begins with the first one has the
     *  second one in its place in the file; the first pair that fits counts. {"lstm.",
     *  "model.rnn.", "", "model."} puts the layer into model.rnn, all else into model.
     */
    const char *const *rename;
    /** Number of pairs in rename (default 0). */
    size_t rename_count;
    /** Loading: other tensors in the file are no error (default false). */
    bool allow_surplus;
    /** An optimiser of the set, whose moments, steps, learning rate, and rates that
     *  lstm_adam_set_parameter() gave are in the file as well; a parameter that the
     *  file has no rates of keeps its own (default NULL: none is saved, and one in the
     *  file is skipped). */
    lstm_adam *adam;
    /** A generator whose state is in the file as well (default NULL, likewise). */
    lstm_rng *rng;
    /** [2 * metadata_count] Saving: keys and values of metadata; keys do not begin with
     *  "lstm.". */
    const char *const *metadata;
    /** Number of pairs in metadata (default 0). */
    size_t metadata_count;
    /** Loading: where the number of tensors goes that were not F32 (default NULL). */
    size_t *converted;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_file_options;

/**
 * Writes all values to a safetensors file, with options.
 *
 * With an optimiser and a generator the file is a checkpoint: a training that goes on
 * from it takes the same steps, bit for bit. The rest is as in lstm_params_save().
 *
 * @param params a set
 * @param path where; a file of that name is replaced
 * @param options NULL for the defaults
 * @retval LSTM_OK on disk
 * @retval LSTM_INVALID_ARGUMENT as lstm_params_save(); or two names become one, a key
 * of metadata is taken, or adam belongs to another set; nothing was written
 * @retval LSTM_IO_ERROR the file could not be written; the message names it and says
 * why
 * @retval LSTM_OUT_OF_MEMORY no memory; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_save_as(const lstm_params *params, const char *path,
                                const lstm_file_options *options);

/**
 * Reads all values from a safetensors file, with options.
 *
 * The rest is as in lstm_params_load(); an optimiser and a generator, too, change only
 * when the whole file is right. A file of this library carries a checksum of its
 * values, which is looked at.
 *
 * @param params a set
 * @param path the file
 * @param options NULL for the defaults
 * @retval LSTM_OK all values are read
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or adam belongs to another set
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_params_load(); or it has no optimiser or generator, or
 *         its checksum is wrong; no value was changed
 * @retval LSTM_SHAPE_MISMATCH a tensor has another shape, the message shows both; no
 *         value was changed
 * @retval LSTM_OUT_OF_MEMORY no memory; no value was changed
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_load_as(lstm_params *params, const char *path,
                                const lstm_file_options *options);

/**
 * Reads one text of the metadata of a safetensors file.
 *
 * @param path the file
 * @param key such as "format"
 * @param[out] text [size] the value in UTF-8, and a zero byte
 * @param size room at text
 * @retval LSTM_OK text is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or size is too small: the message
 *         says what it has to be
 * @retval LSTM_IO_ERROR the file could not be read
 * @retval LSTM_BAD_FILE it is no safetensors file, or has no such key
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_metadata(const char *path, const char *key, char *text,
                               size_t size);

/**
 * Creates a layer from a safetensors file, without being told its options.
 *
 * A file of lstm_params_save() has them all in its metadata. In any other file, such as
 * one of PyTorch, inputs, hidden, layers, proj_size, bidirectional and bias are told by
 * the names and shapes of its tensors; batch_first is false and dropout 0 then, as
 * nothing in the file says.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param path the file; other tensors in it are left alone
 * @param prefix of the layer's names in the file, such as "lstm"; "" for bare names
 * @param rng where masks of dropout are drawn from; it MUST outlive the layer and is
 * not drawn from here. NULL for a layer without dropout, whatever the file says.
 * @retval LSTM_OK created, in training mode
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_params_load(); or there is no such layer, or its
 * metadata are damaged or not those of its tensors
 * @retval LSTM_SHAPE_MISMATCH a tensor is not of the shape that the others give it
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng);

/**
 * Creates a linear layer from a safetensors file; its sizes are those of the weight.
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param path the file; other tensors in it are left alone
 * @param prefix of the layer's names in the file, such as "fc"; "" for bare names
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_params_load(); or there is no such layer
 * @retval LSTM_SHAPE_MISMATCH the bias is not of the shape that the weight gives it
 * @retval LSTM_OUT_OF_MEMORY no memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
