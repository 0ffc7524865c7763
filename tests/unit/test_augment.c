/* Augmentation of the loader: properties that hold exactly, the range and mean of the
 * draws, and a hash that all compilers and processors share. tests/python/
 * test_augment.py compares the pixels with SciPy. */
#include <zlib.h>

#include "lib/mnist/augment.h"
#include "lib/mnist/dataset.h"
#include "tests/support/memory.h"

enum { SIDE = 28, SIZE = SIDE * SIDE, COUNT = 40 };

/* Pixels become their values as floats. */
static const mnist_loader_config plain = {.batch_size = 7, .std = 1 / 255.0f};
static const mnist_loader_config all = {.batch_size = 7,
                                        .std = 1 / 255.0f,
                                        .shift = 2,
                                        .rotate = 12,
                                        .scale = 0.12f,
                                        .shear = 0.2f,
                                        .elastic = 3};

static mnist_dataset *digits(void)
{
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_synthetic(&dataset, COUNT, 5), MNIST_OK);
    return dataset;
}

/* Images of other sizes with noise. */
static mnist_dataset *noise(size_t count, size_t rows, size_t cols)
{
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, count, rows, cols, 10, true, "noise"),
                     MNIST_OK);
    uint32_t word = 1;
    for (size_t i = 0; i < count * rows * cols; i++) {
        word = word * 1664525 + 1013904223;
        dataset->images[i] = (uint8_t)(word >> 24);
    }
    return dataset;
}

static mnist_loader *loader_of(const mnist_dataset *dataset,
                               const mnist_loader_config *config, uint64_t seed)
{
    mnist_loader *loader;
    assert_int_equal(mnist_loader_create(&loader, dataset, config), MNIST_OK);
    assert_int_equal(mnist_loader_start(loader, seed), MNIST_OK);
    return loader;
}

/* Writes each image of an epoch to its place in the data set; images are [N, size]. */
static void read_epoch(const mnist_dataset *dataset, const mnist_loader_config *config,
                       uint64_t seed, float *images)
{
    size_t size = dataset->rows * dataset->cols, count, done = 0;
    mnist_loader *loader = loader_of(dataset, config, seed);
    float *batch = calloc(config->batch_size * size, sizeof(*batch));
    while ((count = mnist_loader_next(loader, batch, NULL)) > 0)
        for (size_t i = 0; i < count; i++, done++)
            memcpy(images + mnist_loader_order(loader)[done] * size, batch + i * size,
                   size * sizeof(*batch));
    assert_int_equal(done, dataset->count);
    free(batch);
    mnist_loader_destroy(&loader);
}

static void a_map_that_moves_nothing_is_the_identity(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{28, 28}, {1, 1}, {1, 9},
                                      {9, 1},   {5, 4}, {33, 66}};
    for (size_t i = 0; i < 6; i++) {
        size_t rows = sizes[i][0], cols = sizes[i][1];
        mnist_dataset *dataset = noise(3, rows, cols);
        mnist_warp *warp = mnist_warp_create(rows, cols);
        mnist_warp_map map = {.xx = 1, .yy = 1};
        for (int field = 0; field < 2; field++) {
            map.has_field = field;
            for (size_t k = 0; k < 3; k++) {
                const uint8_t *image = dataset->images + k * rows * cols;
                assert_memory_equal(mnist_warp_apply(warp, image, &map), image,
                                    rows * cols);
            }
        }
        mnist_warp_destroy(warp);
        mnist_dataset_destroy(&dataset);
    }
}

/* The pixel of an image at a distance, 0 beyond it. */
static uint8_t pixel_at(const uint8_t *image, long rows, long cols, long y, long x)
{
    return x < 0 || y < 0 || x >= cols || y >= rows ? 0 : image[y * cols + x];
}

