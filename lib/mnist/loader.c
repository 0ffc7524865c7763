/* Batches of a data set, with PyTorch's order and floats. Pixels have 256 values, so
 * normalisation is a lookup table. */
#include <math.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/common/mt19937.h"
#include "lib/mnist/augment.h"
#include "lib/mnist/dataset.h"
#include "lib/mnist/status.h"

enum { PIXEL_VALUES = 256 };

/* Mean and standard deviation of MNIST's training images. */
static const float default_mean = 0.1307f;
static const float default_std = 0.3081f;

struct mnist_loader {
    const mnist_dataset *dataset;
    size_t batch_size;
    bool shuffle;
    bool drop_last;
    /* Normalised float of each pixel value. */
    float table[PIXEL_VALUES];
    /* Indices of the epoch, [count], and the number already returned. */
    uint32_t *order;
    size_t position;
    /* One bit per index, to detect duplicates in restore without an allocation. */
    uint8_t *seen;
    /* Changes images at random; NULL: they stay as they are. The seed of the epoch. */
    mnist_augment *augment;
    uint64_t seed;
};

static mnist_status check(const mnist_dataset *dataset,
                          const mnist_loader_config *config)
{
    if (!dataset || !config)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "loader: %s is NULL",
                          dataset ? "config" : "dataset");
    mnist_status status =
        mnist_check_reserved("loader", config->reserved,
                             sizeof(config->reserved) / sizeof(*config->reserved));
    if (status)
        return status;
    if (config->batch_size == 0)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "loader: batch_size is 0, expected at least 1");
    if (config->mean == 0 && config->std == 0)
        return mnist_augment_check(config, dataset);
    if (!isfinite(config->mean))
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "loader: mean is %g, expected a finite number",
                          (double)config->mean);
    if (!isfinite(config->std) || config->std <= 0)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "loader: std is %g, expected a finite number above 0",
                          (double)config->std);
    return mnist_augment_check(config, dataset);
}

/* Computes in float32, operation by operation, as ToTensor and Normalize do. */
static void fill_table(float *table, const mnist_loader_config *config)
{
    bool defaults = config->mean == 0 && config->std == 0;
    float mean = defaults ? default_mean : config->mean;
    float std = defaults ? default_std : config->std;
    for (int pixel = 0; pixel < PIXEL_VALUES; pixel++)
        table[pixel] = ((float)pixel / 255.0f - mean) / std;
}

static void set_sequential_order(mnist_loader *loader)
{
    for (size_t i = 0; i < loader->dataset->count; i++)
        loader->order[i] = (uint32_t)i;
}

mnist_status mnist_loader_create(mnist_loader **out, const mnist_dataset *dataset,
                                 const mnist_loader_config *config)
{
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "loader: out is NULL");
    *out = NULL;
    mnist_status status = check(dataset, config);
    if (status)
        return status;
    mnist_loader *loader = common_alloc_bytes(sizeof(*loader));
    if (loader) {
        loader->dataset = dataset;
        loader->order = common_alloc(dataset->count, sizeof(*loader->order));
        loader->seen = common_alloc_bytes(dataset->count / 8 + 1);
    }
    if (!loader || !loader->order || !loader->seen) {
        mnist_loader_destroy(&loader);
        return mnist_fail(MNIST_OUT_OF_MEMORY,
                          "loader: no memory for the order of %zu images",
                          dataset->count);
    }
    if (mnist_augment_is_on(config)) {
        loader->augment = mnist_augment_create(config, dataset->rows, dataset->cols);
        if (!loader->augment) {
            mnist_loader_destroy(&loader);
            return mnist_fail(MNIST_OUT_OF_MEMORY,
                              "loader: no memory to change images of %zu x %zu",
                              dataset->rows, dataset->cols);
        }
    }
    loader->batch_size = config->batch_size;
    loader->shuffle = config->shuffle;
    loader->drop_last = config->drop_last;
    fill_table(loader->table, config);
    set_sequential_order(loader);
    *out = loader;
    return MNIST_OK;
}

void mnist_loader_destroy(mnist_loader **loader)
{
    if (!loader || !*loader)
        return;
    common_free((*loader)->order);
    common_free((*loader)->seen);
    mnist_augment_destroy((*loader)->augment);
    common_free(*loader);
    *loader = NULL;
}

size_t mnist_loader_batches(const mnist_loader *loader)
{
    if (!loader)
        return 0;
    size_t full = loader->dataset->count / loader->batch_size;
    bool rest = loader->dataset->count % loader->batch_size != 0;
    return full + (rest && !loader->drop_last);
}

