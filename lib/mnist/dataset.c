#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/dataset.h"
#include "lib/mnist/status.h"

enum { MAXIMUM_CLASSES = 256 };

static bool sizes_fit(size_t count, size_t rows, size_t cols, size_t *bytes)
{
    /* count - 1 < UINT32_MAX instead of count <= UINT32_MAX: with a 32-bit size_t the
     * latter is always true, and gcc warns. */
    return count - 1 < UINT32_MAX && rows >= 1 && cols >= 1 &&
           common_multiply(rows, cols, bytes) && common_multiply(*bytes, count, bytes);
}

/* count bytes, 0, and MNIST_DATASET_ROOM before them; NULL if memory is short. */
static uint8_t *alloc_bytes(size_t count)
{
    uint8_t *bytes = count <= SIZE_MAX - MNIST_DATASET_ROOM
                         ? common_alloc_bytes(MNIST_DATASET_ROOM + count)
                         : NULL;
    return bytes ? bytes + MNIST_DATASET_ROOM : NULL;
}

static void free_bytes(uint8_t *bytes)
{
    if (bytes)
        common_free(bytes - MNIST_DATASET_ROOM);
}

mnist_status mnist_dataset_new(mnist_dataset **out, size_t count, size_t rows,
                               size_t cols, size_t classes, bool has_labels,
                               const char *origin)
{
    *out = NULL;
    size_t bytes = 0;
    if (!sizes_fit(count, rows, cols, &bytes))
        return mnist_fail(
            MNIST_INVALID_ARGUMENT,
            "dataset: images are [%zu, %zu, %zu], expected [N, ROWS, COLS] "
            "with 1 to 2^32 - 1 images of at least 1 pixel",
            count, rows, cols);
    if (classes < 1 || classes > MAXIMUM_CLASSES)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: classes is %zu, expected 1 to %d", classes,
                          MAXIMUM_CLASSES);
    mnist_dataset *dataset = common_alloc_bytes(sizeof(*dataset));
    if (dataset) {
        dataset->count = count;
        dataset->rows = rows;
        dataset->cols = cols;
        dataset->classes = classes;
        dataset->images = alloc_bytes(bytes);
        dataset->labels = has_labels ? alloc_bytes(count) : NULL;
        dataset->origin = common_strdup(origin);
    }
    if (!dataset || !dataset->images || !dataset->origin ||
        (has_labels && !dataset->labels)) {
        mnist_dataset_destroy(&dataset);
        return mnist_fail(MNIST_OUT_OF_MEMORY,
                          "dataset: no memory for [%zu, %zu, %zu] images", count, rows,
                          cols);
    }
    *out = dataset;
    return MNIST_OK;
}

/* The origin of count images of a data set; NULL if memory is short. */
static char *part_origin(const mnist_dataset *dataset, size_t first, size_t count)
{
    enum { NUMBERS = 64 };
    size_t size = strlen(dataset->origin) + NUMBERS;
    char *text = common_alloc_bytes(size);
    if (text)
        snprintf(text, size, "%s, images %zu to %zu", dataset->origin, first,
                 first + count - 1);
    return text;
}

mnist_status mnist_dataset_narrow(mnist_dataset **out, const mnist_dataset *dataset,
                                  size_t first, size_t count)
{
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: out is NULL");
    *out = NULL;
    if (!dataset)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: dataset is NULL");
    if (count < 1 || first >= dataset->count || count > dataset->count - first)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: part has %zu images from %zu on, expected at least "
                          "1 of %zu",
                          count, first, dataset->count);
    mnist_dataset *part = common_alloc_bytes(sizeof(*part));
    char *origin = part ? part_origin(dataset, first, count) : NULL;
    if (!origin) {
        common_free(part);
        return mnist_fail(MNIST_OUT_OF_MEMORY, "dataset: no memory for a part of %s",
                          dataset->origin);
    }
    *part = *dataset;
    part->is_part = true;
    part->origin = origin;
    part->count = count;
    part->images = dataset->images + first * dataset->rows * dataset->cols;
    part->labels = dataset->labels ? dataset->labels + first : NULL;
    *out = part;
    return MNIST_OK;
}

void mnist_dataset_destroy(mnist_dataset **dataset)
{
    if (!dataset || !*dataset)
        return;
    if (!(*dataset)->is_part) {
        free_bytes((*dataset)->images);
        free_bytes((*dataset)->labels);
    }
    common_free((*dataset)->origin);
    common_free(*dataset);
    *dataset = NULL;
}

size_t mnist_dataset_count(const mnist_dataset *dataset)
{
    return dataset ? dataset->count : 0;
}

size_t mnist_dataset_rows(const mnist_dataset *dataset)
{
    return dataset ? dataset->rows : 0;
}

size_t mnist_dataset_cols(const mnist_dataset *dataset)
{
    return dataset ? dataset->cols : 0;
}

size_t mnist_dataset_classes(const mnist_dataset *dataset)
{
    return dataset ? dataset->classes : 0;
}

const uint8_t *mnist_dataset_image(const mnist_dataset *dataset, size_t index)
{
    if (!dataset || index >= dataset->count)
        return NULL;
    return dataset->images + index * dataset->rows * dataset->cols;
}

int mnist_dataset_label(const mnist_dataset *dataset, size_t index)
{
    if (!dataset || !dataset->labels || index >= dataset->count)
        return -1;
    return dataset->labels[index];
}

const char *mnist_dataset_origin(const mnist_dataset *dataset)
{
    return dataset ? dataset->origin : NULL;
}

bool mnist_dataset_is_synthetic(const mnist_dataset *dataset)
{
    return dataset && dataset->synthetic;
}
