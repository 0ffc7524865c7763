/* Pictures as people draw and photograph them, brought to the form of MNIST. */
#include <mnist/mnist.h>

#include "tests/support/common.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, WIDE = 300, TALL = 240, COUNT = WIDE * TALL };

/* A grey picture of TALL by WIDE pixels. */
typedef struct picture {
    uint8_t at[COUNT];
} picture;

static void fill(picture *p, size_t top, size_t left, size_t rows, size_t cols,
                 uint8_t value)
{
    for (size_t row = top; row < top + rows; row++)
        memset(p->at + row * WIDE + left, value, cols);
}

/* A 7 of two strokes in a box of 80 by 120 pixels. */
static void draw(picture *p, size_t top, size_t left, size_t pen, uint8_t value)
{
    fill(p, top, left, pen, 80, value);
    for (size_t row = 0; row < 120 - pen / 2; row++)
        fill(p, top + row, left + 80 - pen - row * (80 - pen) / 240, 1, pen, value);
}

static picture seven(size_t pen)
{
    picture p;
    memset(p.at, 255, COUNT);
    draw(&p, 60, 100, pen, 0);
    return p;
}

static void fit(const picture *p, uint8_t *out)
{
    if (mnist_image_fit(p->at, TALL, WIDE, NULL, out) != MNIST_OK)
        fail_msg("%s", mnist_last_error());
}

static size_t sum_of(const uint8_t *image)
{
    size_t sum = 0;
    for (size_t i = 0; i < PIXELS; i++)
        sum += image[i];
    return sum;
}

/* Mean difference of two images, as a share of the ink of the first. */
static double difference(const uint8_t *a, const uint8_t *b)
{
    double sum = 0;
    for (size_t i = 0; i < PIXELS; i++)
        sum += abs(a[i] - b[i]);
    return sum / (double)sum_of(a);
}

static void the_paper_may_have_any_grey(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], found[PIXELS];
    picture p = seven(10);
    fit(&p, expected);
    const uint8_t greys[][2] = {{0, 255}, {255, 0}, {120, 60}, {120, 180}, {10, 50}};
    for (size_t i = 0; i < sizeof(greys) / sizeof(greys[0]); i++) {
        picture other;
        for (size_t k = 0; k < COUNT; k++)
            other.at[k] = greys[i][p.at[k] ? 0 : 1];
        fit(&other, found);
        assert_memory_equal(found, expected, PIXELS);
    }
}

static void the_place_does_not_matter(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], found[PIXELS];
    picture p = seven(10);
    fit(&p, expected);
    for (size_t i = 0; i < 4; i++) {
        picture other;
        memset(other.at, 255, COUNT);
        draw(&other, 10 + 33 * i, 3 + 51 * i, 10, 0);
        fit(&other, found);
        assert_true(difference(expected, found) < 0.02);
    }
}

static void strokes_get_the_width_of_mnist(void **state)
{
    (void)state;
    /* In MNIST the mean digit has 26,000; a 7 has less. */
    uint8_t found[PIXELS];
    for (size_t pen = 1; pen <= 25; pen += 2) {
        picture p = seven(pen);
        fit(&p, found);
        assert_in_range(sum_of(found), 17000, 33000);
    }
}

static void light_may_change_over_the_page(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], found[PIXELS];
    picture p = seven(10);
    fit(&p, expected);
    uint64_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        size_t light = 120 + (i % WIDE) * 100 / WIDE;
        double noise = 8 * (double)(draw_float(&seed) + draw_float(&seed));
        p.at[i] = (uint8_t)((double)(p.at[i] ? light : light / 3) + noise);
    }
    fit(&p, found);
    assert_true(difference(expected, found) < 0.15);
}

