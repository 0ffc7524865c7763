/* Pictures that are mirrored, turned or moved give digits that are mirrored, turned, or
 * the same. */
#include <mnist/mnist.h>

#include "tests/support/draw.h"
#include "tests/support/test.h"

enum { SIDE = 28, CORNERS = 6, SYMMETRIES = 8 };

typedef struct picture {
    size_t rows, cols;
    uint8_t *pixels;
} picture;

/* A drawing: a pen of a width on paper, both with grey levels, uneven light (levels
 * from one side to the other) and noise (levels up or down). */
typedef struct condition {
    size_t rows, cols;
    double pen;
    int paper, ink, light, noise;
} condition;

static double between(uint64_t *seed, double low, double high)
{
    return low + (high - low) * (0.5 + 0.5 * (double)draw_float(seed));
}

static double distance(double x, double y, const double *from, const double *to)
{
    double dx = to[0] - from[0], dy = to[1] - from[1];
    double share = ((x - from[0]) * dx + (y - from[1]) * dy) / (dx * dx + dy * dy);
    share = fmin(fmax(share, 0), 1);
    return hypot(x - from[0] - share * dx, y - from[1] - share * dy);
}

/* A line over random corners. */
static picture draw(const condition *c, uint64_t *seed)
{
    picture made = {c->rows, c->cols, test_calloc(c->rows * c->cols, 1)};
    double corners[CORNERS][2];
    for (size_t i = 0; i < CORNERS; i++) {
        corners[i][0] = between(seed, 0.2, 0.8) * (double)c->cols;
        corners[i][1] = between(seed, 0.2, 0.8) * (double)c->rows;
    }
    for (size_t row = 0; row < c->rows; row++)
        for (size_t col = 0; col < c->cols; col++) {
            double nearest = INFINITY;
            for (size_t i = 1; i < CORNERS; i++)
                nearest = fmin(nearest, distance((double)col, (double)row,
                                                 corners[i - 1], corners[i]));
            double share = fmin(fmax(c->pen / 2 + 0.5 - nearest, 0), 1);
            double level = c->paper + share * (c->ink - c->paper) +
                           c->light * (double)col / (double)c->cols +
                           c->noise * (double)draw_float(seed);
            made.pixels[row * c->cols + col] = (uint8_t)fmin(fmax(level, 0), 255);
        }
    return made;
}

/* The picture mirrored from left to right (1), upside down (2), transposed (4). */
static picture turn(const picture *from, unsigned symmetry)
{
    picture to = {from->rows, from->cols, test_calloc(from->rows * from->cols, 1)};
    if (symmetry & 4) {
        to.rows = from->cols;
        to.cols = from->rows;
    }
    for (size_t row = 0; row < from->rows; row++)
        for (size_t col = 0; col < from->cols; col++) {
            size_t y = symmetry & 2 ? from->rows - 1 - row : row;
            size_t x = symmetry & 1 ? from->cols - 1 - col : col;
            size_t at = symmetry & 4 ? x * to.cols + y : y * to.cols + x;
            to.pixels[at] = from->pixels[row * from->cols + col];
        }
    return to;
}

static int at(const uint8_t *image, int row, int col)
{
    return row < 0 || row >= SIDE || col < 0 || col >= SIDE ? 0
                                                            : image[row * SIDE + col];
}

/* The mean difference of two images, one of them moved by up to reach pixels: the
 * centre of mass comes to the 15th of 28 pixels, which is not the middle. */
static double difference(const uint8_t *a, const uint8_t *b, int reach)
{
    double least = INFINITY;
    for (int down = -reach; down <= reach; down++)
        for (int right = -reach; right <= reach; right++) {
            double sum = 0;
            for (int row = -reach; row < SIDE + reach; row++)
                for (int col = -reach; col < SIDE + reach; col++)
                    sum += abs(at(a, row, col) - at(b, row + down, col + right));
            least = fmin(least, sum / (SIDE * SIDE));
        }
    return least;
}

static void fit(const picture *from, uint8_t *out)
{
    assert_int_equal(mnist_image_fit(from->pixels, from->rows, from->cols, NULL, out),
                     MNIST_OK);
}

/* The largest difference between a fitted picture and the fitted pictures of its
 * symmetries, these turned back. */
static double worst(const condition *c, unsigned count, int reach)
{
    uint64_t seed = c->rows + c->cols;
    double most = 0;
    for (unsigned i = 0; i < count; i++) {
        picture drawn = draw(c, &seed);
        uint8_t plain[SIDE * SIDE], other[SIDE * SIDE];
        fit(&drawn, plain);
        for (unsigned symmetry = 1; symmetry < SYMMETRIES; symmetry++) {
            picture turned = turn(&drawn, symmetry);
            picture expected = turn(&(picture){SIDE, SIDE, plain}, symmetry);
            fit(&turned, other);
            most = fmax(most, difference(expected.pixels, other, reach));
            test_free(turned.pixels);
            test_free(expected.pixels);
        }
        test_free(drawn.pixels);
    }
    return most;
}

static void clean_drawings_keep_every_symmetry(void **state)
{
    static const condition conditions[] = {
        {28, 28, 1, 255, 0, 0, 0},    {28, 28, 3, 0, 255, 0, 0},
        {60, 47, 1, 230, 30, 0, 0},   {47, 60, 5, 20, 140, 0, 0},
        {100, 100, 2, 180, 90, 0, 0}, {90, 131, 12, 255, 120, 0, 0},
        {150, 140, 25, 60, 0, 0, 0},  {260, 200, 3, 255, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
        assert_true(worst(&conditions[i], 8, 1) == 0);
}

static void noise_and_uneven_light_keep_them_nearly(void **state)
{
    static const condition conditions[] = {
        {61, 80, 3, 220, 60, 0, 12},   {90, 71, 4, 220, 60, -90, 0},
        {90, 71, 4, 220, 60, -90, 8},  {120, 151, 6, 40, 180, 60, 8},
        {130, 130, 9, 200, 90, 40, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
        assert_true(worst(&conditions[i], 6, 2) < 3);
}

/* The outline of a rectangle of 18 by 16 pixels, 3 pixels wide. */
static void draw_outline(uint8_t *pixels, size_t top, size_t left)
{
    enum { ROWS = 18, COLS = 16, PEN = 3 };
    memset(pixels, 0, SIDE * SIDE);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t col = 0; col < COLS; col++)
            if (row < PEN || row >= ROWS - PEN || col < PEN || col >= COLS - PEN)
                pixels[(top + row) * SIDE + left + col] = 255;
}

static void strokes_along_the_border_stay(void **state)
{
    /* The centre and sides of the picture, and a corner. Where they lie changes the
     * rounding of the centre of mass. */
    static const size_t places[][2] = {{5, 12}, {5, 0},   {0, 6},
                                       {10, 6}, {10, 12}, {0, 0}};
    uint8_t pixels[SIDE * SIDE], out[SIDE * SIDE];
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t lit = 0;
        draw_outline(pixels, places[i][0], places[i][1]);
        assert_int_equal(mnist_image_fit(pixels, SIDE, SIDE, NULL, out), MNIST_OK);
        /* Both columns of strokes in the middle row, and both rows in the middle
         * column. */
        for (size_t k = 0; k < SIDE; k++)
            lit += (out[14 * SIDE + k] > 127) + (out[k * SIDE + 14] > 127);
        assert_in_range(lit, 4 * 3, 4 * 4);
        assert_true(out[14 * SIDE + 14] < 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clean_drawings_keep_every_symmetry),
        TEST(noise_and_uneven_light_keep_them_nearly),
        TEST(strokes_along_the_border_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
