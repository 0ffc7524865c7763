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
MNIST_API
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             uint8_t *out);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
