/* Synthetic digits: reproducibility, and similarity to MNIST. */
#include "lib/mnist/dataset.h"
#include "tests/support/common.h"
#include "tests/support/test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

static mnist_dataset *synthetic(size_t count, uint64_t seed)
{
    mnist_dataset *dataset = NULL;
    assert_int_equal(mnist_dataset_synthetic(&dataset, count, seed), MNIST_OK);
    assert_non_null(dataset);
    return dataset;
}

/* The 64-bit FNV-1a hash. */
static uint64_t hash(uint64_t state, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        state = (state ^ bytes[i]) * UINT64_C(0x100000001b3);
    return state;
}

static void the_same_seed_gives_the_same_bytes_everywhere(void **state)
{
    /* The hash changes only if the generated digits change. */
    (void)state;
    enum { COUNT = 2000 };
    mnist_dataset *dataset = synthetic(COUNT, 1);
    uint64_t found = UINT64_C(0xcbf29ce484222325);
    found = hash(found, dataset->images, COUNT * PIXELS);
    found = hash(found, dataset->labels, COUNT);
    if (found != UINT64_C(0x0043bd83a8f4ff30))
        print_error("the hash is 0x%016llx\n", (unsigned long long)found);
    assert_true(found == UINT64_C(0x0043bd83a8f4ff30));
    mnist_dataset_destroy(&dataset);
}

static void the_first_digits_do_not_depend_on_the_count(void **state)
{
    (void)state;
    mnist_dataset *few = synthetic(57, 3), *many = synthetic(200, 3);
    assert_memory_equal(few->images, many->images, 57 * PIXELS);
    assert_memory_equal(few->labels, many->labels, 57);
    mnist_dataset_destroy(&few);
    mnist_dataset_destroy(&many);
}

static size_t equal_images(const mnist_dataset *a, const mnist_dataset *b)
{
    size_t equal = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if ((a != b || j < i) &&
                memcmp(a->images + i * PIXELS, b->images + j * PIXELS, PIXELS) == 0)
                equal++;
    return equal;
}

static void no_digit_repeats_within_or_across_seeds(void **state)
{
    /* Includes consecutive seeds, and seeds that differ only in the high half. */
    (void)state;
    static const uint64_t seeds[] = {0, 1, 2, UINT64_C(1) << 32, UINT64_MAX};
    mnist_dataset *sets[5];
    for (size_t i = 0; i < 5; i++) {
        sets[i] = synthetic(300, seeds[i]);
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(equal_images(sets[i], sets[j]), 0);
    }
    for (size_t i = 0; i < 5; i++)
        mnist_dataset_destroy(&sets[i]);
}

static void ten_consecutive_digits_have_each_class_once(void **state)
{
    (void)state;
    enum { TENS = 100 };
    mnist_dataset *dataset = synthetic(TENS * CLASSES, 4);
    size_t first_is_zero = 0;
    for (size_t ten = 0; ten < TENS; ten++) {
        unsigned seen = 0;
        for (size_t i = 0; i < CLASSES; i++)
            seen |= 1u << dataset->labels[ten * CLASSES + i];
        assert_int_equal(seen, (1u << CLASSES) - 1);
        first_is_zero += dataset->labels[ten * CLASSES] == 0;
    }
    /* The expected value is 10 of 100, and 3 standard deviations are 9. */
    assert_in_range(first_is_zero, 1, 19);
    mnist_dataset_destroy(&dataset);
}

static void the_dataset_has_the_properties_of_mnist(void **state)
{
    (void)state;
    mnist_dataset *dataset = synthetic(1, 18446744073709551615u);
    assert_int_equal(mnist_dataset_count(dataset), 1);
    assert_int_equal(mnist_dataset_rows(dataset), SIDE);
    assert_int_equal(mnist_dataset_cols(dataset), SIDE);
    assert_int_equal(mnist_dataset_classes(dataset), CLASSES);
    assert_in_range(mnist_dataset_label(dataset, 0), 0, 9);
    assert_string_equal(mnist_dataset_origin(dataset),
                        "synthetic digits, seed 18446744073709551615");
    assert_true(mnist_dataset_is_synthetic(dataset));
    mnist_dataset_destroy(&dataset);
    assert_null(dataset);
}

/* Mass, first moments and bounding box of an image. */
typedef struct sums {
    double mass, down, across;
    size_t top, left, bottom, right;
} sums;

