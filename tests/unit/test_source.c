/* The search for a data set: directory, $MNIST_DIR, cache, and error messages.
 * test_download.py tests downloads. */
#include "lib/mnist/source.h"
#include "tests/support/idx.h"
#include "tests/support/memory.h"

/* Gives each test an empty home folder and an environment without other sources. */
static int fresh_home(void **state)
{
    if (test_folder_create(state))
        return -1;
    unsetenv("MNIST_DIR");
    unsetenv("XDG_CACHE_HOME");
    return setenv("HOME", test_folder, 1);
}

/* Writes count images and labels into a folder, each unless its name is NULL. */
static void put(const char *folder, const char *images, const char *labels,
                uint32_t count, uint32_t side)
{
    char name[TEST_PATH_SIZE];
    test_bytes image_file = test_images(count, side, side);
    test_bytes label_file = test_labels(count);
    if (images) {
        snprintf(name, sizeof(name), "%s/%s", folder, images);
        test_write_file(name, image_file.data, image_file.size);
    }
    if (labels) {
        snprintf(name, sizeof(name), "%s/%s", folder, labels);
        test_write_file(name, label_file.data, label_file.size);
    }
    test_bytes_free(&image_file);
    test_bytes_free(&label_file);
}

static void put_mnist(const char *folder, uint32_t count)
{
    put(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", count, 4);
    put(folder, "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte", count + 100, 4);
}

static void make_cache(const char *name)
{
    char path[TEST_PATH_SIZE];
    mkdir(test_path(".cache"), 0777);
    snprintf(path, sizeof(path), ".cache/%s", name);
    test_make_folder(path);
}

/* Opens a data set and checks its count and that its origin is in the folder. */
static void expect(const mnist_source *source, mnist_split split, size_t count,
                   const char *folder)
{
    mnist_dataset *dataset;
    if (mnist_dataset_open(&dataset, source, split))
        fail_msg("%s", mnist_last_error());
    assert_int_equal(mnist_dataset_count(dataset), count);
    assert_int_equal(mnist_dataset_classes(dataset), 10);
    assert_false(mnist_dataset_is_synthetic(dataset));
    assert_contains(mnist_dataset_origin(dataset), test_path(folder));
    mnist_dataset_destroy(&dataset);
}

static void refuse(const mnist_source *source, mnist_split split, mnist_status status,
                   const char *message)
{
    mnist_dataset *dataset = (mnist_dataset *)(void *)&message;
    assert_int_equal(mnist_dataset_open(&dataset, source, split), status);
    assert_null(dataset);
    assert_contains(mnist_last_error(), message);
}

static const mnist_source offline = {.offline = true, .no_synthetic = true};

static void a_directory_provides_both_splits(void **state)
{
    (void)state;
    const mnist_source source = {.directory = test_make_folder("data")};
    put_mnist("data", 3);
    expect(&source, MNIST_TRAIN, 3, "data/train-images-idx3-ubyte");
    expect(&source, MNIST_TEST, 103, "data/t10k-images-idx3-ubyte.gz");
}

static void names_with_a_dot_before_idx_are_found(void **state)
{
    (void)state;
    const mnist_source source = {.directory = test_make_folder("a-idx-b")};
    put("a-idx-b", "train-images.idx3-ubyte", "train-labels.idx1-ubyte.gz", 5, 3);
    expect(&source, MNIST_TRAIN, 5, "a-idx-b");
}

static void a_directory_without_the_files_is_an_error(void **state)
{
    (void)state;
    setenv("MNIST_DIR", test_make_folder("other"), 1);
    put_mnist("other", 3);
    mnist_source source = {.directory = test_path("nowhere")};
    refuse(&source, MNIST_TRAIN, MNIST_NOT_FOUND,
           "nowhere: cannot access the mnist folder");
    source.directory = test_make_folder("data");
    refuse(&source, MNIST_TRAIN, MNIST_NOT_FOUND,
           "data: train-images-idx3-ubyte[.gz] not found");
    put("data", "t10k-images-idx3-ubyte", NULL, 3, 4);
    refuse(&source, MNIST_TEST, MNIST_NOT_FOUND, "t10k-labels-idx1-ubyte[.gz] not");
}

static void a_damaged_file_is_an_error_and_not_skipped(void **state)
{
    (void)state;
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    put_mnist("first", 3);
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    test_write_file("first/train-images-idx3-ubyte", "", 0);
    refuse(&offline, MNIST_TRAIN, MNIST_BAD_FILE,
           "first/train-images-idx3-ubyte: ends after 0 bytes");
    test_write_file(".cache/mnist/t10k-labels-idx1-ubyte", "12345678", 8);
    unsetenv("MNIST_DIR");
    expect(&offline, MNIST_TRAIN, 4, ".cache/mnist");
    refuse(&offline, MNIST_TEST, MNIST_BAD_FILE, "magic number is 0x31323334");
}

static void a_missing_file_in_mnist_dir_is_an_error(void **state)
{
    (void)state;
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    put("first", NULL, "train-labels-idx1-ubyte", 3, 4);
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND,
           "first: train-images-idx3-ubyte[.gz] not found");
}

