/* IDX files: valid ones under any name, and every kind of damage. */
#include <errno.h>
#include <fcntl.h>
#include <mnist/mnist.h>

#include "tests/support/common.h"
#include "tests/support/idx_read.h"
#include "tests/support/memory.h"

static void gzip_is_detected_by_content_not_by_name(void **state)
{
    (void)state;
    test_bytes plain = test_images(7, 3, 5), packed = test_gzip(plain.data, plain.size);
    read_back(test_write_file("a", plain.data, plain.size), &plain, 7, 3, 5);
    read_back(test_write_file("b.gz", plain.data, plain.size), &plain, 7, 3, 5);
    read_back(test_write_file("c.gz", packed.data, packed.size), &plain, 7, 3, 5);
    read_back(test_write_file("d", packed.data, packed.size), &plain, 7, 3, 5);
    test_bytes_free(&plain);
    test_bytes_free(&packed);
}

static ssize_t read_three(int file, void *data, size_t size)
{
    return read(file, data, size < 3 ? size : 3);
}

/* As a pipe or a file on another machine may do. */
static void a_read_may_return_less(void **state)
{
    (void)state;
    test_bytes plain = test_images(7, 3, 5), packed = test_gzip(plain.data, plain.size);
    common_file_calls calls = *common_file_get_calls();
    calls.read = read_three;
    test_file_set_calls(&calls);
    read_back(test_write_file("a", plain.data, plain.size), &plain, 7, 3, 5);
    read_back(test_write_file("b", packed.data, packed.size), &plain, 7, 3, 5);
    test_file_set_calls(NULL);
    test_bytes_free(&plain);
    test_bytes_free(&packed);
}

static void images_of_any_size_and_count_are_read(void **state)
{
    (void)state;
    static const uint32_t sizes[][3] = {
        {1, 1, 1}, {1, 28, 28}, {3, 1, 300}, {70000, 1, 1}, {2, 700, 300},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        const uint32_t *s = sizes[i];
        test_bytes plain = test_images(s[0], s[1], s[2]);
        test_bytes packed = test_gzip(plain.data, plain.size);
        read_back(test_write_file("a", plain.data, plain.size), &plain, s[0], s[1],
                  s[2]);
        read_back(test_write_file("b", packed.data, packed.size), &plain, s[0], s[1],
                  s[2]);
        test_bytes_free(&plain);
        test_bytes_free(&packed);
    }
}

