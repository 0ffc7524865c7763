/* Pictures with several digits: their order, sizes, and what is beside them. */
#include <mnist/mnist.h>

#include "tests/support/common.h"
#include "tests/support/test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, WIDE = 900, TALL = 500, COUNT = WIDE * TALL };
enum { MOST = 12 };

/* What mnist_image_fit_digits() finds. */
typedef struct found {
    uint8_t images[MOST * PIXELS];
    mnist_box boxes[MOST];
    size_t count;
} found;

static void fill(uint8_t *p, size_t top, size_t left, size_t rows, size_t cols)
{
    for (size_t row = top; row < top + rows; row++)
        memset(p + row * WIDE + left, 0, cols);
}

/* A 7 with a height of tall pixels, half as wide. */
static void draw(uint8_t *p, size_t top, size_t left, size_t tall)
{
    size_t cols = tall / 2, pen = tall < 50 ? 4 : 8;
    fill(p, top, left, pen, cols);
    for (size_t row = 0; row < tall; row++)
        fill(p, top + row, left + cols - pen - row * (cols - pen) / (2 * tall), 1, pen);
}

static const found *read_all(const uint8_t *p)
{
    static found all;
    if (mnist_image_fit_digits(p, TALL, WIDE, NULL, MOST, all.images, all.boxes,
                               &all.count) != MNIST_OK)
        fail_msg("%s", mnist_last_error());
    assert_in_range(all.count, 1, MOST);
    return &all;
}

/* Asserts where a digit is. */
static void assert_at(const mnist_box *box, size_t top, size_t left)
{
    assert_in_range(box->top + 6, top, top + 12);
    assert_in_range(box->left + 6, left, left + 12);
}

static uint8_t *blank(void)
{
    static uint8_t page[COUNT];
    memset(page, 255, COUNT);
    return page;
}

/* The top of digit i in a line that rises by so much at each. */
static size_t top_of(size_t top, int rise, size_t i)
{
    return (size_t)((int)top - rise * (int)i);
}

static void a_line_may_rise_or_fall(void **state)
{
    (void)state;
    for (int rise = -45; rise <= 45; rise += 15) {
        uint8_t *p = blank();
        for (size_t i = 0; i < 9; i++)
            draw(p, top_of(rise > 0 ? 390 : 10, rise, i), 20 + 95 * i, 90);
        const found *all = read_all(p);
        assert_int_equal(all->count, 9);
        for (size_t i = 0; i < 9; i++)
            assert_at(&all->boxes[i], top_of(rise > 0 ? 390 : 10, rise, i),
                      20 + 95 * i);
    }
}

static void lines_that_rise_or_fall_stay_apart(void **state)
{
    (void)state;
    for (int rise = -24; rise <= 24; rise += 8) {
        uint8_t *p = blank();
        for (size_t i = 0; i < 10; i++)
            draw(p, top_of((rise > 0 ? 140 : 20) + i / 5 * 120, rise, i % 5),
                 40 + i / 5 * 30 + 95 * (i % 5), 90);
        const found *all = read_all(p);
        assert_int_equal(all->count, 10);
        for (size_t i = 0; i < 10; i++)
            assert_at(&all->boxes[i],
                      top_of((rise > 0 ? 140 : 20) + i / 5 * 120, rise, i % 5),
                      40 + i / 5 * 30 + 95 * (i % 5));
    }
}

/* Sizes that alternate, with gaps of a fifth of the large ones. */
static void digits_of_unequal_size_stay_apart(void **state)
{
    (void)state;
    for (size_t small = 60; small <= 180; small += 20) {
        uint8_t *p = blank();
        size_t left[6];
        for (size_t i = 0, at = 20; i < 6; i++) {
            left[i] = at;
            at += (i % 2 ? small : 180) / 2 + 36;
            draw(p, i % 3 == 0 ? 150 : 330 - (i % 2 ? small : 180), left[i],
                 i % 2 ? small : 180);
        }
        const found *all = read_all(p);
        assert_int_equal(all->count, 6);
        for (size_t i = 0; i < 6; i++)
            assert_in_range(all->boxes[i].left + 4, left[i], left[i] + 8);
    }
}

