/*
 * The steps from ink to digits have the same bits everywhere, because all of their
 * arithmetic is with integers. A change of a hash is on purpose: the message has the
 * new one.
 */
#include "lib/mnist/lines.h"
#include "lib/mnist/part.h"
#include "lib/mnist/rulings.h"
#include "tests/support/steps.h"

enum { SIDE = 56 };

/* A line across a plane, or down if turned, which rises and lacks some pixels. */
static void draw_line(mnist_plane *p, uint64_t *seed, bool turned)
{
    size_t length = turned ? p->rows : p->cols, breadth = turned ? p->cols : p->rows;
    size_t from = draw_size(seed, 0, breadth - 1), thick = draw_size(seed, 1, 3);
    size_t rises = draw_size(seed, 0, length / 16 + 1);
    size_t gap = draw_size(seed, 0, length - 1);
    size_t gaps = one_in(seed, 2) ? draw_size(seed, 0, length / 8 + 2) : 0;
    for (size_t i = 0; i < length; i++) {
        size_t at = from + rises * i / length;
        if (i >= gap && i < gap + gaps)
            continue;
        plane_fill(p, turned ? i : at, turned ? at : i, turned ? 1 : thick,
                   turned ? thick : 1, MNIST_INK);
    }
}

static void draw_lines(mnist_plane *p, uint64_t *seed)
{
    size_t across = draw_size(seed, 0, 3), down = one_in(seed, 2) ? 0 : 3;
    down = draw_size(seed, 0, down);
    for (size_t i = 0; i < across; i++)
        draw_line(p, seed, false);
    for (size_t i = 0; i < down; i++)
        draw_line(p, seed, true);
    for (size_t i = draw_size(seed, 0, 3); i > 0; i--)
        draw_fill(p, seed, p->rows, 6, MNIST_INK);
}

/* One line with a stroke over it near an end, which does not reach the border. */
static void draw_crossing(mnist_plane *p, uint64_t *seed)
{
    size_t length = p->cols, at = p->rows / 2;
    size_t thick = draw_size(seed, 1, 2), pen = draw_size(seed, 1, 2);
    size_t from = draw_size(seed, 1, 7), down = draw_size(seed, 1, at - 1);
    size_t high = draw_size(seed, 1, p->rows - down - 1);
    bool right = one_in(seed, 2);
    plane_fill(p, at, 0, thick, length, MNIST_INK);
    plane_fill(p, down, right ? length - from - pen : from, high, pen, MNIST_INK);
    plane_fill(p, 2, 12, 6, 8, MNIST_INK);
}

static uint64_t rulings(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 20, SIDE, one_in(seed, 4) ? 130 : SIDE, 0);
    if (one_in(seed, 2))
        draw_lines(&p, seed);
    else
        draw_crossing(&p, seed);
    assert_int_equal(mnist_rulings_erase(&p), MNIST_OK);
    hash = hash_plane(hash, &p);
    mnist_plane_destroy(&p);
    return hash;
}

/* A box of at least half of a plane. */
static mnist_group draw_box(const mnist_plane *p, uint64_t *seed)
{
    mnist_group box = {0};
    if (one_in(seed, 2)) {
        box.top = draw_size(seed, 0, p->rows / 4);
        box.left = draw_size(seed, 0, p->cols / 4);
    }
    box.bottom = p->rows - box.top;
    box.right = p->cols - box.left;
    return box;
}

/* The outline of a box, a little inside of it, with sides that are missing. */
static void draw_outline(mnist_plane *p, const mnist_group *box, uint64_t *seed)
{
    size_t high = mnist_group_height(box), wide = mnist_group_width(box);
    size_t sides = draw_size(seed, 0, 15), thick = draw_size(seed, 1, 4);
    size_t down = draw_size(seed, 0, high / 7), right = draw_size(seed, 0, wide / 7);
    if (sides & 1)
        plane_fill(p, box->top + down, box->left, thick, wide, MNIST_INK);
    if (sides & 2)
        plane_fill(p, box->bottom - thick - down, box->left, thick, wide, MNIST_INK);
    if (sides & 4)
        plane_fill(p, box->top, box->left + right, high, thick, MNIST_INK);
    if (sides & 8)
        plane_fill(p, box->top, box->right - thick - right, high, thick, MNIST_INK);
}