static void specks_frames_and_edges_are_left_out(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], found[PIXELS];
    picture p = seven(10), specks = p, frame = p, edge = p;
    fit(&p, expected);
    for (size_t i = 0; i < 12; i++)
        fill(&specks, 10 + 15 * i, 10 + (i * 79) % 60, 3, 3, 0);
    fit(&specks, found);
    assert_true(difference(expected, found) < 0.02);
    fill(&frame, 5, 5, 3, WIDE - 10, 0);
    fill(&frame, TALL - 8, 5, 3, WIDE - 10, 0);
    fill(&frame, 5, 5, TALL - 10, 3, 0);
    fill(&frame, 5, WIDE - 8, TALL - 10, 3, 0);
    fit(&frame, found);
    assert_true(difference(expected, found) < 0.02);
    fill(&edge, 0, 0, TALL, 12, 0);
    fit(&edge, found);
    assert_true(difference(expected, found) < 0.02);
}

static void a_frame_may_be_the_whole_border(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], found[PIXELS];
    picture p = seven(10);
    fit(&p, expected);
    fill(&p, 0, 0, 6, WIDE, 0);
    fill(&p, TALL - 6, 0, 6, WIDE, 0);
    fill(&p, 0, 0, TALL, 6, 0);
    fill(&p, 0, WIDE - 6, TALL, 6, 0);
    fit(&p, found);
    assert_true(difference(expected, found) < 0.02);
}

/* Multiplies each pixel by a light in thousandths. */
static void light_up(picture *p, size_t (*light)(size_t row, size_t col))
{
    for (size_t i = 0; i < COUNT; i++) {
        size_t grey = 50 + (size_t)p->at[i] * 180 / 255;
        p->at[i] = (uint8_t)(grey * light(i / WIDE, i % WIDE) / 1000);
    }
}

static size_t upright_shadow(size_t row, size_t col)
{
    (void)row;
    return col < WIDE / 2 ? 400 : 1000;
}

static size_t slanted_shadow(size_t row, size_t col)
{
    return 2 * row + col < 390 ? 1000 : 400;
}

static size_t vignette(size_t row, size_t col)
{
    size_t down = row > TALL / 2 ? row - TALL / 2 : TALL / 2 - row;
    size_t across = col > WIDE / 2 ? col - WIDE / 2 : WIDE / 2 - col;
    return 1000 -
           900 * (down * down + across * across) / (TALL * TALL / 4 + WIDE * WIDE / 4);
}

static void shadows_and_vignettes_are_light(void **state)
{
    (void)state;
    size_t (*const lights[])(size_t, size_t) = {upright_shadow, slanted_shadow,
                                                vignette};
    uint8_t expected[PIXELS], found[PIXELS];
    for (size_t pen = 4; pen <= 16; pen += 6)
        for (size_t i = 0; i < 3; i++) {
            picture p = seven(pen);
            fit(&p, expected);
            light_up(&p, lights[i]);
            fit(&p, found);
            if (difference(expected, found) > 0.12)
                fail_msg("pen %zu, light %zu: %g", pen, i, difference(expected, found));
        }
}

static void blank_pictures_are_refused(void **state)
{
    (void)state;
    uint8_t out[PIXELS] = {3};
    uint64_t seed = 1;
    for (size_t kind = 0; kind < 6; kind++) {
        picture p;
        for (size_t i = 0; i < COUNT; i++) {
            double noise = 12 * (double)(draw_float(&seed) + draw_float(&seed));
            size_t ramp = 80 + (i % WIDE) / 3 + i / WIDE / 4;
            p.at[i] = kind == 0   ? 0
                      : kind == 1 ? 255
                      : kind == 2 ? (uint8_t)(150 + noise)
                      : kind == 3 ? (uint8_t)ramp
                      : kind == 4 ? (uint8_t)(i % WIDE < 100 ? 130 : 210)
                                  : (uint8_t)(i == COUNT / 2 + 99 ? 0 : 255);
        }
        mnist_status status = mnist_image_fit(p.at, TALL, WIDE, NULL, out);
        assert_int_equal(status, MNIST_BLANK);
        assert_contains(mnist_last_error(), "image: blank: ");
        if (kind < 3)
            assert_int_equal(mnist_image_fit(p.at, SIDE, SIDE, NULL, out), MNIST_BLANK);
    }
    assert_int_equal(out[0], 3);
}

