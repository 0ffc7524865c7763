/**
 * @file
 * Pictures of any size in the form of MNIST.
 */
#ifndef MNIST_IMAGE_H
#define MNIST_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <mnist/export.h>
#include <mnist/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

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

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
