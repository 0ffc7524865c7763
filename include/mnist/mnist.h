/**
 * @file
 * libmnist: MNIST and the data sets in its format, in memory, as shuffled batches.
 *
 * A data set holds images of one size as bytes, 0 black to 255 white, and a label each.
 * It comes from IDX files (plain or gzip), from a download, or from the built-in
 * generator of synthetic digits. A loader hands it out in batches of normalised
 * float32.
 *
 * Axes. N images of ROWS by COLS pixels, row-major, the last axis fastest.
 *
 * Objects are opaque; create and open write the handle first, NULL when they fail;
 * destroy frees it, writes NULL, and accepts NULL. A call that can fail returns a
 * mnist_status; mnist_last_error() has one line about the last failure of the thread.
 * The library never prints, exits or aborts. A data set does not change: any number of
 * threads and loaders may read it. A loader is used from one thread at a time.
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

#define MNIST_VERSION_MAJOR 1
#define MNIST_VERSION_MINOR 0
#define MNIST_VERSION_PATCH 0

/** Outcome of a call. Values are part of the ABI and never change. */
typedef enum mnist_status {
    /** The call did all that it promises. */
    MNIST_OK = 0,
    /** An argument is NULL or out of range. */
    MNIST_INVALID_ARGUMENT = 1,
    /** Memory could not be had. */
    MNIST_OUT_OF_MEMORY = 2,
    /** The operating system refused an operation on a file; the message says why. */
    MNIST_IO_ERROR = 3,
    /** A file was read, but its content is not what it has to be. */
    MNIST_BAD_FILE = 4,
    /** No source has the data set; the message lists what was tried. */
    MNIST_NOT_FOUND = 5,
    /** The download failed; the message lists what was tried. */
    MNIST_NETWORK_ERROR = 6,
    /** The option is not in this version or build, such as a download without
     *  libcurl. */
    MNIST_UNSUPPORTED = 7
} mnist_status;

/** Version of the library that is running, for example "1.0.0". @since 1.0 */
MNIST_API
const char *mnist_version(void);

/** Name of a status, "unknown status" for other values. @since 1.0 */
MNIST_API
const char *mnist_status_name(mnist_status status);

/**
 * Message of the last call that failed in this thread: one line, lower case, with the
 * file, the value found and what was expected; "" when no call has failed yet.
 * @since 1.0
 */
MNIST_API
const char *mnist_last_error(void);

/** Which half of a data set. */
typedef enum mnist_split {
    /** train-images-idx3-ubyte and train-labels-idx1-ubyte, for MNIST 60,000 images. */
    MNIST_TRAIN = 0,
    /** t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, for MNIST 10,000 images. */
    MNIST_TEST = 1
} mnist_split;

/** Called while a file is downloaded: its name, the bytes so far, the bytes expected.
 */
typedef void (*mnist_progress)(const char *file, size_t done, size_t total, void *user);