static void a_map_by_whole_pixels_shifts_turns_and_mirrors(void **state)
{
    (void)state;
    enum { EDGE = 9 };
    mnist_dataset *dataset = noise(1, EDGE, EDGE);
    mnist_warp *warp = mnist_warp_create(EDGE, EDGE);
    const uint8_t *image = dataset->images;
    for (long right = -EDGE - 2; right <= EDGE + 2; right += 3)
        for (long down = -EDGE - 2; down <= EDGE + 2; down++) {
            const uint8_t *out = mnist_warp_apply(
                warp, image,
                &(mnist_warp_map){
                    .xx = 1, .yy = 1, .x0 = (float)-right, .y0 = (float)-down});
            for (long k = 0; k < EDGE * EDGE; k++)
                assert_int_equal(out[k], pixel_at(image, EDGE, EDGE, k / EDGE - down,
                                                  k % EDGE - right));
        }
    const uint8_t *out =
        mnist_warp_apply(warp, image, &(mnist_warp_map){.xy = 1, .yx = -1});
    for (long k = 0; k < EDGE * EDGE; k++)
        assert_int_equal(out[k], image[(EDGE - 1 - k % EDGE) * EDGE + k / EDGE]);
    mnist_warp_destroy(warp);
    mnist_dataset_destroy(&dataset);
}

static void points_of_a_field_that_are_equal_shift(void **state)
{
    (void)state;
    mnist_dataset *dataset = noise(1, 12, 17);
    mnist_warp *warp = mnist_warp_create(12, 17);
    mnist_warp_map map = {.xx = 1, .yy = 1, .has_field = true};
    for (size_t i = 0; i < WARP_POINTS * WARP_POINTS; i++) {
        map.ex[i / WARP_POINTS][i % WARP_POINTS] = 3;
        map.ey[i / WARP_POINTS][i % WARP_POINTS] = -2;
    }
    const uint8_t *out = mnist_warp_apply(warp, dataset->images, &map);
    for (long k = 0; k < 12 * 17; k++)
        assert_int_equal(out[k],
                         pixel_at(dataset->images, 12, 17, k / 17 - 2, k % 17 + 3));
    mnist_warp_destroy(warp);
    mnist_dataset_destroy(&dataset);
}

/* Images of one band and of several, and rows that do not fill whole vectors. */
static const size_t sizes[][2] = {{28, 28}, {1, 1}, {100, 60}, {3, 71}, {2, 1500}};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void each_band_has_its_rows(void **state)
{
    (void)state;
    const mnist_warp_map map = {.xx = 1, .yy = 1, .x0 = 2, .y0 = -1};
    for (size_t i = 0; i < 2 * SIZES; i++) {
        size_t rows = sizes[i / 2][0], cols = sizes[i / 2][1];
        mnist_dataset *dataset = noise(1, rows, cols);
        mnist_warp *warp = mnist_warp_create(rows, cols);
        mnist_warp_choose(warp, i % 2);
        const uint8_t *out = mnist_warp_apply(warp, dataset->images, &map);
        for (size_t k = 0; k < rows * cols; k++)
            assert_int_equal(out[k],
                             pixel_at(dataset->images, (long)rows, (long)cols,
                                      (long)(k / cols) - 1, (long)(k % cols) + 2));
        mnist_warp_destroy(warp);
        mnist_dataset_destroy(&dataset);
    }
}

static void all_instructions_move_pixels_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        size_t rows = sizes[i][0], cols = sizes[i][1];
        mnist_dataset *dataset = noise(1, rows, cols);
        mnist_warp *avx2 = mnist_warp_create(rows, cols);
        mnist_warp *other = mnist_warp_create(rows, cols);
        mnist_augment *augment = mnist_augment_create(&all, rows, cols);
        mnist_warp_choose(avx2, true);
        assert_false(mnist_warp_choose(other, false));
        for (uint64_t k = 0; k < 20; k++) {
            mnist_warp_map map;
            mnist_augment_draw(augment, 5, k, &map);
            const uint8_t *expected = mnist_warp_apply(other, dataset->images, &map);
            assert_memory_equal(mnist_warp_apply(avx2, dataset->images, &map), expected,
                                rows * cols);
        }
        mnist_augment_destroy(augment);
        mnist_warp_destroy(avx2);
        mnist_warp_destroy(other);
        mnist_dataset_destroy(&dataset);
    }
}

static void images_depend_on_seed_and_index_alone(void **state)
{
    (void)state;
    static float first[COUNT * SIZE], second[COUNT * SIZE];
    mnist_dataset *dataset = digits();
    mnist_loader_config other = all;
    read_epoch(dataset, &all, 11, first);
    other.shuffle = true;
    other.batch_size = 16;
    read_epoch(dataset, &other, 11, second);
    assert_memory_equal(first, second, sizeof(first));
    /* The low 32 bits select the order; all bits select the images. */
    read_epoch(dataset, &all, UINT64_C(0x10000000b), second);
    assert_memory_not_equal(first, second, sizeof(first));
    mnist_dataset_destroy(&dataset);
}

