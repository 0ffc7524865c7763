/**
 * @file
 * libmnist: MNIST and data sets in its format, loaded into memory and read in shuffled
 * batches.
 *
 * A data set holds images of one size and one label per image. Pixels are bytes, from
 * 0 (black) to 255 (white). The data come from IDX files (plain or gzip), from a
 * download, or from the built-in generator of synthetic digits. A loader returns them
 * in batches of normalised float32.
 *
 * Axes: N images of ROWS by COLS pixels, row-major, the last axis fastest.
 *
 * Objects are opaque. Functions that create one write the handle to their first
 * argument, and NULL if they fail. Destroy functions free the object and set the handle
 * to NULL; they accept NULL. A call that can fail returns a mnist_status, and
 * mnist_last_error() describes the last failure of the calling thread in one line. The
 * library never prints, exits or aborts.
 *
 * Threads: a data set is immutable, so any number of threads and loaders may read it at
 * the same time. A loader may be used by one thread at a time.
 */
#ifndef MNIST_MNIST_H
#define MNIST_MNIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Major version of these headers. Libraries of another major version are not
 * compatible. */
#define MNIST_VERSION_MAJOR 1
/** Minor version of these headers. A higher minor version adds to the interface. */
#define MNIST_VERSION_MINOR 0
/** Patch level of these headers. All patch levels have the same interface. */
#define MNIST_VERSION_PATCH 0

/** Status of a call. The values are part of the binary interface and never change. */
typedef enum mnist_status {
    /** Success. */
    MNIST_OK = 0,
    /** An argument is NULL or out of range. */
    MNIST_INVALID_ARGUMENT = 1,
    /** A memory allocation failed. */
    MNIST_OUT_OF_MEMORY = 2,
    /** An operation on a file failed; the message contains the operating system's
     * reason.
     */
    MNIST_IO_ERROR = 3,
    /** The content of a file is not valid. */
    MNIST_BAD_FILE = 4,
    /** No source has the data set; the message lists the sources tried. */
    MNIST_NOT_FOUND = 5,
    /** The download failed; the message lists the sources tried. */
    MNIST_NETWORK_ERROR = 6,
    /** This version or build of the library does not support an option, for example
     * downloads without libcurl.
     */
    MNIST_UNSUPPORTED = 7
} mnist_status;

/** Version of the library in use at run time, for example "1.0.0". @since 1.0 */
MNIST_API
const char *mnist_version(void);

/** Name of a status, or "unknown status". @since 1.0 */
MNIST_API
const char *mnist_status_name(mnist_status status);

/**
 * Message of the last call that failed in this thread; "" if no call has failed yet.
 * The message is one line that names the file, the value found and the value expected.
 * @since 1.0
 */
MNIST_API
const char *mnist_last_error(void);

/** Split of a data set. */
typedef enum mnist_split {
    /** train-images-idx3-ubyte and train-labels-idx1-ubyte; MNIST has 60,000 images. */
    MNIST_TRAIN = 0,
    /** t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte; MNIST has 10,000 images. */
    MNIST_TEST = 1
} mnist_split;

/** Callback of a download: name of the file, bytes received, bytes expected. */
typedef void (*mnist_progress)(const char *file, size_t done, size_t total, void *user);

/** Where mnist_dataset_open() searches. Zero selects the default of each field. */
typedef struct mnist_source {
    /** Folder with the files; no other source is tried (default NULL: search). */
    const char *directory;
    /** "mnist", "fashion-mnist", "kmnist" or "emnist-digits" (default NULL: "mnist").
     */
    const char *name;
    /** Never use the network (default false). */
    bool offline;
    /** Fail with MNIST_NOT_FOUND rather than generate synthetic digits (default false).
     */
    bool no_synthetic;
    /** Number of synthetic digits, if they are used (default 0: 60,000 for training,
     * 10,000 for testing). */
    size_t synthetic_count;
    /** Called during a download (default NULL). */
    mnist_progress progress;
    /** Passed to progress (default NULL). */
    void *user;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_source;

/** A data set in memory. */
typedef struct mnist_dataset mnist_dataset;

/**
 * Finds one split of a data set and loads it into memory.
 *
 * If source->directory is set, the call reads the files from that folder only.
 * Otherwise it searches in this order:
 * 1. the folder in $MNIST_DIR (data set "mnist" only);
 * 2. the cache: $XDG_CACHE_HOME or ~/.cache, and in it a folder with the name of the
 *    data set;
 * 3. a download into the cache, over https only, with size and SHA-256 checked;
 * 4. synthetic digits (data set "mnist" only).
 *
 * mnist_dataset_origin() returns the source that was used. After a fallback to
 * synthetic digits, mnist_last_error() explains why no other source was used. The
 * search does not skip damaged files: if a source has the files but they cannot be
 * read, the call fails.
 *
 * The content of a file, not the suffix .gz of its name, decides whether it is
 * decompressed. Names with a dot before idx (train-images.idx3-ubyte) are accepted too.
 * The files of "emnist-digits" have the names of its archive
 * (emnist-digits-train-images-idx3-ubyte and so on) and are not downloaded. Their
 * images are stored transposed; the call transposes them back.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param source where to search; NULL for the defaults
 * @param split the split to open
 * @retval MNIST_OK the data set is open
 * @retval MNIST_INVALID_ARGUMENT out is NULL, or the name or split is unknown
 * @retval MNIST_NOT_FOUND no source has the data set; the message lists the sources
 * @retval MNIST_NETWORK_ERROR no source has the data set, and a download failed
 * @retval MNIST_IO_ERROR a file exists but cannot be read
 * @retval MNIST_BAD_FILE a file is damaged; the message names the file, the value found
 *         and the value expected
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
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
 * @param labels path of an IDX file of bytes of rank 1, [N], plain or gzip; NULL for a
 *        data set without labels, for which mnist_dataset_label() returns -1
 * @param classes number of classes, 1 to 256; every label MUST be below it
 * @retval MNIST_OK the files were read
 * @retval MNIST_INVALID_ARGUMENT out or images is NULL, or classes is out of range
 * @retval MNIST_IO_ERROR a file cannot be opened or read
 * @retval MNIST_BAD_FILE a file is empty, truncated or too long; its type, rank or
 *         extents are not valid; its gzip data are damaged; a label is out of range; or
 *         the counts of images and labels differ. The message names the file, the value
 *         found and the value expected
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes);

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
 * Frees a data set and sets the handle to NULL. Its loaders MUST be destroyed first.
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

/**
 * Normalises a picture of any size as MNIST does.
 *
 * The call crops the picture to its non-zero pixels, scales it to fit into 20 by 20
 * pixels with its aspect ratio kept (area averaging), and places it into 28 by 28
 * pixels so that its centre of mass is at pixel [14, 14], or as near as the border
 * allows. Nearly all images of MNIST do not change: 9,997 of the 10,000 test images.
 *
 * @param pixels [rows, cols] bytes, a light drawing on a background of 0
 * @param rows 1 to 65,535
 * @param cols 1 to 65,535
 * @param[out] out [28, 28] bytes; all 0 if all pixels are 0
 * @retval MNIST_OK out was written
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL, or a size is 0 or above 65,535
 * @since 1.0
 */
MNIST_API
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             uint8_t *out);

