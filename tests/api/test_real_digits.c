/* Compares mnist_image_fit() and synthetic digits with MNIST; skipped without
 * MNIST_DIR.
 */
#include <mnist/mnist.h>

#include "tests/support/test.h"

enum { PIXELS = 28 * 28 };

static mnist_dataset *real;

static void fitting_does_not_change_images_of_mnist(void **state)
{
    /* In three test images the longer side is 19 pixels; they are enlarged. */
    (void)state;
    size_t equal = 0, count = mnist_dataset_count(real);
    for (size_t i = 0; i < count; i++) {
        uint8_t fitted[PIXELS];
        const uint8_t *image = mnist_dataset_image(real, i);
        assert_int_equal(mnist_image_fit(image, 28, 28, NULL, fitted), MNIST_OK);
        equal += memcmp(fitted, image, PIXELS) == 0;
    }
    assert_int_equal(count, 10000);
    assert_int_equal(equal, 9997);
}

static int32_t distance(const uint8_t *a, const uint8_t *b)
{
    int32_t sum = 0;
    for (size_t i = 0; i < PIXELS; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static int nearest_label(const mnist_dataset *examples, const uint8_t *image)
{
    size_t best = 0;
    int32_t least = INT32_MAX;
    for (size_t i = 0; i < mnist_dataset_count(examples); i++) {
        int32_t found = distance(mnist_dataset_image(examples, i), image);
        if (found < least) {
            least = found;
            best = i;
        }
    }
    return mnist_dataset_label(examples, best);
}

static void the_nearest_synthetic_digit_classifies_real_digits(void **state)
{
    /* A nearest-neighbour classifier depends only on the quality of its examples. With
     * 6,000 digits of the training set it classifies 904 of the 1,000 correctly, with
     * 6,000 synthetic digits 867. */
    (void)state;
    enum { EXAMPLES = 6000, TESTED = 1000 };
    mnist_dataset *examples;
    size_t correct = 0;
    assert_int_equal(mnist_dataset_synthetic(&examples, EXAMPLES, 1), MNIST_OK);
    for (size_t i = 0; i < TESTED; i++)
        correct += nearest_label(examples, mnist_dataset_image(real, i)) ==
                   mnist_dataset_label(real, i);
    mnist_dataset_destroy(&examples);
    assert_in_range(correct, 850, TESTED);
}

int main(void)
{
    const mnist_source source = {.directory = getenv("MNIST_DIR")};
    if (!source.directory)
        test_skip_all("MNIST_DIR is not set: needs the real MNIST");
    if (mnist_dataset_open(&real, &source, MNIST_TEST) != MNIST_OK) {
        print_error("%s\n", mnist_last_error());
        return 1;
    }
    const struct CMUnitTest tests[] = {
        TEST(fitting_does_not_change_images_of_mnist),
        TEST(the_nearest_synthetic_digit_classifies_real_digits),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mnist_dataset_destroy(&real);
    return failed;
}