static void a_restored_loader_changes_images_alike(void **state)
{
    (void)state;
    static float first[COUNT * SIZE], rest[7 * SIZE];
    mnist_dataset *dataset = digits();
    read_epoch(dataset, &all, 3, first);
    mnist_loader *loader = loader_of(dataset, &all, 3);
    uint32_t order[COUNT];
    memcpy(order, mnist_loader_order(loader), sizeof(order));
    assert_int_equal(mnist_loader_restore(loader, order, 14), MNIST_OK);
    assert_int_equal(mnist_loader_next(loader, rest, NULL), 7);
    assert_memory_equal(rest, first + 14 * SIZE, sizeof(rest));
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void an_option_changes_the_draws_of_no_other(void **state)
{
    (void)state;
    const mnist_loader_config alone = {.shift = 2}, both = {.shift = 2, .elastic = 3};
    mnist_augment *a = mnist_augment_create(&alone, SIDE, SIDE);
    mnist_augment *b = mnist_augment_create(&both, SIDE, SIDE);
    for (uint64_t i = 0; i < 100; i++) {
        mnist_warp_map x, y;
        mnist_augment_draw(a, 9, i, &x);
        mnist_augment_draw(b, 9, i, &y);
        assert_true(x.x0 == y.x0 && x.y0 == y.y0 && x.xx == 1 && x.xy == 0);
        assert_true(!x.has_field && y.has_field);
    }
    mnist_augment_destroy(a);
    mnist_augment_destroy(b);
}

/* Adds a value that is uniform between -most and most; its sums are checked at the end.
 */
typedef struct uniform {
    double sum, squares, least, largest;
} uniform;

static void add(uniform *u, double value)
{
    u->sum += value;
    u->squares += value * value;
    u->least = value < u->least ? value : u->least;
    u->largest = value > u->largest ? value : u->largest;
}

static void check_uniform(const uniform *u, double count, double most)
{
    assert_true(u->least >= -most * 1.0001 && u->largest <= most * 1.0001);
    assert_true(u->least < -0.99 * most && u->largest > 0.99 * most);
    /* Five standard deviations of the mean, and of the mean square. */
    assert_true(fabs(u->sum / count) < 5 * most / sqrt(3 * count));
    assert_true(fabs(u->squares / count - most * most / 3) <
                5 * most * most * sqrt(4 / 45.0 / count));
}

static void draws_are_uniform_over_their_range(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    uniform right = {0}, angle = {0}, factor = {0}, slope = {0}, field = {0};
    const mnist_loader_config configs[] = {{.shift = 2},
                                           {.rotate = 30},
                                           {.scale = 0.2f},
                                           {.shear = 0.3f},
                                           {.elastic = 0.75f}};
    for (size_t i = 0; i < 5; i++) {
        mnist_augment *augment = mnist_augment_create(&configs[i], SIDE, SIDE);
        for (uint64_t k = 0; k < DRAWS; k++) {
            mnist_warp_map map;
            mnist_augment_draw(augment, 1, k, &map);
            if (i == 0)
                add(&right, -(double)map.x0);
            else if (i == 1)
                add(&angle, atan2((double)map.xy, (double)map.xx));
            else if (i == 2)
                add(&factor, 1 / (double)map.xx - 1);
            else if (i == 3)
                add(&slope, -(double)map.xy);
            else
                add(&field, (double)map.ex[k % 8][k / 8 % 8]);
        }
        mnist_augment_destroy(augment);
    }
    check_uniform(&right, DRAWS, 2);
    check_uniform(&angle, DRAWS, 30 * 3.14159265358979 / 180);
    check_uniform(&factor, DRAWS, 0.2);
    check_uniform(&slope, DRAWS, 0.3);
    check_uniform(&field, DRAWS, 0.75);
}

static void rotations_keep_lengths_at_any_angle(void **state)
{
    (void)state;
    mnist_augment *augment =
        mnist_augment_create(&(mnist_loader_config){.rotate = 180}, SIDE, SIDE);
    for (uint64_t k = 0; k < 1000; k++) {
        mnist_warp_map map;
        mnist_augment_draw(augment, 2, k, &map);
        double cosine = (double)map.xx, sine = (double)map.xy;
        assert_close(cosine * cosine + sine * sine, 1, 2e-7);
        assert_true(map.yy == map.xx && map.yx == -map.xy);
    }
    mnist_augment_destroy(augment);
}

static void all_machines_change_images_alike(void **state)
{
    (void)state;
    static float images[COUNT * 33 * 66];
    mnist_dataset *square = digits(), *wide = noise(COUNT, 33, 66);
    read_epoch(square, &all, 77, images);
    assert_int_equal(crc32(0, (const Bytef *)images, COUNT * SIZE * 4), 0x79e14572);
    read_epoch(wide, &all, 78, images);
    assert_int_equal(crc32(0, (const Bytef *)images, sizeof(images)), 0xbc970644);
    mnist_dataset_destroy(&square);
    mnist_dataset_destroy(&wide);
}

static void options_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        mnist_loader_config config;
        const char *message;
    } cases[] = {
        {{.shift = -1}, "shift is -1, expected 0 to 8, the smaller side"},
        {{.shift = 8.5f}, "shift is 8.5, expected 0 to 8"},
        {{.shift = NAN}, "shift is nan, expected"},
        {{.rotate = INFINITY}, "rotate is inf, expected 0 to 180"},
        {{.rotate = 181}, "rotate is 181, expected 0 to 180"},
        {{.scale = 1}, "scale is 1, expected 0 to 0.9"},
        {{.scale = -0.1f}, "scale is -0.1, expected 0 to 0.9"},
        {{.shear = 3}, "shear is 3, expected 0 to 2"},
        {{.elastic = 3}, "elastic is 3, expected 0 to 2, a quarter"},
        {{.elastic = NAN}, "elastic is nan, expected 0 to 2"},
    };
    mnist_dataset *dataset = noise(2, 8, 20);
    mnist_loader *loader;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        mnist_loader_config config = cases[i].config;
        config.batch_size = 1;
        assert_int_equal(mnist_loader_create(&loader, dataset, &config),
                         MNIST_INVALID_ARGUMENT);
        assert_null(loader);
        assert_contains(mnist_last_error(), cases[i].message);
    }
    const mnist_loader_config most = {.batch_size = 1,
                                      .shift = 8,
                                      .rotate = 180,
                                      .scale = 0.9f,
                                      .shear = 2,
                                      .elastic = 2};
    static float images[2 * 8 * 20];
    read_epoch(dataset, &most, 1, images);
    mnist_dataset_destroy(&dataset);
}

