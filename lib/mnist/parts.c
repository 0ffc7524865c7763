/*
 * Finds the parts of ink that belong to digits; digits.c makes digits of them.
 *
 * Parts are connected over sides and corners. Specks, which are small beside the
 * largest part, and frames, whose ink is along the border of their box, belong to no
 * digit. The lines of printed boxes are erased first, so that what is in a box is a
 * part of its own. What touches the border of the picture is left out if something else
 * does not touch it, or if the picture has shadows.
 *
 * Dashes and dots that are near each other are one part.
 */
#include "lib/common/extremes.h"
#include "lib/mnist/part.h"

#include <stdbool.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/rulings.h"
#include "lib/mnist/status.h"

/* Parts ------------------------------------------------------------------------------
 */

/* Gives all ink that is connected with a pixel the number of a part; returns its box.
 * stack has room for all pixels. */
static mnist_group fill(const mnist_plane *ink, uint32_t *owners, size_t start,
                        uint32_t number, uint32_t *stack)
{
    mnist_group box = {0};
    size_t depth = 0, cols = ink->cols;
    stack[depth++] = (uint32_t)start;
    owners[start] = number;
    while (depth > 0) {
        size_t at = stack[--depth], row = at / cols, col = at % cols;
        mnist_group_include(&box, row, col, row + 1, col + 1);
        box.area++;
        size_t bottom = row + 1 < ink->rows ? row + 1 : row;
        size_t right = col + 1 < cols ? col + 1 : col;
        for (size_t y = row ? row - 1 : 0; y <= bottom; y++)
            for (size_t x = col ? col - 1 : 0; x <= right; x++)
                if (ink->pixels[y * cols + x] && !owners[y * cols + x]) {
                    owners[y * cols + x] = number;
                    stack[depth++] = (uint32_t)(y * cols + x);
                }
    }
    return box;
}

/* Numbers all parts from 1 in owners. Parts of fewer than 4 pixels are not kept, so
 * that there are at most a quarter as many parts as pixels. */
static void find_parts(const mnist_plane *ink, uint32_t *owners, uint32_t *stack,
                       mnist_parts *found)
{
    enum { LEAST = 4 };
    size_t count = ink->rows * ink->cols;
    uint32_t speck = (uint32_t)(count + 1);
    for (size_t i = 0; i < count; i++) {
        if (!ink->pixels[i] || owners[i])
            continue;
        mnist_group box = fill(ink, owners, i, (uint32_t)found->count + 1, stack);
        if (box.area < LEAST) {
            for (size_t y = box.top; y < box.bottom; y++)
                for (size_t x = box.left; x < box.right; x++)
                    if (owners[y * ink->cols + x] == found->count + 1)
                        owners[y * ink->cols + x] = speck;
            continue;
        }
        bool touches = box.top == 0 || box.left == 0 || box.bottom == ink->rows ||
                       box.right == ink->cols;
        found->all[found->count] = (mnist_part){
            .box = box, .whole = box, .touches = touches, .group = found->count};
        found->count++;
    }
    for (size_t i = 0; i < count; i++)
        owners[i] = owners[i] == speck ? 0 : owners[i];
}

/* Erases the printed box that a part is, or the line through a row of digits. */
static mnist_status erase_lines(mnist_plane *ink, const mnist_group *box, bool *erased)
{
    mnist_status status = mnist_rulings_erase_box(ink, box, erased);
    if (!status && !*erased &&
        2 * mnist_group_width(box) >= 7 * mnist_group_height(box))
        status = mnist_rulings_erase_line(ink, box, erased);
    return status;
}

