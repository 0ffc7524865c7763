/*
 * Finds the digits of ink.
 *
 * Parts are connected over sides and corners. Specks, which are small beside the
 * largest part, and frames, whose ink is along the border of their box, belong to no
 * digit. The lines of printed boxes are erased first, so that what is in a box is a
 * part of its own. What touches the border of the picture is left out if something else
 * does not touch it, or if the picture has shadows.
 *
 * Parts make up one digit if their columns overlap, or if they are small and near: the
 * roof of a 5, a broken stroke. Dashes and dots that are near each other are one part.
 * Digits are in one line if their rows overlap.
 */
#include "lib/mnist/parts.h"

#include <stdbool.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/rulings.h"
#include "lib/mnist/status.h"

/* A part, and the digit that it belongs to. */
typedef struct part {
    /* The box of the part, and of the chain of dashes that it belongs to. */
    mnist_group box, whole;
    /* Sides of its pixels that are next to paper, its outermost pixels, and those
     * without an edge. */
    size_t outline, outer, soft;
    bool touches, left_out;
    size_t group;
} part;

typedef struct parts {
    part *all;
    size_t count;
} parts;

static size_t height(const mnist_group *g)
{
    return g->bottom - g->top;
}

static size_t width(const mnist_group *g)
{
    return g->right - g->left;
}

static size_t extent(const mnist_group *g)
{
    return height(g) > width(g) ? height(g) : width(g);
}

static void include(mnist_group *g, size_t top, size_t left, size_t bottom,
                    size_t right)
{
    bool empty = g->bottom == 0;
    g->top = empty || top < g->top ? top : g->top;
    g->left = empty || left < g->left ? left : g->left;
    g->bottom = bottom > g->bottom ? bottom : g->bottom;
    g->right = right > g->right ? right : g->right;
}

/* Length of the overlap of two ranges, or minus the gap between them. */
static ptrdiff_t overlap(size_t start, size_t end, size_t from, size_t to)
{
    return (ptrdiff_t)(end < to ? end : to) - (ptrdiff_t)(start > from ? start : from);
}

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
        include(&box, row, col, row + 1, col + 1);
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
                       parts *found)
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
        found->all[found->count] =
            (part){.box = box, .whole = box, .touches = touches, .group = found->count};
        found->count++;
    }
    for (size_t i = 0; i < count; i++)
        owners[i] = owners[i] == speck ? 0 : owners[i];
}

/* Erases printed boxes, and finds the parts that remain. */
static mnist_status erase_boxes(mnist_plane *ink, uint32_t *owners, uint32_t *stack,
                                parts *found)
{
    bool any = false;
    mnist_status status = MNIST_OK;
    size_t longer = ink->rows > ink->cols ? ink->rows : ink->cols;
    for (size_t i = 0; !status && i < found->count; i++) {
        bool erased = false;
        if (8 * extent(&found->all[i].box) > longer)
            status = mnist_rulings_erase_box(ink, &found->all[i].box, &erased);
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

static void merge(parts *found, size_t from, size_t to)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->all[i].group == from)
            found->all[i].group = to;
}

static void measure_outlines(const mnist_plane *ink, const uint32_t *owners,
                             parts *found)
{
    size_t rows = ink->rows, cols = ink->cols;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < cols; x++) {
            const uint32_t *at = &owners[y * cols + x];
            if (!*at)
                continue;
            part *p = &found->all[*at - 1];
            size_t sides = (size_t)(x == 0 || !at[-1]) + (x + 1 == cols || !at[1]) +
                           (y == 0 || !*(at - cols)) + (y + 1 == rows || !at[cols]);
            p->outline += sides;
            p->outer += sides > 0;
            p->soft += ink->pixels[y * cols + x] == MNIST_INK_SOFT;
        }
}

/* Whether a part has no bend and no hole: the outline of a convex part is as long as
 * that of its box. */
static bool is_dash(const part *p)
{
    return 5 * p->outline <= 13 * (height(&p->box) + width(&p->box));
}

/* Whether the gap between two dashes is less than one and a half times as long as the
 * longer one. */
static bool follow(const mnist_group *a, const mnist_group *b)
{
    size_t longer = extent(a) > extent(b) ? extent(a) : extent(b);
    ptrdiff_t across = overlap(a->left, a->right, b->left, b->right);
    ptrdiff_t down = overlap(a->top, a->bottom, b->top, b->bottom);
    ptrdiff_t gap = across < down ? -across : -down;
    return 2 * gap < 3 * (ptrdiff_t)longer;
}

/* Gives each part the box of its chain if that is a drawing of dashes, not a row of
 * strokes or a dotted line. */
