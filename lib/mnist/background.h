/**
 * @file
 * The paper of a picture without what is drawn on it.
 */
#ifndef MNIST_BACKGROUND_H
#define MNIST_BACKGROUND_H

#include "lib/mnist/plane.h"

/** What is brighter, or darker, than its surroundings. */
typedef enum mnist_side { MNIST_SIDE_DARK, MNIST_SIDE_LIGHT } mnist_side;

/**
 * Removes all that is narrower than a third of the picture and lighter, or darker, than
 * what is around it. Edges of shadows and light that changes over the page stay.
 *
 * @param removed what to remove
 * @param[out] background as many bytes as p has
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_background_find(const mnist_plane *p, mnist_side removed,
                                   uint8_t *background);

#endif
