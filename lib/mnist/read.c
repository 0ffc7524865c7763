/* Reads a data set from IDX files. Both headers are checked against each other before
 * any memory for the data is allocated. */
#include <inttypes.h>

#include "lib/mnist/idx.h"
#include "lib/mnist/read.h"
#include "lib/mnist/status.h"

enum { MAXIMUM_CLASSES = 256 };

_Static_assert((int)MNIST_DATASET_ROOM >= (int)MNIST_IDX_HEADER,
               "a header goes before the data");

static mnist_status open_pair(mnist_idx *images, mnist_idx *labels,
                              const mnist_input *image_input,
                              const mnist_input *label_input)
{
    mnist_status status = mnist_idx_open(images, image_input, MNIST_IDX_IMAGES);
    if (status || !label_input)
        return status;
    status = mnist_idx_open(labels, label_input, MNIST_IDX_LABELS);
    if (status || labels->extents[0] == images->extents[0])
        return status;
    return mnist_fail(
        MNIST_BAD_FILE,
        "%s: has %" PRIu32 " labels, expected %" PRIu32 ", one for each image in %s",
        label_input->path, labels->extents[0], images->extents[0], image_input->path);
}

/* Compares the labels with the number of classes, or raises it. */
static mnist_status check_labels(mnist_dataset *dataset, const mnist_label_form *form,
                                 const char *path)
{
    for (size_t i = 0; i < dataset->count; i++) {
        unsigned label = dataset->labels[i];
        if (label < dataset->classes)
            continue;
        if (!form->open)
            return mnist_fail(MNIST_BAD_FILE, "%s: label %zu is %u, expected %u to %zu",
                              path, i, label + form->first, form->first,
                              dataset->classes - 1 + form->first);
        dataset->classes = label + 1;
    }
    return MNIST_OK;
}

static mnist_status fill(mnist_dataset *dataset, mnist_idx *images, mnist_idx *labels,
                         const mnist_label_form *form)
{
    mnist_status status = mnist_idx_read(images, dataset->images);
    if (!status && dataset->labels)
        status = mnist_idx_read_labels(labels, form->first, dataset->labels);
    if (!status && dataset->labels)
        status = check_labels(dataset, form, labels->input->path);
    return status;
}

mnist_status mnist_dataset_read_inputs(mnist_dataset **out, const mnist_input *images,
                                       const mnist_input *labels,
                                       const mnist_label_form *form)
{
    mnist_idx image_file = {0}, label_file = {0};
    mnist_dataset *dataset = NULL;
    mnist_status status = open_pair(&image_file, &label_file, images, labels);
    const uint32_t *extents = image_file.extents;
    if (!status)
        status = mnist_dataset_new(&dataset, extents[0], extents[1], extents[2],
                                   form->classes, labels, images->path);
    if (!status)
        status = fill(dataset, &image_file, &label_file, form);
    mnist_idx_close(&image_file);
    mnist_idx_close(&label_file);
    if (status)
        mnist_dataset_destroy(&dataset);
    *out = dataset;
    return status;
}

mnist_status mnist_dataset_read(mnist_dataset **out, const char *images,
                                const char *labels, size_t classes)
{
    return mnist_dataset_read_limited(out, images, labels, classes, 0);
}

mnist_status mnist_dataset_read_limited(mnist_dataset **out, const char *images,
                                        const char *labels, size_t classes,
                                        uint64_t limit)
{
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: out is NULL");
    *out = NULL;
    if (!images)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: images is NULL");
    if (classes > MAXIMUM_CLASSES)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: classes is %zu, expected 1 to %d, or 0: from the "
                          "labels",
                          classes, MAXIMUM_CLASSES);
    if (classes == 0 && !labels)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: classes is 0: from the labels, but labels is NULL");
    const mnist_input image_input = {.path = images, .limit = limit};
    const mnist_input label_input = {.path = labels, .limit = limit};
    const mnist_label_form form = {.classes = classes ? classes : 1,
                                   .open = classes == 0};
    return mnist_dataset_read_inputs(out, &image_input, labels ? &label_input : NULL,
                                     &form);
}
