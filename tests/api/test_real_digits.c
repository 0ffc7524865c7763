/* What libmnist makes, against MNIST itself; needs MNIST_DIR and is skipped without. */
#include <mnist/mnist.h>

#include "tests/support/test.h"

enum { PIXELS = 28 * 28 };

static mnist_dataset *real;

static void images_of_mnist_are_in_its_form_already(void **state)
{
    /* Three of the test set have a box of 19 and grow. */
    (void)state;
    size_t equal = 0, count = mnist_dataset_count(real);
    for (size_t i = 0; i < count; i++) {
        uint8_t fitted[PIXELS];
        const uint8_t *image = mnist_dataset_image(real, i);
        assert_int_equal(mnist_image_fit(image, 28, 28, fitted), MNIST_OK);
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

static void the_nearest_synthetic_digit_names_a_real_one(void **state)
{
    /* The plainest reader there is, so that it is the digits that are judged. 6,000
     * real digits of the training set name 904 of the 1,000 in this way, and 6,000
     * synthetic ones 867. */
    (void)state;
    enum { EXAMPLES = 6000, READ = 1000 };
    mnist_dataset *examples;
    size_t right = 0;
    assert_int_equal(mnist_dataset_synthetic(&examples, EXAMPLES, 1), MNIST_OK);
    for (size_t i = 0; i < READ; i++)
        right += nearest_label(examples, mnist_dataset_image(real, i)) ==
                 mnist_dataset_label(real, i);
    mnist_dataset_destroy(&examples);
    assert_in_range(right, 850, READ);
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
        TEST(images_of_mnist_are_in_its_form_already),
        TEST(the_nearest_synthetic_digit_names_a_real_one),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mnist_dataset_destroy(&real);
    return failed;
}