static void gzip_members_are_concatenated(void **state)
{
    (void)state;
    test_bytes plain = test_images(9, 4, 4), file = {malloc(4096), 0};
    for (size_t from = 0; from <= plain.size; from += 20) {
        size_t left = plain.size - from;
        test_bytes member = test_gzip(plain.data + from, left < 20 ? left : 20);
        memcpy(file.data + file.size, member.data, member.size);
        file.size += member.size;
        test_bytes_free(&member);
    }
    read_back(test_write_file("members", file.data, file.size), &plain, 9, 4, 4);
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void labels_belong_to_their_images(void **state)
{
    (void)state;
    test_bytes images = test_images(20, 2, 2), labels = test_labels(20);
    const char *path = test_write_file("images", images.data, images.size);
    mnist_dataset *dataset;
    assert_int_equal(
        mnist_dataset_read(&dataset, path,
                           test_write_file("labels", labels.data, labels.size), 10),
        MNIST_OK);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(mnist_dataset_label(dataset, i), labels.data[8 + i]);
    assert_string_equal(mnist_dataset_origin(dataset), path);
    mnist_dataset_destroy(&dataset);
    test_bytes_free(&images);
    test_bytes_free(&labels);
}

static void labels_that_do_not_match_are_refused(void **state)
{
    (void)state;
    test_bytes images = test_images(20, 2, 2), labels = test_labels(21);
    const char *path = test_write_file("images", images.data, images.size);
    refuse(path, test_write_file("labels", labels.data, labels.size), MNIST_BAD_FILE,
           "21 labels, expected 20");
    test_bytes_free(&labels);
    labels = test_labels(20);
    labels.data[8 + 13] = 10;
    refuse(path, test_write_file("labels", labels.data, labels.size), MNIST_BAD_FILE,
           "label 13 is 10, expected 0 to 9");
    refuse(
        path, path, MNIST_BAD_FILE,
        "magic number is 0x00000803 (IDX of bytes, rank 3), expected 0x00000801 (IDX");
    refuse(path, test_path("nowhere"), MNIST_IO_ERROR, "No such file");
    test_bytes_free(&images);
    test_bytes_free(&labels);
}

static void a_damaged_header_is_reported_with_found_and_expected_values(void **state)
{
    (void)state;
    refuse_bytes("", 0, "ends after 0 bytes, expected 16");
    refuse_bytes("\0\0\x08", 3, "ends after 3 bytes, expected 16");
    refuse_bytes("\x1f", 1, "ends after 1 bytes, expected 16");
    refuse_bytes("P5 28 28 255 and what follows", 29,
                 "magic number is 0x50352032, expected 0x00000803");
    test_bytes file = test_images(2, 3, 4);
    static const struct {
        size_t at;
        uint8_t value;
        const char *message;
    } damage[] = {
        {0, 1, "magic number is 0x01000803, expected 0x00000803"},
        {1, 1, "magic number is 0x00010803, expected 0x00000803"},
        {2, 0x0d, "magic number is 0x00000d03 (IDX of float32, rank 3), expected"},
        {3, 1, "magic number is 0x00000801 (IDX of bytes, rank 1), expected"},
        {7, 0, "extent of axis 0 is 0, expected at least 1"},
        {11, 0, "extent of axis 1 is 0, expected at least 1"},
        {15, 0, "extent of axis 2 is 0, expected at least 1"},
        {7, 3, "has 40 bytes, expected 52 according to its header"},
        {7, 1, "has 40 bytes, expected 28 according to its header"},
        {4, 0xff, "has 40 bytes, expected 51338281000 according to its header"},
    };
    for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
        uint8_t old = file.data[damage[i].at];
        file.data[damage[i].at] = damage[i].value;
        refuse_bytes(file.data, file.size, damage[i].message);
        file.data[damage[i].at] = old;
    }
    memset(file.data + 4, 0xff, 12);
    refuse_bytes(file.data, file.size, "extent of axis 1 is 4294967295, expected a");
    file.data[8] = 0x7f;
    refuse_bytes(file.data, file.size, "extent of axis 2 is 4294967295, expected a");
    test_bytes_free(&file);
}

static void a_plain_file_of_the_wrong_length_is_refused(void **state)
{
    (void)state;
    test_bytes file = test_images(2, 3, 4);
    file.data = realloc(file.data, file.size + 1);
    for (size_t size = 16; size <= file.size + 1; size++)
        if (size != file.size)
            refuse_bytes(file.data, size, "bytes, expected 40 according to its header");
    test_bytes_free(&file);
}

