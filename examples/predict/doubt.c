#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/digits/shifts.h"
#include "examples/predict/doubt.h"

enum { STEP = 2, PLACES = 5 };

/* Memory for moved images. */
typedef struct moved {
    uint8_t *images;
    double *probabilities;
} moved;

static size_t best_of(const double *probabilities, size_t classes)
{
    size_t best = 0;
    for (size_t i = 1; i < classes; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}

bool doubt_measure(model *network, const uint8_t *images, size_t count,
                   const double *probabilities, double *steadiness, char *why,
                   size_t size)
{
    static const int steps[][2] = {{STEP, 0}, {-STEP, 0}, {0, STEP}, {0, -STEP}};
    const uint8_t black = 0;
    size_t classes = network->classes;
    moved other = {malloc(count * MODEL_PIXELS),
                   calloc(count * classes, sizeof(*other.probabilities))};
    bool done = other.images && other.probabilities;
    if (!done)
        snprintf(why, size, "no memory to move %zu images", count);
    for (size_t i = 0; i < count; i++)
        steadiness[i] =
            probabilities[i * classes + best_of(probabilities + i * classes, classes)] /
            PLACES;
    for (size_t k = 0; done && k + 1 < PLACES; k++) {
        for (size_t i = 0; i < count; i++)
            shifts_move(images + i * MODEL_PIXELS, MODEL_SIDE, MODEL_SIDE, 1, steps[k],
                        &black, other.images + i * MODEL_PIXELS);
        done =
            model_predict(network, other.images, count, other.probabilities, why, size);
        for (size_t i = 0; done && i < count; i++) {
            size_t best = best_of(probabilities + i * classes, classes);
            steadiness[i] += other.probabilities[i * classes + best] / PLACES;
        }
    }
    free(other.images);
    free(other.probabilities);
    return done;
}

/* The box of a drawing, and the sum of its ink; an empty one has no rows. */
static mnist_box measure(const uint8_t *image, size_t *ink)
{
    size_t top = MODEL_SIDE, left = MODEL_SIDE, bottom = 0, right = 0;
    *ink = 0;
    for (size_t i = 0; i < MODEL_PIXELS; i++)
        if (image[i]) {
            size_t row = i / MODEL_SIDE, col = i % MODEL_SIDE;
            top = row < top ? row : top;
            left = col < left ? col : left;
            bottom = row + 1 > bottom ? row + 1 : bottom;
            right = col + 1 > right ? col + 1 : right;
            *ink += image[i];
        }
    return bottom ? (mnist_box){top, left, bottom - top, right - left} : (mnist_box){0};
}

bool doubt_is_wide(const uint8_t *image)
{
    size_t ink;
    mnist_box box = measure(image, &ink);
    return 2 * box.cols > 3 * box.rows;
}

/* Whether the corners of a box, a third of its sides long, have no ink. */
static bool is_cross(const uint8_t *image, const mnist_box *box)
{
    size_t ink = 0;
    for (size_t row = 0; row < box->rows; row++)
        for (size_t col = 0; col < box->cols; col++) {
            bool middle = 3 * row >= box->rows && 3 * (row + 1) <= 2 * box->rows;
            bool centre = 3 * col >= box->cols && 3 * (col + 1) <= 2 * box->cols;
            if (!middle && !centre)
                ink += image[(box->top + row) * MODEL_SIDE + box->left + col];
        }
    return 4 * box->cols >= 3 * box->rows && 4 * box->rows >= 3 * box->cols &&
           ink < 255 * 4;
}

char doubt_sign(const uint8_t *image)
{
    size_t ink;
    mnist_box box = measure(image, &ink);
    if (box.rows == 0)
        return '\0';
    if (box.cols >= 2 * box.rows && 2 * ink > 255 * box.rows * box.cols)
        return '-';
    return is_cross(image, &box) ? '+' : '\0';
}

bool doubt_is_cut(const mnist_box *box, size_t rows, size_t cols)
{
    bool upper = box->top == 0, lower = box->top + box->rows >= rows;
    bool left = box->left == 0, right = box->left + box->cols >= cols;
    return upper != lower || left != right;
}
