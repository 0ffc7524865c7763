/**
 * @file
 * The safetensors format: a JSON header, then the values of named tensors.
 *
 * 8 bytes little-endian length of the header; the header, an object of {"NAME":
 * {"dtype": "F32", "shape": [10, 128], "data_offsets": [0, 5120]}} with an optional
 * "__metadata__" object of strings, padded with spaces; the values, row-major and
 * little-endian, at these offsets. The reader is stricter than the format requires:
 * unique keys, no unknown keys, tensors without gaps and overlaps.
 *
 * An open file (lstm_file) has its header in memory, with sorted names. Values are read
 * tensor by tensor. docs/file-format.md describes what this library adds.
 */
#ifndef LSTM_IO_SAFETENSORS_H
#define LSTM_IO_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lstm/file.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#include "lib/common/file.h"
#include "lib/lstm/io/json.h"

/** Number of bytes of the length of the header, and the format's maximum of this
 * length. */
enum { LSTM_LENGTH_SIZE = 8, LSTM_HEADER_LIMIT = 100000000 };

/** Key of the metadata in a header. */
#define LSTM_METADATA_KEY "__metadata__"

/** Keys of the metadata: the checksum of the header, and of a tensor, with its name. */
#define LSTM_CHECKSUM_KEY "lstm.checksum"
#define LSTM_CRC_KEY      "lstm.crc32."

/** Text of a checksum, its end included. */
enum { LSTM_CRC_TEXT = 9 };

/** A format of values in a file. */
typedef struct lstm_dtype {
    const char *name;
    /** Bits of a value. */
    size_t bits;
    /** Converts count values to float32; NULL for formats that cannot be read as
     * parameters. The bytes may have any alignment. */
    void (*convert)(size_t count, const unsigned char *from, float *to);
} lstm_dtype;

/** The format of a name such as "BF16"; NULL for others. */
const lstm_dtype *lstm_dtype_find(const char *name);

/** A tensor as the header of a file describes it. */
typedef struct lstm_stored {
    const char *name, *dtype;
    /** NULL when the dtype is unknown; such a tensor is listed but cannot be read. */
    const lstm_dtype *format;
    size_t rank;
    const size_t *shape;
    /** Number of values. */
    size_t count;
    /** Offsets of its first byte and of its end, from the end of the header. */
    size_t start, end;
} lstm_stored;

/** A text of the metadata. */
typedef struct lstm_entry {
    const char *key, *value;
} lstm_entry;

struct lstm_file {
    /** The name of the file in messages. */
    char *path;
    /** The file, when bytes is NULL. */
    common_input input;
    const unsigned char *bytes;
    /** The header, decoded in place; names and texts point into it. */
    char *header;
    /** Tensors in the order of their bytes. */
    lstm_stored *tensors;
    size_t count;
    /** The same, sorted by name. */
    const lstm_stored **sorted;
    /** Extents of all shapes. */
    size_t *extents;
    /** Sorted by key. */
    lstm_entry *metadata;
    size_t entries;
    /** Prefixes of the LSTMs, in the order of their bytes. */
    char **prefixes;
    size_t layers;
    /** Where the values begin, and their bytes. */
    size_t start, size;
};

/** Fails with the text of an errno: "safetensors: PATH: No space left on device". */
lstm_status lstm_fail_file(const char *path, int error);

/** The same for a file that is written: also tells what is protected. */
lstm_status lstm_fail_write(const char *path, int error);

/** Reads bytes at an offset of the file. */
lstm_status lstm_file_bytes(const lstm_file *file, void *data, size_t size,
                            size_t offset);

/** Reads tensors and metadata from the header, size bytes at file->header, and checks
 * them and the checksum of the header. */
lstm_status lstm_header_read(lstm_file *file, size_t size);

/** Fails because a file is not a safetensors file. The message names its format or, if
 * the format is unknown, the fact. */
lstm_status lstm_fail_foreign(const lstm_file *file, const char *fact);

/** Fills file->prefixes. */
lstm_status lstm_file_find_layers(lstm_file *file);

/** Compares the concatenation of two texts with a third one, as strcmp(). */
int lstm_compare_joined(const char *first, const char *second, const char *whole);

/** The tensor NAME, or PREFIX.NAME, without a dot if the prefix is empty; NULL if it is
 *  missing. */
const lstm_stored *lstm_file_find(const lstm_file *file, const char *name);
const lstm_stored *lstm_file_find_in(const lstm_file *file, const char *prefix,
                                     const char *name);

/** Position in file->sorted of the first name that begins with start, after the prefix
 *  and its dot, and the number of such names. */
