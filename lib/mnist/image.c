/*
 * The way from any picture to MNIST's form: ink, parts, strokes, scale.
 *
 * A picture of 28 by 28 pixels that has this form already stays as it is, but for its
 * place: nearly all images of MNIST, also inverted or shifted.
 */
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/mnist/fit.h"
#include "lib/mnist/ink.h"
#include "lib/mnist/paper.h"
#include "lib/mnist/parts.h"
#include "lib/mnist/rulings.h"
#include "lib/mnist/status.h"
#include "lib/mnist/stroke.h"

enum { LARGEST = 65535, PIXELS = MNIST_FIT_SIDE * MNIST_FIT_SIDE, BRIGHT = 224 };

/* Strokes are thinner than this, in parts of 10,000 of the longer side of the digit: a
 * disc has 5,000. */
enum { THICKEST = 4500 };

/* Pixels of the longer side of a digit: fewer do not tell a 5 from a 6. */
enum { SMALLEST = 10 };

static mnist_status check(const uint8_t *pixels, size_t rows, size_t cols,
                          const mnist_fit_config *config, const uint8_t *out)
{
    if (!pixels || !out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "image: %s is NULL",
                          pixels ? "out" : "pixels");
    if (rows < 1 || rows > LARGEST || cols < 1 || cols > LARGEST)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "image: size is %zu by %zu, expected 1 to %d each", rows,
                          cols, LARGEST);
    if (config && config->paper > MNIST_PAPER_LIGHT)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "image: paper is %d, expected 0 to %d", (int)config->paper,
                          MNIST_PAPER_LIGHT);
    return config ? mnist_check_reserved("image", config->reserved,
                                         sizeof(config->reserved) /
                                             sizeof(*config->reserved))
                  : MNIST_OK;
}

static size_t sum_of(const uint8_t *image)
{
    size_t sum = 0;
    for (size_t i = 0; i < PIXELS; i++)
        sum += image[i];
    return sum;
}

static bool is_bright(const uint8_t *image)
{
    for (size_t i = 0; i < PIXELS; i++)
        if (image[i] >= BRIGHT)
            return true;
    return false;
}

/* Whether a picture of MNIST's size is drawn in MNIST's box on paper of one grey, with
 * strokes that have MNIST's amount of ink; writes it, centred, to out. */
static bool is_fitted(const uint8_t *pixels, size_t rows, size_t cols,
                      mnist_paper paper, uint8_t *out)
{
    uint8_t image[PIXELS];
    if (rows != MNIST_FIT_SIDE || cols != MNIST_FIT_SIDE)
        return false;
    const mnist_greys greys = mnist_greys_of(pixels, rows, cols);
    if (paper == MNIST_PAPER_AUTO)
        paper = mnist_greys_paper(&greys);
    for (size_t i = 0; i < PIXELS; i++)
        image[i] = paper == MNIST_PAPER_LIGHT ? (uint8_t)(255 - pixels[i]) : pixels[i];
    return mnist_image_extent(image, rows, cols) == MNIST_FIT_BOX && is_bright(image) &&
           mnist_image_scale(image, rows, cols, out) && sum_of(out) == sum_of(image) &&
           sum_of(image) >= (size_t)MNIST_FIT_BOX * 255;
}

/* Box of a group in the pixels of the picture. */
static mnist_box box_in_picture(const mnist_group *g, const mnist_plane *ink,
                                size_t rows, size_t cols)
{
    size_t top = g->top * rows / ink->rows, left = g->left * cols / ink->cols;
    size_t bottom = (g->bottom * rows + ink->rows - 1) / ink->rows;
    size_t right = (g->right * cols + ink->cols - 1) / ink->cols;
    return (mnist_box){top, left, bottom - top, right - left};
}

