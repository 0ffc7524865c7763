/* Labels of other types, the number of classes, and files of other formats. */
#include <mnist/mnist.h>

#include "lib/mnist/read.h"
#include "tests/support/idx.h"

/* Writes labels of 32-bit integers, [count] or [count, cols]. */
static const char *integers(const int32_t *values, uint32_t count, uint32_t cols)
{
    uint32_t rank = cols ? 2 : 1, each = cols ? cols : 1;
    size_t header = 4 * (size_t)(rank + 1), size = header + (size_t)4 * count * each;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    test_big_endian(bytes, 0xc00 | rank);
    test_big_endian(bytes + 4, count);
    if (cols)
        test_big_endian(bytes + 8, cols);
    for (uint32_t i = 0; i < count * each; i++)
        test_big_endian(bytes + header + (size_t)4 * i, (uint32_t)values[i]);
    const char *path = test_write_file("integers", bytes, size);
    free(bytes);
    return path;
}

static const char *images(uint32_t count)
{
    test_bytes file = test_images(count, 2, 2);
    const char *path = test_write_file("images", file.data, file.size);
    test_bytes_free(&file);
    return path;
}

/* Reads labels and compares them with wanted, count of them. */
static void expect(const char *labels, size_t classes, size_t found,
                   const uint8_t *wanted, uint32_t count)
{
    mnist_dataset *dataset;
    if (mnist_dataset_read(&dataset, images(count), labels, classes))
        fail_msg("%s", mnist_last_error());
    assert_int_equal(mnist_dataset_classes(dataset), found);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(mnist_dataset_label(dataset, i), wanted[i]);
    mnist_dataset_destroy(&dataset);
}

static void refuse(const char *labels, size_t classes, uint32_t count,
                   const char *message)
{
    mnist_dataset *dataset = (mnist_dataset *)(void *)&message;
    assert_int_equal(mnist_dataset_read(&dataset, images(count), labels, classes),
                     MNIST_BAD_FILE);
    assert_null(dataset);
    assert_contains(mnist_last_error(), labels);
    assert_contains(mnist_last_error(), message);
}

static void labels_may_be_integers_of_one_or_more_columns(void **state)
{
    (void)state;
    static const int32_t values[] = {3, -1, 70000, 9, 0x0a000000, -7, 0, 1, 2};
    expect(integers(values, 3, 3), 10, 10, (const uint8_t[]){3, 9, 0}, 3);
    expect(integers(values, 1, 8), 10, 10, (const uint8_t[]){3}, 1);
    expect(integers(values, 1, 0), 10, 10, (const uint8_t[]){3}, 1);
    refuse(integers(values, 3, 0), 10, 3, "label 1 is -1, expected 0 to 255");
    refuse(integers(values, 9, 1), 10, 9, "label 1 is -1, expected 0 to 255");
    refuse(integers(values + 2, 1, 0), 10, 1, "label 0 is 70000, expected 0 to 255");
    refuse(integers(values, 3, 3), 9, 3, "label 1 is 9, expected 0 to 8");
    refuse(integers(values, 2, 3), 10, 3, "has 2 labels, expected 3");
}

static void the_number_of_classes_may_come_from_the_labels(void **state)
{
    (void)state;
    static const int32_t values[] = {3, 25, 0, 255};
    const uint8_t bytes[] = {3, 25, 0, 255};
    expect(integers(values, 3, 0), 0, 26, bytes, 3);
    expect(integers(values, 4, 0), 0, 256, bytes, 4);
    expect(integers(values + 2, 1, 0), 0, 1, bytes + 2, 1);
    expect(integers(values, 3, 0), 200, 200, bytes, 3);
    expect(integers(values, 4, 0), 256, 256, bytes, 4);
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_read(&dataset, images(1), NULL, 0),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "classes is 0: from the labels, but labels");
    assert_int_equal(mnist_dataset_read(&dataset, images(1), NULL, 257),
                     MNIST_INVALID_ARGUMENT);
}

