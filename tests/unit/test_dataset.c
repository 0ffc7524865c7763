/* Data sets in memory: values, invalid arguments and failed allocations. */
#include "lib/mnist/dataset.h"
#include "tests/support/common.h"
#include "tests/support/test.h"

static void a_new_dataset_is_zero_and_writable(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, 3, 2, 5, 7, true, "a test"), MNIST_OK);
    assert_int_equal(mnist_dataset_count(dataset), 3);
    assert_int_equal(mnist_dataset_rows(dataset), 2);
    assert_int_equal(mnist_dataset_cols(dataset), 5);
    assert_int_equal(mnist_dataset_classes(dataset), 7);
    assert_string_equal(mnist_dataset_origin(dataset), "a test");
    assert_false(mnist_dataset_is_synthetic(dataset));
    for (size_t i = 0; i < 30; i++)
        assert_int_equal(dataset->images[i], 0);
    dataset->images[2 * 10 + 9] = 200;
    dataset->labels[2] = 6;
    assert_int_equal(mnist_dataset_image(dataset, 2)[9], 200);
    assert_int_equal(mnist_dataset_label(dataset, 2), 6);
    mnist_dataset_destroy(&dataset);
    assert_null(dataset);
}

static void an_index_out_of_range_returns_null_or_minus_one(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, 3, 2, 2, 10, true, ""), MNIST_OK);
    assert_non_null(mnist_dataset_image(dataset, 2));
    assert_null(mnist_dataset_image(dataset, 3));
    assert_null(mnist_dataset_image(dataset, SIZE_MAX));
    assert_int_equal(mnist_dataset_label(dataset, 2), 0);
    assert_int_equal(mnist_dataset_label(dataset, 3), -1);
    mnist_dataset_destroy(&dataset);
}

static void a_dataset_without_labels_returns_minus_one(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, 1, 1, 1, 10, false, ""), MNIST_OK);
    assert_int_equal(mnist_dataset_label(dataset, 0), -1);
    mnist_dataset_destroy(&dataset);
}

static void getters_and_destroy_accept_null(void **state)
{
    (void)state;
    mnist_dataset *none = NULL;
    mnist_dataset_destroy(NULL);
    mnist_dataset_destroy(&none);
    assert_int_equal(mnist_dataset_count(NULL), 0);
    assert_int_equal(mnist_dataset_rows(NULL), 0);
    assert_int_equal(mnist_dataset_cols(NULL), 0);
    assert_int_equal(mnist_dataset_classes(NULL), 0);
    assert_null(mnist_dataset_image(NULL, 0));
    assert_int_equal(mnist_dataset_label(NULL, 0), -1);
    assert_null(mnist_dataset_origin(NULL));
    assert_false(mnist_dataset_is_synthetic(NULL));
}

static void invalid_sizes_are_refused_with_a_message(void **state)
{
    (void)state;
    static const size_t sizes[][4] = {
        {0, 28, 28, 10},
        {1, 0, 28, 10},
        {1, 28, 0, 10},
        {1, 28, 28, 257},
        {1, 28, 28, 0},
        {1, SIZE_MAX / 2, 3, 10},
        {(size_t)UINT32_MAX + 1, 1, 1, 10},
    };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        mnist_dataset *dataset = (mnist_dataset *)state;
        const size_t *s = sizes[i];
        assert_int_equal(mnist_dataset_new(&dataset, s[0], s[1], s[2], s[3], true, ""),
                         MNIST_INVALID_ARGUMENT);
        assert_null(dataset);
        assert_contains(mnist_last_error(), "dataset: ");
    }
}

/* Lets *left allocations succeed and fails the next one. */
static bool refuse(size_t bytes, void *user)
{
    (void)bytes;
    size_t *left = user;
    return (*left)-- != 0;
}