/* Refuses a picture whose largest digit has too few pixels. */
static mnist_status check_size(const mnist_plane *ink, const mnist_groups *groups,
                               size_t rows, size_t cols)
{
    size_t tall = 0, wide = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const mnist_group *g = &groups->groups[i];
        size_t high = ((g->bottom - g->top) * rows + ink->rows / 2) / ink->rows;
        size_t broad = ((g->right - g->left) * cols + ink->cols / 2) / ink->cols;
        tall = common_larger(high, tall);
        wide = common_larger(broad, wide);
    }
    if (tall >= SMALLEST || wide >= SMALLEST)
        return MNIST_OK;
    return mnist_fail(MNIST_BLANK,
                      "image: too small: the drawing has %zu by %zu pixels, expected a "
                      "side of at least %d",
                      tall, wide, SMALLEST);
}

/* Brings a drawing to the form of MNIST; false if all of its pixels round to 0. */
static bool scale(const mnist_plane *drawing, uint8_t *out)
{
    return mnist_image_scale(drawing->pixels, drawing->rows, drawing->cols, out) &&
           memcmp(out, out + 1, PIXELS - 1) != 0;
}

static mnist_status draw_digits(const mnist_plane *ink, const mnist_groups *groups,
                                size_t capacity, uint8_t *out)
{
    mnist_status status = MNIST_OK;
    for (size_t i = 0; !status && i < groups->count && i < capacity; i++) {
        mnist_plane drawing;
        status = mnist_stroke_draw(ink, groups, i, &drawing);
        if (!status && !scale(&drawing, out + i * PIXELS))
            status = mnist_fail(MNIST_BLANK, "image: blank: too faint to be drawn");
        common_free(drawing.pixels);
    }
    return status;
}

/* What is drawn on one kind of paper. */
typedef struct reading {
    mnist_plane ink;
    mnist_groups groups;
    /* Of the largest digit: its longer side, and the width of its strokes. */
    size_t extent, thickness;
    /* Soft pixels of all digits, in hundredths of their outermost pixels. */
    size_t softness;
} reading;

static void forget(reading *r)
{
    mnist_groups_destroy(&r->groups);
    mnist_plane_destroy(&r->ink);
    *r = (reading){0};
}

static size_t largest_extent(const mnist_groups *groups)
{
    size_t largest = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const mnist_group *g = &groups->groups[i];
        size_t tall = g->bottom - g->top, wide = g->right - g->left;
        size_t longer = common_larger(tall, wide);
        largest = common_larger(longer, largest);
    }
    return largest;
}

static size_t softness_of(const mnist_plane *ink, const mnist_groups *groups)
{
    size_t soft = 0, outer = 0, cols = ink->cols;
    for (size_t row = 1; row + 1 < ink->rows; row++)
        for (size_t col = 1; col + 1 < cols; col++) {
            const uint32_t *at = &groups->owners[row * cols + col];
            if (!*at || (at[-1] && at[1] && *(at - cols) && at[cols]))
                continue;
            outer++;
            soft += ink->pixels[row * cols + col] == MNIST_INK_SOFT;
        }
    return outer ? 100 * soft / outer : 0;
}

/* Reads a picture; r is empty after a failure. */
static mnist_status read_as(const uint8_t *pixels, size_t rows, size_t cols,
                            mnist_paper paper, reading *r)
{
    *r = (reading){0};
    bool shaded;
    mnist_status status = mnist_find_ink(pixels, rows, cols, paper, &r->ink, &shaded);
    if (!status)
        status = mnist_rulings_erase(&r->ink);
    if (!status)
        status = mnist_groups_find(&r->groups, &r->ink, shaded);
    if (!status)
        status = mnist_stroke_thickness(&r->ink, &r->groups, &r->thickness);
    if (!status && r->thickness > THICKEST)
        status = mnist_fail(MNIST_BLANK, "image: blank: only a spot");
    if (status)
        forget(r);
    if (!status) {
        r->extent = largest_extent(&r->groups);
        r->softness = softness_of(&r->ink, &r->groups);
    }
    return status;
}

/* Whether the other reading is better: not of less than half of the size, with edges
 * all around, and with thin strokes. */
static bool is_better(const reading *other, const reading *than)
{
    enum { CLEARLY = 10 };
    if (2 * other->extent < than->extent || 2 * than->extent < other->extent)
        return other->extent > than->extent;
    if (other->softness + CLEARLY < than->softness ||
        than->softness + CLEARLY < other->softness)
        return other->softness < than->softness;
    return other->thickness < than->thickness;
}

