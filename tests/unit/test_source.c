/* The search for a data set: directory, $MNIST_DIR, cache, and error messages.
 * test_download.py tests downloads. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "lib/mnist/sha256.h"
#include "lib/mnist/source.h"
#include "tests/support/common.h"
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

/* Writes the SHA-256 of bytes. */
static const char *sum_of(const test_bytes *bytes, char *text)
{
    mnist_sha256 sum;
    mnist_sha256_start(&sum);
    mnist_sha256_add(&sum, bytes->data, bytes->size);
    mnist_sha256_end(&sum, text);
    return text;
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

/* MNIST with files of any content in the cache, and without download. */
#define FILES(split)                                                                   \
    {                                                                                  \
        {.name = split "-images-idx3-ubyte.gz"},                                       \
        {                                                                              \
            .name = split "-labels-idx1-ubyte.gz"                                      \
        }                                                                              \
    }
static const mnist_entry any = {
    .name = "mnist",
    .classes = 10,
    .open = true,
    .is_mnist = true,
    .folder = "MNIST",
    .files = {FILES("train"), FILES("t10k")},
};
#undef FILES

/* Opens a data set and checks its count and that its origin is in the folder. */
static void expect(const mnist_source *source, mnist_split split, size_t count,
                   const char *folder)
{
    mnist_dataset *dataset;
    if (mnist_source_open(&dataset, &any, source, split))
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
    const mnist_entry *entry =
        source && source->name ? mnist_catalogue_find(source->name) : &any;
    assert_int_equal(mnist_source_open(&dataset, entry, source, split), status);
    assert_null(dataset);
    assert_contains(mnist_last_error(), message);
}

static const mnist_source offline = {.offline = true};
static const mnist_source may_be_synthetic = {.offline = true, .synthetic = true};

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
           "data: train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz] of "
           "mnist not found in it, in raw or MNIST/raw; it is empty");
    put("data", "t10k-images-idx3-ubyte", NULL, 3, 4);
    refuse(&source, MNIST_TEST, MNIST_NOT_FOUND, "t10k-labels-idx1-ubyte[.gz] not");
    assert_contains(mnist_last_error(), "not found beside ");
    assert_contains(mnist_last_error(), "data/t10k-images-idx3-ubyte");
    source.directory = test_path("data/t10k-images-idx3-ubyte");
    refuse(&source, MNIST_TEST, MNIST_NOT_FOUND, "is not a folder, expected one");
}

static void the_message_says_what_a_folder_has(void **state)
{
    (void)state;
    char folder[TEST_PATH_SIZE];
    const mnist_source source = {.directory = folder, .synthetic = true};
    snprintf(folder, sizeof(folder), "%s", test_make_folder("data"));
    static const char *const names[] = {"g", "b", "h", "a", "f", "d", "c", "e"};
    char name[32];
    for (size_t i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "data/%s", names[i]);
        test_write_file(name, "", 0);
        if (i == 2)
            refuse(&source, MNIST_TEST, MNIST_NOT_FOUND, "; it has b, g, h");
    }
    refuse(&source, MNIST_TEST, MNIST_NOT_FOUND,
           "; it has a, b, c, d, e, f and 2 more");
    put("data", "emnist-letters-test-images-idx3-ubyte.gz",
        "emnist-letters-test-labels-idx1-ubyte", 3, 4);
    refuse(&source, MNIST_TEST, MNIST_NOT_FOUND, "; these are files of emnist-letters");
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
    refuse(&may_be_synthetic, MNIST_TEST, MNIST_BAD_FILE, "magic number is 0x31323334");
}

/* The call stat() without the permission for one file. */
static int stat_without_permission(const char *path, struct stat *facts)
{
    if (!strstr(path, "train-labels-idx1-ubyte"))
        return stat(path, facts);
    errno = EACCES;
    return -1;
}

static int open_without_permission(const char *path, int flags, mode_t mode)
{
    if (!strstr(path, "train-labels-idx1-ubyte"))
        return open(path, flags, mode);
    errno = EACCES;
    return -1;
}

static void a_file_that_must_not_be_read_is_an_error_and_not_skipped(void **state)
{
    (void)state;
    common_file_calls calls = *common_file_get_calls();
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    put_mnist("first", 3);
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    calls.open = open_without_permission;
    test_file_set_calls(&calls);
    refuse(&may_be_synthetic, MNIST_TRAIN, MNIST_IO_ERROR,
           "labels-idx1-ubyte.gz: cannot be opened: Perm");
    calls.stat = stat_without_permission;
    refuse(&may_be_synthetic, MNIST_TRAIN, MNIST_IO_ERROR,
           "labels-idx1-ubyte: cannot be opened: Perm");
    unsetenv("MNIST_DIR");
    refuse(&may_be_synthetic, MNIST_TRAIN, MNIST_IO_ERROR,
           "mnist/train-labels-idx1-ubyte: cannot be opened");
    test_file_set_calls(NULL);
}

