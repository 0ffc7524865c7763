/* Ink, its parts, lines and rulings at the limits of a picture. */
#include <stdlib.h>
#include <string.h>

#include "lib/mnist/ink.h"
#include "lib/mnist/lines.h"
#include "lib/mnist/paper.h"
#include "lib/mnist/parts.h"
#include "lib/mnist/plane.h"
#include "lib/mnist/rulings.h"
#include "tests/support/common.h"
#include "tests/support/test.h"

static void fill(mnist_plane *p, size_t top, size_t left, size_t rows, size_t cols)
{
    for (size_t row = top; row < top + rows; row++)
        memset(p->pixels + row * p->cols + left, MNIST_INK, cols);
}

static mnist_plane empty(size_t rows, size_t cols)
{
    mnist_plane p;
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    memset(p.pixels, 0, rows * cols);
    return p;
}

/* A line through the middle of the picture, and a stroke somewhere. */
static bool erases_the_line(size_t top, size_t left)
{
    enum { SIDE = 200 };
    mnist_plane p = empty(SIDE, SIDE);
    fill(&p, 100, 0, 2, SIDE);
    fill(&p, top, left, 60, 10);
    assert_int_equal(mnist_rulings_erase(&p), MNIST_OK);
    bool erased = !p.pixels[100 * SIDE + 150];
    mnist_plane_destroy(&p);
    return erased;
}

static void a_line_beside_ink_at_a_border_stays(void **state)
{
    (void)state;
    assert_true(erases_the_line(20, 50));
    assert_true(erases_the_line(1, 1));
    assert_true(erases_the_line(139, 189));
    assert_false(erases_the_line(0, 50));
    assert_false(erases_the_line(140, 50));
    assert_false(erases_the_line(20, 0));
    assert_false(erases_the_line(20, 190));
}

/* Three lines of 160 pixels without their first pixel and others are not erased if they
 * lack more than an eighth. */
static void a_line_may_lack_an_eighth(void **state)
{
    (void)state;
    enum { SIDE = 160 };
    for (size_t lacks = 20; lacks <= 21; lacks++) {
        mnist_plane p = empty(SIDE, SIDE);
        for (size_t i = 0; i < 3; i++) {
            fill(&p, 40 * (i + 1), 1, 1, SIDE - 1);
            memset(p.pixels + 40 * (i + 1) * SIDE + 70, 0, lacks - 1);
        }
        fill(&p, 130, 40, 20, 10);
        assert_int_equal(mnist_rulings_erase(&p), MNIST_OK);
        assert_int_equal(p.pixels[40 * SIDE + 20], lacks == 20 ? 0 : MNIST_INK);
        mnist_plane_destroy(&p);
    }
}

/* Strokes across a line of exactly the length beyond which none is measured; the
 * sanitizers see whether its count is in the table. */
static void strokes_across_a_line_have_any_length(void **state)
{
    (void)state;
    enum { SIDE = 600 };
    for (size_t length = 511; length <= 513; length++) {
        mnist_plane p = empty(SIDE, SIDE);
        fill(&p, 300, 0, 2, SIDE);
        fill(&p, 40, 300, length, 1);
        fill(&p, 100, 100, 20, 10);
        assert_int_equal(mnist_rulings_erase(&p), MNIST_OK);
        assert_int_equal(p.pixels[300 * SIDE + 20], 0);
        assert_int_equal(p.pixels[100 * SIDE + 300], MNIST_INK);
        mnist_plane_destroy(&p);
    }
}

static void a_picture_of_one_row_has_one_part(void **state)
{
    (void)state;
    mnist_plane p = empty(1, 40);
    mnist_groups groups;
    fill(&p, 0, 10, 1, 20);
    assert_int_equal(mnist_groups_find(&groups, &p, false), MNIST_OK);
    assert_int_equal(groups.count, 1);
    assert_int_equal(groups.groups[0].left, 10);
    assert_int_equal(groups.groups[0].right, 30);
    mnist_groups_destroy(&groups);
    mnist_plane_destroy(&p);
}

static void a_small_mark_stands_in_the_line_of_its_neighbours(void **state)
{
    (void)state;
    mnist_group groups[] = {{.top = 0, .bottom = 100, .left = 0, .right = 50},
                            {.top = 0, .bottom = 100, .left = 80, .right = 130},
                            {.top = 102, .bottom = 106, .left = 60, .right = 64}};
    assert_int_equal(mnist_lines_sort(groups, 3), MNIST_OK);
    assert_int_equal(groups[0].left, 0);
    assert_int_equal(groups[1].left, 60);
    assert_int_equal(groups[2].left, 80);
}

