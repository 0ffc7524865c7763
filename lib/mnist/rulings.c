/*
 * Erases printed lines.
 *
 * A line is straight and thin, turned by at most 3 degrees, and goes from one side of a
 * field to the other: the picture, or the box of a part. All lines between a pixel of
 * one side and a near one of the other are tried. Across a line its ink is a short run
 * of pixels: the run is erased, unless it is longer than is usual on this line: there a
 * stroke crosses it.
 *
 * A digit has strokes like these where it fills a picture. So one or two lines are only
 * paper's if they end at the border of the picture, alone, and what remains does not
 * touch it; three or more lines always are.
 */
#include "lib/mnist/rulings.h"

#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/status.h"

enum { SHORTEST = 24, LONGEST = 512, SLOPE = 20, MANY = 3 };

/* Pixels along the lines and across them. */
typedef struct field {
    uint8_t *pixels;
    size_t length, breadth, along, across;
} field;

/* What lines are searched: the most pixels that they lack, and that they are thick. */
typedef struct rule {
    size_t gaps, thickness;
} rule;

typedef struct line {
    size_t from, to, gaps;
} line;

/* What was erased: the middles of the first and the last line, and whether all lines
 * end alone at the border. */
typedef struct erased {
    size_t count, first, last;
    bool alone;
} erased;

static uint8_t *pixel(const field *f, size_t along, size_t across)
{
    return &f->pixels[along * f->along + across * f->across];
}

static size_t place(const field *f, const line *l, size_t along)
{
    size_t last = f->length - 1;
    return (l->from * (last - along) + l->to * along + last / 2) / last;
}

/* Finds the ink of a line, which may be a pixel beside it. */
static bool find_near(const field *f, const line *l, size_t along, size_t *across)
{
    size_t at = place(f, l, along);
    *across = at;
    if (*pixel(f, along, at))
        return true;
    *across = at + 1;
    if (at + 1 < f->breadth && *pixel(f, along, at + 1))
        return true;
    *across = at - 1;
    return at > 0 && *pixel(f, along, at - 1);
}

/* Number of pixels that a line lacks, up to most. */
static size_t count_gaps(const field *f, const line *l, size_t most)
{
    size_t gaps = 0, across;
    for (size_t along = 0; along < f->length && gaps != most; along++)
        gaps += !find_near(f, l, along, &across);
    return gaps;
}

/* The line from a pixel that lacks the fewest. */
static line best_from(const field *f, const rule *r, size_t from)
{
    size_t reach = f->length / SLOPE + 1, low = from > reach ? from - reach : 0;
    line best = {from, from, r->gaps + 1};
    for (size_t to = low; to < f->breadth && to <= from + reach; to++) {
        line tried = {from, to, 0};
        tried.gaps = count_gaps(f, &tried, best.gaps);
        if (tried.gaps < best.gaps)
            best = tried;
    }
    return best;
}

/* The ink across a line at a pixel; returns its length. */
static size_t run_at(const field *f, size_t along, size_t across, size_t *start)
{
    size_t end = across + 1;
    *start = across;
    while (*start > 0 && *pixel(f, along, *start - 1))
        --*start;
    while (end < f->breadth && *pixel(f, along, end))
        end++;
    return end - *start;
}

/* The median of the lengths of the runs across a line; LONGEST if that is more. */
static size_t thickness_of(const field *f, const line *l)
{
    size_t counts[LONGEST] = {0}, across, start, total = 0, below = 0, median = 0;
    for (size_t along = 0; along < f->length; along++)
        if (find_near(f, l, along, &across)) {
            size_t run = run_at(f, along, across, &start);
            counts[common_smaller(run, LONGEST - 1)]++;
            total++;
        }
    while (2 * (below + counts[median]) < total)
        below += counts[median++];
    return median;
}

/* Erases the short runs of a line; returns whether its ends are such. */
static bool erase(const field *f, const line *l, size_t thickness)
{
    size_t longest = thickness + thickness / 2 + 1, end = f->length / 25 + 1;
    bool alone = true;
    for (size_t along = 0; along < f->length; along++) {
        size_t across, start;
        bool found = find_near(f, l, along, &across);
        size_t run = found ? run_at(f, along, across, &start) : 0;
        if (along < end || along + end >= f->length)
            alone = alone && found && run <= longest;
        for (size_t i = 0; run <= longest && i < run; i++)
            *pixel(f, along, start + i) = 0;
    }
    return alone;
}

