/**
 * @file
 * Random changes of training images, as the options of a loader say.
 */
#ifndef LIB_MNIST_AUGMENT_H
#define LIB_MNIST_AUGMENT_H

#include "lib/mnist/warp.h"

#include <mnist/mnist.h>

typedef struct mnist_augment mnist_augment;

/** Whether an option changes images. */
bool mnist_augment_is_on(const mnist_loader_config *config);

/** Checks the options for the images of a data set; a failure names the option. */
mnist_status mnist_augment_check(const mnist_loader_config *config,
                                 const mnist_dataset *dataset);

/** Creates what changes images of this size; NULL if there is not enough memory. */
mnist_augment *mnist_augment_create(const mnist_loader_config *config, size_t rows,
                                    size_t cols);

/** Frees it; NULL is allowed. */
void mnist_augment_destroy(mnist_augment *augment);

/**
 * Draws how an image moves. Each option has draws of its own: those of one option do
 * not depend on the other options.
 *
 * @param seed of the epoch
 * @param index of the image in the data set
 */
void mnist_augment_draw(const mnist_augment *augment, uint64_t seed, uint64_t index,
                        mnist_warp_map *map);

/** Changes an image; the result is valid until the next call. */
const uint8_t *mnist_augment_apply(mnist_augment *augment, const uint8_t *image,
                                   uint64_t seed, uint64_t index);

#endif