/* Whole numbers decide: some strengths of noise round to less than others. */
static void noise_of_any_strength_is_blank(void **state)
{
    (void)state;
    uint8_t out[PIXELS];
    uint64_t seed = 7;
    for (int strength = 1; strength <= 40; strength++)
        for (size_t slope = 0; slope < 2; slope++) {
            picture p;
            for (size_t i = 0; i < COUNT; i++) {
                double noise = 0;
                for (int k = 0; k < 6; k++)
                    noise += (double)draw_float(&seed);
                size_t ramp = slope * ((i % WIDE) / 3 + i / WIDE / 4);
                p.at[i] = (uint8_t)(60 + (double)ramp + strength * noise / 3);
            }
            mnist_status status = mnist_image_fit(p.at, TALL, WIDE, NULL, out);
            if (status != MNIST_BLANK)
                fail_msg("noise of %d, slope %zu: status %d", strength, slope,
                         (int)status);
        }
}

static void several_digits_are_split_in_reading_order(void **state)
{
    (void)state;
    picture p;
    uint8_t out[4 * PIXELS], one[PIXELS];
    mnist_box boxes[4];
    size_t count = 0;
    memset(p.at, 255, COUNT);
    for (size_t i = 0; i < 3; i++)
        draw(&p, 50 + 8 * i, 5 + 98 * i, 9, 0);
    assert_int_equal(mnist_image_fit(p.at, TALL, WIDE, NULL, one),
                     MNIST_SEVERAL_DIGITS);
    assert_contains(mnist_last_error(), "image: has 3 digits, expected 1");
    assert_int_equal(
        mnist_image_fit_digits(p.at, TALL, WIDE, NULL, 4, out, boxes, &count),
        MNIST_OK);
    assert_int_equal(count, 3);
    p = seven(9);
    fit(&p, one);
    for (size_t i = 0; i < 3; i++) {
        assert_true(difference(one, out + i * PIXELS) < 0.03);
        assert_in_range(boxes[i].left, 4 + 98 * i, 6 + 98 * i);
        assert_in_range(boxes[i].cols, 79, 82);
        assert_in_range(boxes[i].rows, 115, 121);
    }
    out[PIXELS] = 77;
    assert_int_equal(
        mnist_image_fit_digits(p.at, TALL, WIDE, NULL, 1, out, NULL, &count), MNIST_OK);
    assert_int_equal(count, 1);
    assert_int_equal(out[PIXELS], 77);
}

static void a_broken_stroke_is_one_digit(void **state)
{
    (void)state;
    uint8_t out[PIXELS];
    picture p = seven(10);
    /* Takes the roof off. */
    fill(&p, 70, 90, 8, 100, 255);
    fit(&p, out);
    p = seven(10);
    fill(&p, 60, 140, 120, 5, 255);
    fit(&p, out);
}

/* The angle and the stroke of a 4 that do not touch. */
static void the_strokes_of_a_4_are_one_digit(void **state)
{
    (void)state;
    uint8_t out[PIXELS];
    for (size_t gap = 4; gap <= 24; gap += 10) {
        picture p;
        memset(p.at, 255, COUNT);
        fill(&p, 50, 100, 60, 9, 0);
        fill(&p, 101, 100, 9, 50, 0);
        fill(&p, 52, 150 + gap, 110, 9, 0);
        fit(&p, out);
    }
}

/* Dashes, and dots, of a 7. */
static void dashes_and_dots_are_one_digit(void **state)
{
    (void)state;
    uint8_t expected[PIXELS], out[PIXELS];
    const size_t lengths[][2] = {{18, 10}, {8, 7}, {30, 20}};
    picture whole = seven(9);
    fit(&whole, expected);
    for (size_t i = 0; i < 3; i++) {
        picture p = whole;
        for (size_t at = lengths[i][0]; at < 200; at += lengths[i][0] + lengths[i][1]) {
            if (at + lengths[i][1] < 68)
                fill(&p, 60, 100 + at, 9, lengths[i][1], 255);
            if (at + lengths[i][1] < 115)
                fill(&p, 70 + at, 100, lengths[i][1], 80, 255);
        }
        fit(&p, out);
        assert_true(difference(expected, out) < 0.5);
    }
}

