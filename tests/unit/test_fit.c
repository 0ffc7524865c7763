/* Drawings of any size, scaled and centred as in MNIST. */
#include "lib/mnist/fit.h"

#include "tests/support/test.h"

enum { SIDE = 28, BOX = 20 };

typedef struct extent {
    size_t top, left, rows, cols;
} extent;

static extent extent_of(const uint8_t *image)
{
    size_t top = SIDE, left = SIDE, bottom = 0, right = 0;
    for (size_t row = 0; row < SIDE; row++)
        for (size_t col = 0; col < SIDE; col++)
            if (image[row * SIDE + col]) {
                top = row < top ? row : top;
                left = col < left ? col : left;
                bottom = row + 1 > bottom ? row + 1 : bottom;
                right = col + 1 > right ? col + 1 : right;
            }
    return (extent){top, left, bottom - top, right - left};
}

/* A filled rectangle on a background of 0. */
static uint8_t *rectangle(size_t rows, size_t cols, extent filled, uint8_t value)
{
    uint8_t *pixels = test_calloc(rows * cols, 1);
    for (size_t row = 0; row < filled.rows; row++)
        memset(pixels + (filled.top + row) * cols + filled.left, value, filled.cols);
    return pixels;
}

static extent fitted_extent(size_t rows, size_t cols, extent filled)
{
    uint8_t out[SIDE * SIDE];
    uint8_t *pixels = rectangle(rows, cols, filled, 200);
    assert_true(mnist_image_scale(pixels, rows, cols, out));
    extent found = extent_of(out);
    for (size_t row = 0; row < found.rows; row++)
        for (size_t col = 0; col < found.cols; col++)
            assert_int_equal(out[(found.top + row) * SIDE + found.left + col], 200);
    test_free(pixels);
    return found;
}

static void assert_extent(extent actual, extent expected)
{
    assert_int_equal(actual.top, expected.top);
    assert_int_equal(actual.left, expected.left);
    assert_int_equal(actual.rows, expected.rows);
    assert_int_equal(actual.cols, expected.cols);
}

static void the_aspect_ratio_is_kept_and_the_longer_side_becomes_20(void **state)
{
    (void)state;
    assert_extent(fitted_extent(300, 200, (extent){10, 20, 200, 100}),
                  (extent){4, 9, 20, 10});
    assert_extent(fitted_extent(97, 1001, (extent){3, 0, 90, 1001}),
                  (extent){13, 4, 2, 20});
    assert_extent(fitted_extent(5, 5, (extent){1, 1, 3, 3}), (extent){4, 4, 20, 20});
    assert_extent(fitted_extent(1, 1, (extent){0, 0, 1, 1}), (extent){4, 4, 20, 20});
}

static void a_hairline_remains_one_pixel_wide(void **state)
{
    (void)state;
    extent found = fitted_extent(1000, 9, (extent){0, 4, 1000, 1});
    assert_int_equal(found.rows, BOX);
    assert_int_equal(found.cols, 1);
}

static void the_largest_sizes_are_accepted(void **state)
{
    (void)state;
    assert_extent(fitted_extent(65535, 1, (extent){0, 0, 65535, 1}),
                  (extent){4, 14, 20, 1});
    assert_extent(fitted_extent(1, 65535, (extent){0, 0, 1, 65535}),
                  (extent){14, 4, 1, 20});
}

static void a_pixel_is_the_mean_of_its_area(void **state)
{
    /* 40 by 40 shrinks by two: each output pixel is the mean of four, rounded half up.
     */
    (void)state;
    uint8_t pixels[40 * 40], out[SIDE * SIDE];
    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)(1 + i * 37 % 255);
    assert_true(mnist_image_scale(pixels, 40, 40, out));
    extent found = extent_of(out);
    assert_int_equal(found.rows, BOX);
    for (size_t row = 0; row < BOX; row++)
        for (size_t col = 0; col < BOX; col++) {
            const uint8_t *corner = pixels + 2 * row * 40 + 2 * col;
            unsigned sum = 0u + corner[0] + corner[1] + corner[40] + corner[41];
            assert_int_equal(out[(found.top + row) * SIDE + found.left + col],
                             (sum + 2) / 4);
        }
}