static void every_failed_allocation_returns_null(void **state)
{
    (void)state;
    mnist_status status = MNIST_OUT_OF_MEMORY;
    for (size_t k = 0; status; k++) {
        mnist_dataset *dataset = (mnist_dataset *)state;
        size_t left = k;
        test_memory_set_hook(refuse, &left);
        status = mnist_dataset_new(&dataset, 3, 4, 5, 10, true, "");
        test_memory_set_hook(NULL, NULL);
        assert_int_equal(status, k < 4 ? MNIST_OUT_OF_MEMORY : MNIST_OK);
        assert_int_equal(dataset == NULL, k < 4);
        mnist_dataset_destroy(&dataset);
    }
}

static void a_part_shares_the_images_and_labels(void **state)
{
    (void)state;
    mnist_dataset *dataset, *part, *smaller;
    assert_int_equal(mnist_dataset_new(&dataset, 9, 2, 3, 7, true, "a test"), MNIST_OK);
    for (size_t i = 0; i < 9; i++)
        dataset->labels[i] = (uint8_t)(i % 7);
    dataset->synthetic = true;
    assert_int_equal(mnist_dataset_narrow(&part, dataset, 4, 5), MNIST_OK);
    assert_int_equal(mnist_dataset_narrow(&smaller, part, 2, 1), MNIST_OK);
    assert_int_equal(mnist_dataset_count(part), 5);
    assert_int_equal(mnist_dataset_classes(part), 7);
    assert_true(mnist_dataset_is_synthetic(part));
    assert_ptr_equal(mnist_dataset_image(part, 4), mnist_dataset_image(dataset, 8));
    assert_null(mnist_dataset_image(part, 5));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(mnist_dataset_label(part, i), (4 + i) % 7);
    assert_int_equal(mnist_dataset_label(part, 5), -1);
    assert_string_equal(mnist_dataset_origin(part), "a test, images 4 to 8");
    assert_ptr_equal(mnist_dataset_image(smaller, 0), mnist_dataset_image(dataset, 6));
    mnist_dataset_destroy(&smaller);
    mnist_dataset_destroy(&part);
    assert_int_equal(mnist_dataset_label(dataset, 8), 1);
    mnist_dataset_destroy(&dataset);
    assert_int_equal(mnist_dataset_new(&dataset, 2, 1, 1, 1, false, ""), MNIST_OK);
    assert_int_equal(mnist_dataset_narrow(&part, dataset, 1, 1), MNIST_OK);
    assert_int_equal(mnist_dataset_label(part, 0), -1);
    mnist_dataset_destroy(&part);
    mnist_dataset_destroy(&dataset);
}

static void a_part_outside_of_the_data_set_is_refused(void **state)
{
    static const size_t parts[][2] = {
        {0, 0}, {0, 4}, {3, 1}, {2, 2}, {SIZE_MAX, 2}, {1, SIZE_MAX},
    };
    mnist_dataset *dataset, *part;
    assert_int_equal(mnist_dataset_new(&dataset, 3, 1, 1, 1, true, ""), MNIST_OK);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        part = (mnist_dataset *)state;
        assert_int_equal(mnist_dataset_narrow(&part, dataset, parts[i][0], parts[i][1]),
                         MNIST_INVALID_ARGUMENT);
        assert_null(part);
        assert_contains(mnist_last_error(), "expected at least 1 of 3");
    }
    assert_int_equal(mnist_dataset_narrow(NULL, dataset, 0, 1), MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_dataset_narrow(&part, NULL, 0, 1), MNIST_INVALID_ARGUMENT);
    for (size_t k = 0; k < 2; k++) {
        size_t left = k;
        part = (mnist_dataset *)state;
        test_memory_set_hook(refuse, &left);
        assert_int_equal(mnist_dataset_narrow(&part, dataset, 0, 1),
                         MNIST_OUT_OF_MEMORY);
        test_memory_set_hook(NULL, NULL);
        assert_null(part);
    }
    mnist_dataset_destroy(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_dataset_is_zero_and_writable),
        TEST(an_index_out_of_range_returns_null_or_minus_one),
        TEST(a_dataset_without_labels_returns_minus_one),
        TEST(getters_and_destroy_accept_null),
        TEST(invalid_sizes_are_refused_with_a_message),
        TEST(every_failed_allocation_returns_null),
        TEST(a_part_shares_the_images_and_labels),
        TEST(a_part_outside_of_the_data_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