static void a_row_of_strokes_is_several_digits(void **state)
{
    (void)state;
    picture p;
    uint8_t out[PIXELS];
    memset(p.at, 255, COUNT);
    for (size_t i = 0; i < 5; i++)
        fill(&p, 60 + 3 * i, 40 + 45 * i, 100, 10, 0);
    assert_int_equal(mnist_image_fit(p.at, TALL, WIDE, NULL, out),
                     MNIST_SEVERAL_DIGITS);
    assert_contains(mnist_last_error(), "has 5 digits");
}

static void the_paper_may_be_given(void **state)
{
    (void)state;
    /* More ink than paper along the border. */
    uint8_t pixels[40 * 40], out[PIXELS], other[PIXELS];
    memset(pixels, 0, sizeof(pixels));
    for (size_t row = 8; row < 32; row++)
        memset(pixels + row * 40 + 17, 255, 5);
    mnist_fit_config config = {.paper = MNIST_PAPER_DARK};
    assert_int_equal(mnist_image_fit(pixels, 40, 40, &config, out), MNIST_OK);
    assert_int_equal(mnist_image_fit(pixels, 40, 40, NULL, other), MNIST_OK);
    assert_memory_equal(out, other, PIXELS);
    assert_int_equal(out[14 * SIDE + 14], 255);
    config.paper = MNIST_PAPER_LIGHT;
    mnist_status status = mnist_image_fit(pixels, 40, 40, &config, out);
    assert_true(status != MNIST_OK || memcmp(out, other, PIXELS) != 0);
}

/* A digit in the form of MNIST stays as it is, but for its place. */
static void digits_of_mnist_stay_on_light_paper_too(void **state)
{
    (void)state;
    mnist_dataset *digits;
    size_t kept = 0;
    assert_int_equal(mnist_dataset_synthetic(&digits, 50, 1), MNIST_OK);
    for (size_t i = 0; i < 50; i++) {
        const uint8_t *image = mnist_dataset_image(digits, i);
        uint8_t light[PIXELS], dark[PIXELS], out[PIXELS];
        const mnist_fit_config config = {.paper = MNIST_PAPER_LIGHT};
        for (size_t k = 0; k < PIXELS; k++)
            light[k] = (uint8_t)(255 - image[k]);
        assert_int_equal(mnist_image_fit(image, SIDE, SIDE, NULL, dark), MNIST_OK);
        assert_int_equal(mnist_image_fit(light, SIDE, SIDE, NULL, out), MNIST_OK);
        assert_memory_equal(out, dark, PIXELS);
        assert_int_equal(mnist_image_fit(light, SIDE, SIDE, &config, out), MNIST_OK);
        assert_memory_equal(out, dark, PIXELS);
        kept += sum_of(dark) == sum_of(image);
    }
    assert_in_range(kept, 40, 50);
    mnist_dataset_destroy(&digits);
}

static void a_data_set_has_one_paper(void **state)
{
    (void)state;
    mnist_dataset *digits;
    assert_int_equal(mnist_dataset_synthetic(&digits, 100, 1), MNIST_OK);
    assert_int_equal(mnist_dataset_paper(digits), MNIST_PAPER_DARK);
    assert_int_equal(mnist_dataset_paper(NULL), MNIST_PAPER_DARK);
    double sum = 0;
    for (size_t i = 0; i < 100; i++) {
        uint8_t out[PIXELS];
        const uint8_t *image = mnist_dataset_image(digits, i);
        assert_int_equal(mnist_image_fit(image, SIDE, SIDE, NULL, out), MNIST_OK);
        sum += difference(image, out);
    }
    assert_true(sum / 100 < 0.1);
    mnist_dataset_destroy(&digits);
}

