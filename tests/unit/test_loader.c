/* Batches compared with PyTorch 2.13: the order of DataLoader, the floats of ToTensor
 * and Normalize.
 *
 * The expected values come from PyTorch: orders of
 * DataLoader(TensorDataset(torch.arange(n)), shuffle=True) after manual_seed(), the
 * normalised floats of torch.arange(256), and CRC-32 sums of their little-endian bytes.
 */
#include <zlib.h>

#include "lib/common/mt19937.h"
#include "lib/mnist/dataset.h"
#include "tests/support/memory.h"

/* A data set in which pixel k of image i is i + k, and label i is i mod 10. */
static mnist_dataset *counting(size_t count, size_t rows, size_t cols)
{
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, count, rows, cols, 10, true, "test"),
                     MNIST_OK);
    for (size_t i = 0; i < count; i++) {
        dataset->labels[i] = (uint8_t)(i % 10);
        for (size_t k = 0; k < rows * cols; k++)
            dataset->images[i * rows * cols + k] = (uint8_t)(i + k);
    }
    return dataset;
}

static mnist_loader *loader_of(const mnist_dataset *dataset,
                               const mnist_loader_config *config)
{
    mnist_loader *loader;
    assert_int_equal(mnist_loader_create(&loader, dataset, config), MNIST_OK);
    return loader;
}

static void assert_crc(const void *data, size_t size, uint32_t expected)
{
    assert_int_equal(crc32(0, data, (unsigned)size), expected);
}

/* Starts an epoch as DataLoader does: it draws two numbers and uses the second as seed.
 */
static void start_as_dataloader(mnist_loader *loader, mt19937 *generator)
{
    mt19937_next64(generator);
    assert_int_equal(mnist_loader_start(loader, mt19937_next64(generator)), MNIST_OK);
}

static void the_order_equals_pytorch(void **state)
{
    (void)state;
    static const struct {
        uint32_t seed, count, epochs[2];
    } cases[] = {
        {0, 60000, {0xbcfbfec5, 0xebadb2a8}},
        {42, 60000, {0x044c53b2, 0x9276d8e8}},
        {1234, 10, {0x56d9ea45, 0x40143dac}},
    };
    for (size_t i = 0; i < 3; i++) {
        mnist_dataset *dataset = counting(cases[i].count, 1, 1);
        mnist_loader *loader = loader_of(
            dataset, &(mnist_loader_config){.batch_size = 64, .shuffle = true});
        mt19937 generator;
        mt19937_seed(&generator, cases[i].seed);
        for (size_t epoch = 0; epoch < 2; epoch++) {
            start_as_dataloader(loader, &generator);
            assert_crc(mnist_loader_order(loader), 4 * (size_t)cases[i].count,
                       cases[i].epochs[epoch]);
        }
        mnist_loader_destroy(&loader);
        mnist_dataset_destroy(&dataset);
    }
}