/** Where mnist_dataset_open() looks. Zero is the default of each field. */
typedef struct mnist_source {
    /** Folder with the files; nothing else is then tried (default NULL: search). */
    const char *directory;
    /** "mnist", "fashion-mnist", "kmnist" or "emnist-digits" (default NULL: "mnist").
     */
    const char *name;
    /** Never use the network (default false). */
    bool offline;
    /** Fail with MNIST_NOT_FOUND instead of drawing synthetic digits (default false).
     */
    bool no_synthetic;
    /** How many synthetic digits, when it comes to that (default 0: 60,000 for
     * training, 10,000 for testing). */
    size_t synthetic_count;
    /** Called during a download (default NULL). */
    mnist_progress progress;
    /** Handed to progress. */
    void *user;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_source;

/** A data set in memory. */
typedef struct mnist_dataset mnist_dataset;

/**
 * Opens one half of a data set, wherever it is.
 *
 * With a directory given, the files are there or the call fails. Otherwise, in this
 * order: the folder that $MNIST_DIR names (data set "mnist" only), the cache
 * ($XDG_CACHE_HOME or ~/.cache, then the name of the data set), a download into the
 * cache (https only, size and SHA-256 checked), and for "mnist" synthetic digits.
 * mnist_dataset_origin() tells which it was; after synthetic digits were drawn,
 * mnist_last_error() tells why nothing better was found. A source that has the files
 * but cannot be read, because a file is damaged, is an error: nothing is silently
 * replaced.
 *
 * A file may end in .gz or not, and be gzip or not whatever its name says;
 * train-images.idx3-ubyte is train-images-idx3-ubyte too. The files of "emnist-digits"
 * are named as in its archive (emnist-digits-train-images-idx3-ubyte and so on), are
 * not downloaded, and their images, which stand there with rows and columns exchanged,
 * are turned upright.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param source where to look; NULL for the defaults
 * @param split which half
 * @retval MNIST_OK opened
 * @retval MNIST_INVALID_ARGUMENT out is NULL, or the name or the split is not known
 * @retval MNIST_NOT_FOUND no source has it; the message lists what was tried
 * @retval MNIST_NETWORK_ERROR the same, and a download was tried and failed
 * @retval MNIST_IO_ERROR a file is there and cannot be read
 * @retval MNIST_BAD_FILE a file is damaged; the message names it, the value and what
 * was expected
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_open(mnist_dataset **out, const mnist_source *source,
                                mnist_split split);

/**
 * Reads a pair of IDX files, or images alone.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param images path of an IDX file of rank 3 of bytes, plain or gzip
 * @param labels path of an IDX file of rank 1 of bytes, plain or gzip, as many as
 * images; NULL: there are none and mnist_dataset_label() gives -1
 * @param classes every label has to be below it, 1 to 256
 * @retval MNIST_OK read
 * @retval MNIST_INVALID_ARGUMENT out or images is NULL, or classes is out of range
 * @retval MNIST_IO_ERROR a file cannot be opened or read
 * @retval MNIST_BAD_FILE a file is empty, truncated, too long, of another type or rank
 * or with impossible extents, gzip with an error, a label is out of range, or the
 *         counts differ; the message names the file, the value and what was expected
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes);

/**
 * Draws synthetic digits: strokes with slant, scale, thickness, jitter and blur, in
 * MNIST's own normalisation, 28 by 28 pixels, 10 classes.
 *
 * The same seed gives the same bytes on every machine, and the first k of n digits are
 * the k digits of a smaller call. Each ten of them are the ten digits in a random
 * order. A net that has learnt from 60,000 of them alone reads about 95 in 100 of
 * MNIST's own digits.
 *
 * @param[out] out the data set, freed with mnist_dataset_destroy(); NULL on failure
 * @param count how many, at least 1
 * @param seed any value
 * @retval MNIST_OK drawn
 * @retval MNIST_INVALID_ARGUMENT out is NULL or count is 0 or too large
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_synthetic(mnist_dataset **out, size_t count, uint64_t seed);

/**
 * Frees a data set and writes NULL to the handle. Its loaders MUST be destroyed before.
 *
 * @param dataset address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
MNIST_API
void mnist_dataset_destroy(mnist_dataset **dataset);

/** N, number of images; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_count(const mnist_dataset *dataset);

/** Rows of an image; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_rows(const mnist_dataset *dataset);

/** Columns of an image; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_cols(const mnist_dataset *dataset);

/** Number of classes: labels are 0 to classes - 1; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_dataset_classes(const mnist_dataset *dataset);

/**
 * Bytes of an image, [ROWS, COLS], as long as the data set lives; NULL when index is
 * not below the count.
 * @since 1.0
 */
MNIST_API
const uint8_t *mnist_dataset_image(const mnist_dataset *dataset, size_t index);

/** Label of an image; -1 without labels or when index is not below the count.
 * @since 1.0 */
MNIST_API
int mnist_dataset_label(const mnist_dataset *dataset, size_t index);

/**
 * Where the data came from, for people: a path, or "synthetic digits, seed 1".
 *
 * @return a string that lives as long as the data set; NULL for NULL
 * @since 1.0
 */
MNIST_API
const char *mnist_dataset_origin(const mnist_dataset *dataset);

/** Whether the images are synthetic digits; false for NULL. @since 1.0 */
MNIST_API
bool mnist_dataset_is_synthetic(const mnist_dataset *dataset);

/**
 * Brings any picture into MNIST's form: the drawing cut out, scaled to fit 20 by 20
 * with its proportions kept, each pixel the mean of the area that it covers, and placed
 * into 28 by 28 with its centre of mass on the pixel [14, 14], as far as the drawing
 * stays inside. Images of MNIST come out as they are.
 *
 * @param pixels [rows, cols] bytes, the drawing light on a dark ground of 0
 * @param rows at least 1
 * @param cols at least 1
 * @param[out] out [28, 28] bytes; all 0 when pixels are
 * @retval MNIST_OK out is written
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL or a size is 0 or over 65,535
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @since 1.0
 */
MNIST_API
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             uint8_t *out);