static void labels_may_start_at_another_number(void **state)
{
    (void)state;
    static const int32_t values[] = {1, 26, 7};
    static const uint8_t file[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 26, 7};
    const mnist_label_form form = {.classes = 26, .first = 1};
    const mnist_label_form two = {.classes = 26, .first = 2};
    const mnist_input pixels = {.path = images(3)};
    const mnist_input labels[] = {
        {.path = test_write_file("bytes", file, sizeof(file))},
        {.path = integers(values, 3, 0)},
    };
    for (int i = 0; i < 2; i++) {
        mnist_dataset *dataset;
        assert_int_equal(
            mnist_dataset_read_inputs(&dataset, &pixels, &labels[i], &form), MNIST_OK);
        assert_int_equal(mnist_dataset_classes(dataset), 26);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(mnist_dataset_label(dataset, k), values[k] - 1);
        mnist_dataset_destroy(&dataset);
        assert_int_equal(mnist_dataset_read_inputs(&dataset, &pixels, &labels[i], &two),
                         MNIST_BAD_FILE);
        assert_contains(mnist_last_error(), "label 0 is 1, expected 2 to ");
    }
}

static void integers_that_end_early_are_refused(void **state)
{
    (void)state;
    enum { SIZE = 12 + 4 * 6 };
    static const int32_t values[] = {1, 2, 3, 4, 5, 6};
    uint8_t bytes[SIZE + 1];
    integers(values, 2, 3);
    assert_int_equal(test_read_file("integers", (char *)bytes, sizeof(bytes)), SIZE);
    for (size_t size = 0; size < SIZE; size++) {
        test_bytes packed = test_gzip(bytes, size);
        refuse(test_write_file("short", bytes, size), 10, 2, "short");
        refuse(test_write_file("short.gz", packed.data, packed.size), 10, 2, "short");
        test_bytes_free(&packed);
    }
}

/* Only the sum of the file itself is compared, because labels are not kept as the file
 * has them. */
static void the_sum_of_integers_is_that_of_the_file(void **state)
{
    (void)state;
    static const int32_t values[] = {1, 2};
    static const char wrong[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    const mnist_label_form form = {.classes = 10};
    const mnist_input pixels = {.path = images(2)};
    const mnist_input labels = {
        .path = integers(values, 2, 0), .sha256 = wrong, .content_sha256 = wrong};
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_read_inputs(&dataset, &pixels, &labels, &form),
                     MNIST_BAD_FILE);
    assert_null(dataset);
    assert_contains(mnist_last_error(), "integers: SHA-256 is ");
}

static void other_formats_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *beginning, *message;
    } cases[] = {
        {"\0\0\x0d\3", "0x00000d03 (IDX of float32, rank 3), expected 0x00000803"},
        {"\0\0\x0e\1", " (IDX of float64, rank 1), expected "},
        {"\0\0\x0b\3", " (IDX of 16-bit integers, rank 3), expected "},
        {"\0\0\x09\3", " (IDX of signed bytes, rank 3), expected "},
        {"\0\0\x0c\2", " (IDX of 32-bit integers, rank 2), expected "},
        {"\0\0\x08\1", " (IDX of bytes, rank 1), expected "},
        {"\0\0\x0a\3", "is 0x00000a03, expected "},
        {"\3\x08\0\0", "is 0x03080000 (IDX of bytes, little-endian), expected "},
        {"PK\3\4", " (a ZIP archive), expected "},
        {"\xfd\x37zX", " (an xz file), expected "},
        {"BZh9", " (a bzip2 file), expected "},
        {"\x89PNG", " (a PNG picture), expected "},
        {"\xff\xd8\xff\xe0", " (a JPEG picture), expected "},
        {"\x93NUM", " (a NumPy array), expected "},
        {"vers", " (perhaps a Git LFS pointer), expected "},
        {"<!DO", " (a web page), expected "},
        {"<htm", " (a web page), expected "},
        {"abcd", "is 0x61626364, expected 0x00000803 (IDX of bytes, rank 3)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char bytes[40] = "";
        memcpy(bytes, cases[i].beginning, 4);
        mnist_dataset *dataset = (mnist_dataset *)state;
        const char *path = test_write_file("other", bytes, sizeof(bytes));
        assert_int_equal(mnist_dataset_read(&dataset, path, NULL, 10), MNIST_BAD_FILE);
        assert_contains(mnist_last_error(), cases[i].message);
        assert_null(dataset);
    }
    refuse(images(1), 10, 1,
           "expected 0x00000801 (IDX of bytes, rank 1) or 0x00000c02 (32-bit integers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(labels_may_be_integers_of_one_or_more_columns),
        TEST(the_number_of_classes_may_come_from_the_labels),
        TEST(labels_may_start_at_another_number),
        TEST(integers_that_end_early_are_refused),
        TEST(the_sum_of_integers_is_that_of_the_file),
        TEST(other_formats_are_named),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