static void a_gzip_file_truncated_anywhere_is_refused(void **state)
{
    (void)state;
    test_bytes plain = test_images(2, 3, 4), file = test_gzip(plain.data, plain.size);
    for (size_t size = 2; size < file.size; size++)
        refuse_bytes(file.data, size, "gzip data ends ");
    refuse_bytes(file.data, file.size - 9, "gzip data ends ");
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void a_gzip_file_with_a_flipped_bit_is_refused_or_unchanged(void **state)
{
    (void)state;
    test_bytes plain = test_images(2, 3, 4), file = test_gzip(plain.data, plain.size);
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * file.size; bit++) {
        mnist_dataset *dataset = stale();
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const char *path = test_write_file("flipped", file.data, file.size);
        file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (mnist_dataset_read(&dataset, path, NULL, 10)) {
            assert_null(dataset);
            refused++;
            continue;
        }
        /* Time, flags and system in the gzip header do not affect the content, nor do
         * the padding bits in the last byte of the compressed data. */
        if (bit / 8 != file.size - 9)
            assert_in_range(bit / 8, 3, 9);
        assert_memory_equal(mnist_dataset_image(dataset, 0), plain.data + 16, 24);
        mnist_dataset_destroy(&dataset);
    }
    assert_true(refused >= 8 * (file.size - 10));
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void gzip_errors_report_both_values(void **state)
{
    (void)state;
    test_bytes plain = test_images(2, 3, 4), file = test_gzip(plain.data, plain.size);
    uint8_t *trailer = file.data + file.size - 8;
    char message[80];
    unsigned long checksum = crc32(0, plain.data, (unsigned)plain.size);
    memcpy(trailer, "\x04\x03\x02\x01", 4);
    snprintf(message, sizeof(message), "checksum is 0x%08lx, expected 0x01020304",
             checksum);
    refuse_bytes(file.data, file.size, message);
    for (int i = 0; i < 4; i++)
        trailer[i] = (uint8_t)(checksum >> 8 * i);
    trailer[4] = 41;
    refuse_bytes(file.data, file.size, "gzip length is 40, expected 41");
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

/* Varies the size so that the gzip trailer crosses the end of the reader's buffer at
 * every position. */
static void gzip_checks_work_at_every_position_of_the_buffer(void **state)
{
    (void)state;
    const uint32_t around = 65536 - 16;
    for (uint32_t count = around - 45; count < around + 5; count++) {
        test_bytes plain = test_images(count, 1, 1);
        test_bytes file = test_gzip(plain.data, plain.size);
        read_back(test_write_file("across", file.data, file.size), &plain, count, 1, 1);
        memcpy(file.data + file.size - 8, "\x04\x03\x02\x01", 4);
        refuse_bytes(file.data, file.size, "expected 0x01020304");
        test_bytes_free(&plain);
        test_bytes_free(&file);
    }
}

static void data_after_the_gzip_data_is_refused(void **state)
{
    (void)state;
    test_bytes plain = test_images(2, 3, 4), file = test_gzip(plain.data, plain.size);
    file.data = realloc(file.data, 2 * file.size);
    file.data[file.size] = '!';
    refuse_bytes(file.data, file.size + 1, "gzip data is followed by byte 0x21");
    file.data[file.size] = 0x1f;
    refuse_bytes(file.data, file.size + 1, "gzip data ends ");
    memcpy(file.data + file.size, file.data, file.size);
    refuse_bytes(file.data, 2 * file.size, "has data after 40 bytes, expected end of");
    test_bytes_free(&plain);
    test_bytes_free(&file);
}

static void unreadable_files_are_reported_with_the_reason(void **state)
{
    (void)state;
    refuse(test_path("nowhere"), NULL, MNIST_IO_ERROR, "No such file or directory");
    refuse(test_folder, NULL, MNIST_IO_ERROR, "is a directory, expected a file");
}

/* Number of file operations that succeed before all fail. */
static size_t calls_left;

static bool disk_fails(void)
{
    if (calls_left > 0)
        calls_left--;
    else
        errno = EIO;
    return errno == EIO;
}

static int failing_open(const char *path, int flags, mode_t mode)
{
    return disk_fails() ? -1 : open(path, flags, mode);
}

static int failing_fstat(int file, struct stat *facts)
{
    return disk_fails() ? -1 : fstat(file, facts);
}

/* Reads byte by byte; every second call is interrupted by a signal. */
static ssize_t failing_read(int file, void *data, size_t size)
{
    static unsigned calls;
    if (disk_fails())
        return -1;
    if (calls++ % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    return read(file, data, size ? 1 : 0);
}

static void every_failed_file_operation_returns_null(void **state)
{
    (void)state;
    const common_file_calls failing = {
        .open = failing_open,
        .fstat = failing_fstat,
        .read = failing_read,
        .close = close,
    };
    test_bytes images = test_images(20, 2, 2), labels = test_labels(20);
    test_bytes packed = test_gzip(images.data, images.size);
    const char *image_path = test_write_file("images", packed.data, packed.size);
    const char *label_path = test_write_file("labels", labels.data, labels.size);
    mnist_status status = MNIST_IO_ERROR;
    size_t points = 0;
    for (; status; points++) {
        mnist_dataset *dataset = stale();
        calls_left = points;
        errno = 0;
        test_file_set_calls(&failing);
        status = mnist_dataset_read(&dataset, image_path, label_path, 10);
        test_file_set_calls(NULL);
        assert_true(status == MNIST_OK || status == MNIST_IO_ERROR);
        assert_int_equal(dataset == NULL, status != MNIST_OK);
        if (status)
            assert_contains(mnist_last_error(), "Input/output error");
        else
            assert_memory_equal(mnist_dataset_image(dataset, 0), images.data + 16, 80);
        mnist_dataset_destroy(&dataset);
    }
    assert_true(points > 20);
    test_bytes_free(&images);
    test_bytes_free(&labels);
    test_bytes_free(&packed);
}

static void null_and_invalid_classes_are_refused(void **state)
{
    (void)state;
    mnist_dataset *dataset = stale();
    assert_int_equal(mnist_dataset_read(NULL, "x", NULL, 10), MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_dataset_read(&dataset, NULL, NULL, 10),
                     MNIST_INVALID_ARGUMENT);
    assert_null(dataset);
    assert_int_equal(mnist_dataset_read(&dataset, "x", NULL, 0),
                     MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_dataset_read(&dataset, "x", NULL, 257),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "classes is 257, expected 1 to 256");
}

static void every_failed_allocation_returns_null(void **state)
{
    (void)state;
    test_bytes images = test_images(20, 2, 2), labels = test_labels(20);
    test_bytes packed = test_gzip(images.data, images.size);
    const char *image_path = test_write_file("images", packed.data, packed.size);
    const char *label_path = test_write_file("labels", labels.data, labels.size);
    mnist_status status = MNIST_OUT_OF_MEMORY;
    size_t allocations = 0;
    for (; status; allocations++) {
        mnist_dataset *dataset = stale();
        test_memory memory;
        test_memory_limit(&memory, allocations);
        status = mnist_dataset_read(&dataset, image_path, label_path, 10);
        test_memory_unlimit();
        assert_true(status == MNIST_OK || status == MNIST_OUT_OF_MEMORY);
        assert_int_equal(dataset == NULL, status != MNIST_OK);
        mnist_dataset_destroy(&dataset);
    }
    assert_in_range(allocations, 8, 12);
    test_bytes_free(&images);
    test_bytes_free(&labels);
    test_bytes_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gzip_is_detected_by_content_not_by_name),
        TEST(a_read_may_return_less),
        TEST(images_of_any_size_and_count_are_read),
        TEST(gzip_members_are_concatenated),
        TEST(labels_belong_to_their_images),
        TEST(labels_that_do_not_match_are_refused),
        TEST(a_damaged_header_is_reported_with_found_and_expected_values),
        TEST(a_plain_file_of_the_wrong_length_is_refused),
        TEST(a_gzip_file_truncated_anywhere_is_refused),
        TEST(a_gzip_file_with_a_flipped_bit_is_refused_or_unchanged),
        TEST(gzip_errors_report_both_values),
        TEST(gzip_checks_work_at_every_position_of_the_buffer),
        TEST(data_after_the_gzip_data_is_refused),
        TEST(unreadable_files_are_reported_with_the_reason),
        TEST(every_failed_file_operation_returns_null),
        TEST(null_and_invalid_classes_are_refused),
        TEST(every_failed_allocation_returns_null),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