/*
 * Reads a picture whose paper is not known. The greys of its border tell it, unless
 * they are uneven, as with a shadow, or nothing is drawn on this paper, as if a page
 * lies on a desk. Then what is darker than its surroundings is compared with what is
 * lighter: strokes have edges on both sides and are thin, light on the paper and the
 * paper that strokes surround are not.
 */
static mnist_status read_any(const uint8_t *pixels, size_t rows, size_t cols,
                             reading *r)
{
    const mnist_greys greys = mnist_greys_of(pixels, rows, cols);
    reading other;
    mnist_paper paper = mnist_greys_paper(&greys);
    mnist_status status = read_as(pixels, rows, cols, paper, r);
    if (status ? status != MNIST_BLANK : !mnist_greys_are_uneven(&greys))
        return status;
    paper = paper == MNIST_PAPER_LIGHT ? MNIST_PAPER_DARK : MNIST_PAPER_LIGHT;
    mnist_status second = read_as(pixels, rows, cols, paper, &other);
    if (second && second != MNIST_BLANK) {
        forget(r);
        return second;
    }
    if (!second && (status || is_better(&other, r))) {
        forget(r);
        *r = other;
        return MNIST_OK;
    }
    forget(&other);
    return status;
}

static mnist_status fit(const uint8_t *pixels, size_t rows, size_t cols,
                        mnist_paper paper, size_t capacity, uint8_t *out,
                        mnist_box *boxes, size_t *count)
{
    reading r;
    mnist_status status = paper == MNIST_PAPER_AUTO
                              ? read_any(pixels, rows, cols, &r)
                              : read_as(pixels, rows, cols, paper, &r);
    if (status)
        return status;
    status = check_size(&r.ink, &r.groups, rows, cols);
    if (!status && capacity > 1 && r.groups.hidden)
        status = mnist_fail(MNIST_BLANK,
                            "image: something touches the border or the edge of a "
                            "shadow: it may hide a digit");
    if (!status)
        status = draw_digits(&r.ink, &r.groups, capacity, out);
    if (!status)
        *count = r.groups.count;
    for (size_t i = 0; !status && boxes && i < r.groups.count && i < capacity; i++)
        boxes[i] = box_in_picture(&r.groups.groups[i], &r.ink, rows, cols);
    forget(&r);
    return status;
}

mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             const mnist_fit_config *config, uint8_t *out)
{
    size_t count = 1;
    uint8_t image[PIXELS];
    mnist_status status = check(pixels, rows, cols, config, out);
    if (status)
        return status;
    mnist_paper paper = config ? config->paper : MNIST_PAPER_AUTO;
    if (!is_fitted(pixels, rows, cols, paper, image))
        status = fit(pixels, rows, cols, paper, 1, image, NULL, &count);
    if (!status && count > 1)
        status = mnist_fail(MNIST_SEVERAL_DIGITS, "image: has %zu digits, expected 1",
                            count);
    if (!status)
        memcpy(out, image, PIXELS);
    return status;
}

mnist_status mnist_image_fit_digits(const uint8_t *pixels, size_t rows, size_t cols,
                                    const mnist_fit_config *config, size_t capacity,
                                    uint8_t *out, mnist_box *boxes, size_t *count)
{
    mnist_status status = check(pixels, rows, cols, config, out);
    if (status)
        return status;
    if (!count)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "image: count is NULL");
    return fit(pixels, rows, cols, config ? config->paper : MNIST_PAPER_AUTO, capacity,
               out, boxes, count);
}

mnist_paper mnist_dataset_paper(const mnist_dataset *dataset)
{
    mnist_greys greys = {0};
    size_t rows = mnist_dataset_rows(dataset), cols = mnist_dataset_cols(dataset);
    if (!dataset)
        return MNIST_PAPER_DARK;
    for (size_t i = 0; i < mnist_dataset_count(dataset); i++)
        mnist_greys_add(&greys, mnist_dataset_image(dataset, i), rows, cols);
    return mnist_greys_paper(&greys);
}
