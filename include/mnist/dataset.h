/**
 * @file
 * Data sets in memory: images of one size as bytes, and their labels.
 */
#ifndef MNIST_DATASET_H
#define MNIST_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/export.h>
#include <mnist/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Split of a data set. */
typedef enum mnist_split {
    /** train-images-idx3-ubyte and train-labels-idx1-ubyte; MNIST has 60,000 images. */
    MNIST_TRAIN = 0,
    /** t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte; MNIST has 10,000 images. */
    MNIST_TEST = 1
} mnist_split;

/**
 * Callback of a download: address of the file, bytes received, bytes expected. The
 * library calls it when data arrive, and about once per second while none do, with the
 * same number of bytes, so that a program can say what it waits for. While another
 * process downloads the file, the first argument is the path of its lock.
 */
typedef void (*mnist_progress)(const char *file, size_t done, size_t total, void *user);

/** Where mnist_dataset_open() searches. Zero selects the default of each field. */
typedef struct mnist_source {
    /** Folder with the files; no other source is tried (default NULL: search). */
    const char *directory;
    /** Name of the data set (default NULL: "mnist"). */
    const char *name;
    /** Never use the network (default false). */
    bool offline;
    /** Generate synthetic digits if there is neither data nor network, instead of
     * failing (default false). */
    bool synthetic;
    /** Number of synthetic digits, if they are used (default 0: 60,000 for training,
     * 10,000 for testing). */
    size_t synthetic_count;
    /** Seconds that the downloads of a call may take (default 0: 600). */
    size_t download_seconds;
    /** Called during a download (default NULL). */
    mnist_progress progress;
    /** Passed to progress (default NULL). */
    void *user;
    /** Bytes that a gzip file, or a pipe, may become in memory (default 0: 100 times
     * the bytes of the gzip file, and 1 GiB). */
    uint64_t limit;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * MNIST_UNSUPPORTED. */
    uint64_t reserved[7];
} mnist_source;

/** A data set in memory. */
typedef struct mnist_dataset mnist_dataset;