/* Ink that ends with the picture has no edge there, which does not make it light. */
static void ink_at_a_border_is_ink(void **state)
{
    (void)state;
    enum { SIDE = 100 };
    static const size_t places[][2] = {{0, 45}, {70, 45}, {45, 0}, {45, 70}};
    uint8_t picture[SIDE * SIDE];
    for (size_t i = 0; i < 4; i++) {
        mnist_plane whole = {SIDE, SIDE, picture}, ink;
        bool shaded;
        memset(picture, 0, sizeof(picture));
        fill(&whole, places[i][0], places[i][1], i < 2 ? 30 : 10, i < 2 ? 10 : 30);
        for (size_t k = 0; k < sizeof(picture); k++)
            picture[k] = picture[k] ? 0 : 255;
        assert_int_equal(
            mnist_find_ink(picture, SIDE, SIDE, MNIST_PAPER_LIGHT, &ink, &shaded),
            MNIST_OK);
        size_t soft = 0, drawn = 0;
        for (size_t k = 0; k < ink.rows * ink.cols; k++) {
            soft += ink.pixels[k] == MNIST_INK_SOFT;
            drawn += ink.pixels[k] == MNIST_INK;
        }
        assert_int_equal(soft, 0);
        assert_true(drawn >= 200);
        mnist_plane_destroy(&ink);
    }
}

/* A side without an edge makes ink soft, also where the picture ends: ink that fades to
 * the left, and the same turned by a quarter. */
static void soft_ink_at_a_border_is_soft(void **state)
{
    (void)state;
    enum { SIDE = 100 };
    uint8_t picture[SIDE * SIDE];
    for (int turned = 0; turned < 2; turned++) {
        mnist_plane ink;
        bool shaded;
        memset(picture, 255, sizeof(picture));
        for (size_t along = 40; along < SIDE; along++)
            for (size_t across = 15; across < 55; across++) {
                size_t at = turned ? across * SIDE + along : along * SIDE + across;
                picture[at] = (uint8_t)(across < 45 ? 255 - 8 * (across - 15) : 0);
            }
        assert_int_equal(
            mnist_find_ink(picture, SIDE, SIDE, MNIST_PAPER_LIGHT, &ink, &shaded),
            MNIST_OK);
        size_t soft = 0;
        for (size_t i = 0; i < ink.rows; i++)
            soft +=
                ink.pixels[turned ? (i + 1) * ink.cols - 1
                                  : (ink.rows - 1) * ink.cols + i] == MNIST_INK_SOFT;
        assert_in_range(soft, 1, 4);
        mnist_plane_destroy(&ink);
    }
}

/* The paper of a picture with a border of one grey and two greys inside, of which the
 * first has so many of 100 pixels. */
static mnist_paper paper_of(uint8_t border, uint8_t first, uint8_t second, size_t share)
{
    enum { SIDE = 100 };
    static uint8_t pixels[SIDE * SIDE];
    mnist_greys greys = {0};
    for (size_t i = 0; i < sizeof(pixels); i++) {
        size_t row = i / SIDE, col = i % SIDE;
        bool outer = row == 0 || col == 0 || row + 1 == SIDE || col + 1 == SIDE;
        pixels[i] = outer ? border : i * 37 % 100 < share ? first : second;
    }
    mnist_greys_add(&greys, pixels, SIDE, SIDE);
    return mnist_greys_paper(&greys);
}

static void a_border_of_a_rare_grey_is_not_the_paper(void **state)
{
    (void)state;
    assert_int_equal(paper_of(100, 110, 200, 30), MNIST_PAPER_DARK);
    assert_int_equal(paper_of(100, 110, 200, 15), MNIST_PAPER_LIGHT);
    assert_int_equal(paper_of(200, 120, 100, 36), MNIST_PAPER_DARK);
    assert_int_equal(paper_of(200, 190, 100, 30), MNIST_PAPER_LIGHT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_beside_ink_at_a_border_stays),
        TEST(a_line_may_lack_an_eighth),
        TEST(strokes_across_a_line_have_any_length),
        TEST(a_picture_of_one_row_has_one_part),
        TEST(a_small_mark_stands_in_the_line_of_its_neighbours),
        TEST(ink_at_a_border_is_ink),
        TEST(a_border_of_a_rare_grey_is_not_the_paper),
        TEST(soft_ink_at_a_border_is_soft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
