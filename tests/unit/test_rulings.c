/* Digits on ruled and squared paper and in printed boxes; pages without a digit. */
#include <mnist/mnist.h>

#include "tests/support/common.h"
#include "tests/support/test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, WIDE = 360, TALL = 240, COUNT = WIDE * TALL };

static void fill(uint8_t *p, size_t top, size_t left, size_t rows, size_t cols)
{
    for (size_t row = top; row < top + rows; row++)
        memset(p + row * WIDE + left, 0, cols);
}

/* A 7 in a box of rows by cols pixels, with a pen of 8. */
static void draw(uint8_t *p, size_t top, size_t left, size_t rows, size_t cols)
{
    fill(p, top, left, 8, cols);
    for (size_t row = 0; row < rows; row++)
        fill(p, top + row, left + cols - 8 - row * (cols - 8) / (2 * rows), 1, 8);
}

/* A line from one side to the other that rises by so many pixels. */
static void rule(uint8_t *p, size_t top, size_t thick, size_t rises)
{
    for (size_t col = 0; col < WIDE; col++)
        fill(p, top + rises - rises * col / WIDE, col, thick, 1);
}

static void fit(const uint8_t *p, uint8_t *out)
{
    if (mnist_image_fit(p, TALL, WIDE, NULL, out) != MNIST_OK)
        fail_msg("%s", mnist_last_error());
}

/* Mean difference of two images, one moved by at most a pixel, as a share of the ink of
 * the first. */
static double difference(const uint8_t *a, const uint8_t *b)
{
    double least = 2;
    for (int move = 0; move < 9; move++) {
        double sum = 0, ink = 0;
        for (int row = 1; row < SIDE - 1; row++)
            for (int col = 1; col < SIDE - 1; col++) {
                int at = row * SIDE + col;
                sum += abs(a[at] - b[at + (move / 3 - 1) * SIDE + move % 3 - 1]);
                ink += a[at];
            }
        least = sum / ink < least ? sum / ink : least;
    }
    return least;
}

/* The picture of one 7, and its form. */
static void start(uint8_t *p, uint8_t *expected)
{
    memset(p, 255, COUNT);
    draw(p, 60, 140, 120, 80);
    fit(p, expected);
}

static void lines_of_paper_are_left_out(void **state)
{
    (void)state;
    uint8_t p[COUNT], expected[PIXELS], found[PIXELS];
    for (size_t thick = 1; thick <= 4; thick++)
        for (size_t rises = 0; rises <= 16; rises += 8) {
            start(p, expected);
            for (size_t top = 7; top + 16 + thick < TALL; top += 30)
                rule(p, top, thick, rises);
            fit(p, found);
            assert_true(difference(expected, found) < 0.15);
        }
}

static void squares_of_paper_are_left_out(void **state)
{
    (void)state;
    uint8_t p[COUNT], expected[PIXELS], found[PIXELS];
    start(p, expected);
    for (size_t top = 11; top < TALL; top += 25)
        fill(p, top, 0, 2, WIDE);
    for (size_t left = 11; left < WIDE; left += 25)
        fill(p, 0, left, TALL, 2);
    fit(p, found);
    assert_true(difference(expected, found) < 0.2);
}

static void one_line_and_a_margin_are_left_out(void **state)
{
    (void)state;
    uint8_t p[COUNT], expected[PIXELS], found[PIXELS];
    start(p, expected);
    rule(p, 100, 3, 4);
    fill(p, 0, 40, TALL, 3);
    fit(p, found);
    assert_true(difference(expected, found) < 0.15);
}

/* A thin 7 that fills its picture: the roof is not a line of the paper. */
static void strokes_from_side_to_side_stay(void **state)
{
    (void)state;
    uint8_t p[COUNT], out[PIXELS];
    memset(p, 255, COUNT);
    fill(p, 0, 0, 4, WIDE);
    for (size_t row = 0; row < TALL; row++)
        fill(p, row, WIDE - 4 - row / 2, 1, 4);
    fit(p, out);
    size_t roof = 0;
    for (size_t i = 0; i < PIXELS; i++)
        roof += out[i] > 127 && i % SIDE < 12;
    assert_true(roof >= 10);
}

/* The outline of a box. */
static void frame(uint8_t *p, size_t top, size_t left, size_t rows, size_t cols)
{
    fill(p, top, left, 3, cols);
    fill(p, top + rows - 3, left, 3, cols);
    fill(p, top, left, rows, 3);
    fill(p, top, left + cols - 3, rows, 3);
}