/** Options of a loader. Zero is the default of each, the batch size apart. */
typedef struct mnist_loader_config {
    /** Images per batch, at least 1. */
    size_t batch_size;
    /** A new order for each epoch (default false: as they stand). */
    bool shuffle;
    /** Leave out the last batch when it is not full (default false). */
    bool drop_last;
    /** Mean of the pixels, of a range of 0 to 1 (default 0; mean and std both 0 mean
     *  0.1307 and 0.3081, those of MNIST). */
    float mean;
    /** Standard deviation of the pixels, above 0 (see mean). */
    float std;
    /** Room for options of later versions: zeros. A library refuses values that it does
     *  not know with MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_loader_config;

/** Hands out a data set in batches. */
typedef struct mnist_loader mnist_loader;

/**
 * Creates a loader that stands at the start of an epoch in the order of the data set.
 *
 * @param[out] out the loader, freed with mnist_loader_destroy(); NULL on failure
 * @param dataset what to hand out, which MUST outlive the loader
 * @param config options, copied
 * @retval MNIST_OK created
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL or an option is out of range
 * @retval MNIST_OUT_OF_MEMORY no memory
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_loader_create(mnist_loader **out, const mnist_dataset *dataset,
                                 const mnist_loader_config *config);

/**
 * Frees a loader and writes NULL to the handle.
 *
 * @param loader address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
MNIST_API
void mnist_loader_destroy(mnist_loader **loader);

/** Number of batches of an epoch; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_loader_batches(const mnist_loader *loader);

/**
 * Starts an epoch.
 *
 * With shuffle its order is torch.randperm(N) of a generator seeded with the low 32
 * bits of seed: PyTorch's DataLoader draws two 64-bit numbers per epoch, and the second
 * is this seed. Without shuffle the seed does not matter.
 *
 * @param loader a loader
 * @param seed any value
 * @retval MNIST_OK the next batch is the first of the epoch
 * @retval MNIST_INVALID_ARGUMENT loader is NULL
 * @since 1.0
 */
MNIST_API
mnist_status mnist_loader_start(mnist_loader *loader, uint64_t seed);

/**
 * Writes the next batch: (pixel / 255 - mean) / std, as ToTensor and Normalize do.
 *
 * @param loader a loader
 * @param[out] pixels [batch_size, ROWS, COLS], of which the first of the number
 * returned are written
 * @param[out] labels [batch_size], likewise, -1 without labels; NULL when not wanted
 * @return number of images written: batch_size, less for the last batch, 0 at the end
 * of the epoch, or when loader or pixels is NULL
 * @since 1.0
 */
MNIST_API
size_t mnist_loader_next(mnist_loader *loader, float *pixels, int64_t *labels);

/** Number of images handed out in this epoch; 0 for NULL. @since 1.0 */
MNIST_API
size_t mnist_loader_position(const mnist_loader *loader);

/**
 * Order of this epoch, [N] indices of the data set, until the next start or restore;
 * NULL for NULL.
 * @since 1.0
 */
MNIST_API
const uint32_t *mnist_loader_order(const mnist_loader *loader);

/**
 * Puts a loader back to where another one was, in mid-epoch.
 *
 * @param loader a loader
 * @param order [N], each index once, as mnist_loader_order() gave it; copied
 * @param position number of images handed out already, 0 to N
 * @retval MNIST_OK the next batch is the one that follows
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL, order is no permutation, or
 * position is over N; the loader is as it was
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
