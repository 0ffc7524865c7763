/**
 * @file
 * The paper of a picture without what is drawn on it.
 */
#ifndef MNIST_BACKGROUND_H
#define MNIST_BACKGROUND_H

#include "lib/mnist/plane.h"

/**
 * Removes all that is narrower than a third of the picture and lighter than what is
 * around it. Edges of shadows and light that changes over the page stay.
 *
 * @param even whether the light is the same along the border; then strokes at the
 *        border are removed, too
 * @param[out] background as many bytes as p has
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_background_find(const mnist_plane *p, bool even,
                                   uint8_t *background);

#endif