static void read_boxes(const uint8_t *p, size_t expected, uint8_t *out)
{
    size_t count;
    mnist_box boxes[5];
    if (mnist_image_fit_digits(p, TALL, WIDE, NULL, 5, out, boxes, &count) != MNIST_OK)
        fail_msg("%s", mnist_last_error());
    assert_int_equal(count, expected);
    for (size_t i = 1; i < count; i++)
        assert_true(boxes[i].left > boxes[i - 1].left);
}

/* A digit in each box, in the middle of it or over its side. */
static void digits_in_boxes_are_read_without_them(void **state)
{
    (void)state;
    uint8_t p[COUNT], expected[PIXELS], out[5 * PIXELS];
    memset(p, 255, COUNT);
    draw(p, 90, 40, 60, 40);
    fit(p, expected);
    for (size_t gap = 0; gap <= 10; gap += 10)
        for (size_t over = 0; over <= 12; over += 12) {
            memset(p, 255, COUNT);
            for (size_t i = 0; i < 4; i++) {
                frame(p, 80, 15 + (70 + gap) * i, 80, gap ? 70 : 73);
                draw(p, 90, 30 + (70 + gap) * i + over, 60, 40);
            }
            read_boxes(p, 4, out);
            for (size_t i = 0; i < 4; i++)
                assert_true(difference(expected, out + i * PIXELS) < 0.3);
        }
}

static void empty_boxes_are_not_digits(void **state)
{
    (void)state;
    uint8_t p[COUNT], out[5 * PIXELS];
    memset(p, 255, COUNT);
    for (size_t i = 0; i < 4; i++)
        frame(p, 80, 15 + 80 * i, 80, 70);
    draw(p, 90, 110, 60, 40);
    read_boxes(p, 1, out);
    memset(p, 255, COUNT);
    frame(p, 80, 15, 80, 70);
    assert_int_equal(mnist_image_fit(p, TALL, WIDE, NULL, out), MNIST_BLANK);
}

/* The edge of a shadow at a slant, which leaves corners of light. */
static void an_empty_page_in_a_shadow_is_blank(void **state)
{
    (void)state;
    enum { COLS = 300 };
    uint8_t p[COUNT], out[PIXELS];
    for (size_t slant = 1; slant <= 5; slant++) {
        for (size_t i = 0; i < TALL * COLS; i++)
            p[i] = slant * (i / COLS) + i % COLS < 90 + 100 * slant ? 84 : 210;
        assert_int_equal(mnist_image_fit(p, TALL, COLS, NULL, out), MNIST_BLANK);
    }
}

/* Rises from the left to the right, with 7s of half of the light. */
static void a_row_of_digits_may_be_in_uneven_light(void **state)
{
    (void)state;
    enum { LONG = 900, HIGH = 150, DIGITS = 6 };
    static uint8_t p[LONG * HIGH];
    uint8_t out[DIGITS * PIXELS];
    size_t count;
    for (size_t i = 0; i < LONG * HIGH; i++) {
        size_t col = i % LONG, row = i / LONG, x = col % (LONG / DIGITS);
        bool roof = row >= 25 && row < 34 && x >= 40 && x < 100;
        bool leg = row >= 25 && row < 125 && x + row / 3 >= 100 && x + row / 3 < 109;
        size_t light = 60 + col * 180 / LONG;
        light = row + col / 2 < 300 ? light / 2 : light;
        p[i] = (uint8_t)(roof || leg ? light / 3 : light);
    }
    assert_int_equal(
        mnist_image_fit_digits(p, HIGH, LONG, NULL, DIGITS, out, NULL, &count),
        MNIST_OK);
    assert_int_equal(count, DIGITS);
}

/* A 7 whose roof begins at the border, beside two others. */
static void a_digit_at_the_border_is_not_lost_silently(void **state)
{
    (void)state;
    uint8_t p[COUNT], out[5 * PIXELS];
    size_t count = 7;
    memset(p, 255, COUNT);
    for (size_t left = 0; left < 360; left += 120)
        draw(p, 60, left, 100, 70);
    assert_int_equal(mnist_image_fit_digits(p, TALL, WIDE, NULL, 5, out, NULL, &count),
                     MNIST_BLANK);
    assert_contains(mnist_last_error(), "it may hide a digit");
    assert_int_equal(count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_of_paper_are_left_out),
        TEST(squares_of_paper_are_left_out),
        TEST(one_line_and_a_margin_are_left_out),
        TEST(strokes_from_side_to_side_stay),
        TEST(digits_in_boxes_are_read_without_them),
        TEST(empty_boxes_are_not_digits),
        TEST(a_digit_at_the_border_is_not_lost_silently),
        TEST(a_row_of_digits_may_be_in_uneven_light),
        TEST(an_empty_page_in_a_shadow_is_blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
