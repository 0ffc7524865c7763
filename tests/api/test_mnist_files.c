/* The files of MNIST in $MNIST_DIR: counts, labels, mean and standard deviation equal
 * the published values. */
#include <mnist/mnist.h>

#include "tests/support/test.h"

static const char *directory;

static mnist_dataset *open_split(mnist_split split)
{
    mnist_dataset *dataset;
    if (mnist_dataset_open(&dataset, &(mnist_source){.directory = directory}, split))
        fail_msg("%s", mnist_last_error());
    assert_int_equal(mnist_dataset_rows(dataset), 28);
    assert_int_equal(mnist_dataset_cols(dataset), 28);
    assert_int_equal(mnist_dataset_classes(dataset), 10);
    return dataset;
}

static void check_labels(mnist_split split, size_t count, const int *first,
                         const size_t *of_class)
{
    mnist_dataset *dataset = open_split(split);
    size_t counts[10] = {0};
    assert_int_equal(mnist_dataset_count(dataset), count);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(mnist_dataset_label(dataset, i), first[i]);
    for (size_t i = 0; i < count; i++)
        counts[mnist_dataset_label(dataset, i)]++;
    assert_memory_equal(counts, of_class, sizeof(counts));
    mnist_dataset_destroy(&dataset);
}

static void the_training_labels_equal_the_published_ones(void **state)
{
    (void)state;
    static const int first[] = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4};
    static const size_t of_class[] = {5923, 6742, 5958, 6131, 5842,
                                      5421, 5918, 6265, 5851, 5949};
    check_labels(MNIST_TRAIN, 60000, first, of_class);
}

static void the_test_labels_equal_the_published_ones(void **state)
{
    (void)state;
    static const int first[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
    static const size_t of_class[] = {980, 1135, 1032, 1010, 982,
                                      892, 958,  1028, 974,  1009};
    check_labels(MNIST_TEST, 10000, first, of_class);
}

/* The default mean and standard deviation are those of the training images, rounded to
 * four digits. An epoch of normalised pixels therefore has mean 0 and deviation 1
 * within about 1e-4 / 0.3. */
static void an_epoch_of_normalised_pixels_has_mean_0_and_deviation_1(void **state)
{
    (void)state;
    enum { BATCH = 64, SIZE = 28 * 28 };
    static float pixels[BATCH * SIZE];
    mnist_dataset *dataset = open_split(MNIST_TRAIN);
    mnist_loader *loader;
    const mnist_loader_config config = {.batch_size = BATCH, .shuffle = true};
    assert_int_equal(mnist_loader_create(&loader, dataset, &config), MNIST_OK);
    assert_int_equal(mnist_loader_batches(loader), 938);
    assert_int_equal(mnist_loader_start(loader, 1), MNIST_OK);
    double sum = 0, squares = 0;
    size_t count, total = 0, batches = 0;
    for (; (count = mnist_loader_next(loader, pixels, NULL)) > 0; batches++) {
        total += count;
        for (size_t i = 0; i < count * SIZE; i++) {
            sum += (double)pixels[i];
            squares += (double)pixels[i] * (double)pixels[i];
        }
    }
    assert_int_equal(batches, 938);
    assert_int_equal(total, 60000);
    double mean = sum / (60000.0 * SIZE);
    assert_close(mean, 0, 4e-4);
    assert_close(sqrt(squares / (60000.0 * SIZE) - mean * mean), 1, 4e-4);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void mnist_dir_selects_the_files(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_open(&dataset, NULL, MNIST_TEST), MNIST_OK);
    assert_false(mnist_dataset_is_synthetic(dataset));
    assert_contains(mnist_dataset_origin(dataset), directory);
    mnist_dataset_destroy(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_training_labels_equal_the_published_ones),
        TEST(the_test_labels_equal_the_published_ones),
        TEST(an_epoch_of_normalised_pixels_has_mean_0_and_deviation_1),
        TEST(mnist_dir_selects_the_files),
    };
    directory = getenv("MNIST_DIR");
    if (!directory || !*directory)
        test_skip_all("MNIST_DIR does not name a folder with MNIST");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
