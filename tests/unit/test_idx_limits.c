/* Limits on what IDX files and pipes may make a program read. */
#include <fcntl.h>
#include <mnist/mnist.h>

#include "tests/support/common.h"
#include "tests/support/idx_read.h"
#include "tests/support/memory.h"

enum { MEGABYTE = 1 << 20 };

static void a_gzip_bomb_is_decompressed_only_up_to_its_declared_size(void **state)
{
    (void)state;
    test_bytes plain = test_images(2, 3, 4);
    plain.data = realloc(plain.data, 64 * MEGABYTE);
    memset(plain.data + plain.size, 0, 64 * MEGABYTE - plain.size);
    test_bytes file = test_gzip(plain.data, 64 * MEGABYTE);
    test_memory memory;
    test_memory_limit(&memory, SIZE_MAX);
    refuse_bytes(file.data, file.size, "has data after 40 bytes");
    test_memory_unlimit();
    assert_in_range(memory.largest, 1, MEGABYTE);
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static mnist_status read_limited(const char *path, uint64_t limit)
{
    mnist_dataset *dataset = stale();
    mnist_status status = mnist_dataset_read_limited(&dataset, path, NULL, 10, limit);
    assert_true((dataset == NULL) == (status != MNIST_OK));
    mnist_dataset_destroy(&dataset);
    return status;
}

/* Images of zeros, which deflate to about a thousandth. */
static test_bytes zeros(uint32_t count)
{
    test_bytes plain = test_idx(3, (uint32_t[]){count, 28, 28}, (size_t)count * 784, 1);
    test_bytes file = test_gzip(plain.data, plain.size);
    test_bytes_free(&plain);
    return file;
}

static void a_large_ratio_needs_a_limit(void **state)
{
    (void)state;
    test_bytes file = zeros(1000), small = zeros(80);
    const char *path = test_write_file("ratio", file.data, file.size);
    test_memory memory;
    test_memory_limit(&memory, SIZE_MAX);
    refuse(path, NULL, MNIST_BAD_FILE,
           "becomes 784016 bytes, expected at most 100 times");
    assert_contains(mnist_last_error(), "; limit can allow more");
    assert_int_equal(read_limited(path, 784015), MNIST_BAD_FILE);
    assert_contains(mnist_last_error(),
                    "declares 784016 bytes, expected at most 784015");
    test_memory_unlimit();
    assert_in_range(memory.largest, 1, MEGABYTE / 8);
    assert_int_equal(read_limited(path, 784016), MNIST_OK);
    assert_int_equal(read_limited(path, UINT64_MAX), MNIST_OK);
    /* Less than the memory of the reader. */
    path = test_write_file("small", small.data, small.size);
    assert_int_equal(read_limited(path, 0), MNIST_OK);
    test_bytes_free(&file);
    test_bytes_free(&small);
}

static void a_large_size_needs_a_limit(void **state)
{
    (void)state;
    /* 2 GiB, which noise of 22 MB could become. */
    test_bytes plain = test_idx(3, (uint32_t[]){1u << 21, 32, 32}, 22 * MEGABYTE, 256);
    test_bytes file = test_gzip(plain.data, plain.size);
    const char *path = test_write_file("size", file.data, file.size);
    refuse(path, NULL, MNIST_BAD_FILE,
           "header declares 2147483664 bytes, expected at most 1073741824");
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void the_declared_size_is_checked_before_memory_is_allocated(void **state)
{
    (void)state;
    const uint32_t extents[] = {1u << 30, 28, 28};
    test_bytes plain = test_idx(3, extents, 100, 256);
    test_bytes file = test_gzip(plain.data, plain.size);
    test_memory memory;
    test_memory_limit(&memory, SIZE_MAX);
    refuse_bytes(file.data, file.size, "header declares 841813590032 bytes, expected");
    refuse_bytes(plain.data, plain.size, "has 116 bytes, expected 841813590032");
    test_memory_unlimit();
    assert_in_range(memory.largest, 1, MEGABYTE);
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void a_size_that_memory_cannot_have_is_refused(void **state)
{
    (void)state;
    const uint32_t most = UINT32_MAX, extents[] = {most, most, most};
    test_bytes plain = test_idx(3, extents, 100, 256);
    refuse_bytes(plain.data, plain.size,
                 "extent of axis 1 is 4294967295, expected a product of extents below "
                 "2^63");
    test_bytes_free(&plain);
}

/* Path of a pipe that contains data. */
static const char *pipe_of(const void *data, size_t size, int *reader)
{
    static char path[64];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], data, size), size);
    close(ends[1]);
    *reader = ends[0];
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    return path;
}

static void a_pipe_is_read_up_to_a_limit(void **state)
{
    (void)state;
    test_bytes plain = test_images(5, 6, 7), file = test_gzip(plain.data, plain.size);
    int reader;
    read_back(pipe_of(plain.data, plain.size, &reader), &plain, 5, 6, 7);
    close(reader);
    read_back(pipe_of(file.data, file.size, &reader), &plain, 5, 6, 7);
    close(reader);
    refuse(pipe_of(plain.data, plain.size - 1, &reader), NULL, MNIST_BAD_FILE,
           "ends after 225 bytes, expected 226");
    close(reader);
    plain.data[4] = 0xff;
    refuse(pipe_of(plain.data, plain.size, &reader), NULL, MNIST_BAD_FILE,
           "expected at most 1073741824; limit can allow more");
    close(reader);
    test_bytes_free(&file);
    file = zeros(100);
    refuse(pipe_of(file.data, file.size, &reader), NULL, MNIST_BAD_FILE,
           "becomes 78416 bytes, expected at most 100 times");
    close(reader);
    assert_int_equal(read_limited(pipe_of(file.data, file.size, &reader), 78416),
                     MNIST_OK);
    close(reader);
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_gzip_bomb_is_decompressed_only_up_to_its_declared_size),
        TEST(a_large_ratio_needs_a_limit),
        TEST(a_large_size_needs_a_limit),
        TEST(the_declared_size_is_checked_before_memory_is_allocated),
        TEST(a_size_that_memory_cannot_have_is_refused),
        TEST(a_pipe_is_read_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
