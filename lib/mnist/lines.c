/*
 * Finds the lines in which digits are written.
 *
 * Each digit follows the nearest one to its left whose rows overlap its own, and is
 * the nearest on its right. So a chain of digits may rise or fall by more than the
 * height of a digit. The chains of a picture have about the same slope: measured across
 * it, chains at the same level are one line, and the others are above or below.
 */
#include "lib/mnist/lines.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/common/memory.h"
#include "lib/mnist/part.h"
#include "lib/mnist/status.h"

enum { NONE = -1 };

/* A digit in its chain. Middles are in half pixels. */
typedef struct place {
    mnist_group group;
    int64_t x, y, tall;
    /* The digits before and after it, or NONE. */
    ptrdiff_t left, right;
    /* Where its chain is across the slope, and its line. */
    int64_t level;
    size_t line;
} place;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Whether b may follow a, which has its middle to the left: rows overlap by a third of
 * the lower one. */
static bool may_follow(const place *a, const place *b)
{
    int64_t down = (a->tall + b->tall) - llabs(a->y - b->y);
    return a->x < b->x && 3 * down >= 2 * least(a->tall, b->tall);
}

/* How far a digit is from the one that it follows: steps down count thrice, unless the
 * rows of one are among those of the other. */
static int64_t distance(const place *a, const place *b)
{
    int64_t high = (int64_t)mnist_group_height(&a->group);
    int64_t low = (int64_t)mnist_group_height(&b->group);
    int64_t down = llabs(a->y - b->y) - llabs(high - low);
    return b->x - a->x + 3 * most(down, 0);
}

/* The nearest digit that may follow one, or come before it; NONE without. */
static ptrdiff_t nearest(const place *all, size_t count, size_t to, bool follows)
{
    ptrdiff_t found = NONE;
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        const place *before = &all[follows ? to : i], *after = &all[follows ? i : to];
        if (i == to || !may_follow(before, after) || distance(before, after) >= best)
            continue;
        best = distance(before, after);
        found = (ptrdiff_t)i;
    }
    return found;
}

/* Chains digits that are each other's nearest. */
static void chain(place *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        all[i].right = nearest(all, count, i, true);
    for (size_t i = 0; i < count; i++)
        all[i].left = nearest(all, count, i, false);
    for (size_t i = 0; i < count; i++) {
        if (all[i].left != NONE && all[all[i].left].right != (ptrdiff_t)i)
            all[i].left = NONE;
        if (all[i].right != NONE && all[all[i].right].left != (ptrdiff_t)i)
            all[i].right = NONE;
    }
}

static bool is_first(const place *p)
{
    return p->left == NONE;
}

static const place *last_of(const place *all, const place *p)
{
    while (p->right != NONE)
        p = &all[p->right];
    return p;
}

/* Measures the level of each chain across the slope of all: the mean of its digits;
 * returns what a pixel is in this measure. */
static int64_t measure_levels(place *all, size_t count)
{
    int64_t rise = 0, run = 0;
    for (size_t i = 0; i < count; i++)
        if (is_first(&all[i])) {
            rise += last_of(all, &all[i])->y - all[i].y;
            run += last_of(all, &all[i])->x - all[i].x;
        }
    run = run ? run : 1;
    for (size_t i = 0; i < count; i++) {
        if (!is_first(&all[i]))
            continue;
        int64_t sum = 0, members = 0, tall = 0;
        for (ptrdiff_t k = (ptrdiff_t)i; k != NONE; k = all[k].right) {
            sum += all[k].y * run - all[k].x * rise;
            tall = most(all[k].tall, tall);
            members++;
        }
        for (ptrdiff_t k = (ptrdiff_t)i; k != NONE; k = all[k].right) {
            all[k].level = sum / members;
            all[k].tall = tall;
        }
    }
    return 2 * run;
}

static bool is_above(const place *a, const place *b)
{
    return a->level != b->level ? a->level < b->level : a->x < b->x;
}

static bool is_before(const place *a, const place *b)
{
    return a->line != b->line ? a->line < b->line : a->x < b->x;
}

/* Sorts by insertion: those of which none comes before the other keep their order, in
 * all C libraries. */
static void sort_by(place *all, size_t count,
                    bool (*comes_before)(const place *, const place *))
{
    for (size_t i = 1; i < count; i++) {
        const place moved = all[i];
        size_t to = i;
        for (; to > 0 && comes_before(&moved, &all[to - 1]); to--)
            all[to] = all[to - 1];
        all[to] = moved;
    }
}

/* Sorts digits. Chains whose levels differ by less than half a digit are one line. */
static void sort(place *all, size_t count)
{
    chain(all, count);
    int64_t pixel = measure_levels(all, count);
    sort_by(all, count, is_above);
    for (size_t i = 1; i < count; i++) {
        const place *above = &all[i - 1];
        int64_t half = least(all[i].tall, above->tall) * pixel / 2;
        all[i].line = above->line + (all[i].level - above->level >= half);
    }
    sort_by(all, count, is_before);
}

mnist_status mnist_lines_sort(mnist_group *groups, size_t count)
{
    int64_t tallest = 0;
    place *all = common_alloc(count, sizeof(*all));
    if (!all)
        return mnist_fail(MNIST_OUT_OF_MEMORY, "image: no memory for %zu digits",
                          count);
    for (size_t i = 0; i < count; i++) {
        const mnist_group *g = &groups[i];
        all[i] = (place){.group = *g,
                         .x = (int64_t)(g->left + g->right),
                         .y = (int64_t)(g->top + g->bottom),
                         .tall = (int64_t)(g->bottom - g->top)};
        tallest = most(all[i].tall, tallest);
    }
    /* Small ones stand in a line of digits. */
    for (size_t i = 0; i < count; i++)
        all[i].tall = most(all[i].tall, tallest / 2);
    sort(all, count);
    for (size_t i = 0; i < count; i++)
        groups[i] = all[i].group;
    common_free(all);
    return MNIST_OK;
}
