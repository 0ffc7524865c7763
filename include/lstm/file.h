/**
 * @file
 * Model files in the safetensors format, opened from a path or from memory.
 * Functions list the content of a file, create layers from it, and save and load
 * parameter sets.
 *
 * A call reads only the values that it needs. A file may contain any number of other
 * tensors, of any data type and rank. Files written by this library contain a checksum
 * for each tensor and one for the header; see docs/file-format.md.
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

/** An open safetensors file. Its header is in memory. */
typedef struct lstm_file lstm_file;

/** A tensor of a file. Strings and shape are valid as long as the file. */
typedef struct lstm_tensor_info {
    /** Name, in UTF-8. */
    const char *name;
    /** Data type as written in the file, for example "F32", "BF16", "I64". It may be a
     * type that this library does not know. */
    const char *dtype;
    /** Number of axes. */
    size_t rank;
    /** [rank] extent of each axis. */
    const size_t *shape;
    /** Size of its values in bytes. */
    uint64_t bytes;
    /** Reserved for fields of later versions. */
    uint64_t reserved[8];
} lstm_tensor_info;

/**
 * Opens a safetensors file: reads the header and checks that it matches the size of the
 * file and, if the header contains a checksum, the checksum.
 *
 * @param[out] out the file, closed with lstm_file_destroy(); NULL on failure
 * @param path the file
 * @retval LSTM_OK the file is open
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message gives its name and the
 *         reason
 * @retval LSTM_BAD_FILE the file is not a safetensors file, is truncated or damaged, or
 *         has trailing bytes; the message names the other format or describes the error
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_open(lstm_file **out, const char *path);

/**
 * Opens a safetensors file that is in memory, for example an array in the program
 * (lstm-embed writes it) or a field of a database.
 *
 * @param[out] out the file, closed with lstm_file_destroy(); NULL on failure
 * @param bytes [size] content of the file, of any alignment; it is not copied and MUST
 *        outlive the file
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
 * Closes a file and writes NULL to the handle. Layers created from it stay valid.
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
 * @param index of the tensor, below lstm_file_tensor_count(), in the order of the
 *        values in the file
 * @param[out] info the description
 * @retval LSTM_OK info was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or index is out of range
 * @since 1.0
 */
LSTM_API
lstm_status lstm_file_tensor_info(const lstm_file *file, size_t index,
                                  lstm_tensor_info *info);

/** Key of an entry of the metadata, valid as long as the file; NULL when index is past
 * the last one. Entries are sorted by key. @since 1.0 */
LSTM_API
const char *lstm_file_metadata_key(const lstm_file *file, size_t index);

/** Value of a key of the metadata in UTF-8, valid as long as the file; NULL when the
 * file does not have the key. @since 1.0 */
LSTM_API
const char *lstm_file_metadata(const lstm_file *file, const char *key);

/** Prefix of an LSTM in the file, such as "lstm" or "", valid as long as the file; NULL
 *  when index is past the last one. The names and shapes of the tensors show where
 *  LSTMs are. A torch.nn.LSTMCell counts as one. @since 1.0 */
LSTM_API
const char *lstm_file_layer_prefix(const lstm_file *file, size_t index);

