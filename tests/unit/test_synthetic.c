/* Synthetic digits: the same bytes everywhere, and the form of MNIST. */
#include <zlib.h>

#include "lib/common/memory.h"
#include "tests/support/test.h"

#include <mnist/mnist.h>

enum { PIXELS = 28 * 28 };

static mnist_dataset *draw(size_t count, uint64_t seed)
{
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_synthetic(&dataset, count, seed), MNIST_OK);
    return dataset;
}

static void a_seed_gives_the_same_bytes_on_every_machine(void **state)
{
    (void)state;
    mnist_dataset *dataset = draw(1000, 1);
    const uint8_t *images = mnist_dataset_image(dataset, 0);
    assert_int_equal(crc32(0, images, 1000 * PIXELS), 0x4fa8d9dau);
    mnist_dataset_destroy(&dataset);
}

static void fewer_digits_are_the_first_of_more(void **state)
{
    (void)state;
    mnist_dataset *few = draw(37, 5), *many = draw(90, 5);
    for (size_t i = 0; i < 37; i++) {
        assert_memory_equal(mnist_dataset_image(few, i), mnist_dataset_image(many, i),
                            PIXELS);
        assert_int_equal(mnist_dataset_label(few, i), mnist_dataset_label(many, i));
    }
    mnist_dataset_destroy(&few);
    mnist_dataset_destroy(&many);
}

static void seeds_and_samples_differ(void **state)
{
    (void)state;
    mnist_dataset *one = draw(20, 1), *two = draw(20, 2);
    for (size_t i = 0; i < 20; i++) {
        assert_memory_not_equal(mnist_dataset_image(one, i),
                                mnist_dataset_image(two, i), PIXELS);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(mnist_dataset_image(one, i),
                                    mnist_dataset_image(one, j), PIXELS);
    }
    mnist_dataset_destroy(&one);
    mnist_dataset_destroy(&two);
}

static void every_ten_digits_are_one_of_each_class(void **state)
{
    (void)state;
    mnist_dataset *dataset = draw(200, 3);
    for (size_t i = 0; i < 200; i += 10) {
        unsigned seen = 0;
        for (size_t j = i; j < i + 10; j++)
            seen |= 1u << mnist_dataset_label(dataset, j);
        assert_int_equal(seen, 0x3ff);
    }
    assert_int_equal(mnist_dataset_classes(dataset), 10);
    assert_true(mnist_dataset_is_synthetic(dataset));
    assert_string_equal(mnist_dataset_origin(dataset), "synthetic digits, seed 3");
    mnist_dataset_destroy(&dataset);
}

static void digits_are_white_on_black_with_their_mass_in_the_middle(void **state)
{
    (void)state;
    mnist_dataset *dataset = draw(300, 4);
    for (size_t i = 0; i < 300; i++) {
        const uint8_t *image = mnist_dataset_image(dataset, i);
        double mass = 0, x = 0, y = 0;
        for (int p = 0; p < PIXELS; p++) {
            mass += image[p];
            x += image[p] * (p % 28);
            y += image[p] * (p / 28);
        }
        assert_true(mass > 20 * 255 && mass < 350 * 255);
        assert_close(x / mass, 13.75, 1.0);
        assert_close(y / mass, 13.75, 1.0);
    }
    mnist_dataset_destroy(&dataset);
}

static bool allow(size_t bytes, void *user)
{
    (void)bytes;
    size_t *left = user;
    return (*left)-- != 0;
}

static void a_failed_allocation_is_a_status(void **state)
{
    (void)state;
    mnist_status status = MNIST_OUT_OF_MEMORY;
    for (size_t allowed = 0; status; allowed++) {
        size_t left = allowed;
        mnist_dataset *dataset;
        common_memory_set_hook(allow, &left);
        status = mnist_dataset_synthetic(&dataset, 3, 1);
        common_memory_set_hook(NULL, NULL);
        assert_true(allowed > 0 || status == MNIST_OUT_OF_MEMORY);
        assert_true((dataset == NULL) == (status != MNIST_OK));
        mnist_dataset_destroy(&dataset);
    }
}

static void no_digits_are_refused(void **state)
{
    (void)state;
    mnist_dataset *dataset = (void *)state;
    assert_int_equal(mnist_dataset_synthetic(&dataset, 0, 1), MNIST_INVALID_ARGUMENT);
    assert_null(dataset);
    assert_int_equal(mnist_dataset_synthetic(NULL, 1, 1), MNIST_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_seed_gives_the_same_bytes_on_every_machine),
        TEST(fewer_digits_are_the_first_of_more),
        TEST(seeds_and_samples_differ),
        TEST(every_ten_digits_are_one_of_each_class),
        TEST(digits_are_white_on_black_with_their_mass_in_the_middle),
        TEST(a_failed_allocation_is_a_status),
        TEST(no_digits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