static sums sums_of(const uint8_t *image)
{
    sums found = {.top = SIDE, .left = SIDE};
    for (size_t row = 0; row < SIDE; row++)
        for (size_t col = 0; col < SIDE; col++) {
            uint8_t value = image[row * SIDE + col];
            found.mass += value;
            found.down += value * ((double)row + 0.5);
            found.across += value * ((double)col + 0.5);
            if (value == 0)
                continue;
            found.top = row < found.top ? row : found.top;
            found.left = col < found.left ? col : found.left;
            found.bottom = row + 1;
            found.right = col + 1 > found.right ? col + 1 : found.right;
        }
    return found;
}

/* The centre is in pixel 14, or as near as the border allows. */
static void assert_centred(double centre, size_t low, size_t high)
{
    if (low > 0 && high < SIDE)
        assert_close(centre, 14.5, 0.5);
    else
        assert_close(centre, 14.5, 2);
}

static void digits_have_the_position_and_size_of_mnist(void **state)
{
    /* In MNIST the centre of mass is in pixel 14, and the longer side of the box is 20
     * pixels in 9,997 of 10,000 images. Here a faint end of a stroke may be lost. */
    (void)state;
    enum { COUNT = 1000 };
    mnist_dataset *dataset = synthetic(COUNT, 5);
    size_t full = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sums found = sums_of(dataset->images + i * PIXELS);
        assert_true(found.mass > 10 * 255);
        assert_centred(found.down / found.mass, found.top, found.bottom);
        assert_centred(found.across / found.mass, found.left, found.right);
        size_t rows = found.bottom - found.top, cols = found.right - found.left;
        size_t longer = rows > cols ? rows : cols;
        assert_in_range(longer, 18, 20);
        full += longer == 20;
    }
    assert_true(full > COUNT * 9 / 10);
    mnist_dataset_destroy(&dataset);
}

static void the_brightness_equals_mnist(void **state)
{
    /* 0.1307 and 0.3081 are the mean and standard deviation of MNIST's pixels. */
    (void)state;
    enum { COUNT = 2000 };
    mnist_dataset *dataset = synthetic(COUNT, 6);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < COUNT * PIXELS; i++) {
        double value = dataset->images[i] / 255.0;
        sum += value;
        squares += value * value;
    }
    double mean = sum / (COUNT * PIXELS);
    assert_close(mean, 0.1307, 0.02);
    assert_close(sqrt(squares / (COUNT * PIXELS) - mean * mean), 0.3081, 0.02);
    mnist_dataset_destroy(&dataset);
}

static void invalid_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    mnist_dataset *dataset = (mnist_dataset *)state;
    assert_int_equal(mnist_dataset_synthetic(NULL, 1, 1), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "dataset: out is NULL");
    assert_int_equal(mnist_dataset_synthetic(&dataset, 0, 1), MNIST_INVALID_ARGUMENT);
    assert_null(dataset);
    assert_contains(mnist_last_error(), "[0, 28, 28]");
    assert_int_equal(mnist_dataset_synthetic(&dataset, SIZE_MAX, 1),
                     MNIST_INVALID_ARGUMENT);
    assert_null(dataset);
}

static bool countdown(size_t bytes, void *user)
{
    (void)bytes;
    size_t *left = user;
    return (*left)-- > 0;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    size_t failures = 0;
    mnist_status status = MNIST_OUT_OF_MEMORY;
    for (; status != MNIST_OK; failures++) {
        size_t left = failures;
        mnist_dataset *dataset = (mnist_dataset *)state;
        test_memory_set_hook(countdown, &left);
        status = mnist_dataset_synthetic(&dataset, 10, 1);
        test_memory_set_hook(NULL, NULL);
        if (status != MNIST_OK) {
            assert_int_equal(status, MNIST_OUT_OF_MEMORY);
            assert_null(dataset);
            assert_contains(mnist_last_error(), "no memory");
        }
        mnist_dataset_destroy(&dataset);
    }
    assert_true(failures > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_seed_gives_the_same_bytes_everywhere),
        TEST(the_first_digits_do_not_depend_on_the_count),
        TEST(no_digit_repeats_within_or_across_seeds),
        TEST(ten_consecutive_digits_have_each_class_once),
        TEST(the_dataset_has_the_properties_of_mnist),
        TEST(digits_have_the_position_and_size_of_mnist),
        TEST(the_brightness_equals_mnist),
        TEST(invalid_arguments_are_refused_with_a_message),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