/**
 * Reads the options of an LSTM in a file, without its weights.
 *
 * A file written by lstm_params_save() has all options in its metadata. In files of
 * other programs, such as PyTorch, the names and shapes of the tensors determine
 * inputs, hidden, layers, proj_size, bidirectional and no_bias; the other options have
 * their defaults.
 *
 * @param file a file
 * @param prefix in front of the layer's names, such as "lstm"; "" for bare names; NULL
 *        for the only LSTM of the file
 * @param[out] config the options
 * @retval LSTM_OK config was written
 * @retval LSTM_INVALID_ARGUMENT file or config is NULL
 * @retval LSTM_BAD_FILE the file has no such LSTM, or it has several and prefix is NULL
 *         (the message lists the content of the file); or the metadata of the LSTM is
 *         damaged, has another major version, or does not match the tensors; or the
 *         file has a tensor of an LSTM under the prefix, such as weight_ih_l2 or
 *         weight_hh_l0_scale, that an LSTM with these options does not use, because a
 *         layer is missing; the message names it
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
 * @param[out] to a tensor of the same shape, with any strides; [1] for a scalar
 * @retval LSTM_OK the values were read; F16 and BF16 are converted exactly, F64 is
 *         rounded; I8 [rows, columns] is multiplied by its scales, the tensor
 *         NAME_scale of F32 [rows]
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read
 * @retval LSTM_BAD_FILE the file does not have the tensor (the message lists the
 *         tensors that it has); or the data type is not F32, F64, F16 or BF16, or is I8
 *         without scales; or a scale is negative or not finite; or the checksum is
 *         wrong
 * @retval LSTM_SHAPE_MISMATCH to has another shape; the message shows both
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_read_tensor(lstm_file *file, const char *name, lstm_tensor *to);

/**
 * Creates a layer from a safetensors file, with the options that
 * lstm_file_layer_config() reads and with the weights in the file.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param path of the file; other tensors in it are not read
 * @param prefix as in lstm_file_layer_config()
 * @param rng generator of the dropout masks; it MUST outlive the layer. This call draws
 *        no number. NULL: the layer has no dropout, even if the file says otherwise.
 * @retval LSTM_OK the layer was created, in training mode
 * @retval LSTM_INVALID_ARGUMENT out or path is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message gives its name and the
 *         reason
 * @retval LSTM_BAD_FILE as lstm_file_open() and lstm_file_layer_config(); or a tensor
 *         is missing, has another data type or a wrong checksum
 * @retval LSTM_SHAPE_MISMATCH the shape of a tensor does not match the options
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng);

/**
 * Creates a layer from an open file, as lstm_layer_load() does.
 *
 * @param[out] out the layer, freed with lstm_layer_destroy(); NULL on failure
 * @param file a file
 * @param prefix as in lstm_file_layer_config()
 * @param rng as in lstm_layer_load()
 * @retval LSTM_OK the layer was created, in training mode
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
 * @param path of the file; other tensors in it are not read
 * @param prefix in front of the layer's names, such as "fc"; "" for bare names
 * @retval LSTM_OK the layer was created
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @retval LSTM_IO_ERROR the file could not be read; the message gives its name and the
 *         reason
 * @retval LSTM_BAD_FILE as lstm_file_open(); or the file has no such layer (the message
 *         lists the content of the file); or a checksum is wrong
 * @retval LSTM_SHAPE_MISMATCH the shape of the bias does not match the weight
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix);

/**
 * Creates a linear layer from an open file, as lstm_linear_load() does.
 *
 * @param[out] out the layer, freed with lstm_linear_destroy(); NULL on failure
 * @param file a file
 * @param prefix as in lstm_linear_load()
 * @retval LSTM_OK the layer was created
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

/** Options of saving and loading parameter sets. Zero is the default of each option. */
typedef struct lstm_file_options {
    /** [2 * rename_count] pairs of strings. If a name begins with the first string of a
     * pair, the file has the second string in its place; the first matching pair
     * applies. For example, with {"lstm.", "model.rnn.", "", "model."} the file has
     * model.rnn.bias_ih_l0 for lstm.bias_ih_l0, and model.fc.bias for fc.bias. */
    const char *const *rename;
    /** Number of pairs in rename (default 0). */
    size_t rename_count;
    /** Loading: ignore other tensors in the file (default false). */
    bool allow_surplus;
    /** An optimiser of the set, saved and loaded as well: moments, steps, learning
     * rate, and the values of lstm_adam_set_parameter(). A parameter for which the file
     * has no such values keeps its current ones (default NULL: an optimiser in the file
     * is ignored). */
    lstm_adam *adam;
    /** A generator whose state is saved and loaded as well (default NULL: a generator
     * in the file is ignored). */
    lstm_rng *rng;
    /** [2 * metadata_count] Saving: keys and values of metadata; keys must not begin
     * with "lstm.". */
    const char *const *metadata;
    /** Number of pairs in metadata (default 0). */
    size_t metadata_count;
    /** Loading: receives the number of tensors that were not F32 (default NULL). */
    size_t *converted;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * LSTM_UNSUPPORTED. */
    uint64_t reserved[8];
} lstm_file_options;

