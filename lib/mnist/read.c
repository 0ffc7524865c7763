/* Reads a data set from IDX files. Both headers are checked against each other before
 * any memory for the data is allocated. */
#include <inttypes.h>

#include "lib/mnist/dataset.h"
#include "lib/mnist/idx.h"
#include "lib/mnist/status.h"

enum { IMAGE_RANK = 3, LABEL_RANK = 1, MAXIMUM_CLASSES = 256 };

static mnist_status open_pair(mnist_idx *images, mnist_idx *labels,
                              const char *image_path, const char *label_path)
{
    mnist_status status = mnist_idx_open(images, image_path, IMAGE_RANK);
    if (status || !label_path)
        return status;
    status = mnist_idx_open(labels, label_path, LABEL_RANK);
    if (status || labels->extents[0] == images->extents[0])
        return status;
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: has %" PRIu32 " labels, expected %" PRIu32
                      ", one for each image in %s",
                      label_path, labels->extents[0], images->extents[0], image_path);
}

static mnist_status check_labels(const mnist_dataset *dataset, const char *path)
{
    for (size_t i = 0; i < dataset->count; i++)
        if (dataset->labels[i] >= dataset->classes)
            return mnist_fail(MNIST_BAD_FILE, "%s: label %zu is %u, expected 0 to %zu",
                              path, i, (unsigned)dataset->labels[i],
                              dataset->classes - 1);
    return MNIST_OK;
}

static mnist_status fill(mnist_dataset *dataset, mnist_idx *images, mnist_idx *labels,
                         const char *label_path)
{
    mnist_status status = mnist_idx_read(images, dataset->images);
    if (!status && label_path)
        status = mnist_idx_read(labels, dataset->labels);
    if (!status && label_path)
        status = check_labels(dataset, label_path);
    return status;
}

mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes)
{
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: out is NULL");
    *out = NULL;
    if (!images)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: images is NULL");
    if (classes < 1 || classes > MAXIMUM_CLASSES)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: classes is %zu, expected 1 to %d", classes,
                          MAXIMUM_CLASSES);
    mnist_idx image_file = {0}, label_file = {0};
    mnist_dataset *dataset = NULL;
    mnist_status status = open_pair(&image_file, &label_file, images, labels);
    const uint32_t *extents = image_file.extents;
    if (!status)
        status = mnist_dataset_new(&dataset, extents[0], extents[1], extents[2],
                                   classes, labels, images);
    if (!status)
        status = fill(dataset, &image_file, &label_file, labels);
    mnist_idx_close(&image_file);
    mnist_idx_close(&label_file);
    if (status)
        mnist_dataset_destroy(&dataset);
    *out = dataset;
    return status;
}
