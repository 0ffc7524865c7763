/**
 * @file
 * Printed lines: of ruled and squared paper, and of boxes around digits.
 */
#ifndef MNIST_RULINGS_H
#define MNIST_RULINGS_H

#include <stdbool.h>

#include "lib/mnist/parts.h"

/**
 * Erases lines that go from one side of the picture to the other, as on ruled and
 * squared paper. What is drawn over them stays.
 *
 * @param[in,out] ink 255 for ink, else 0
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed; ink did not change
 */
mnist_status mnist_rulings_erase(mnist_plane *ink);

/**
 * Erases the lines of a printed box, or of a row of them: straight lines along at least
 * three sides, and those from one side to the other. What is drawn over them stays.
 *
 * @param box of a part of the ink
 * @param[out] is_box whether it is a box
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed; ink did not change
 */
mnist_status mnist_rulings_erase_box(mnist_plane *ink, const mnist_group *box,
                                     bool *is_box);

/**
 * Erases a line through a row of digits or under it that touches them, from one side of
 * a box to the other. What it crosses stays.
 *
 * @param box of a part of the ink, much wider than high
 * @param[out] is_line whether there was a line
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed; ink did not change
 */
mnist_status mnist_rulings_erase_line(mnist_plane *ink, const mnist_group *box,
                                      bool *is_line);

#endif