static uint64_t boxes(uint64_t hash, uint64_t *seed)
{
    bool erased = false;
    mnist_plane p = draw_plane(seed, 20, SIDE, SIDE, 0);
    mnist_group box = draw_box(&p, seed);
    draw_outline(&p, &box, seed);
    if (one_in(seed, 2))
        draw_lines(&p, seed);
    assert_int_equal(mnist_rulings_erase_box(&p, &box, &erased), MNIST_OK);
    hash = hash_number(hash_plane(hash, &p), erased);
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t underlines(uint64_t hash, uint64_t *seed)
{
    bool erased = false;
    mnist_plane p = draw_plane(seed, 4, 24, 100, 0);
    mnist_group box = draw_box(&p, seed);
    draw_line(&p, seed, false);
    for (size_t i = draw_size(seed, 0, 5); i > 0; i--)
        draw_fill(&p, seed, p.rows, 6, MNIST_INK);
    assert_int_equal(mnist_rulings_erase_line(&p, &box, &erased), MNIST_OK);
    hash = hash_number(hash_plane(hash, &p), erased);
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t hash_groups(uint64_t hash, const mnist_groups *groups)
{
    hash = hash_number(hash_number(hash, groups->count), groups->hidden);
    for (size_t i = 0; i < groups->count; i++) {
        const mnist_group *g = &groups->groups[i];
        hash = hash_number(hash_number(hash, g->top), g->left);
        hash = hash_number(hash_number(hash, g->bottom), g->right);
        hash = hash_number(hash_number(hash, g->area), g->first);
        hash = hash_number(hash, g->solid);
    }
    return hash;
}

/* Dashes of one size beside each other or below. */
static void draw_dashes(mnist_plane *p, uint64_t *seed)
{
    size_t count = draw_size(seed, 2, 6), rows = draw_size(seed, 1, 7);
    size_t cols = draw_size(seed, 1, 7), top = draw_size(seed, 0, p->rows - 1);
    size_t left = draw_size(seed, 0, p->cols - 1);
    size_t down = draw_size(seed, 0, rows * 5 / 2 + 1);
    size_t right = draw_size(seed, 0, cols * 5 / 2 + 1);
    for (size_t i = 0; i < count; i++)
        plane_fill(p, top + i * down, left + i * right, rows, cols, MNIST_INK);
}

static void draw_figures(mnist_plane *p, uint64_t *seed)
{
    size_t figures = draw_size(seed, 1, 5), soft = draw_size(seed, 0, 3);
    for (size_t i = 0; i < figures; i++) {
        size_t kind = draw_size(seed, 0, 9);
        const mnist_group box = draw_box(p, seed);
        if (kind == 0)
            draw_outline(p, &box, seed);
        else if (kind <= 2)
            draw_dashes(p, seed);
        else if (kind <= 4)
            draw_fill(p, seed, 3, p->cols, MNIST_INK);
        else
            draw_fill(p, seed, p->rows, kind <= 7 ? 3 : 9, MNIST_INK);
    }
    for (size_t i = 0; soft > 1 && i < p->rows * p->cols; i++)
        if (p->pixels[i] && draw_size(seed, 0, 9) < 2 * soft)
            p->pixels[i] = MNIST_INK_SOFT;
}

static uint64_t hash_parts(uint64_t hash, mnist_plane *p, bool shaded)
{
    mnist_groups groups;
    mnist_status status = mnist_groups_find(&groups, p, shaded);
    hash = hash_number(hash_plane(hash, p), status);
    if (status == MNIST_OK)
        hash = hash_bytes(hash_groups(hash, &groups), groups.owners,
                          p->rows * p->cols * sizeof(*groups.owners));
    mnist_groups_destroy(&groups);
    return hash;
}

/* Dashes that may be a drawing: of all sizes, each some way from the one before. */
static uint64_t chains(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 60, 80, 80, 0);
    size_t count = draw_size(seed, 2, 6), top = 4, left = 4;
    size_t rows = draw_size(seed, 1, 12), cols = draw_size(seed, 1, 10);
    bool alike = one_in(seed, 2);
    for (size_t i = 0; i < count; i++) {
        plane_fill(&p, top, left, rows, cols, MNIST_INK);
        top += draw_size(seed, 0, one_in(seed, 2) ? rows : 2 * rows + 2);
        left += draw_size(seed, 0, one_in(seed, 2) ? cols + 2 : 2 * cols + 2);
        rows = alike ? rows : draw_size(seed, 1, 12);
        cols = alike ? cols : draw_size(seed, 1, 10);
    }
    hash = hash_parts(hash, &p, false);
    mnist_plane_destroy(&p);
    return hash;
}

/* A line of thin dashes below each other: too thin a pen is an edge of a shadow. */
static uint64_t dotted(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 160, 160, 160, 0);
    size_t count = draw_size(seed, 5, 14), rows = draw_size(seed, 4, 8);
    size_t apart = rows + draw_size(seed, 1, rows * 3 / 2), top = 2;
    size_t left = draw_size(seed, 2, 80), moves = draw_size(seed, 0, 3);
    for (size_t i = 0; i < count && top + rows < 158; i++) {
        plane_fill(&p, top, left + moves * i, rows, 1, MNIST_INK);
        top += apart;
    }
    hash = hash_parts(hash, &p, false);
    mnist_plane_destroy(&p);
    return hash;
}

