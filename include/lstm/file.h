/**
 * @file
 * Model files: safetensors files from a path or from memory, what is in them, and
 * layers and parameter sets that are saved and loaded.
 *
 * A file is opened once and read in parts: only the values that a call asks for are
 * read. Other tensors may be of any data type, rank and number. Files of this library
 * carry a checksum for each tensor and one for the header; see docs/file-format.md.
 */
#ifndef LSTM_FILE_H
#define LSTM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/adam.h>
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** A safetensors file that is open: its header is in memory. */
typedef struct lstm_file lstm_file;

/** A tensor of a file. Texts and shape are valid as long as the file. */
typedef struct lstm_tensor_info {
    /** Name, in UTF-8. */
    const char *name;
    /** Data type as the file has it, for example "F32", "BF16", "I64"; it may be one
     *  that this library does not know. */
    const char *dtype;
    /** Number of axes. */
    size_t rank;
    /** [rank] extent of each axis. */
    const size_t *shape;
    /** Size of its values in bytes. */
    uint64_t bytes;
    /** Room for fields of later versions. */
    uint64_t reserved[8];
} lstm_tensor_info;

/**
 * Opens a safetensors file: reads its header and checks it against the size of the
 * file and, in a file of this library, against its checksum.
 *
 * @param[out] out the file, closed with lstm_file_destroy(); NULL on failure
 * @param path the file
 * @retval LSTM_OK the file is open
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE it is not a safetensors file, is truncated or has trailing
 *         bytes, or is damaged; the message says what it is instead, or what is wrong
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_open(lstm_file **out, const char *path);

/**
 * Opens a safetensors file that is in memory: linked into the program (lstm-embed
 * writes the array), a resource, a field of a database.
 *
 * @param[out] out the file, closed with lstm_file_destroy(); NULL on failure
 * @param bytes [size] the file, of any alignment; not copied: it MUST outlive the file
 * @param size number of bytes
 * @retval LSTM_OK the file is open
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_BAD_FILE as lstm_file_open()
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_open_bytes(lstm_file **out, const void *bytes, size_t size);

/**
 * Closes a file and writes NULL to the handle. Layers that were read from it stay.
 *
 * @param file address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_file_destroy(lstm_file **file);

/** Number of tensors in the file; 0 for NULL. @since 1.0 */
LSTM_API
size_t lstm_file_tensor_count(const lstm_file *file);

/**
 * Describes a tensor of a file.
 *
 * @param file a file
 * @param index below lstm_file_tensor_count(); tensors are in the order of their values
 *        in the file
 * @param[out] info the description
 * @retval LSTM_OK info is written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or index is out of range
 * @since 1.0
 */
LSTM_API
lstm_status lstm_file_tensor_info(const lstm_file *file, size_t index,
                                  lstm_tensor_info *info);

/** Key of an entry of the metadata, sorted by key, valid as long as the file; NULL when
 *  index is past the last one. @since 1.0 */
LSTM_API
const char *lstm_file_metadata_key(const lstm_file *file, size_t index);

/** Text of a key of the metadata in UTF-8, valid as long as the file; NULL when the
 * file does not have the key. @since 1.0 */
LSTM_API
const char *lstm_file_metadata(const lstm_file *file, const char *key);

/** Prefix of an LSTM in the file, such as "lstm" or "", valid as long as the file; NULL
 *  when index is past the last one. LSTMs are found by the names and shapes of their
 *  tensors, torch.nn.LSTMCell among them. @since 1.0 */
LSTM_API
const char *lstm_file_layer_prefix(const lstm_file *file, size_t index);

