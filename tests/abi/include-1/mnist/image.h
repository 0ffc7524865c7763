#ifndef MNIST_IMAGE_H
#define MNIST_IMAGE_H
#include <stddef.h>
#include <stdint.h>
#include <mnist/dataset.h>
#include <mnist/export.h>
#include <mnist/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum mnist_paper {
    MNIST_PAPER_AUTO = 0,
    MNIST_PAPER_DARK = 1,
    MNIST_PAPER_LIGHT = 2
} mnist_paper;
typedef struct mnist_fit_config {
    mnist_paper paper;
    uint64_t reserved[8];
} mnist_fit_config;
typedef struct mnist_box {
    size_t top;
    size_t left;
    size_t rows;
    size_t cols;
} mnist_box;
MNIST_API
MNIST_NODISCARD
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             const mnist_fit_config *config, uint8_t *out);
MNIST_API
MNIST_NODISCARD
mnist_status mnist_image_fit_digits(const uint8_t *pixels, size_t rows, size_t cols,
                                    const mnist_fit_config *config, size_t capacity,
                                    uint8_t *out, mnist_box *boxes, size_t *count);
MNIST_API
mnist_paper mnist_dataset_paper(const mnist_dataset *dataset);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