static void invalid_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    uint8_t pixels[1] = {1}, out[PIXELS] = {3};
    size_t count = 7;
    mnist_fit_config later = {.reserved = {0, 1}}, odd = {.paper = (mnist_paper)3};
    assert_int_equal(mnist_image_fit(NULL, 1, 1, NULL, out), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "image: pixels is NULL");
    assert_int_equal(mnist_image_fit(pixels, 1, 1, NULL, NULL), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "image: out is NULL");
    assert_int_equal(mnist_image_fit(pixels, 0, 1, NULL, out), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "0 by 1, expected 1 to 65535");
    assert_int_equal(mnist_image_fit(pixels, 1, 65536, NULL, out),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "1 by 65536");
    assert_int_equal(mnist_image_fit(pixels, 1, 1, &later, out), MNIST_UNSUPPORTED);
    assert_int_equal(mnist_image_fit(pixels, 1, 1, &odd, out), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "image: paper is 3, expected 0 to 2");
    assert_int_equal(mnist_image_fit_digits(pixels, 1, 1, NULL, 1, out, NULL, NULL),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "image: count is NULL");
    assert_int_equal(mnist_image_fit(pixels, 1, 1, NULL, out), MNIST_BLANK);
    assert_int_equal(out[0], 3);
    assert_int_equal(count, 7);
}

static void every_size_is_accepted(void **state)
{
    (void)state;
    const size_t sizes[][2] = {{1, 65535}, {65535, 1}, {2, 3}, {161, 159}, {481, 7}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t rows = sizes[i][0], cols = sizes[i][1];
        uint8_t *pixels = test_calloc(rows * cols, 1), out[PIXELS];
        uint64_t seed = i;
        for (int kind = 0; kind < 2; kind++) {
            for (size_t k = 0; kind && k < rows * cols; k++)
                pixels[k] = (uint8_t)draw_bits(&seed);
            mnist_status status = mnist_image_fit(pixels, rows, cols, NULL, out);
            assert_true(status == MNIST_OK || status == MNIST_BLANK ||
                        status == MNIST_SEVERAL_DIGITS);
            assert_true(kind || status == MNIST_BLANK);
        }
        test_free(pixels);
    }
}

/* Fails allocation number *user, counted down. */
static bool countdown(size_t bytes, void *user)
{
    (void)bytes;
    return (*(size_t *)user)-- != 0;
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    picture p = seven(10);
    uint8_t out[PIXELS] = {3};
    mnist_status status = MNIST_OUT_OF_MEMORY;
    size_t points = 0;
    for (; status != MNIST_OK; points++) {
        size_t left = points;
        assert_int_equal(out[0], 3);
        test_memory_set_hook(countdown, &left);
        status = mnist_image_fit(p.at, TALL, WIDE, NULL, out);
        test_memory_set_hook(NULL, NULL);
        assert_true(status == MNIST_OK || status == MNIST_OUT_OF_MEMORY);
    }
    assert_in_range(points, 10, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_paper_may_have_any_grey),
        TEST(the_place_does_not_matter),
        TEST(strokes_get_the_width_of_mnist),
        TEST(light_may_change_over_the_page),
        TEST(specks_frames_and_edges_are_left_out),
        TEST(a_frame_may_be_the_whole_border),
        TEST(shadows_and_vignettes_are_light),
        TEST(blank_pictures_are_refused),
        TEST(noise_of_any_strength_is_blank),
        TEST(several_digits_are_split_in_reading_order),
        TEST(a_broken_stroke_is_one_digit),
        TEST(the_strokes_of_a_4_are_one_digit),
        TEST(dashes_and_dots_are_one_digit),
        TEST(a_row_of_strokes_is_several_digits),
        TEST(the_paper_may_be_given),
        TEST(digits_of_mnist_stay_on_light_paper_too),
        TEST(a_data_set_has_one_paper),
        TEST(invalid_arguments_are_refused_with_a_message),
        TEST(every_size_is_accepted),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