/**
 * Finds one split of a data set and loads it into memory.
 *
 * The data sets are "mnist", "fashion-mnist", "kmnist", "qmnist", and the six of
 * EMNIST: "emnist-byclass", "emnist-bymerge", "emnist-balanced", "emnist-letters",
 * "emnist-digits" and "emnist-mnist". The call searches in this order:
 * 1. source->directory;
 * 2. the folder in $MNIST_DIR (data set "mnist" only);
 * 3. the cache: $XDG_CACHE_HOME or ~/.cache, and in it a folder with the name of the
 *    data set;
 * 4. a download into the cache (not of qmnist and EMNIST);
 * 5. synthetic digits (data set "mnist" only, and only with source->synthetic).
 *
 * A folder that is named, as source->directory or $MNIST_DIR, must have the data set:
 * otherwise the call fails, and the message says what it searched for and what is
 * there. A file that is damaged or must not be read is an error, too: the search does
 * not skip it. Synthetic digits are used only when there are no data and the download
 * is disabled or fails; mnist_dataset_is_synthetic() and mnist_dataset_origin() say so,
 * and mnist_last_error() has the reason.
 *
 * **Names.** The files have the names with which they are distributed, plain or gzip,
 * with a hyphen or a dot before idx (train-images.idx3-ubyte). The content, not the
 * name, decides whether a file is decompressed. They may be in the folder itself, in
 * its folder raw, or where torchvision has them: MNIST/raw, FashionMNIST/raw,
 * KMNIST/raw, QMNIST/raw or EMNIST/raw; also in gzip, from EMNIST's archive.
 *
 * **Labels.** Images of EMNIST are stored transposed, and the call transposes them
 * back. Class 0 of "emnist-letters" is A, whose label in the file is 1. Of QMNIST's
 * labels the call reads the first column, the class. If files with the names of MNIST,
 * Fashion-MNIST or KMNIST have labels of 10 and more, the data set has that many
 * classes.
 *
 * **Downloads** use https only, as libcurl does: with the proxy in $https_proxy and the
 * certificates of the system. Size and SHA-256 of each file are checked, and the
 * SHA-256 again when a file of the cache is read; a file that was compressed anew is
 * accepted for MNIST. A download ends when no data arrive for 20 s, when there is no
 * connection after 10 s, and after source->download_seconds in all. If the cache cannot
 * be written, the files are downloaded into memory: mnist_dataset_origin() then is the
 * address, and mnist_last_error() has the reason.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param source where to search; NULL for the defaults
 * @param split the split to open
 * @retval MNIST_OK the data set is open
 * @retval MNIST_INVALID_ARGUMENT out is NULL, or the name or split is unknown
 * @retval MNIST_NOT_FOUND no source has the data set; the message lists the sources
 * @retval MNIST_NETWORK_ERROR no source has the data set, and the download failed; the
 *         message has each address with the HTTP status or another reason
 * @retval MNIST_IO_ERROR a file exists but cannot be read, or cannot be written
 * @retval MNIST_BAD_FILE a file is damaged or becomes larger than the limit, or a file
 *         of the cache is not as published; the message names the file, the value found
 *         and the value expected
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it. Or
 *         no source has the data set, and this build cannot download
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_open(mnist_dataset **out, const mnist_source *source,
                                mnist_split split);

/**
 * Reads images and, optionally, their labels from IDX files.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param images path of an IDX file of bytes of rank 3, [N, ROWS, COLS], plain or gzip
 * @param labels path of an IDX file of bytes of rank 1, [N], or of 32-bit integers of
 *        rank 1 or rank 2, [N, COLS], whose first column is the label (QMNIST), plain
 *        or gzip; NULL for a data set without labels, for which mnist_dataset_label()
 *        returns -1
 * @param classes number of classes, 1 to 256; every label MUST be below it. 0: one more
 *        than the largest label
 * @retval MNIST_OK the files were read
 * @retval MNIST_INVALID_ARGUMENT out or images is NULL, classes is out of range, or
 *         classes is 0 without labels
 * @retval MNIST_IO_ERROR a file cannot be opened or read
 * @retval MNIST_BAD_FILE a file is empty, truncated or too long; its type, rank or
 *         extents are not valid; its gzip data are damaged, or become too large (see
 *         mnist_dataset_read_limited()); a label is out of range; or the counts of
 *         images and labels differ. The message names the file, the value found (also
 *         the format, if it is a well-known one) and the value expected
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes);

/**
 * As mnist_dataset_read(), with another limit on what files may become in memory.
 *
 * A gzip file of 1 MB can become 1 GB. mnist_dataset_read() therefore refuses a gzip
 * file that becomes more than 1 GiB, or more than 100 times its own size and more than
 * 64 KiB, and a pipe with more than 1 GiB. MNIST becomes 5 times as large.
 *
 * @param[out] out as mnist_dataset_read()
 * @param images as mnist_dataset_read()
 * @param labels as mnist_dataset_read()
 * @param classes as mnist_dataset_read()
 * @param limit bytes that a gzip file, or a pipe, may become, in place of both; 0: the
 *        limits of mnist_dataset_read()
 * @retval MNIST_OK the files were read
 * @retval MNIST_INVALID_ARGUMENT as mnist_dataset_read()
 * @retval MNIST_IO_ERROR as mnist_dataset_read()
 * @retval MNIST_BAD_FILE as mnist_dataset_read(), or a file becomes larger than the
 *         limit
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read_limited(mnist_dataset **out, const char *images,
                                        const char *labels, size_t classes,
                                        uint64_t limit);

/**
 * Generates synthetic digits: strokes with random slant, scale, thickness, jitter and
 * blur, normalised as in MNIST, 28 by 28 pixels, 10 classes.
 *
 * The same seed gives the same bytes on every machine. The first k digits do not depend
 * on count. Each group of ten consecutive digits contains every class once, in random
 * order. A network trained on 60,000 synthetic digits alone classifies about 96% of
 * MNIST's test digits correctly.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param count number of digits, at least 1
 * @param seed any value
 * @retval MNIST_OK the digits were generated
 * @retval MNIST_INVALID_ARGUMENT out is NULL, or count is 0 or too large
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_synthetic(mnist_dataset **out, size_t count, uint64_t seed);

/**
 * Creates a data set of consecutive images of another one, for example to keep the last
 * images of the training set for validation. The pixels and labels are not copied.
 *
 * @param[out] out the part, freed with mnist_dataset_destroy(); NULL on failure
 * @param dataset the data set, which MUST outlive the part
 * @param first index of the first image
 * @param count number of images, at least 1
 * @retval MNIST_OK the part was created; it has the classes of the data set
 * @retval MNIST_INVALID_ARGUMENT out or dataset is NULL, or the data set does not have
 *         these images
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_narrow(mnist_dataset **out, const mnist_dataset *dataset,
                                  size_t first, size_t count);

/**
 * Frees a data set and sets the handle to NULL. Its loaders and parts MUST be destroyed
 * first.
 *
 * @param dataset address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
MNIST_API
void mnist_dataset_destroy(mnist_dataset **dataset);

/** Number of images, N; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_count(const mnist_dataset *dataset);

/** Rows of an image; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_rows(const mnist_dataset *dataset);

/** Columns of an image; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_cols(const mnist_dataset *dataset);

/** Number of classes; labels are 0 to classes - 1; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_classes(const mnist_dataset *dataset);

/**
 * Pixels of an image, [ROWS, COLS], valid until the data set is destroyed; NULL if
 * index is not below the number of images.
 * @since 1.0
 */
MNIST_API
const uint8_t *mnist_dataset_image(const mnist_dataset *dataset, size_t index);

/** Label of an image; -1 if the data set has no labels or index is not below the number
 * of images. @since 1.0 */
MNIST_API
int mnist_dataset_label(const mnist_dataset *dataset, size_t index);

/**
 * Source of the data as text: a path, or for example "synthetic digits, seed 1".
 *
 * @return a string that is valid until the data set is destroyed; NULL for NULL
 * @since 1.0
 */
MNIST_API
const char *mnist_dataset_origin(const mnist_dataset *dataset);

/** Whether the images are synthetic digits; false for NULL. @since 1.0 */
MNIST_API
bool mnist_dataset_is_synthetic(const mnist_dataset *dataset);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