static void mnist_dir_takes_precedence_over_the_cache(void **state)
{
    (void)state;
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    expect(&offline, MNIST_TRAIN, 4, ".cache/mnist");
    expect(NULL, MNIST_TRAIN, 4, ".cache/mnist");
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    expect(&offline, MNIST_TRAIN, 4, ".cache/mnist");
    put_mnist("first", 3);
    expect(&offline, MNIST_TRAIN, 3, "first");
    setenv("MNIST_DIR", "", 1);
    expect(&offline, MNIST_TEST, 104, ".cache/mnist");
}

static void the_cache_follows_the_xdg_specification(void **state)
{
    (void)state;
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    test_make_folder("xdg");
    test_make_folder("xdg/mnist");
    put_mnist("xdg/mnist", 5);
    setenv("XDG_CACHE_HOME", test_path("xdg"), 1);
    expect(&offline, MNIST_TRAIN, 5, "xdg/mnist");
    setenv("XDG_CACHE_HOME", "xdg", 1);
    expect(&offline, MNIST_TRAIN, 4, ".cache/mnist");
}

static void other_data_sets_have_their_own_cache(void **state)
{
    (void)state;
    static const char *const names[] = {"fashion-mnist", "kmnist"};
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    put_mnist("first", 3);
    for (uint32_t i = 0; i < 2; i++) {
        char folder[64];
        snprintf(folder, sizeof(folder), ".cache/%s", names[i]);
        make_cache(names[i]);
        put_mnist(folder, 7 + i);
        mnist_source source = offline;
        source.name = names[i];
        expect(&source, MNIST_TRAIN, 7 + i, folder);
    }
    mnist_source source = offline;
    source.name = "mnist";
    expect(&source, MNIST_TRAIN, 3, "first");
}

static void emnist_images_are_transposed(void **state)
{
    (void)state;
    const mnist_source source = {.directory = test_make_folder("emnist"),
                                 .name = "emnist-digits"};
    put("emnist", "emnist-digits-test-images-idx3-ubyte.gz",
        "emnist-digits-test-labels-idx1-ubyte.gz", 2, 3);
    test_bytes file = test_images(2, 3, 3);
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TEST), MNIST_OK);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 9; k++)
            assert_int_equal(mnist_dataset_image(dataset, i)[k],
                             file.data[16 + 9 * i + k % 3 * 3 + k / 3]);
    mnist_dataset_destroy(&dataset);
    test_bytes_free(&file);
    refuse(&source, MNIST_TRAIN, MNIST_NOT_FOUND,
           "emnist-digits-train-images-idx3-ubyte[.gz] not found");
}

