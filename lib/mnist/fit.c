/*
 * The last step from a picture to MNIST's form: scales and centres a drawing.
 *
 * The bounding box of all non-zero pixels is scaled so that its longer side is 20
 * pixels; each output pixel is the mean of the area that it covers. The box is then
 * placed so that its centre of mass is in the middle of 28 by 28 pixels, or as near as
 * the border allows. Nearly all images of MNIST do not change.
 *
 * All arithmetic is exact, in integers. If a side of s source pixels becomes n output
 * pixels, an output pixel is s units long and a source pixel is n units long, so all
 * overlaps are integers. The sum of a pixel is at most 255 * 65535^2 and fits into 64
 * bits.
 */
#include <stdbool.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/mnist/fit.h"

typedef struct box {
    size_t top, left, rows, cols;
} box;

static bool row_is_empty(const uint8_t *row, size_t cols)
{
    return row[0] == 0 && memcmp(row, row + 1, cols - 1) == 0;
}

static bool col_is_empty(const uint8_t *pixels, size_t rows, size_t cols, size_t col)
{
    for (size_t row = 0; row < rows; row++)
        if (pixels[row * cols + col])
            return false;
    return true;
}

/* Bounding box of the non-zero pixels; false, and no box, if all pixels are 0. */
static bool find_box(const uint8_t *pixels, size_t rows, size_t cols, box *found)
{
    size_t top = 0, bottom = rows, left = 0, right = cols;
    while (top < rows && row_is_empty(pixels + top * cols, cols))
        top++;
    if (top == rows)
        return false;
    while (row_is_empty(pixels + (bottom - 1) * cols, cols))
        bottom--;
    while (col_is_empty(pixels, rows, cols, left))
        left++;
    while (col_is_empty(pixels, rows, cols, right - 1))
        right--;
    *found = (box){top, left, bottom - top, right - left};
    return true;
}

/* The source pixels that one output pixel covers along one axis, and their weights. */
typedef struct span {
    size_t first, last;
    uint64_t first_weight, inner_weight, last_weight;
} span;

/* Span of output pixel index of count, for size source pixels. Its weights sum to size.
 */
static span find_span(size_t index, size_t count, size_t size)
{
    size_t begin = index * size, end = begin + size;
    span found = {
        .first = begin / count, .last = (end - 1) / count, .inner_weight = count};
    if (found.first == found.last) {
        found.first_weight = size;
        return found;
    }
    found.first_weight = (found.first + 1) * count - begin;
    found.last_weight = end - found.last * count;
    return found;
}

static uint64_t weight_at(const span *s, size_t position)
{
    if (position == s->first)
        return s->first_weight;
    return position == s->last ? s->last_weight : s->inner_weight;
}

static uint8_t mean_of_area(const uint8_t *corner, size_t stride, const span *down,
                            const span *across, uint64_t area)
{
    uint64_t sum = 0;
    for (size_t row = down->first; row <= down->last; row++) {
        const uint8_t *line = corner + row * stride;
        uint64_t row_sum = 0;
        for (size_t col = across->first; col <= across->last; col++)
            row_sum += weight_at(across, col) * line[col];
        sum += weight_at(down, row) * row_sum;
    }
    return (uint8_t)((sum + area / 2) / area);
}

/* Length of a side when the longer side becomes MNIST_FIT_BOX. */
static size_t scaled_side(size_t side, size_t longer)
{
    size_t length = (2 * side * MNIST_FIT_BOX + longer) / (2 * longer);
    return length ? length : 1;
}

/*
 * First pixel of a side of length pixels whose centre of mass falls into pixel 14,
 * counted from 0, as in MNIST. The middle of pixel k is at 2k + 1 half pixels, the
 * centre at c = moment / (2 mass), and the start is 14 - c, rounded up.
 */
static size_t start_of(uint64_t moment, uint64_t mass, size_t length)
{
    size_t room = MNIST_FIT_SIDE - length;
    uint64_t limit = (MNIST_FIT_SIDE + 2) * mass - 1;
    size_t start = limit > moment ? (size_t)((limit - moment) / (2 * mass)) : 0;
    return common_smaller(start, room);
}

void mnist_image_centre(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out)
{
    memset(out, 0, MNIST_FIT_SIDE * MNIST_FIT_SIDE);
    box drawing = {0};
    if (!find_box(pixels, rows, cols, &drawing))
        return;
    const uint8_t *from = pixels + drawing.top * cols + drawing.left;
    uint64_t mass = 0, down = 0, across = 0;
    for (size_t row = 0; row < drawing.rows; row++)
        for (size_t col = 0; col < drawing.cols; col++) {
            uint64_t value = from[row * cols + col];
            mass += value;
            down += value * (2 * row + 1);
            across += value * (2 * col + 1);
        }
    uint8_t *to = out + start_of(down, mass, drawing.rows) * MNIST_FIT_SIDE +
                  start_of(across, mass, drawing.cols);
    for (size_t row = 0; row < drawing.rows; row++)
        memcpy(to + row * MNIST_FIT_SIDE, from + row * cols, drawing.cols);
}

size_t mnist_image_extent(const uint8_t *pixels, size_t rows, size_t cols)
{
    box drawing = {0};
    find_box(pixels, rows, cols, &drawing);
    return common_larger(drawing.rows, drawing.cols);
}

bool mnist_image_scale(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out)
{
    uint8_t scaled[MNIST_FIT_BOX * MNIST_FIT_BOX];
    box source = {0};
    memset(out, 0, MNIST_FIT_SIDE * MNIST_FIT_SIDE);
    if (!find_box(pixels, rows, cols, &source))
        return false;
    size_t longer = common_larger(source.rows, source.cols);
    size_t tall = scaled_side(source.rows, longer);
    size_t wide = scaled_side(source.cols, longer);
    const uint8_t *corner = pixels + source.top * cols + source.left;
    for (size_t row = 0; row < tall; row++) {
        span down = find_span(row, tall, source.rows);
        for (size_t col = 0; col < wide; col++) {
            span across = find_span(col, wide, source.cols);
            scaled[row * wide + col] = mean_of_area(
                corner, cols, &down, &across, (uint64_t)source.rows * source.cols);
        }
    }
    mnist_image_centre(scaled, tall, wide, out);
    return true;
}