/* Erases printed boxes, and finds the parts that remain. */
static mnist_status erase_boxes(mnist_plane *ink, uint32_t *owners, uint32_t *stack,
                                mnist_parts *found)
{
    bool any = false;
    mnist_status status = MNIST_OK;
    size_t longer = common_larger(ink->rows, ink->cols);
    for (size_t i = 0; !status && i < found->count; i++) {
        bool erased = false;
        if (8 * mnist_group_extent(&found->all[i].box) > longer)
            status = erase_lines(ink, &found->all[i].box, &erased);
        any = any || erased;
    }
    if (status || !any)
        return status;
    memset(owners, 0, ink->rows * ink->cols * sizeof(*owners));
    found->count = 0;
    find_parts(ink, owners, stack, found);
    return MNIST_OK;
}

/* Chains of dashes -------------------------------------------------------------------
 */

static void measure_outlines(const mnist_plane *ink, const uint32_t *owners,
                             mnist_parts *found)
{
    size_t rows = ink->rows, cols = ink->cols;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < cols; x++) {
            const uint32_t *at = &owners[y * cols + x];
            if (!*at)
                continue;
            mnist_part *p = &found->all[*at - 1];
            size_t sides = (size_t)(x == 0 || !at[-1]) + (x + 1 == cols || !at[1]) +
                           (y == 0 || !*(at - cols)) + (y + 1 == rows || !at[cols]);
            p->outline += sides;
            p->outer += sides > 0;
            p->soft += ink->pixels[y * cols + x] == MNIST_INK_SOFT;
        }
}

/* Whether a part has no bend and no hole: the outline of a convex part is as long as
 * that of its box. */
static bool is_dash(const mnist_part *p)
{
    return 5 * p->outline <=
           13 * (mnist_group_height(&p->box) + mnist_group_width(&p->box));
}

/* Whether the gap between two dashes is less than one and a half times as long as the
 * longer one. */
static bool follow(const mnist_group *a, const mnist_group *b)
{
    size_t longer = common_larger(mnist_group_extent(a), mnist_group_extent(b));
    ptrdiff_t across = mnist_part_overlap(a->left, a->right, b->left, b->right);
    ptrdiff_t down = mnist_part_overlap(a->top, a->bottom, b->top, b->bottom);
    return -2 * across < 3 * (ptrdiff_t)longer && -2 * down < 3 * (ptrdiff_t)longer;
}

/* Whether two parts stand beside each other. */
static bool are_beside(const mnist_group *a, const mnist_group *b)
{
    ptrdiff_t across = mnist_part_overlap(a->left, a->right, b->left, b->right);
    ptrdiff_t down = mnist_part_overlap(a->top, a->bottom, b->top, b->bottom);
    return 3 * across <
               (ptrdiff_t)common_smaller(mnist_group_width(a), mnist_group_width(b)) &&
           3 * down >
               (ptrdiff_t)common_smaller(mnist_group_height(a), mnist_group_height(b));
}

/* Whether all parts of a chain are upright and beside another: lines of digits without
 * a bend, which may rise or fall. */
static bool are_lines(const mnist_parts *found, size_t first)
{
    for (size_t i = first; i < found->count; i++) {
        const mnist_group *box = &found->all[i].box;
        bool beside = false;
        if (found->all[i].group != first)
            continue;
        for (size_t k = first; !beside && k < found->count; k++)
            beside = k != i && found->all[k].group == first &&
                     are_beside(box, &found->all[k].box);
        if (!beside || 4 * mnist_group_height(box) < 5 * mnist_group_width(box))
            return false;
    }
    return true;
}

/* Gives each part the box of its chain if that is a drawing of dashes, not a row of
 * strokes or a dotted line. */
