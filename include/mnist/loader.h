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
