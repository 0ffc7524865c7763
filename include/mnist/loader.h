/**
 * @file
 * Data sets in shuffled batches of normalised float32.
 */
#ifndef MNIST_LOADER_H
#define MNIST_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mnist/dataset.h>
#include <mnist/export.h>
#include <mnist/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

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
    /** Move each image by up to this many pixels along each axis, at most the smaller
     * side of the images (default 0). This option and the next four change images at
     * random, see below. */
    float shift;
    /** Turn each image around its middle by up to this many degrees in either
     * direction, at most 180 (default 0). */
    float rotate;
    /** Enlarge or shrink each image by up to this share: by a factor of 1 - scale to
     * 1 + scale, at most 0.9 (default 0). */
    float scale;
    /** Slant each image: move each row by up to this many pixels per pixel of its
     * distance from the middle, at most 2 (default 0). */
    float shear;
    /** Distort each image smoothly: move each pixel by up to this many pixels along
     * each axis, at most a quarter of the smaller side of the images (default 0). The
     * displacements are a cubic B-spline over 5 x 5 cells with random control points.
     * Most are far below the limit: their root mean square is about a quarter of it. */
    float elastic;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_loader_config;

/**
 * Reads a data set in batches, as torch.utils.data.DataLoader does.
 *
 * With shift, rotate, scale, shear or elastic, each image is changed before it is
 * normalised: slanted, scaled, turned and moved, about its middle, and distorted. The
 * amounts are drawn uniformly, up to the options in both directions. They depend only
 * on the seed of mnist_loader_start() and the index of the image in the data set, so
 * each epoch has other images, and the order, the batch size and a restored position
 * change none of them. Pixels are interpolated bilinearly, with zeros around the
 * image, and rounded to 0 to 255. The bits are the same on all processors. Images may
 * then have at most 4096 rows and columns.
 */
typedef struct mnist_loader mnist_loader;

/**
 * Creates a loader at the start of an epoch with seed 0 that is not shuffled;
 * mnist_loader_start() shuffles.
 *
 * @param[out] out the loader, freed with mnist_loader_destroy(); NULL on failure
 * @param dataset the data set, which MUST outlive the loader
 * @param config options, copied
 * @retval MNIST_OK the loader was created
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL, an option is out of range, or the
 *         images are too large to be changed; the message names it
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
 * uses the second as this seed. All 64 bits determine how images are changed. Without
 * both, the seed has no effect.
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
 * Restores the order and position of an epoch, for example from a checkpoint. Images
 * are changed by the seed of the last mnist_loader_start().
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