/* On one line, closer than any other two, but not as close as the strokes of a 4. */
static void a_lower_digit_is_not_the_angle_of_a_4(void **state)
{
    (void)state;
    uint8_t *p = blank();
    draw(p, 150, 100, 180);
    draw(p, 215, 198, 115);
    const found *all = read_all(p);
    assert_int_equal(all->count, 2);
    assert_at(&all->boxes[1], 215, 198);
}

static void a_piece_above_a_digit_belongs_to_it(void **state)
{
    (void)state;
    for (size_t gap = 10; gap <= 38; gap += 4) {
        uint8_t *p = blank();
        draw(p, 150, 100, 160);
        fill(p, 150 - gap - 12, 110, 12, 40);
        const found *all = read_all(p);
        assert_int_equal(all->count, 1);
        assert_at(&all->boxes[0], 150 - gap - 12, 100);
    }
}

static void lines_under_and_over_digits_are_left_out(void **state)
{
    (void)state;
    static uint8_t expected[PIXELS];
    for (size_t gap = 12; gap <= 72; gap += 20)
        for (size_t count = 1; count <= 6; count += 5) {
            uint8_t *p = blank();
            for (size_t i = 0; i < count; i++)
                draw(p, 150, 100 + 110 * i, 140);
            memcpy(expected, read_all(p)->images, PIXELS);
            fill(p, 290 + gap, 70, 6, 110 * count + 30);
            if (gap > 50)
                fill(p, 150 - gap, 70, 6, 110 * count + 30);
            const found *all = read_all(p);
            assert_int_equal(all->count, count);
            assert_memory_equal(all->images, expected, PIXELS);
        }
}

static void a_line_may_go_through_digits(void **state)
{
    (void)state;
    for (size_t down = 50; down <= 150; down += 50) {
        uint8_t *p = blank();
        for (size_t i = 0; i < 6; i++)
            draw(p, 150, 100 + 110 * i, 140);
        fill(p, 146 + down, 70, 6, 700);
        const found *all = read_all(p);
        assert_int_equal(all->count, 6);
        for (size_t i = 0; i < 6; i++)
            assert_at(&all->boxes[i], 150, 100 + 110 * i);
    }
}

static void a_minus_is_a_drawing_of_its_own(void **state)
{
    (void)state;
    for (size_t wide = 40; wide <= 100; wide += 20)
        for (size_t gap = 20; gap <= 60; gap += 20) {
            uint8_t *p = blank();
            draw(p, 150, 100, 160);
            fill(p, 225, 180 + gap, 12, wide);
            draw(p, 150, 180 + 2 * gap + wide, 160);
            const found *all = read_all(p);
            assert_int_equal(all->count, 3);
            assert_at(&all->boxes[1], 225, 180 + gap);
            assert_in_range(all->boxes[1].cols, wide - 2, wide + 4);
        }
}

static void a_dash_is_a_minus_in_the_middle_half_of_a_digit(void **state)
{
    (void)state;
    static const size_t rows[][2] = {{184, 1}, {185, 2}, {263, 2}, {264, 1}};
    for (size_t i = 0; i < 4; i++) {
        uint8_t *p = blank();
        draw(p, 150, 100, 160);
        fill(p, rows[i][0], 200, 12, 40);
        assert_int_equal(read_all(p)->count, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_may_rise_or_fall),
        TEST(lines_that_rise_or_fall_stay_apart),
        TEST(digits_of_unequal_size_stay_apart),
        TEST(a_lower_digit_is_not_the_angle_of_a_4),
        TEST(a_piece_above_a_digit_belongs_to_it),
        TEST(lines_under_and_over_digits_are_left_out),
        TEST(a_line_may_go_through_digits),
        TEST(a_minus_is_a_drawing_of_its_own),
        TEST(a_dash_is_a_minus_in_the_middle_half_of_a_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
