#ifndef MNIST_MNIST_H
#define MNIST_MNIST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mnist/export.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
#define MNIST_VERSION_MAJOR 1
#define MNIST_VERSION_MINOR 0
#define MNIST_VERSION_PATCH 0
typedef enum mnist_status {
    MNIST_OK = 0,
    MNIST_INVALID_ARGUMENT = 1,
    MNIST_OUT_OF_MEMORY = 2,
    MNIST_IO_ERROR = 3,
    MNIST_BAD_FILE = 4,
    MNIST_NOT_FOUND = 5,
    MNIST_NETWORK_ERROR = 6,
    MNIST_UNSUPPORTED = 7
} mnist_status;
MNIST_API
const char *mnist_version(void);
MNIST_API
const char *mnist_status_name(mnist_status status);
MNIST_API
const char *mnist_last_error(void);
typedef enum mnist_split {
    MNIST_TRAIN = 0,
    MNIST_TEST = 1
} mnist_split;
typedef void (*mnist_progress)(const char *file, size_t done, size_t total, void *user);
typedef struct mnist_source {
    const char *directory;
    const char *name;
    bool offline;
    bool no_synthetic;
    size_t synthetic_count;
    mnist_progress progress;
    void *user;
    uint64_t reserved[8];
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
mnist_status mnist_dataset_synthetic(mnist_dataset **out, size_t count, uint64_t seed);
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
MNIST_API
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             uint8_t *out);
typedef struct mnist_loader_config {
    size_t batch_size;
    bool shuffle;
    bool drop_last;
    float mean;
    float std;
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
