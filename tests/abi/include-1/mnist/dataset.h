#ifndef MNIST_DATASET_H
#define MNIST_DATASET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mnist/export.h>
#include <mnist/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum mnist_split {
    MNIST_TRAIN = 0,
    MNIST_TEST = 1
} mnist_split;
typedef void (*mnist_progress)(const char *file, size_t done, size_t total, void *user);
typedef struct mnist_source {
    const char *directory;
    const char *name;
    bool offline;
    bool synthetic;
    size_t synthetic_count;
    size_t download_seconds;
    mnist_progress progress;
    void *user;
    uint64_t limit;
    uint64_t reserved[7];
} mnist_source;
typedef struct mnist_dataset mnist_dataset;
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_open(mnist_dataset **out, const mnist_source *source,
                                mnist_split split);
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes);
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_read_limited(mnist_dataset **out, const char *images,
                                        const char *labels, size_t classes,
                                        uint64_t limit);
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_synthetic(mnist_dataset **out, size_t count, uint64_t seed);
MNIST_API
MNIST_NODISCARD
mnist_status mnist_dataset_narrow(mnist_dataset **out, const mnist_dataset *dataset,
                                  size_t first, size_t count);
MNIST_API
void mnist_dataset_destroy(mnist_dataset **dataset);
MNIST_API
size_t mnist_dataset_count(const mnist_dataset *dataset);
MNIST_API
size_t mnist_dataset_rows(const mnist_dataset *dataset);
MNIST_API
size_t mnist_dataset_cols(const mnist_dataset *dataset);
MNIST_API
size_t mnist_dataset_classes(const mnist_dataset *dataset);
MNIST_API
const uint8_t *mnist_dataset_image(const mnist_dataset *dataset, size_t index);
MNIST_API
int mnist_dataset_label(const mnist_dataset *dataset, size_t index);
MNIST_API
const char *mnist_dataset_origin(const mnist_dataset *dataset);
MNIST_API
bool mnist_dataset_is_synthetic(const mnist_dataset *dataset);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
