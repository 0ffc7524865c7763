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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_may_rise_or_fall),
        TEST(lines_that_rise_or_fall_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