static void measure_chain(mnist_parts *found, size_t first)
{
    enum { LEAST = 3 };
    mnist_group whole = {0};
    size_t count = 0, longest = 0, tallest = 0;
    for (size_t i = first; i < found->count; i++) {
        const mnist_group *box = &found->all[i].box;
        if (found->all[i].group != first)
            continue;
        mnist_group_include(&whole, box->top, box->left, box->bottom, box->right);
        whole.area += box->area;
        count++;
        longest = common_larger(mnist_group_extent(box), longest);
        tallest = common_larger(mnist_group_height(box), tallest);
    }
    /* A pen is not as thin as the steps of a shadow's edge. */
    bool wide = 1600 * whole.area >=
                count * mnist_group_extent(&whole) * mnist_group_extent(&whole);
    bool chain = wide && count >= LEAST &&
                 5 * mnist_group_extent(&whole) > 11 * longest &&
                 2 * mnist_group_height(&whole) > 3 * tallest &&
                 2 * mnist_group_height(&whole) > mnist_group_width(&whole) &&
                 !are_lines(found, first);
    for (size_t i = first; i < found->count; i++)
        if (found->all[i].group == first) {
            if (chain)
                found->all[i].whole = whole;
            else if (i != first)
                found->all[i].group = found->count + i;
        }
}

/* Joins dashes. Many of them are noise. */
static void join_dashes(mnist_parts *found)
{
    enum { MOST = 500 };
    if (found->count > MOST)
        return;
    for (size_t i = 0; i < found->count; i++)
        for (size_t k = i + 1; is_dash(&found->all[i]) && k < found->count; k++) {
            mnist_part *a = &found->all[i], *b = &found->all[k];
            if (a->group != b->group && is_dash(b) && follow(&a->box, &b->box))
                mnist_parts_merge(found, common_larger(a->group, b->group),
                                  common_smaller(a->group, b->group));
        }
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].group == i)
            measure_chain(found, i);
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].group >= found->count)
            found->all[i].group = i;
}

/* What is no digit ------------------------------------------------------------------
 */

/* Whether nearly all ink of a part is along the border of its box, which is nearly as
 * large as the picture. */
static bool is_frame(const mnist_plane *ink, const uint32_t *owners, uint32_t number,
                     const mnist_group *box)
{
    if (10 * mnist_group_height(box) < 7 * ink->rows ||
        10 * mnist_group_width(box) < 7 * ink->cols)
        return false;
    size_t margin_rows = mnist_group_height(box) / 12 + 1,
           margin_cols = mnist_group_width(box) / 12 + 1;
    size_t inner = 0;
    for (size_t y = box->top + margin_rows; y + margin_rows < box->bottom; y++)
        for (size_t x = box->left + margin_cols; x + margin_cols < box->right; x++)
            inner += owners[y * ink->cols + x] == number;
    return 50 * inner < box->area;
}

/* Whether a part is a narrow strip from one side of the picture to the other: an edge
 * of the paper or of a shadow. */
static bool is_strip(const mnist_plane *ink, const mnist_group *box)
{
    return (mnist_group_height(box) == ink->rows &&
            8 * mnist_group_width(box) < ink->cols) ||
           (mnist_group_width(box) == ink->cols &&
            8 * mnist_group_height(box) < ink->rows);
}

/* Whether a part that is left out, but for frames and strips, is as large as half of
 * the tallest digit: a digit may be in it. */
static bool hides_a_digit(const mnist_plane *ink, const uint32_t *owners,
                          const mnist_parts *found, size_t tallest)
{
    for (size_t i = 0; i < found->count; i++) {
        const mnist_part *p = &found->all[i];
        if (p->left_out && !p->line && 2 * mnist_group_extent(&p->box) >= tallest &&
            !is_strip(ink, &p->box) && !is_frame(ink, owners, (uint32_t)i + 1, &p->box))
            return true;
    }
    return false;
}

/* Whether a part is light, not ink: two of five of its outermost pixels have no edge.
 */
static bool is_light(const mnist_part *p)
{
    return 5 * p->soft > 2 * p->outer;
}

/* Whether a part is long and low: a dash, or a line under digits. */
static bool is_long(const mnist_part *p)
{
    size_t wide = mnist_group_width(&p->box), high = mnist_group_height(&p->box);
    return wide >= 8 * high || (wide >= 4 * high && mnist_part_is_solid(p));
}

/* Whether a long part is a line under or over another part, not its roof or foot: it is
 * wider, or there is a wide gap. */