static void three_epochs_of_twenty_equal_pytorch(void **state)
{
    (void)state;
    static const uint32_t expected[3][10] = {
        {12, 16, 5, 2, 11, 9, 3, 13, 10, 14},
        {13, 18, 0, 15, 11, 16, 2, 12, 14, 5},
        {15, 8, 11, 4, 12, 6, 18, 2, 5, 14},
    };
    mnist_dataset *dataset = counting(20, 1, 1);
    mnist_loader *loader =
        loader_of(dataset, &(mnist_loader_config){.batch_size = 10, .shuffle = true});
    mt19937 generator;
    mt19937_seed(&generator, 1234);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        float pixels[10];
        int64_t labels[10];
        start_as_dataloader(loader, &generator);
        assert_memory_equal(mnist_loader_order(loader), expected[epoch], 40);
        assert_int_equal(mnist_loader_next(loader, pixels, labels), 10);
        for (size_t i = 0; i < 10; i++)
            assert_int_equal(labels[i], expected[epoch][i] % 10);
    }
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void only_the_low_half_of_a_seed_is_used(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(100, 1, 1);
    mnist_loader *loader =
        loader_of(dataset, &(mnist_loader_config){.batch_size = 10, .shuffle = true});
    uint32_t order[100];
    assert_int_equal(mnist_loader_start(loader, 5), MNIST_OK);
    memcpy(order, mnist_loader_order(loader), sizeof(order));
    assert_int_equal(mnist_loader_start(loader, 6), MNIST_OK);
    assert_memory_not_equal(order, mnist_loader_order(loader), sizeof(order));
    assert_int_equal(mnist_loader_start(loader, ((uint64_t)7 << 32) + 5), MNIST_OK);
    assert_memory_equal(order, mnist_loader_order(loader), sizeof(order));
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void the_floats_equal_totensor_and_normalize(void **state)
{
    (void)state;
    static const struct {
        float mean, std;
        uint32_t crc;
    } cases[] = {
        {0, 0, 0x8524d6e0},
        {0.1307f, 0.3081f, 0x8524d6e0},
        {0.2860f, 0.3530f, 0x4ae0e75b},
        {0.5f, 0.5f, 0xb62c8544},
    };
    mnist_dataset *dataset = counting(1, 16, 16);
    for (size_t i = 0; i < 4; i++) {
        float pixels[256];
        mnist_loader *loader = loader_of(
            dataset, &(mnist_loader_config){
                         .batch_size = 1, .mean = cases[i].mean, .std = cases[i].std});
        assert_int_equal(mnist_loader_next(loader, pixels, NULL), 1);
        assert_crc(pixels, sizeof(pixels), cases[i].crc);
        mnist_loader_destroy(&loader);
    }
    mnist_dataset_destroy(&dataset);
}

static void an_epoch_returns_each_image_once(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(23, 2, 3);
    mnist_loader *loader = loader_of(
        dataset, &(mnist_loader_config){.batch_size = 5, .mean = 0, .std = 1 / 255.0f});
    assert_int_equal(mnist_loader_batches(loader), 5);
    float pixels[5 * 6];
    int64_t labels[5];
    size_t count, seen = 0;
    while ((count = mnist_loader_next(loader, pixels, labels)) > 0) {
        assert_int_equal(count, seen < 20 ? 5 : 3);
        for (size_t i = 0; i < count; i++, seen++) {
            assert_int_equal(labels[i], seen % 10);
            for (size_t k = 0; k < 6; k++)
                assert_close(pixels[i * 6 + k], seen + k, 1e-4);
        }
        assert_int_equal(mnist_loader_position(loader), seen);
    }
    assert_int_equal(seen, 23);
    assert_int_equal(mnist_loader_next(loader, pixels, labels), 0);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void drop_last_skips_the_partial_batch(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(23, 1, 1);
    mnist_loader *loader =
        loader_of(dataset, &(mnist_loader_config){.batch_size = 5, .drop_last = true});
    float pixels[5];
    assert_int_equal(mnist_loader_batches(loader), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mnist_loader_next(loader, pixels, NULL), 5);
    assert_int_equal(mnist_loader_next(loader, pixels, NULL), 0);
    assert_int_equal(mnist_loader_position(loader), 20);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

/* A rest of no image and one of a single image. */
static void a_rest_of_images_is_one_more_batch(void **state)
{
    (void)state;
    static const struct {
        size_t batch_size, batches, full;
    } cases[] = {{1, 21, 21}, {7, 3, 3}, {20, 2, 1}, {4, 6, 5}, {21, 1, 1}};
    mnist_dataset *dataset = counting(21, 1, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int drop = 0; drop < 2; drop++) {
            mnist_loader *loader =
                loader_of(dataset, &(mnist_loader_config){
                                       .batch_size = cases[i].batch_size,
                                       .drop_last = drop,
                                   });
            size_t batches = drop ? cases[i].full : cases[i].batches;
            assert_int_equal(mnist_loader_batches(loader), batches);
            float pixels[21];
            while (mnist_loader_next(loader, pixels, NULL) > 0)
                batches--;
            assert_int_equal(batches, 0);
            mnist_loader_destroy(&loader);
        }
    mnist_dataset_destroy(&dataset);
}

static void a_batch_size_above_the_data_set_size_is_valid(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(3, 1, 1);
    mnist_loader *loader =
        loader_of(dataset, &(mnist_loader_config){.batch_size = SIZE_MAX});
    float pixels[4] = {0, 0, 0, 77};
    assert_int_equal(mnist_loader_batches(loader), 1);
    assert_int_equal(mnist_loader_next(loader, pixels, NULL), 3);
    assert_true(pixels[3] == 77);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void images_without_labels_have_the_label_minus_one(void **state)
{
    (void)state;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_new(&dataset, 2, 1, 1, 10, false, ""), MNIST_OK);
    mnist_loader *loader = loader_of(dataset, &(mnist_loader_config){.batch_size = 2});
    float pixels[2];
    int64_t labels[2] = {7, 7};
    assert_int_equal(mnist_loader_next(loader, pixels, labels), 2);
    assert_int_equal(labels[0], -1);
    assert_int_equal(labels[1], -1);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void without_shuffle_an_epoch_has_the_order_of_the_data_set(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(4, 1, 1);
    mnist_loader *loader = loader_of(dataset, &(mnist_loader_config){.batch_size = 3});
    static const uint32_t backwards[] = {3, 2, 1, 0}, forwards[] = {0, 1, 2, 3};
    assert_memory_equal(mnist_loader_order(loader), forwards, 16);
    assert_int_equal(mnist_loader_restore(loader, backwards, 2), MNIST_OK);
    assert_memory_equal(mnist_loader_order(loader), backwards, 16);
    assert_int_equal(mnist_loader_start(loader, 99), MNIST_OK);
    assert_memory_equal(mnist_loader_order(loader), forwards, 16);
    assert_int_equal(mnist_loader_position(loader), 0);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void a_restored_loader_continues_like_the_original(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(50, 1, 2);
    mnist_loader_config config = {.batch_size = 8, .shuffle = true};
    mnist_loader *first = loader_of(dataset, &config);
    mnist_loader *second = loader_of(dataset, &config);
    float a[16], b[16];
    int64_t la[8], lb[8];
    assert_int_equal(mnist_loader_start(first, 17), MNIST_OK);
    for (int i = 0; i < 3; i++)
        mnist_loader_next(first, a, la);
    assert_int_equal(mnist_loader_restore(second, mnist_loader_order(first),
                                          mnist_loader_position(first)),
                     MNIST_OK);
    for (size_t count = 1; count > 0;) {
        count = mnist_loader_next(first, a, la);
        assert_int_equal(mnist_loader_next(second, b, lb), count);
        assert_memory_equal(a, b, 2 * count * sizeof(*a));
        assert_memory_equal(la, lb, count * sizeof(*la));
    }
    assert_int_equal(mnist_loader_restore(first, mnist_loader_order(first), 0),
                     MNIST_OK);
    assert_memory_equal(mnist_loader_order(first), mnist_loader_order(second), 200);
    mnist_loader_destroy(&first);
    mnist_loader_destroy(&second);
    mnist_dataset_destroy(&dataset);
}

static void a_failed_restore_changes_nothing(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(4, 1, 1);
    mnist_loader *loader = loader_of(dataset, &(mnist_loader_config){.batch_size = 3});
    static const uint32_t good[] = {3, 0, 1, 2}, twice[] = {0, 1, 2, 1},
                          beyond[] = {0, 1, 2, 4};
    assert_int_equal(mnist_loader_restore(loader, good, 4), MNIST_OK);
    assert_int_equal(mnist_loader_restore(loader, good, 5), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "position is 5, expected 0 to 4");
    assert_int_equal(mnist_loader_restore(loader, twice, 0), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "order[3] repeats index 1");
    assert_int_equal(mnist_loader_restore(loader, beyond, 0), MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "order[3] is 4, expected 0 to 3");
    assert_int_equal(mnist_loader_restore(loader, NULL, 0), MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_loader_restore(NULL, good, 0), MNIST_INVALID_ARGUMENT);
    assert_memory_equal(mnist_loader_order(loader), good, 16);
    assert_int_equal(mnist_loader_position(loader), 4);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

static void options_out_of_range_are_refused_with_a_message(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(4, 1, 1);
    static const struct {
        mnist_loader_config config;
        const char *message;
    } cases[] = {
        {{.batch_size = 0}, "batch_size is 0, expected at least 1"},
        {{.batch_size = 1, .mean = 0.5f}, "std is 0, expected"},
        {{.batch_size = 1, .std = -1}, "std is -1, expected"},
        {{.batch_size = 1, .std = NAN}, "std is nan, expected"},
        {{.batch_size = 1, .std = INFINITY}, "std is inf, expected"},
        {{.batch_size = 1, .mean = NAN, .std = 1}, "mean is nan, expected"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        mnist_loader *loader = (mnist_loader *)state;
        assert_int_equal(mnist_loader_create(&loader, dataset, &cases[i].config),
                         MNIST_INVALID_ARGUMENT);
        assert_null(loader);
        assert_contains(mnist_last_error(), cases[i].message);
    }
    mnist_dataset_destroy(&dataset);
}

static void null_is_refused_or_returns_zero(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(4, 1, 1);
    const mnist_loader_config config = {.batch_size = 1};
    mnist_loader *loader = NULL;
    float pixel;
    assert_int_equal(mnist_loader_create(NULL, dataset, &config),
                     MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_loader_create(&loader, NULL, &config),
                     MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_loader_create(&loader, dataset, NULL),
                     MNIST_INVALID_ARGUMENT);
    assert_null(loader);
    mnist_loader_destroy(NULL);
    mnist_loader_destroy(&loader);
    assert_int_equal(mnist_loader_start(NULL, 0), MNIST_INVALID_ARGUMENT);
    assert_int_equal(mnist_loader_batches(NULL), 0);
    assert_int_equal(mnist_loader_position(NULL), 0);
    assert_null(mnist_loader_order(NULL));
    assert_int_equal(mnist_loader_next(NULL, &pixel, NULL), 0);
    loader = loader_of(dataset, &config);
    assert_int_equal(mnist_loader_next(loader, NULL, NULL), 0);
    assert_int_equal(mnist_loader_position(loader), 0);
    mnist_loader_destroy(&loader);
    assert_null(loader);
    mnist_dataset_destroy(&dataset);
}

static void every_failed_allocation_returns_null(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(4, 1, 1);
    for (size_t k = 0; k <= 3; k++) {
        mnist_loader *loader = (mnist_loader *)state;
        test_memory memory;
        test_memory_limit(&memory, k);
        mnist_status status = mnist_loader_create(
            &loader, dataset, &(mnist_loader_config){.batch_size = 1});
        test_memory_unlimit();
        assert_int_equal(status, k < 3 ? MNIST_OUT_OF_MEMORY : MNIST_OK);
        assert_int_equal(loader == NULL, k < 3);
        mnist_loader_destroy(&loader);
    }
    mnist_dataset_destroy(&dataset);
}

static void an_epoch_and_a_restore_allocate_nothing(void **state)
{
    (void)state;
    mnist_dataset *dataset = counting(9, 1, 1);
    mnist_loader *loader =
        loader_of(dataset, &(mnist_loader_config){.batch_size = 4, .shuffle = true});
    float pixels[4];
    test_memory memory;
    test_memory_limit(&memory, 0);
    assert_int_equal(mnist_loader_start(loader, 3), MNIST_OK);
    assert_int_equal(mnist_loader_next(loader, pixels, NULL), 4);
    assert_int_equal(mnist_loader_restore(loader, mnist_loader_order(loader), 1),
                     MNIST_OK);
    test_memory_unlimit();
    assert_int_equal(memory.largest, 0);
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_order_equals_pytorch),
        TEST(three_epochs_of_twenty_equal_pytorch),
        TEST(only_the_low_half_of_a_seed_is_used),
        TEST(the_floats_equal_totensor_and_normalize),
        TEST(an_epoch_returns_each_image_once),
        TEST(drop_last_skips_the_partial_batch),
        cmocka_unit_test(a_rest_of_images_is_one_more_batch),
        TEST(a_batch_size_above_the_data_set_size_is_valid),
        TEST(images_without_labels_have_the_label_minus_one),
        TEST(without_shuffle_an_epoch_has_the_order_of_the_data_set),
        TEST(a_restored_loader_continues_like_the_original),
        TEST(a_failed_restore_changes_nothing),
        TEST(options_out_of_range_are_refused_with_a_message),
        TEST(null_is_refused_or_returns_zero),
        TEST(every_failed_allocation_returns_null),
        TEST(an_epoch_and_a_restore_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