/**
 * Writes all values to a safetensors file, which safetensors.torch.load_file() can
 * read.
 *
 * The matrices of a layer of LSTM_INT8 are written as I8, each with a tensor of scales,
 * NAME_scale of F32. Loading them gives a layer of LSTM_INT8 the same bits, and other
 * layers the values that it computes with. All other tensors are F32.
 *
 * With an optimiser and a generator the file is a checkpoint: a training that continues
 * from it takes the same steps, bit for bit. The call writes a temporary file in the
 * same folder, syncs it and renames it. After a failure or a crash, path has either the
 * complete old file or the complete new file.
 *
 * A file that is replaced keeps its permissions, and its owner and group where the
 * process may set them; access control lists are not kept. If path is a symbolic link,
 * the link stays, and the file that it leads to is replaced or created. Other hard
 * links to an old file keep the old content. What the process may not write is refused,
 * and also a file that nobody may write (mode 0444), even for root. The temporary file
 * is PATH.PID.NUMBER.tmp, shortened for a long name, and locked with flock(). If a
 * process is killed while it saves, its temporary file remains until the next save to
 * the same path removes it; files with a lock stay.
 *
 * @param params a set
 * @param path of the file; an existing file is replaced
 * @param options NULL for the defaults
 * @retval LSTM_OK the file is on disk
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL; the name of a tensor is not valid
 *         UTF-8, is reserved, or occurs twice; a metadata key is reserved or occurs
 *         twice; adam belongs to another set; or the header would be longer than
 *         100,000,000 bytes; nothing was written
 * @retval LSTM_IO_ERROR the file could not be written or is write-protected, or path is
 *         something else than a regular file; the message gives the name and the reason
 * @retval LSTM_NOT_FINITE a matrix of a layer of LSTM_INT8 has a value that is not
 * finite; the message names it; nothing was written
 * @retval LSTM_OUT_OF_MEMORY not enough memory; nothing was written
 * @retval LSTM_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_save(const lstm_params *params, const char *path,
                             const lstm_file_options *options);

/**
 * Reads all values from a safetensors file, from any program.
 *
 * The file must contain every parameter of the set in its shape, and no other tensors
 * unless allow_surplus is set. F16 and BF16 are converted exactly, F64 is rounded, I8
 * is multiplied by its scales, as lstm_file_read_tensor() does. The call reads and
 * checks everything before it changes any value, the optimiser or the generator.
 * Tensors of torch.nn.LSTMCell have other names, which rename can map:
 * {"lstm.weight_ih_l0", "cell.weight_ih", ...}.
 *
 * @param params a set
 * @param path the file
 * @param options NULL for the defaults
 * @retval LSTM_OK all values were read
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or adam belongs to another set
 * @retval LSTM_IO_ERROR the file could not be read; the message gives its name and the
 *         reason
 * @retval LSTM_BAD_FILE as lstm_file_open(); or the file lacks a tensor, the optimiser
 *         or the generator, contains an unexpected tensor, or has a wrong checksum; or
 *         a moment of the optimiser is not finite, or one of squares is negative, which
 *         would make the next step not a number; no value was changed
 * @retval LSTM_SHAPE_MISMATCH a tensor has another shape (the message shows both); no
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
 * Reads all values from an open file, as lstm_params_load() does.
 *
 * @param params a set
 * @param file a file
 * @param options NULL for the defaults
 * @retval LSTM_OK all values were read
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