/* More than 500 dots are noise; fewer are joined to a drawing. */
static uint64_t crowds(uint64_t hash, uint64_t *seed)
{
    enum { ROW = 25 };
    mnist_plane p = draw_plane(seed, 80, 80, 80, 0);
    size_t count = draw_size(seed, 498, 503);
    for (size_t i = 0; i < count; i++)
        plane_fill(&p, 2 + i / ROW * 3, 2 + i % ROW * 3, 2, 2, MNIST_INK);
    hash = hash_parts(hash, &p, false);
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t parts(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 6, 48, one_in(seed, 4) ? 120 : 48, 0);
    draw_figures(&p, seed);
    hash = hash_parts(hash, &p, one_in(seed, 4));
    mnist_plane_destroy(&p);
    return hash;
}

/* A side of a part: limits are parts of these. */
static size_t draw_side(uint64_t *seed)
{
    static const size_t sides[] = {14, 20, 24, 25, 28, 40, 42, 48, 50, 56};
    return one_in(seed, 2) ? sides[draw_size(seed, 0, 9)] : draw_size(seed, 1, 30);
}

static mnist_part draw_part(uint64_t *seed, size_t number)
{
    mnist_group box = {.top = draw_size(seed, 0, 40)};
    box.left = draw_size(seed, 0, one_in(seed, 2) ? 30 : 70);
    box.bottom = box.top + draw_side(seed);
    box.right = box.left + draw_side(seed);
    size_t high = mnist_group_height(&box), wide = mnist_group_width(&box);
    box.area = one_in(seed, 2) ? high * wide * 3 / 4 : draw_size(seed, 1, high * wide);
    box.area += box.area == 0;
    size_t least = 2 * (high + wide);
    size_t outline =
        least + draw_size(seed, 0, one_in(seed, 2) ? least / 4 : 2 * least);
    mnist_part p = {.box = box, .whole = box, .outline = outline, .group = number};
    p.left_out = one_in(seed, 8);
    return p;
}

static uint64_t digits(uint64_t hash, uint64_t *seed)
{
    enum { MOST = 5 };
    mnist_part all[MOST];
    uint32_t owners[MOST + 1] = {0};
    mnist_parts found = {all, one_in(seed, 2) ? 2 : draw_size(seed, 1, MOST)};
    mnist_groups groups = {.owners = owners};
    for (size_t i = 0; i < found.count; i++) {
        all[i] = draw_part(seed, i);
        owners[i] = (uint32_t)i + 1;
        /* The next of a chain. */
        if (i > 0 && one_in(seed, 8)) {
            all[i].group = all[i - 1].group;
            all[i].whole = all[i - 1].whole;
        }
    }
    bool shaded = one_in(seed, 4);
    mnist_status status = mnist_parts_group(&groups, &found, MOST + 1, shaded);
    hash = hash_number(hash_groups(hash, &groups), status);
    hash = hash_bytes(hash, owners, sizeof(owners));
    groups.owners = NULL;
    mnist_groups_destroy(&groups);
    return hash;
}

static uint64_t lines(uint64_t hash, uint64_t *seed)
{
    enum { MOST = 7 };
    mnist_group all[MOST];
    size_t count = draw_size(seed, 0, MOST), left = 0, tall = draw_size(seed, 4, 12);
    size_t order[MOST] = {0}, width = draw_size(seed, 1, 8),
           apart = draw_size(seed, 1, 9);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = 1; i < count; i++) {
        size_t other = draw_size(seed, 0, i), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (size_t i = 0; i < count; i++) {
        mnist_group *g = &all[order[i]];
        size_t top = draw_size(seed, 0, one_in(seed, 2) ? 12 : 40);
        size_t high = one_in(seed, 2) ? tall : draw_size(seed, 1, 12);
        left += draw_size(seed, 0, apart);
        *g = (mnist_group){.top = top,
                           .left = left,
                           .bottom = top + high,
                           .right = left + width,
                           .first = order[i]};
    }
    assert_int_equal(mnist_lines_sort(all, count), MNIST_OK);
    for (size_t i = 0; i < count; i++)
        hash = hash_number(hash, all[i].first);
    return hash;
}

static void each_step_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    static const step steps[] = {
        {"rulings", rulings, 6000, UINT64_C(0xb2aeeb13b013f531)},
        {"boxes", boxes, 6000, UINT64_C(0x683a7e5e816112d7)},
        {"underlines", underlines, 6000, UINT64_C(0x2e6fed911443b4d0)},
        {"parts", parts, 10000, UINT64_C(0xed0cd9583e0a6af4)},
        {"chains", chains, 10000, UINT64_C(0x7378e4f797b7a2b7)},
        {"dotted", dotted, 600, UINT64_C(0x8440b799b945daba)},
        {"crowds", crowds, 20, UINT64_C(0x5e81341371b5b67c)},
        {"digits", digits, 200000, UINT64_C(0x61766a4700198fc0)},
        {"lines", lines, 100000, UINT64_C(0xff47b2c655aa7923)},
    };
    step_assert_all(steps, sizeof(steps) / sizeof(steps[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_step_has_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
