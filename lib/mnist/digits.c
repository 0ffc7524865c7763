/*
 * Makes digits of parts.
 *
 * Parts make up one digit if their columns overlap, or if they are small and near: the
 * roof of a 5, a broken stroke.
 */
#include <stdbool.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/lines.h"
#include "lib/mnist/part.h"
#include "lib/mnist/status.h"

/* Whether one group is beside the upper or lower part of the other: the angle of a 4
 * whose strokes do not touch. Digits of one line have nearly the same middle. */
static bool is_beside_a_half(const mnist_group *a, const mnist_group *b)
{
    const mnist_group *low = mnist_group_height(a) < mnist_group_height(b) ? a : b,
                      *tall = low == a ? b : a;
    size_t apart = mnist_part_apart(low->top + low->bottom, tall->top + tall->bottom);
    ptrdiff_t down = mnist_part_overlap(a->top, a->bottom, b->top, b->bottom);
    return 20 * mnist_group_height(low) < 13 * mnist_group_height(tall) &&
           5 * apart > 2 * mnist_group_height(tall) &&
           5 * down >= 3 * (ptrdiff_t)mnist_group_height(low);
}

/* Whether two groups with a narrow gap are the sides of one digit. */
static bool are_sides(const mnist_group *a, const mnist_group *b, ptrdiff_t across)
{
    size_t left = common_smaller(a->left, b->left), tall = mnist_group_height(a);
    size_t right = common_larger(a->right, b->right);
    tall = common_larger(mnist_group_height(b), tall);
    return -across * 28 < (ptrdiff_t)tall && 5 * (right - left) < 4 * tall;
}

/* Whether a group is a dash: a minus, or a piece of a stroke. */
static bool is_dash(const mnist_group *g)
{
    return g->solid && mnist_group_width(g) >= 2 * mnist_group_height(g);
}

/* Whether a group looks like a digit, though it is small beside the tallest: it is
 * upright or has a bend, unlike a dash or a point. */
static bool is_small_digit(const mnist_group *g, size_t tallest)
{
    return 25 * mnist_group_extent(g) >= 7 * tallest &&
           (!g->solid || mnist_group_height(g) >= 2 * mnist_group_width(g));
}

/* Whether the lower one of two groups beside each other may be the angle of a 4, whose
 * stroke is the other. */
static bool may_be_an_angle(const mnist_group *low, const mnist_group *tall)
{
    return !low->solid && tall->solid && low->left < tall->left &&
           low->top + low->bottom < tall->top + tall->bottom;
}

/* Whether a dash is at the height of a minus beside a digit. */
static bool is_in_the_middle(const mnist_group *dash, const mnist_group *digit)
{
    size_t middle = 2 * (dash->top + dash->bottom), tall = mnist_group_height(digit);
    return middle > 4 * digit->top + tall && middle < 4 * digit->top + 3 * tall;
}

/* Whether two groups beside each other with a clear gap are two digits, or a digit and
 * a sign. */
static bool are_apart(const mnist_group *a, const mnist_group *b, ptrdiff_t across,
                      size_t tallest)
{
    const mnist_group *low = mnist_group_extent(a) < mnist_group_extent(b) ? a : b;
    const mnist_group *tall = low == a ? b : a;
    if (-across * 14 < (ptrdiff_t)mnist_group_extent(tall))
        return false;
    if (is_dash(low))
        return is_in_the_middle(low, tall);
    return is_small_digit(low, tallest) && !may_be_an_angle(low, tall);
}

/* Whether two groups are one digit; tallest is the extent of the largest group. */
static bool belong(const mnist_group *a, const mnist_group *b, size_t tallest)
{
    ptrdiff_t across = mnist_part_overlap(a->left, a->right, b->left, b->right);
    ptrdiff_t down = mnist_part_overlap(a->top, a->bottom, b->top, b->bottom);
    if (are_apart(a, b, across, tallest))
        return false;
    bool small =
        2 * common_smaller(mnist_group_extent(a), mnist_group_extent(b)) < tallest;
    bool near = -across * 4 < (ptrdiff_t)tallest && -down * 4 < (ptrdiff_t)tallest;
    bool overlaps = 5 * across >= 2 * (ptrdiff_t)common_smaller(mnist_group_width(a),
                                                                mnist_group_width(b)) ||
                    (across > 0 && down <= 0);
    if (near && (small || is_beside_a_half(a, b)))
        return true;
    if (down > 0 && are_sides(a, b, across))
        return true;
    /* One above the other: two lines if there is a clear gap. */
    return overlaps && -down * 8 < (ptrdiff_t)tallest;
}