size_t lstm_file_range(const lstm_file *file, const char *prefix, const char *start,
                       size_t *count);

/** The text of a key in two parts; NULL if it is missing. */
const char *lstm_file_text(const lstm_file *file, const char *first,
                           const char *second);

/** Reads the bytes of a tensor and checks their checksum if the file has one. */
lstm_status lstm_file_fetch(const lstm_file *file, const lstm_stored *stored,
                            unsigned char *data);

/** Compares two lstm_stored * by name, or two entries by key, for qsort(). */
int lstm_stored_compare(const void *first, const void *second);
int lstm_entry_compare(const void *first, const void *second);

/** Writes the checksum of the content of a header: eight hexadecimal digits. Tensors
 * and metadata must be sorted; the key of the checksum itself is not included. */
void lstm_checksum_header(char text[LSTM_CRC_TEXT], const lstm_stored *const *tensors,
                          size_t count, const lstm_entry *metadata, size_t entries);

/** Writes the checksum of the bytes of a tensor. */
void lstm_checksum_data(char text[LSTM_CRC_TEXT], const void *data, size_t size);

/** Highest rank of a tensor whose shape a message shows. */
enum { LSTM_SHOWN_RANK = 8 };

/** The shape of a tensor for a message, in text [LSTM_SHAPE_TEXT]. */
const char *lstm_stored_shape(char *text, const lstm_stored *stored);

/** The end of the name of the scales of int8 values. */
#define LSTM_SCALE_NAME "_scale"

/** The scales of a tensor of int8 values; NULL for other tensors, and if the file has
 * no scales that fit. */
const lstm_stored *lstm_stored_scale(const lstm_file *file, const lstm_stored *stored);

/** Number of bytes that lstm_stored_read() reads: the values, and the scales of int8.
 */
size_t lstm_stored_bytes(const lstm_file *file, const lstm_stored *stored);

/** Reads the bytes of a tensor and of its scales, and checks them. */
lstm_status lstm_stored_read(const lstm_file *file, const lstm_stored *stored,
                             unsigned char *data);

/** Converts these bytes to float32; lstm_stored_check() has accepted the tensor. */
void lstm_stored_convert(const lstm_file *file, const lstm_stored *stored,
                         const unsigned char *data, float *to);

/** Checks that the values of a tensor can be converted to float32. */
lstm_status lstm_stored_check(const lstm_file *file, const char *object,
                              const lstm_stored *stored);

/** Whether a file shows why a tensor is missing: the tensor is stored in another form,
 * or it is tied to another tensor. */
bool lstm_file_explains(const lstm_file *file, const char *prefix, const char *name);

/** Fails because a tensor is missing; the message gives the reason if it is known, else
 * the names in the file. */
lstm_status lstm_fail_missing(const lstm_file *file, const char *object,
                              const char *prefix, const char *name);

/** Size of lstm_names_text(). */
enum { LSTM_NAMES_TEXT = 320 };

/** Writes the number of tensors and some of their names to text [LSTM_NAMES_TEXT],
 * first the names that end with like; returns text. */
const char *lstm_names_text(char *text, const lstm_file *file, const char *like);

/** Metadata to write. Each pair is one allocation, which starts at its key. Set it to
 * zero before its first use. */
typedef struct lstm_metadata {
    lstm_entry *items;
    size_t count, room;
} lstm_metadata;

/** Adds a copy of a text under a key in two parts; LSTM_OK or LSTM_OUT_OF_MEMORY. */
lstm_status lstm_metadata_add(lstm_metadata *metadata, const char *first,
                              const char *second, const char *value);

/** Frees metadata. */
void lstm_metadata_destroy(lstm_metadata *metadata);

/** A tensor without gaps, and its name in a file. */
typedef struct lstm_record {
    char *name;
    lstm_tensor *tensor;
    /** int8 values that a file has in its place; NULL: the float32 values. */
    int8_t *bytes;
    /** Whether the tensor belongs to the record. */
    bool owned;
} lstm_record;

/** The values of a record in a file, and their size in bytes. */
const void *lstm_record_data(const lstm_record *record);
size_t lstm_record_size(const lstm_record *record);

/**
 * Replaces a file by a new file with these tensors in this order.
 *
 * @param metadata checksums are added to it; freed by the caller
 * @return LSTM_OK, LSTM_IO_ERROR, LSTM_OUT_OF_MEMORY, or LSTM_INVALID_ARGUMENT when a
 * name is not valid UTF-8, is reserved or appears twice, or when the header is longer
 * than LSTM_HEADER_LIMIT
 */
lstm_status lstm_safetensors_write(const char *path, const lstm_record *records,
                                   size_t count, lstm_metadata *metadata);

#endif