/* Opens the training set as a user who is not root, whom permissions do not stop; the
 * message must contain text. */
static void refuse_user(const char *text)
{
    enum { NOBODY = 65534 };
    pid_t child = fork();
    if (child == 0) {
        mnist_dataset *dataset;
        if (geteuid() == 0 && setuid(NOBODY))
            _exit(2);
        mnist_status status =
            mnist_dataset_open(&dataset, &may_be_synthetic, MNIST_TRAIN);
        bool named = strstr(mnist_last_error(), text) != NULL;
        _exit(status == MNIST_IO_ERROR && !dataset && named ? 0 : 1);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
}

static void files_without_permission_are_not_passed_over(void **state)
{
    (void)state;
    static const char message[] =
        "train-images-idx3-ubyte: cannot be opened: Permission denied";
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    assert_int_equal(chmod(test_folder, 0755), 0);
    assert_int_equal(chmod(test_path(".cache/mnist/train-images-idx3-ubyte"), 0), 0);
    refuse_user(message);
    assert_int_equal(chmod(test_path(".cache/mnist"), 0), 0);
    refuse_user(message);
    assert_int_equal(chmod(test_path(".cache/mnist"), 0755), 0);
    setenv("MNIST_DIR", test_path(".cache/mnist"), 1);
    refuse_user(message);
}

static void a_missing_file_in_mnist_dir_is_an_error(void **state)
{
    (void)state;
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    put("first", NULL, "train-labels-idx1-ubyte", 3, 4);
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND,
           "first (MNIST_DIR): train-images-idx3-ubyte[.gz] not found beside ");
}

static void mnist_dir_takes_precedence_over_the_cache(void **state)
{
    (void)state;
    make_cache("mnist");
    put_mnist(".cache/mnist", 4);
    expect(&offline, MNIST_TRAIN, 4, ".cache/mnist");
    expect(&(mnist_source){0}, MNIST_TRAIN, 4, ".cache/mnist");
    setenv("MNIST_DIR", test_make_folder("first"), 1);
    refuse(&may_be_synthetic, MNIST_TRAIN, MNIST_NOT_FOUND,
           "first (MNIST_DIR): train-images-idx3-ubyte[.gz] and ");
    setenv("MNIST_DIR", test_path("nowhere"), 1);
    refuse(&may_be_synthetic, MNIST_TRAIN, MNIST_NOT_FOUND,
           "nowhere (MNIST_DIR): cannot access the mnist folder");
    setenv("MNIST_DIR", test_path("first"), 1);
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

static void files_of_the_cache_must_be_as_published(void **state)
{
    (void)state;
    static const char *const names[] = {"mnist", "fashion-mnist", "kmnist"};
    for (uint32_t i = 0; i < 3; i++) {
        char folder[64];
        snprintf(folder, sizeof(folder), ".cache/%s", names[i]);
        make_cache(names[i]);
        put_mnist(folder, 7 + i);
        mnist_source source = may_be_synthetic;
        source.name = names[i];
        refuse(&source, MNIST_TRAIN, MNIST_BAD_FILE,
               "/train-images-idx3-ubyte: SHA-256 is ");
        assert_contains(mnist_last_error(), folder);
        assert_contains(mnist_last_error(), " as published; delete it to download it");
        assert_contains(mnist_last_error(),
                        mnist_catalogue_find(names[i])->files[0][0].sha256);
        source.directory = test_path(folder);
        mnist_dataset *dataset;
        assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN), MNIST_OK);
        mnist_dataset_destroy(&dataset);
    }
}