/**
 * Reads the options of an LSTM in a file, and none of its weights.
 *
 * A file of lstm_params_save() has all options in its metadata. In other files, such as
 * PyTorch's, the names and shapes of the tensors give inputs, hidden, layers,
 * proj_size, bidirectional and no_bias; the rest has its default.
 *
 * @param file a file
 * @param prefix in front of the layer's names, such as "lstm"; "" for bare names; NULL
 *        for the only LSTM of the file
 * @param[out] config the options
 * @retval LSTM_OK config is written
 * @retval LSTM_INVALID_ARGUMENT file or config is NULL
 * @retval LSTM_BAD_FILE there is no such LSTM, or prefix is NULL and there are several:
 *         the message lists what the file has; or its metadata is damaged, of another
 *         major version, or does not match its tensors
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_layer_config(lstm_file *file, const char *prefix,
                                   lstm_layer_config *config);

/**
 * Reads one tensor of a file, converted to float32.
 *
 * @param file a file
 * @param name name of the tensor
 * @param[out] to a tensor of its shape, with any strides; [1] for one without axes
 * @retval LSTM_OK the values are read; F16 and BF16 were converted exactly, F64 was
 *         rounded
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read
 * @retval LSTM_BAD_FILE the file does not have the tensor: the message lists what it
 *         has; or its data type is not F32, F64, F16 or BF16, or its checksum is wrong
 * @retval LSTM_SHAPE_MISMATCH to has another shape; the message shows both
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_read_tensor(lstm_file *file, const char *name, lstm_tensor *to);

/**
 * Creates a layer from a safetensors file: its options as lstm_file_layer_config()
 * reads them, and its weights.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param path the file; other tensors in it are not read
 * @param prefix as in lstm_file_layer_config()
 * @param rng generator of the masks of dropout; it MUST outlive the layer and is not
 *        drawn from here. NULL for a layer without dropout, whatever the file says.
 * @retval LSTM_OK created, in training mode
 * @retval LSTM_INVALID_ARGUMENT out or path is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_file_open() and lstm_file_layer_config(); or a tensor
 *         is missing, of another data type, or its checksum is wrong
 * @retval LSTM_SHAPE_MISMATCH a tensor does not have the shape that the options give it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng);

/**
 * Creates a layer from a file that is open, as lstm_layer_load().
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param file a file
 * @param prefix as in lstm_file_layer_config()
 * @param rng as in lstm_layer_load()
 * @retval LSTM_OK created, in training mode
 * @retval LSTM_INVALID_ARGUMENT out or file is NULL
 * @retval LSTM_IO_ERROR as lstm_layer_load()
 * @retval LSTM_BAD_FILE as lstm_layer_load()
 * @retval LSTM_SHAPE_MISMATCH as lstm_layer_load()
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_read(lstm_layer **out, lstm_file *file, const char *prefix,
                            lstm_rng *rng);

/**
 * Creates a linear layer from a safetensors file. The shape of "PREFIX.weight" gives
 * its sizes; it has a bias when the file has "PREFIX.bias".
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param path the file; other tensors in it are not read
 * @param prefix in front of the layer's names, such as "fc"; "" for bare names
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_file_open(); or there is no such layer: the message
 *         lists what the file has; or its checksum is wrong
 * @retval LSTM_SHAPE_MISMATCH the bias does not have the shape that the weight gives it
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix);

/**
 * Creates a linear layer from a file that is open, as lstm_linear_load().
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param file a file
 * @param prefix as in lstm_linear_load()
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR as lstm_linear_load()
 * @retval LSTM_BAD_FILE as lstm_linear_load()
 * @retval LSTM_SHAPE_MISMATCH as lstm_linear_load()
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_read(lstm_linear **out, lstm_file *file, const char *prefix);

/** Options of saving and loading parameter sets. Zero is the default of each. */
typedef struct lstm_file_options {
    /** [2 * rename_count] pairs of texts: in the file, the second text replaces the
     *  first one at the beginning of a name; the first matching pair applies.
     *  {"lstm.", "model.rnn.", "", "model."} puts the layer into model.rnn, all else
     *  into model. */
    const char *const *rename;
    /** Number of pairs in rename (default 0). */
    size_t rename_count;
    /** Loading: ignore other tensors in the file (default false). */
    bool allow_surplus;
    /** An optimiser of the set. Its moments, steps, learning rate, and the rates that
     *  lstm_adam_set_parameter() gave are saved and loaded as well; a parameter without
     *  rates in the file keeps its own (default NULL: an optimiser in the file is
     *  ignored). */
    lstm_adam *adam;
    /** A generator whose state is saved and loaded as well (default NULL, likewise). */
    lstm_rng *rng;
    /** [2 * metadata_count] Saving: keys and values of metadata; keys do not begin with
     *  "lstm.". */
    const char *const *metadata;
    /** Number of pairs in metadata (default 0). */
    size_t metadata_count;
    /** Loading: receives the number of tensors that were not F32 (default NULL). */
    size_t *converted;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_file_options;

/**
 * Writes all values to a safetensors file, which safetensors.torch.load_file() reads.
 *
 * With an optimiser and a generator the file is a checkpoint: a training that continues
 * from it takes the same steps, bit for bit. The file is written under a temporary name
 * beside it, synced and renamed: after a failure, or a crash at any moment, a file of
 * that name is the old one or the new one, complete.
 *
 * @param params a set
 * @param path where; a file of that name is replaced
 * @param options NULL for the defaults
 * @retval LSTM_OK on disk
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL; a name is not valid UTF-8, is
 *         reserved, or is that of two tensors; a metadata key is reserved or there
 *         twice; adam belongs to another set; or the header would be longer than
 *         100,000,000 bytes; nothing was written
 * @retval LSTM_IO_ERROR the file could not be written, or what is there is not a
 * regular file; the message names it and says why
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_save(const lstm_params *params, const char *path,
                             const lstm_file_options *options);

/**
 * Reads all values from a safetensors file, whichever program wrote it.
 *
 * The file has to contain every parameter of the set in its shape, and nothing else
 * unless allow_surplus is set. F32 is read as it is; F16 and BF16 are converted
 * exactly, F64 is rounded. Everything is read and checked before the first value
 * changes; the optimiser and the generator change with the values.
 *
 * @param params a set
 * @param path the file
 * @param options NULL for the defaults
 * @retval LSTM_OK all values are read
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or adam belongs to another set
 * @retval LSTM_IO_ERROR the file could not be read; the message names it and says why
 * @retval LSTM_BAD_FILE as lstm_file_open(); or it lacks a tensor, the optimiser or the
 *         generator, contains an unexpected tensor, or a checksum is wrong; no value
 * was changed
 * @retval LSTM_SHAPE_MISMATCH a tensor has another shape, the message shows both; no
 *         value was changed
 * @retval LSTM_OUT_OF_MEMORY not enough memory; no value was changed
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_load(lstm_params *params, const char *path,
                             const lstm_file_options *options);

/**
 * Reads all values from a file that is open, as lstm_params_load().
 *
 * @param params a set
 * @param file a file
 * @param options NULL for the defaults
 * @retval LSTM_OK all values are read
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or adam belongs to another set
 * @retval LSTM_IO_ERROR as lstm_params_load()
 * @retval LSTM_BAD_FILE as lstm_params_load()
 * @retval LSTM_SHAPE_MISMATCH as lstm_params_load()
 * @retval LSTM_OUT_OF_MEMORY not enough memory; no value was changed
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_read(lstm_params *params, lstm_file *file,
                             const lstm_file_options *options);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