mnist_status mnist_loader_start(mnist_loader *loader, uint64_t seed)
{
    if (!loader)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "loader: loader is NULL");
    loader->position = 0;
    loader->seed = seed;
    if (!loader->shuffle) {
        set_sequential_order(loader);
        return MNIST_OK;
    }
    mt19937 generator;
    mt19937_seed(&generator, (uint32_t)seed);
    mt19937_permutation(&generator, loader->order, (uint32_t)loader->dataset->count);
    return MNIST_OK;
}

/* Number of images in the next batch; 0 at the end of the epoch. */
static size_t next_count(const mnist_loader *loader)
{
    size_t left = loader->dataset->count - loader->position;
    if (left >= loader->batch_size)
        return loader->batch_size;
    return loader->drop_last ? 0 : left;
}

/* Converts eight pixels at a time. All eight table loads come before the store, since
 * the compiler must assume that out and table may overlap. */
static void normalise(float *out, const uint8_t *pixels, size_t size,
                      const float *table)
{
    size_t k = 0;
    for (; k + 8 <= size; k += 8) {
        uint8_t eight[8];
        float values[8];
        memcpy(eight, pixels + k, sizeof(eight));
        for (size_t i = 0; i < 8; i++)
            values[i] = table[eight[i]];
        memcpy(out + k, values, sizeof(values));
    }
    for (; k < size; k++)
        out[k] = table[pixels[k]];
}

/* Prefetches an image that will be needed soon. Shuffled images are scattered in
 * memory, and cache misses cost more than the conversion. */
static void prefetch(const mnist_loader *loader, size_t position, size_t size)
{
    enum { CACHE_LINE = 64 };
    if (position >= loader->dataset->count)
        return;
    const uint8_t *image = loader->dataset->images + loader->order[position] * size;
    for (size_t k = 0; k < size; k += CACHE_LINE)
        __builtin_prefetch(image + k);
}

size_t mnist_loader_next(mnist_loader *loader, float *pixels, int64_t *labels)
{
    enum { PREFETCH_DISTANCE = 4 };
    if (!loader || !pixels)
        return 0;
    const mnist_dataset *dataset = loader->dataset;
    size_t size = dataset->rows * dataset->cols, count = next_count(loader);
    for (size_t i = 0; i < count; i++) {
        size_t index = loader->order[loader->position + i];
        prefetch(loader, loader->position + i + PREFETCH_DISTANCE, size);
        const uint8_t *image = dataset->images + index * size;
        if (loader->augment)
            image = mnist_augment_apply(loader->augment, image, loader->seed, index);
        normalise(pixels + i * size, image, size, loader->table);
        if (labels)
            labels[i] = dataset->labels ? dataset->labels[index] : -1;
    }
    loader->position += count;
    return count;
}

size_t mnist_loader_position(const mnist_loader *loader)
{
    return loader ? loader->position : 0;
}

const uint32_t *mnist_loader_order(const mnist_loader *loader)
{
    return loader ? loader->order : NULL;
}

static mnist_status check_permutation(mnist_loader *loader, const uint32_t *order)
{
    size_t count = loader->dataset->count;
    memset(loader->seen, 0, count / 8 + 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t index = order[i];
        if (index >= count)
            return mnist_fail(MNIST_INVALID_ARGUMENT,
                              "loader: order[%zu] is %lu, expected 0 to %zu", i,
                              (unsigned long)index, count - 1);
        uint8_t bit = (uint8_t)(1 << index % 8);
        if (loader->seen[index / 8] & bit)
            return mnist_fail(MNIST_INVALID_ARGUMENT,
                              "loader: order[%zu] repeats index %lu, expected each "
                              "index once",
                              i, (unsigned long)index);
        loader->seen[index / 8] |= bit;
    }
    return MNIST_OK;
}

mnist_status mnist_loader_restore(mnist_loader *loader, const uint32_t *order,
                                  size_t position)
{
    if (!loader || !order)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "loader: %s is NULL",
                          loader ? "order" : "loader");
    size_t count = loader->dataset->count;
    if (position > count)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "loader: position is %zu, expected 0 to %zu", position,
                          count);
    mnist_status status = check_permutation(loader, order);
    if (status)
        return status;
    memmove(loader->order, order, count * sizeof(*order));
    loader->position = position;
    return MNIST_OK;
}