static void a_sum_of_the_file_or_of_its_content_is_accepted(void **state)
{
    (void)state;
    char sums[4][MNIST_SHA256_TEXT];
    mnist_entry entry = any;
    test_bytes files[] = {test_images(6, 2, 2), test_labels(6)};
    make_cache("mnist");
    for (int kind = 0; kind < 2; kind++) {
        test_bytes packed = test_gzip(files[kind].data, files[kind].size);
        mnist_remote *remote = &entry.files[MNIST_TRAIN][kind];
        remote->sha256 = sum_of(&packed, sums[2 * kind]);
        remote->content_sha256 = sum_of(&files[kind], sums[2 * kind + 1]);
        test_write_file(kind ? ".cache/mnist/train-labels-idx1-ubyte"
                             : ".cache/mnist/train-images-idx3-ubyte.gz",
                        kind ? files[kind].data : packed.data,
                        kind ? files[kind].size : packed.size);
        test_bytes_free(&packed);
    }
    mnist_dataset *dataset;
    assert_int_equal(mnist_source_open(&dataset, &entry, &offline, MNIST_TRAIN),
                     MNIST_OK);
    mnist_dataset_destroy(&dataset);
    entry.files[MNIST_TRAIN][1].content_sha256 = NULL;
    assert_int_equal(mnist_source_open(&dataset, &entry, &offline, MNIST_TRAIN),
                     MNIST_BAD_FILE);
    assert_contains(mnist_last_error(), "train-labels-idx1-ubyte: SHA-256 is ");
    test_bytes_free(&files[0]);
    test_bytes_free(&files[1]);
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
           "emnist-digits-train-images-idx3-ubyte[.gz] and ");
}

static void the_message_lists_the_sources_tried(void **state)
{
    (void)state;
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND, "mnist: not in the cache (");
    assert_contains(mnist_last_error(), test_path(".cache/mnist"));
    assert_contains(mnist_last_error(), "; download disabled (offline)");
    mnist_source source = {.name = "emnist-digits"};
    refuse(&source, MNIST_TRAIN, MNIST_NOT_FOUND, "no download available");
    unsetenv("HOME");
    refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND,
           "no cache: neither $XDG_CACHE_HOME nor $HOME is an absolute path");
    assert_int_equal(test_count_files(test_folder), 0);
}

/* The list has room for 959 characters. */
static void a_long_list_of_sources_is_cut(void **state)
{
    (void)state;
    char path[1000], list[1100];
    for (size_t length = 880; length < sizeof(path); length++) {
        for (size_t i = 0; i < length; i++)
            path[i] = i % 99 == 0 ? '/' : 'a';
        path[length] = '\0';
        setenv("XDG_CACHE_HOME", path, 1);
        refuse(&offline, MNIST_TRAIN, MNIST_NOT_FOUND, "mnist: not in the cache (/a");
        snprintf(list, sizeof(list),
                 "not in the cache (%s/mnist); download disabled (offline)", path);
        list[959] = '\0';
        assert_string_equal(mnist_last_error() + strlen("mnist: "), list);
    }
}

static void invalid_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    assert_int_equal(mnist_dataset_open(NULL, NULL, MNIST_TRAIN),
                     MNIST_INVALID_ARGUMENT);
    mnist_dataset *dataset = (mnist_dataset *)state;
    assert_int_equal(mnist_dataset_open(&dataset, NULL, (mnist_split)2),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "split is 2, expected 0");
    assert_null(dataset);
    const mnist_source source = {.name = "mnits"};
    assert_int_equal(mnist_dataset_open(&dataset, &source, MNIST_TRAIN),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "name is \"mnits\", expected one of mnist");
}

static void a_failed_download_is_listed(void **state)
{
    (void)state;
    const mnist_entry entry = {
        .name = "test",
        .classes = 10,
        .files = {{{.name = "a-idx3.gz", .size = 1, .sha256 = ""},
                   {.name = "b-idx1.gz", .size = 1, .sha256 = ""}}},
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
        assert_contains(mnist_last_error(),
                        "download failed: https://127.0.0.1:1/a-idx3.gz: ");
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
        HOME_TEST(the_message_says_what_a_folder_has),
        HOME_TEST(a_file_that_must_not_be_read_is_an_error_and_not_skipped),
        HOME_TEST(files_without_permission_are_not_passed_over),
        HOME_TEST(a_missing_file_in_mnist_dir_is_an_error),
        HOME_TEST(mnist_dir_takes_precedence_over_the_cache),
        HOME_TEST(the_cache_follows_the_xdg_specification),
        HOME_TEST(files_of_the_cache_must_be_as_published),
        HOME_TEST(a_sum_of_the_file_or_of_its_content_is_accepted),
        HOME_TEST(emnist_images_are_transposed),
        HOME_TEST(the_message_lists_the_sources_tried),
        HOME_TEST(a_long_list_of_sources_is_cut),
        HOME_TEST(invalid_arguments_are_refused_with_a_message),
        HOME_TEST(a_failed_download_is_listed),
        HOME_TEST(every_failed_allocation_returns_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
