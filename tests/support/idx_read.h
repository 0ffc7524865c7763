/**
 * @file
 * IDX files read by the library, or refused.
 */
#ifndef TESTS_SUPPORT_IDX_READ_H
#define TESTS_SUPPORT_IDX_READ_H

#include <mnist/mnist.h>

#include "tests/support/idx.h"
#include "tests/support/test.h"

/** A handle that is not NULL, to check that a failure sets it to NULL. */
static inline mnist_dataset *stale(void)
{
    static char somewhere;
    return (mnist_dataset *)(void *)&somewhere;
}

/** Reads images, which must have these sizes and the bytes of file. */
static inline void read_back(const char *path, const test_bytes *file, size_t count,
                             size_t rows, size_t cols)
{
    mnist_dataset *dataset;
    if (mnist_dataset_read(&dataset, path, NULL, 10))
        fail_msg("%s", mnist_last_error());
    assert_int_equal(mnist_dataset_count(dataset), count);
    assert_int_equal(mnist_dataset_rows(dataset), rows);
    assert_int_equal(mnist_dataset_cols(dataset), cols);
    assert_memory_equal(mnist_dataset_image(dataset, 0), file->data + 16,
                        count * rows * cols);
    mnist_dataset_destroy(&dataset);
}

/** Reads files, which must fail with a status, and a message about a file. */
static inline void refuse(const char *images, const char *labels, mnist_status status,
                          const char *message)
{
    mnist_dataset *dataset = stale();
    assert_int_equal(mnist_dataset_read(&dataset, images, labels, 10), status);
    assert_null(dataset);
    assert_contains(mnist_last_error(), message);
    assert_contains(mnist_last_error(), labels ? labels : images);
}

/** Reads bytes as images, which must be refused. */
static inline void refuse_bytes(const void *data, size_t size, const char *message)
{
    refuse(test_write_file("refused", data, size), NULL, MNIST_BAD_FILE, message);
}

#endif