static void measure_chain(parts *found, size_t first)
{
    enum { LEAST = 3 };
    mnist_group whole = {0};
    size_t count = 0, longest = 0, tallest = 0;
    for (size_t i = first; i < found->count; i++) {
        const mnist_group *box = &found->all[i].box;
        if (found->all[i].group != first)
            continue;
        include(&whole, box->top, box->left, box->bottom, box->right);
        whole.area += box->area;
        count++;
        longest = extent(box) > longest ? extent(box) : longest;
        tallest = height(box) > tallest ? height(box) : tallest;
    }
    /* A pen is not as thin as the steps of a shadow's edge. */
    bool wide = 1600 * whole.area >= count * extent(&whole) * extent(&whole);
    bool chain = wide && count >= LEAST && 5 * extent(&whole) > 11 * longest &&
                 2 * height(&whole) > 3 * tallest && 2 * height(&whole) > width(&whole);
    for (size_t i = first; i < found->count; i++)
        if (found->all[i].group == first) {
            if (chain)
                found->all[i].whole = whole;
            else if (i != first)
                found->all[i].group = found->count + i;
        }
}

/* Joins dashes. Many of them are noise. */
static void join_dashes(parts *found)
{
    enum { MOST = 500 };
    if (found->count > MOST)
        return;
    for (size_t i = 0; i < found->count; i++)
        for (size_t k = i + 1; is_dash(&found->all[i]) && k < found->count; k++) {
            part *a = &found->all[i], *b = &found->all[k];
            if (a->group != b->group && is_dash(b) && follow(&a->box, &b->box))
                merge(found, a->group > b->group ? a->group : b->group,
                      a->group > b->group ? b->group : a->group);
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
    if (10 * height(box) < 7 * ink->rows || 10 * width(box) < 7 * ink->cols)
        return false;
    size_t margin_rows = height(box) / 12 + 1, margin_cols = width(box) / 12 + 1;
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
    return (height(box) == ink->rows && 8 * width(box) < ink->cols) ||
           (width(box) == ink->cols && 8 * height(box) < ink->rows);
}

/* Whether a part that is left out, but for frames and strips, is as large as half of
 * the tallest digit: a digit may be in it. */
static bool hides_a_digit(const mnist_plane *ink, const uint32_t *owners,
                          const parts *found, size_t tallest)
{
    for (size_t i = 0; i < found->count; i++) {
        const part *p = &found->all[i];
        if (p->left_out && 2 * extent(&p->box) >= tallest && !is_strip(ink, &p->box) &&
            !is_frame(ink, owners, (uint32_t)i + 1, &p->box))
            return true;
    }
    return false;
}

/* Whether a part is light, not ink: two of five of its outermost pixels have no edge.
 */
static bool is_light(const part *p)
{
    return 5 * p->soft > 2 * p->outer;
}

/* Leaves out light, frames, strips, what touches the border, and specks; returns the
 * extent of the largest part that remains. */
static size_t leave_out(const mnist_plane *ink, const uint32_t *owners, parts *found,
                        bool shaded)
{
    size_t largest = 0, inside = 0;
    for (size_t i = 0; i < found->count; i++) {
        part *p = &found->all[i];
        p->left_out = is_frame(ink, owners, (uint32_t)i + 1, &p->box) ||
                      is_strip(ink, &p->box) || is_light(p);
        if (!p->left_out && !p->touches && extent(&p->whole) > inside)
            inside = extent(&p->whole);
    }
    size_t longer = ink->rows > ink->cols ? ink->rows : ink->cols;
    for (size_t i = 0; i < found->count; i++) {
        part *p = &found->all[i];
        p->left_out = p->left_out || (p->touches && (shaded || 8 * inside >= longer));
        if (!p->left_out && extent(&p->whole) > largest)
            largest = extent(&p->whole);
    }
    for (size_t i = 0; i < found->count; i++)
        if (8 * extent(&found->all[i].whole) < largest ||
            24 * extent(&found->all[i].whole) < longer)
            found->all[i].left_out = true;
    return largest;
}

/* Digits -----------------------------------------------------------------------------
 */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Whether one group is beside the upper or lower part of the other: the angle of a 4
 * whose strokes do not touch. Digits of one line have nearly the same middle. */
static bool is_beside_a_half(const mnist_group *a, const mnist_group *b)
{
    const mnist_group *low = height(a) < height(b) ? a : b, *tall = low == a ? b : a;
    size_t middle = low->top + low->bottom, other = tall->top + tall->bottom;
    size_t apart = middle > other ? middle - other : other - middle;
    ptrdiff_t down = overlap(a->top, a->bottom, b->top, b->bottom);
    return 20 * height(low) < 13 * height(tall) && 5 * apart > 2 * height(tall) &&
           5 * down >= 3 * (ptrdiff_t)height(low);
}

/* Whether two groups with a narrow gap are the sides of one digit. */
static bool are_sides(const mnist_group *a, const mnist_group *b, ptrdiff_t across)
{
    size_t left = smaller(a->left, b->left), tall = height(a);
    size_t right = a->right > b->right ? a->right : b->right;
    tall = height(b) > tall ? height(b) : tall;
    return -across * 28 < (ptrdiff_t)tall && 5 * (right - left) < 4 * tall;
}

/* Whether two groups are one digit; tallest is the extent of the largest group. */
static bool belong(const mnist_group *a, const mnist_group *b, size_t tallest)
{
    ptrdiff_t across = overlap(a->left, a->right, b->left, b->right);
    ptrdiff_t down = overlap(a->top, a->bottom, b->top, b->bottom);
    bool small = 2 * smaller(extent(a), extent(b)) < tallest;
    bool near = -across * 4 < (ptrdiff_t)tallest && -down * 4 < (ptrdiff_t)tallest;
    bool overlaps = 5 * across >= 2 * (ptrdiff_t)smaller(width(a), width(b)) ||
                    (across > 0 && down <= 0);
    if (near && (small || is_beside_a_half(a, b)))
        return true;
    if (down > 0 && are_sides(a, b, across))
        return true;
    /* One above the other: two lines if there is a clear gap. */
    return overlaps && -down * 8 < (ptrdiff_t)tallest;
}

static size_t tallest_of(const mnist_group *boxes, size_t count)
{
    size_t tallest = 0;
    for (size_t i = 0; i < count; i++)
        tallest = extent(&boxes[i]) > tallest ? extent(&boxes[i]) : tallest;
    return tallest;
}

/* Merges groups until none belong together. boxes has the box of each group, empty if
 * it has been merged into another. */
static void merge_groups(parts *found, mnist_group *boxes)
{
    for (bool again = true; again;) {
        size_t tallest = tallest_of(boxes, found->count);
        again = false;
        for (size_t i = 0; i < found->count; i++)
            for (size_t k = i + 1; boxes[i].area && k < found->count; k++) {
                if (!boxes[k].area || !belong(&boxes[i], &boxes[k], tallest))
                    continue;
                include(&boxes[i], boxes[k].top, boxes[k].left, boxes[k].bottom,
                        boxes[k].right);
                boxes[i].area += boxes[k].area;
                boxes[k] = (mnist_group){0};
                merge(found, k, i);
                again = true;
            }
    }
}

/* Whether a is before b: in a line above, or in the same line farther left. */
static bool is_before(const mnist_group *a, const mnist_group *b)
{
    ptrdiff_t down = overlap(a->top, a->bottom, b->top, b->bottom);
    if (2 * down < (ptrdiff_t)smaller(height(a), height(b)))
        return a->top < b->top;
    return a->left < b->left;
}

/* Copies the digits, in order, and renumbers the owners. Groups that are small beside
 * the tallest are no digits. */
static void write_groups(mnist_groups *to, parts *found, const mnist_group *boxes,
                         size_t pixels)
{
    size_t tallest = tallest_of(boxes, found->count);
    for (size_t i = 0; i < found->count; i++) {
        if (!boxes[i].area || 2 * extent(&boxes[i]) < tallest)
            continue;
        size_t at = to->count++;
        for (; at > 0 && is_before(&boxes[i], &to->groups[at - 1]); at--)
            to->groups[at] = to->groups[at - 1];
        to->groups[at] = boxes[i];
    }
    for (size_t i = 0; i < found->count; i++) {
        part *p = &found->all[i];
        size_t number = 0;
        for (size_t k = 0; !p->left_out && k < to->count; k++)
            if (to->groups[k].first == p->group)
                number = k + 1;
        p->group = number;
    }
    for (size_t i = 0; i < pixels; i++)
        if (to->owners[i])
            to->owners[i] = (uint32_t)found->all[to->owners[i] - 1].group;
}

static mnist_status group(mnist_groups *to, parts *found, size_t pixels)
{
    mnist_group *boxes = common_alloc(found->count, sizeof(*boxes));
    to->groups = common_alloc(found->count, sizeof(*to->groups));
    if (!boxes || !to->groups) {
        common_free(boxes);
        return mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu parts",
                          found->count);
    }
    for (size_t i = 0; i < found->count; i++) {
        const part *p = &found->all[i];
        mnist_group *box = &boxes[p->group];
        if (!p->left_out && !box->area)
            *box = p->whole;
        boxes[i].first = i;
    }
    merge_groups(found, boxes);
    write_groups(to, found, boxes, pixels);
    common_free(boxes);
    return to->count ? MNIST_OK
                     : mnist_fail(MNIST_BLANK, "image: blank: only specks or a frame");
}

mnist_status mnist_groups_find(mnist_groups *groups, mnist_plane *ink, bool shaded)
{
    size_t pixels = ink->rows * ink->cols;
    *groups = (mnist_groups){.owners = common_alloc(pixels, sizeof(uint32_t))};
    uint32_t *stack = common_alloc(pixels, sizeof(*stack));
    parts found = {.all = common_alloc(pixels / 4 + 1, sizeof(part))};
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
        size_t largest = leave_out(ink, groups->owners, &found, shaded);
        groups->hidden = hides_a_digit(ink, groups->owners, &found, largest);
        status = group(groups, &found, pixels);
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
