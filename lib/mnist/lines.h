/**
 * @file
 * The lines in which digits are written.
 */
#ifndef MNIST_LINES_H
#define MNIST_LINES_H

#include "lib/mnist/parts.h"

/**
 * Sorts groups: lines from top to bottom, in each from left to right. Lines may rise or
 * fall.
 *
 * @retval MNIST_OK groups were sorted
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 */
mnist_status mnist_lines_sort(mnist_group *groups, size_t count);

#endif
