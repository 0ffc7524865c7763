/* The data sets as they are published: sizes of files, classes, folders. */
#include "lib/mnist/catalogue.h"
#include "tests/support/test.h"

static const struct {
    const char *name, *folder;
    size_t classes;
    unsigned first_label;
    bool open, transposed, is_mnist;
    /* Images and labels for training, then for testing. */
    size_t sizes[4];
} published[] = {
    {"mnist", "MNIST", 10, 0, true, false, true, {9912422, 28881, 1648877, 4542}},
    {"fashion-mnist",
     "FashionMNIST",
     10,
     0,
     true,
     false,
     false,
     {26421880, 29515, 4422102, 5148}},
    {"kmnist", "KMNIST", 10, 0, true, false, false, {18165135, 29497, 3041136, 5120}},
    {"emnist-byclass", "EMNIST", 62, 0, false, true, false, {0}},
    {"emnist-bymerge", "EMNIST", 47, 0, false, true, false, {0}},
    {"emnist-balanced", "EMNIST", 47, 0, false, true, false, {0}},
    {"emnist-letters", "EMNIST", 26, 1, false, true, false, {0}},
    {"emnist-digits", "EMNIST", 10, 0, false, true, false, {0}},
    {"emnist-mnist", "EMNIST", 10, 0, false, true, false, {0}},
    {"qmnist", "QMNIST", 10, 0, false, false, false, {0}},
};
enum { COUNT = sizeof(published) / sizeof(published[0]) };

static void data_sets_are_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const mnist_entry *entry = mnist_catalogue_find(published[i].name);
        assert_non_null(entry);
        assert_ptr_equal(entry, mnist_catalogue_at(i));
        assert_string_equal(entry->folder, published[i].folder);
        assert_int_equal(entry->classes, published[i].classes);
        assert_int_equal(entry->first_label, published[i].first_label);
        assert_int_equal(entry->open, published[i].open);
        assert_int_equal(entry->transposed, published[i].transposed);
        assert_int_equal(entry->is_mnist, published[i].is_mnist);
        for (size_t file = 0; file < 4; file++)
            assert_int_equal(entry->files[file / 2][file % 2].size,
                             published[i].sizes[file]);
        assert_int_equal(entry->timeout, published[i].sizes[0] ? 20 : 0);
        assert_contains(mnist_catalogue_names(), published[i].name);
    }
}

static void other_names_are_not_found(void **state)
{
    (void)state;
    assert_null(mnist_catalogue_find(""));
    assert_null(mnist_catalogue_find("emnist"));
    assert_null(mnist_catalogue_at(COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(data_sets_are_as_published),
        TEST(other_names_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