/* The extent of the largest group; of dashes only if there is nothing else. */
static size_t tallest_of(const mnist_group *boxes, size_t count)
{
    size_t tallest = 0, longest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t extent = mnist_group_extent(&boxes[i]);
        longest = common_larger(extent, longest);
        if (!is_dash(&boxes[i]))
            tallest = common_larger(extent, tallest);
    }
    return tallest ? tallest : longest;
}

/* Merges groups until none belong together. boxes has the box of each group, empty if
 * it has been merged into another. */
static void merge_groups(mnist_parts *found, mnist_group *boxes)
{
    for (bool again = true; again;) {
        size_t tallest = tallest_of(boxes, found->count);
        again = false;
        for (size_t i = 0; i < found->count; i++)
            for (size_t k = i + 1; boxes[i].area && k < found->count; k++) {
                if (!boxes[k].area || !belong(&boxes[i], &boxes[k], tallest))
                    continue;
                mnist_group_include(&boxes[i], boxes[k].top, boxes[k].left,
                                    boxes[k].bottom, boxes[k].right);
                boxes[i].area += boxes[k].area;
                boxes[i].solid = false;
                boxes[k] = (mnist_group){0};
                mnist_parts_merge(found, k, i);
                again = true;
            }
    }
}

/* Whether a group is a digit or a minus, not a speck. Small ones are what remains of
 * light if the picture has shadows. */
static bool counts(const mnist_group *g, size_t tallest, bool shaded)
{
    if (2 * mnist_group_extent(g) >= tallest)
        return true;
    return !shaded && (is_small_digit(g, tallest) ||
                       (is_dash(g) && 6 * mnist_group_width(g) >= tallest));
}

/* Copies the digits, in order, and renumbers the owners. Groups that are small beside
 * the tallest are no digits. */
static mnist_status write_groups(mnist_groups *to, mnist_parts *found,
                                 const mnist_group *boxes, size_t pixels, bool shaded)
{
    size_t tallest = tallest_of(boxes, found->count);
    for (size_t i = 0; i < found->count; i++)
        if (boxes[i].area && counts(&boxes[i], tallest, shaded))
            to->groups[to->count++] = boxes[i];
    mnist_status status = mnist_lines_sort(to->groups, to->count);
    for (size_t i = 0; i < found->count; i++) {
        mnist_part *p = &found->all[i];
        size_t number = 0;
        for (size_t k = 0; !p->left_out && k < to->count; k++)
            if (to->groups[k].first == p->group)
                number = k + 1;
        p->group = number;
    }
    for (size_t i = 0; i < pixels; i++)
        if (to->owners[i])
            to->owners[i] = (uint32_t)found->all[to->owners[i] - 1].group;
    return status;
}

mnist_status mnist_parts_group(mnist_groups *to, mnist_parts *found, size_t pixels,
                               bool shaded)
{
    mnist_group *boxes = common_alloc(found->count, sizeof(*boxes));
    to->groups = common_alloc(found->count, sizeof(*to->groups));
    if (!boxes || !to->groups) {
        common_free(boxes);
        return mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu parts",
                          found->count);
    }
    for (size_t i = 0; i < found->count; i++) {
        const mnist_part *p = &found->all[i];
        mnist_group *box = &boxes[p->group];
        if (!p->left_out && !box->area) {
            *box = p->whole;
            box->solid = mnist_part_is_solid(p);
        }
        boxes[i].first = i;
    }
    merge_groups(found, boxes);
    mnist_status status = write_groups(to, found, boxes, pixels, shaded);
    common_free(boxes);
    return status || to->count
               ? status
               : mnist_fail(MNIST_BLANK, "image: blank: only specks or a frame");
}
