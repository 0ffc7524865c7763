/* libmnist through its public API: fallbacks and messages. */
#include <mnist/mnist.h>

#include "tests/support/folder.h"

static int empty_home(void **state)
{
    if (test_folder_create(state))
        return -1;
    unsetenv("MNIST_DIR");
    unsetenv("XDG_CACHE_HOME");
    return setenv("HOME", test_folder, 1);
}

static void synthetic_digits_are_the_fallback_and_the_message_gives_the_reason(
    void **state)
{
    (void)state;
    const mnist_source source = {
        .offline = true, .synthetic = true, .synthetic_count = 30};
    mnist_dataset *train, *test, *same;
    assert_int_equal(mnist_dataset_open(&train, &source, MNIST_TRAIN), MNIST_OK);
    assert_contains(mnist_last_error(), "mnist: not in the cache (");
    assert_contains(mnist_last_error(), "download disabled (offline)");
    assert_int_equal(mnist_dataset_open(&test, &source, MNIST_TEST), MNIST_OK);
    assert_int_equal(mnist_dataset_synthetic(&same, 30, 1), MNIST_OK);
    assert_true(mnist_dataset_is_synthetic(train));
    assert_string_equal(mnist_dataset_origin(train), "synthetic digits, seed 1");
    assert_string_equal(mnist_dataset_origin(test), "synthetic digits, seed 2");
    assert_int_equal(mnist_dataset_count(train), 30);
    size_t size = mnist_dataset_rows(train) * mnist_dataset_cols(train);
    assert_int_equal(size, 28 * 28);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(mnist_dataset_label(train, i), mnist_dataset_label(same, i));
        assert_memory_equal(mnist_dataset_image(train, i), mnist_dataset_image(same, i),
                            size);
        assert_memory_not_equal(mnist_dataset_image(train, i),
                                mnist_dataset_image(test, i), size);
    }
    mnist_dataset_destroy(&train);
    mnist_dataset_destroy(&test);
    mnist_dataset_destroy(&same);
    assert_int_equal(test_count_files(test_folder), 0);
}

static void synthetic_digits_replace_only_mnist_and_only_if_allowed(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    mnist_source source = {.offline = true};
    assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN),
                     MNIST_NOT_FOUND);
    assert_null(dataset);
    source = (mnist_source){.offline = true, .name = "kmnist", .synthetic = true};
    assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN),
                     MNIST_NOT_FOUND);
    assert_null(dataset);
    assert_contains(mnist_last_error(), "kmnist: not in the cache (");
    source = (mnist_source){.directory = test_folder, .synthetic = true};
    assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN),
                     MNIST_NOT_FOUND);
    assert_null(dataset);
    assert_contains(mnist_last_error(), test_folder);
}

static void a_pair_of_files_is_read_and_loaded_in_batches(void **state)
{
    (void)state;
    static const char images[] = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x03"
                                 "\x00\x33\x66\x99\xcc\xff";
    static const char labels[] = "\0\0\x08\x01\0\0\0\x02\x01\x03";
    const char *image_path = test_write_file("i", images, sizeof(images) - 1);
    const char *label_path = test_write_file("l", labels, sizeof(labels) - 1);
    mnist_dataset *dataset;
    mnist_loader *loader;
    assert_int_equal(mnist_dataset_read(&dataset, image_path, label_path, 3),
                     MNIST_BAD_FILE);
    assert_null(dataset);
    assert_contains(mnist_last_error(), "/l: label 1 is 3, expected 0 to 2");
    assert_int_equal(mnist_dataset_read(&dataset, image_path, label_path, 4), MNIST_OK);
    const mnist_loader_config config = {.batch_size = 2, .mean = 0, .std = 0.2f};
    assert_int_equal(mnist_loader_create(&loader, dataset, &config), MNIST_OK);
    float pixels[6];
    int64_t wanted[2];
    assert_int_equal(mnist_loader_next(loader, pixels, wanted), 2);
    for (int i = 0; i < 6; i++)
        assert_close(pixels[i], i, 1e-6);
    assert_int_equal(wanted[0], 1);
    assert_int_equal(wanted[1], 3);
    assert_int_equal(mnist_loader_next(loader, pixels, wanted), 0);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "MNIST_OK",
        "MNIST_INVALID_ARGUMENT",
        "MNIST_OUT_OF_MEMORY",
        "MNIST_IO_ERROR",
        "MNIST_BAD_FILE",
        "MNIST_NOT_FOUND",
        "MNIST_NETWORK_ERROR",
        "MNIST_UNSUPPORTED",
        "MNIST_BLANK",
        "MNIST_SEVERAL_DIGITS",
        "unknown status",
    };
    for (int i = 0; i < 11; i++)
        assert_string_equal(mnist_status_name((mnist_status)i), names[i]);
}

static void the_version_equals_the_header(void **state)
{
    (void)state;
    char version[40];
    snprintf(version, sizeof(version), "%d.%d.%d", MNIST_VERSION_MAJOR,
             MNIST_VERSION_MINOR, MNIST_VERSION_PATCH);
    assert_string_equal(mnist_version(), version);
}

#define HOME_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, empty_home, test_folder_remove)

static void a_message_is_one_line_for_any_name_of_the_folder(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    const mnist_source source = {.directory = "/none/a\nb\x1b[1m", .offline = true};
    assert_int_not_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN), MNIST_OK);
    assert_contains(mnist_last_error(), "/none/a?b?[1m");
    for (const char *c = mnist_last_error(); *c; c++)
        assert_true((unsigned char)*c >= ' ');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_one_line_for_any_name_of_the_folder),
        HOME_TEST(synthetic_digits_are_the_fallback_and_the_message_gives_the_reason),
        HOME_TEST(synthetic_digits_replace_only_mnist_and_only_if_allowed),
        HOME_TEST(a_pair_of_files_is_read_and_loaded_in_batches),
        TEST(every_status_has_a_name),
        TEST(the_version_equals_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