static void images_that_are_too_large_are_refused(void **state)
{
    (void)state;
    mnist_dataset *dataset = noise(1, 1, 4097);
    mnist_loader *loader;
    assert_int_equal(
        mnist_loader_create(&loader, dataset,
                            &(mnist_loader_config){.batch_size = 1, .rotate = 1}),
        MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "images are 1 x 4097, expected at most 4096");
    assert_int_equal(mnist_loader_create(&loader, dataset, &plain), MNIST_OK);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void every_failed_allocation_returns_null(void **state)
{
    (void)state;
    mnist_dataset *dataset = noise(2, 4, 4);
    mnist_status status = MNIST_OUT_OF_MEMORY;
    for (size_t k = 0; status != MNIST_OK; k++) {
        mnist_loader *loader = (mnist_loader *)state;
        test_memory memory;
        test_memory_limit(&memory, k);
        status = mnist_loader_create(
            &loader, dataset, &(mnist_loader_config){.batch_size = 1, .elastic = 1});
        test_memory_unlimit();
        assert_int_equal(loader == NULL, status == MNIST_OUT_OF_MEMORY);
        assert_true(k < 20);
        mnist_loader_destroy(&loader);
    }
    mnist_dataset_destroy(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_map_that_moves_nothing_is_the_identity),
        TEST(a_map_by_whole_pixels_shifts_turns_and_mirrors),
        TEST(points_of_a_field_that_are_equal_shift),
        TEST(each_band_has_its_rows),
        TEST(all_instructions_move_pixels_alike),
        TEST(images_depend_on_seed_and_index_alone),
        TEST(a_restored_loader_changes_images_alike),
        TEST(an_option_changes_the_draws_of_no_other),
        TEST(draws_are_uniform_over_their_range),
        TEST(rotations_keep_lengths_at_any_angle),
        TEST(all_machines_change_images_alike),
        TEST(options_out_of_range_are_refused_by_name),
        TEST(images_that_are_too_large_are_refused),
        TEST(every_failed_allocation_returns_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
