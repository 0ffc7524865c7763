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
typedef struct mnist_loader_config {
    size_t batch_size;
    bool shuffle;
    bool drop_last;
    float mean;
    float std;
    float shift;
    float rotate;
    float scale;
    float shear;
    float elastic;
    uint64_t reserved[8];
} mnist_loader_config;
typedef struct mnist_loader mnist_loader;
MNIST_API
MNIST_NODISCARD
mnist_status mnist_loader_create(mnist_loader **out, const mnist_dataset *dataset,
                                 const mnist_loader_config *config);
MNIST_API
void mnist_loader_destroy(mnist_loader **loader);
MNIST_API
size_t mnist_loader_batches(const mnist_loader *loader);
MNIST_API
mnist_status mnist_loader_start(mnist_loader *loader, uint64_t seed);
MNIST_API
size_t mnist_loader_next(mnist_loader *loader, float *pixels, int64_t *labels);
MNIST_API
size_t mnist_loader_position(const mnist_loader *loader);
MNIST_API
const uint32_t *mnist_loader_order(const mnist_loader *loader);
MNIST_API
mnist_status mnist_loader_restore(mnist_loader *loader, const uint32_t *order,
                                  size_t position);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