static void the_message_lists_the_sources_tried(void **state)
{
    (void)state;
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND, "mnist: not in the cache (");
    assert_contains(mnist_last_error(), test_path(".cache/mnist"));
    assert_contains(mnist_last_error(), "; download disabled (offline)");
    setenv("MNIST_DIR", test_path("nowhere"), 1);
    refuse(&offline, MNIST_TEST, MNIST_NOT_FOUND, "mnist: not in $MNIST_DIR (");
    mnist_source source = {.name = "emnist-digits"};
    refuse(&source, MNIST_TRAIN, MNIST_NOT_FOUND, "no download available");
    unsetenv("HOME");
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND,
           "no cache folder: neither $XDG_CACHE_HOME nor $HOME is an absolute path");
    assert_int_equal(test_count_files(test_folder), 0);
}

static void invalid_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    assert_int_equal(mnist_dataset_open(NULL, NULL, MNIST_TRAIN),
                     MNIST_INVALID_ARGUMENT);
    refuse(NULL, (mnist_split)2, MNIST_INVALID_ARGUMENT, "split is 2, expected 0");
    refuse(&(mnist_source){.name = "mnits"}, MNIST_TRAIN, MNIST_INVALID_ARGUMENT,
           "name is \"mnits\", expected one of mnist, fashion-mnist, kmnist");
}

static void a_failed_download_is_listed(void **state)
{
    (void)state;
    const mnist_entry entry = {
        .name = "test",
        .classes = 10,
        .files = {{{"a-idx3.gz", 1, ""}, {"b-idx1.gz", 1, ""}}},
        /* No server listens on this local port. */
        .mirrors = {"https://127.0.0.1:1/"},
        .timeout = 1,
    };
    mnist_dataset *dataset;
    mnist_status status =
        mnist_source_open(&dataset, &entry, &(mnist_source){0}, MNIST_TRAIN);
    assert_contains(mnist_last_error(), "test: not in the cache (");
    assert_contains(mnist_last_error(), "; a-idx3.gz: ");
    if (status == MNIST_NETWORK_ERROR)
        assert_contains(mnist_last_error(), "download failed: https://127.0.0.1:1/: ");
    else
        assert_contains(mnist_last_error(), "built without libcurl");
}

static void every_failed_allocation_returns_null(void **state)
{
    (void)state;
    const mnist_source source = {.directory = test_make_folder("data")};
    put_mnist("data", 3);
    mnist_status status = MNIST_OUT_OF_MEMORY;
    for (size_t k = 0; status; k++) {
        mnist_dataset *dataset = (mnist_dataset *)(void *)&source;
        test_memory memory;
        test_memory_limit(&memory, k);
        status = mnist_dataset_open(&dataset, &source, MNIST_TRAIN);
        test_memory_unlimit();
        assert_true(status == MNIST_OK || status == MNIST_OUT_OF_MEMORY);
        assert_int_equal(dataset == NULL, status != MNIST_OK);
        mnist_dataset_destroy(&dataset);
    }
}

#define HOME_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fresh_home, test_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(a_directory_provides_both_splits),
        HOME_TEST(names_with_a_dot_before_idx_are_found),
        HOME_TEST(a_directory_without_the_files_is_an_error),
        HOME_TEST(a_damaged_file_is_an_error_and_not_skipped),
        HOME_TEST(a_missing_file_in_mnist_dir_is_an_error),
        HOME_TEST(mnist_dir_takes_precedence_over_the_cache),
        HOME_TEST(the_cache_follows_the_xdg_specification),
        HOME_TEST(other_data_sets_have_their_own_cache),
        HOME_TEST(emnist_images_are_transposed),
        HOME_TEST(the_message_lists_the_sources_tried),
        HOME_TEST(invalid_arguments_are_refused_with_a_message),
        HOME_TEST(a_failed_download_is_listed),
        HOME_TEST(every_failed_allocation_returns_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