static void partly_covered_pixels_are_weighted_by_area(void **state)
{
    /* 30 by 30 shrinks by 3/2: the first output pixel covers one source pixel, half of
     * two neighbours, and a quarter of a third. */
    (void)state;
    uint8_t pixels[30 * 30], out[SIDE * SIDE];
    memset(pixels, 9, sizeof(pixels));
    pixels[0] = 90;
    pixels[1] = 180;
    pixels[30] = 45;
    pixels[31] = 36;
    assert_true(mnist_image_scale(pixels, 30, 30, out));
    extent found = extent_of(out);
    /* (90 + (180 + 45) / 2 + 36 / 4) / (9 / 4) = 94. */
    assert_int_equal(out[found.top * SIDE + found.left], 94);
}

static void the_centre_of_mass_moves_to_the_middle(void **state)
{
    /* An L, with its centre of mass low and to the left. */
    (void)state;
    uint8_t pixels[20 * 20] = {0}, out[SIDE * SIDE];
    for (size_t i = 0; i < 20; i++) {
        memset(pixels + i * 20, 255, i < 16 ? 4 : 20);
    }
    assert_true(mnist_image_scale(pixels, 20, 20, out));
    double mass = 0, down = 0, across = 0;
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        mass += out[i];
        down += out[i] * ((double)(i / SIDE) + 0.5);
        across += out[i] * ((double)(i % SIDE) + 0.5);
    }
    assert_close(down / mass, 14.5, 0.5);
    assert_close(across / mass, 14.5, 0.5);
    assert_int_not_equal(extent_of(out).top, 4);
}

static void a_drawing_stays_inside_for_any_centre_of_mass(void **state)
{
    (void)state;
    uint8_t pixels[20 * 20], out[SIDE * SIDE];
    memset(pixels, 1, sizeof(pixels));
    memset(pixels + 19 * 20, 255, 20);
    assert_true(mnist_image_scale(pixels, 20, 20, out));
    assert_extent(extent_of(out), (extent){0, 4, 20, 20});
    memset(pixels, 255, 20);
    memset(pixels + 19 * 20, 1, 20);
    assert_true(mnist_image_scale(pixels, 20, 20, out));
    assert_extent(extent_of(out), (extent){8, 4, 20, 20});
}

static void fitting_twice_equals_fitting_once(void **state)
{
    (void)state;
    uint8_t pixels[50 * 70] = {0}, once[SIDE * SIDE], twice[SIDE * SIDE];
    for (size_t row = 5; row < 45; row++)
        memset(pixels + row * 70 + row, (int)(100 + row), 3 + row / 4);
    assert_true(mnist_image_scale(pixels, 50, 70, once));
    assert_true(mnist_image_scale(once, SIDE, SIDE, twice));
    assert_memory_equal(once, twice, sizeof(once));
}

static void an_empty_picture_stays_empty(void **state)
{
    (void)state;
    uint8_t pixels[6] = {0}, out[SIDE * SIDE], empty[SIDE * SIDE] = {0};
    memset(out, 7, sizeof(out));
    assert_false(mnist_image_scale(pixels, 2, 3, out));
    assert_memory_equal(out, empty, sizeof(out));
    /* Two faint pixels in a box so large that their means round to 0. */
    uint8_t *large = test_calloc(1000 * 1000, 1);
    large[0] = large[1000 * 1000 - 1] = 1;
    assert_true(mnist_image_scale(large, 1000, 1000, out));
    assert_memory_equal(out, empty, sizeof(out));
    test_free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_aspect_ratio_is_kept_and_the_longer_side_becomes_20),
        TEST(a_hairline_remains_one_pixel_wide),
        TEST(the_largest_sizes_are_accepted),
        TEST(a_pixel_is_the_mean_of_its_area),
        TEST(partly_covered_pixels_are_weighted_by_area),
        TEST(the_centre_of_mass_moves_to_the_middle),
        TEST(a_drawing_stays_inside_for_any_centre_of_mass),
        TEST(fitting_twice_equals_fitting_once),
        TEST(an_empty_picture_stays_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