static erased erase_all(const field *f, const rule *r)
{
    erased done = {.alone = true};
    for (size_t from = 0; f->length >= SHORTEST && from < f->breadth; from++) {
        line best = best_from(f, r, from);
        while (best.gaps <= r->gaps && from + 1 < f->breadth) {
            line next = best_from(f, r, from + 1);
            if (next.gaps >= best.gaps)
                break;
            best = next;
            from++;
        }
        size_t thickness = best.gaps <= r->gaps ? thickness_of(f, &best) : LONGEST;
        if (thickness > r->thickness)
            continue;
        size_t middle = (best.from + best.to) / 2;
        done.alone = erase(f, &best, thickness) && done.alone;
        done.first = done.count++ ? done.first : middle;
        done.last = middle;
    }
    return done;
}

/* A part of the ink in memory of its own, and what was erased from it. */
typedef struct region {
    const mnist_group *box;
    mnist_plane work;
    field rows, cols;
    erased across, down;
} region;

/* Copies a box of the ink. */
static mnist_status copy_region(region *r, const mnist_plane *ink,
                                const mnist_group *box)
{
    size_t rows = box->bottom - box->top, cols = box->right - box->left;
    *r = (region){.box = box};
    mnist_status status = mnist_plane_create(&r->work, rows, cols);
    if (status)
        return status;
    for (size_t row = 0; row < rows; row++)
        memcpy(r->work.pixels + row * cols,
               ink->pixels + (box->top + row) * ink->cols + box->left, cols);
    r->rows = (field){r->work.pixels, cols, rows, 1, cols};
    r->cols = (field){r->work.pixels, rows, cols, cols, 1};
    return MNIST_OK;
}

/* Copies a box of the ink and erases its lines. Lines may lack an eighth. */
static mnist_status open_region(region *r, const mnist_plane *ink,
                                const mnist_group *box, size_t thickness)
{
    mnist_status status = copy_region(r, ink, box);
    if (status)
        return status;
    r->across = erase_all(&r->rows, &(rule){r->work.cols / 8, thickness});
    r->down = erase_all(&r->cols, &(rule){r->work.rows / 8, thickness});
    return MNIST_OK;
}

static void write_back(const region *r, mnist_plane *ink)
{
    for (size_t row = 0; row < r->work.rows; row++)
        memcpy(ink->pixels + (r->box->top + row) * ink->cols + r->box->left,
               r->work.pixels + row * r->work.cols, r->work.cols);
}

static size_t longer_side(const mnist_group *g)
{
    size_t tall = g->bottom - g->top, wide = g->right - g->left;
    return common_larger(tall, wide);
}

/* Number of pixels of ink, and whether one is at the border. */
static size_t count_ink(const mnist_plane *p, bool *touches)
{
    size_t count = 0;
    *touches = false;
    for (size_t row = 0; row < p->rows; row++)
        for (size_t col = 0; col < p->cols; col++)
            if (p->pixels[row * p->cols + col]) {
                count++;
                *touches = *touches || row == 0 || col == 0 || row + 1 == p->rows ||
                           col + 1 == p->cols;
            }
    return count;
}

mnist_status mnist_rulings_erase(mnist_plane *ink)
{
    const mnist_group all = {.bottom = ink->rows, .right = ink->cols};
    size_t longer = longer_side(&all);
    region r;
    mnist_status status = open_region(&r, ink, &all, longer / 40);
    bool touches, many = r.across.count >= MANY || r.down.count >= MANY;
    if (!status && count_ink(&r.work, &touches) >= longer &&
        (many || (r.across.alone && r.down.alone && !touches)))
        write_back(&r, ink);
    mnist_plane_destroy(&r.work);
    return status;
}

/* Number of sides of a field along which a line was. */
static int sides_of(const erased *e, const field *f)
{
    return e->count == 0
               ? 0
               : (8 * e->first <= f->breadth) +
                     (e->count > 1 && 8 * (f->breadth - e->last) <= f->breadth);
}

mnist_status mnist_rulings_erase_box(mnist_plane *ink, const mnist_group *box,
                                     bool *is_box)
{
    region r;
    mnist_status status = open_region(&r, ink, box, longer_side(box) / 12);
    *is_box = sides_of(&r.across, &r.rows) + sides_of(&r.down, &r.cols) >= 3;
    if (!status && *is_box)
        write_back(&r, ink);
    mnist_plane_destroy(&r.work);
    return status;
}

mnist_status mnist_rulings_erase_line(mnist_plane *ink, const mnist_group *box,
                                      bool *is_line)
{
    bool touches;
    region r;
    mnist_status status = copy_region(&r, ink, box);
    size_t before = status ? 0 : count_ink(&r.work, &touches);
    if (!status)
        r.across = erase_all(&r.rows, &(rule){r.work.cols / 8, r.work.rows / 6});
    *is_line =
        4 * r.across.first > r.work.rows && 5 * count_ink(&r.work, &touches) > before;
    if (!status && *is_line)
        write_back(&r, ink);
    mnist_plane_destroy(&r.work);
    return status;
}