/** Options of a loader. Zero selects the default of each option except batch_size. */
typedef struct mnist_loader_config {
    /** Images per batch, at least 1. */
    size_t batch_size;
    /** Use a new random order in each epoch (default false: the order of the data set).
     */
    bool shuffle;
    /** Skip the last batch if it is not full (default false). */
    bool drop_last;
    /** Mean to subtract, for pixels scaled to 0 to 1. If mean and std are both 0, the
     * loader uses MNIST's 0.1307 and 0.3081 (default 0). */
    float mean;
    /** Standard deviation to divide by, above 0; see mean (default 0). */
    float std;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_loader_config;

/** Reads a data set in batches, as torch.utils.data.DataLoader does. */
typedef struct mnist_loader mnist_loader;

/**
 * Creates a loader at the start of an epoch that is not shuffled;
 * mnist_loader_start() shuffles.
 *
 * @param[out] out the loader, freed with mnist_loader_destroy(); NULL on failure
 * @param dataset the data set, which MUST outlive the loader
 * @param config options, copied
 * @retval MNIST_OK the loader was created
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL or an option is out of range
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_loader_create(mnist_loader **out, const mnist_dataset *dataset,
                                 const mnist_loader_config *config);

/**
 * Frees a loader and sets the handle to NULL.
 *
 * @param loader address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
MNIST_API
void mnist_loader_destroy(mnist_loader **loader);

/** Number of batches in an epoch; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_loader_batches(const mnist_loader *loader);

/**
 * Starts an epoch.
 *
 * With shuffle, the order of the epoch is torch.randperm(N) of a generator seeded with
 * the low 32 bits of seed. PyTorch's DataLoader draws two 64-bit numbers per epoch and
 * uses the second as this seed. Without shuffle, the seed has no effect.
 *
 * @param loader the loader
 * @param seed any value
 * @retval MNIST_OK the next batch is the first of the epoch
 * @retval MNIST_INVALID_ARGUMENT loader is NULL
 * @since 1.0
 */
MNIST_API
mnist_status mnist_loader_start(mnist_loader *loader, uint64_t seed);

/**
 * Writes the next batch. Pixels become (pixel / 255 - mean) / std, as with ToTensor and
 * Normalize of torchvision.
 *
 * @param loader the loader
 * @param[out] pixels [batch_size, ROWS, COLS]; a partial batch fills only its start
 * @param[out] labels [batch_size], -1 for a data set without labels; NULL to skip them
 * @return number of images written: batch_size, fewer for a partial last batch, 0 at
 * the end of the epoch or if loader or pixels is NULL
 * @since 1.0
 */
MNIST_API
size_t mnist_loader_next(mnist_loader *loader, float *pixels, int64_t *labels);

/** Number of images returned so far in this epoch; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_loader_position(const mnist_loader *loader);

/**
 * Order of this epoch: indices into the data set, [N], valid until the next call of
 * mnist_loader_start() or mnist_loader_restore(); NULL for NULL.
 * @since 1.0
 */
MNIST_API
const uint32_t *mnist_loader_order(const mnist_loader *loader);

/**
 * Restores the order and position of an epoch, for example from a checkpoint.
 *
 * @param loader the loader
 * @param order [N], a permutation of 0 to N - 1 as mnist_loader_order() returns it;
 *        copied
 * @param position number of images already returned, 0 to N
 * @retval MNIST_OK the next batch starts at position
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL, order is not a permutation, or
 *         position is above N; the loader is unchanged
 * @since 1.0
 */
MNIST_API
mnist_status mnist_loader_restore(mnist_loader *loader, const uint32_t *order,
                                  size_t position);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