static bool is_line_of(const mnist_part *line, const mnist_part *other)
{
    const mnist_group *l = &line->box, *o = &other->box;
    ptrdiff_t across = mnist_part_overlap(l->left, l->right, o->left, o->right);
    ptrdiff_t down = mnist_part_overlap(l->top, l->bottom, o->top, o->bottom);
    size_t wide = mnist_group_width(o), high = mnist_group_height(o);
    if (is_long(other) || high < 2 * mnist_group_height(l) ||
        2 * across < (ptrdiff_t)wide || 2 * down > (ptrdiff_t)mnist_group_height(l))
        return false;
    size_t usual = common_larger(wide, high / 2);
    return 10 * mnist_group_width(l) >= 13 * usual || -down * 6 >= (ptrdiff_t)high;
}

/* Finds lines under and over digits. */
static void find_lines(mnist_parts *found)
{
    for (size_t i = 0; i < found->count; i++)
        for (size_t k = 0; is_long(&found->all[i]) && k < found->count; k++)
            if (k != i && is_line_of(&found->all[i], &found->all[k]))
                found->all[i].line = true;
}

/* Leaves out lines, light, frames, strips, what touches the border, and specks; returns
 * the extent of the largest part that remains. */
static size_t leave_out(const mnist_plane *ink, const uint32_t *owners,
                        mnist_parts *found, bool shaded)
{
    size_t largest = 0, inside = 0;
    for (size_t i = 0; i < found->count; i++) {
        mnist_part *p = &found->all[i];
        p->left_out = p->line || is_frame(ink, owners, (uint32_t)i + 1, &p->box) ||
                      is_strip(ink, &p->box) || is_light(p);
        if (!p->left_out && !p->touches && mnist_group_extent(&p->whole) > inside)
            inside = mnist_group_extent(&p->whole);
    }
    size_t longer = common_larger(ink->rows, ink->cols);
    for (size_t i = 0; i < found->count; i++) {
        mnist_part *p = &found->all[i];
        p->left_out = p->left_out || (p->touches && (shaded || 8 * inside >= longer));
        if (!p->left_out && mnist_group_extent(&p->whole) > largest)
            largest = mnist_group_extent(&p->whole);
    }
    for (size_t i = 0; i < found->count; i++)
        if (8 * mnist_group_extent(&found->all[i].whole) < largest ||
            (24 * mnist_group_extent(&found->all[i].whole) < longer &&
             4 * mnist_group_extent(&found->all[i].whole) < largest))
            found->all[i].left_out = true;
    return largest;
}

mnist_status mnist_groups_find(mnist_groups *groups, mnist_plane *ink, bool shaded)
{
    size_t pixels = ink->rows * ink->cols;
    *groups = (mnist_groups){.owners = common_alloc(pixels, sizeof(uint32_t))};
    uint32_t *stack = common_alloc(pixels, sizeof(*stack));
    mnist_parts found = {.all = common_alloc(pixels / 4 + 1, sizeof(mnist_part))};
    mnist_status status = MNIST_OK;
    if (!groups->owners || !stack || !found.all)
        status =
            mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu pixels", pixels);
    if (!status) {
        find_parts(ink, groups->owners, stack, &found);
        status = erase_boxes(ink, groups->owners, stack, &found);
    }
    if (!status) {
        measure_outlines(ink, groups->owners, &found);
        join_dashes(&found);
        find_lines(&found);
        size_t largest = leave_out(ink, groups->owners, &found, shaded);
        groups->hidden = hides_a_digit(ink, groups->owners, &found, largest);
        status = mnist_parts_group(groups, &found, pixels, shaded);
    }
    common_free(stack);
    common_free(found.all);
    return status;
}

void mnist_groups_destroy(mnist_groups *groups)
{
    common_free(groups->groups);
    common_free(groups->owners);
    *groups = (mnist_groups){0};
}
