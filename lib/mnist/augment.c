/*
 * Random changes of images: draws, and the map that they select. warp.c moves the
 * pixels.
 *
 * The draws come from a generator that is seeded by the seed of the epoch and the index
 * of the image, so they depend neither on the order of the images nor on who reads
 * them. The map is computed in doubles with +, -, * and / only, which IEEE 754 rounds
 * exactly; the build forbids contraction.
 */
#include <math.h>

#include "lib/common/memory.h"
#include "lib/mnist/augment.h"
#include "lib/mnist/dataset.h"
#include "lib/mnist/status.h"
#include "lib/mnist/synthetic.h"

static const double most_degrees = 180;
static const double most_scale = 0.9;
static const double most_shear = 2;

struct mnist_augment {
    double shift, radians, scale, shear, elastic;
    mnist_warp *warp;
};

bool mnist_augment_is_on(const mnist_loader_config *config)
{
    return config->shift != 0 || config->rotate != 0 || config->scale != 0 ||
           config->shear != 0 || config->elastic != 0;
}

mnist_status mnist_augment_check(const mnist_loader_config *config,
                                 const mnist_dataset *dataset)
{
    size_t rows = dataset->rows, cols = dataset->cols;
    double side = (double)(rows < cols ? rows : cols);
    const struct {
        const char *name;
        float value;
        double most;
    } options[] = {{"shift", config->shift, side},
                   {"rotate", config->rotate, most_degrees},
                   {"scale", config->scale, most_scale},
                   {"shear", config->shear, most_shear},
                   {"elastic", config->elastic, side / 4}};
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
        /* The negation also refuses a value that is not a number. A float may be above
         * the double that it was rounded from. */
        if (!(options[i].value >= 0 && options[i].value <= (float)options[i].most))
            return mnist_fail(MNIST_INVALID_ARGUMENT,
                              "loader: %s is %g, expected 0 to %g%s", options[i].name,
                              (double)options[i].value, options[i].most,
                              i == 0   ? ", the smaller side of the images"
                              : i == 4 ? ", a quarter of the smaller side of the images"
                                       : "");
    if (!mnist_augment_is_on(config) ||
        (rows <= WARP_MOST_SIDE && cols <= WARP_MOST_SIDE))
        return MNIST_OK;
    return mnist_fail(MNIST_INVALID_ARGUMENT,
                      "loader: images are %zu x %zu, expected at most %d a side with "
                      "shift, rotate, scale, shear or elastic",
                      rows, cols, WARP_MOST_SIDE);
}

mnist_augment *mnist_augment_create(const mnist_loader_config *config, size_t rows,
                                    size_t cols)
{
    static const double degree = 3.14159265358979323846 / 180;
    mnist_augment *augment = common_alloc_bytes(sizeof(*augment));
    if (!augment)
        return NULL;
    augment->shift = (double)config->shift;
    augment->radians = (double)config->rotate * degree;
    augment->scale = (double)config->scale;
    augment->shear = (double)config->shear;
    augment->elastic = (double)config->elastic;
    augment->warp = mnist_warp_create(rows, cols);
    if (augment->warp)
        return augment;
    mnist_augment_destroy(augment);
    return NULL;
}

void mnist_augment_destroy(mnist_augment *augment)
{
    if (augment)
        mnist_warp_destroy(augment->warp);
    common_free(augment);
}

/* The seed is mixed before and after the index is added, so that neither neighbours nor
 * epochs share a part of their draws. */
static mnist_random seeded(uint64_t seed, uint64_t index)
{
    mnist_random random = {seed};
    random.state = mnist_random_next(&random) + index;
    random.state = mnist_random_next(&random);
    return random;
}

/* Uniform between -most and most. */
static double draw(mnist_random *random, double most)
{
    int64_t centred = (int64_t)(mnist_random_next(random) >> 11) - (INT64_C(1) << 52);
    return ((double)centred + 0.5) * 0x1p-52 * most;
}

/* Sine and cosine of an angle up to pi in magnitude: Taylor's polynomials of a quarter
 * of it, whose error is below 1e-15, and the double angle twice. */
static void turn(double angle, double *sine, double *cosine)
{
    double x = angle / 4, z = x * x;
    double s =
        x *
        (1 - z / 6 *
                 (1 - z / 20 *
                          (1 - z / 42 * (1 - z / 72 * (1 - z / 110 * (1 - z / 156))))));
    double c =
        1 -
        z / 2 *
            (1 -
             z / 12 *
                 (1 - z / 30 *
                          (1 - z / 56 * (1 - z / 90 * (1 - z / 132 * (1 - z / 182))))));
    for (int i = 0; i < 2; i++) {
        double twice = 2 * s * c;
        c = 1 - 2 * s * s;
        s = twice;
    }
    *sine = s;
    *cosine = c;
}

/* The pixels move by p -> R K f p + t, with a rotation R, a shear K along the rows and
 * a factor f; so they come from 1/f K^-1 R^-1 (p - t). */
void mnist_augment_draw(const mnist_augment *augment, uint64_t seed, uint64_t index,
                        mnist_warp_map *map)
{
    mnist_random random = seeded(seed, index);
    double right = draw(&random, augment->shift), down = draw(&random, augment->shift);
    double sine, cosine;
    turn(draw(&random, augment->radians), &sine, &cosine);
    double factor = 1 + draw(&random, augment->scale);
    double shear = draw(&random, augment->shear);
    double xx = (cosine + shear * sine) / factor, xy = (sine - shear * cosine) / factor;
    double yx = -sine / factor, yy = cosine / factor;
    map->xx = (float)xx;
    map->xy = (float)xy;
    map->x0 = (float)-(xx * right + xy * down);
    map->yx = (float)yx;
    map->yy = (float)yy;
    map->y0 = (float)-(yx * right + yy * down);
    map->has_field = augment->elastic > 0;
    for (size_t i = 0; map->has_field && i < WARP_POINTS * WARP_POINTS; i++) {
        map->ex[i / WARP_POINTS][i % WARP_POINTS] =
            (float)draw(&random, augment->elastic);
        map->ey[i / WARP_POINTS][i % WARP_POINTS] =
            (float)draw(&random, augment->elastic);
    }
}

const uint8_t *mnist_augment_apply(mnist_augment *augment, const uint8_t *image,
                                   uint64_t seed, uint64_t index)
{
    mnist_warp_map map;
    mnist_augment_draw(augment, seed, index, &map);
    return mnist_warp_apply(augment->warp, image, &map);
}
