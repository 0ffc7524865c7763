/* Normally distributed numbers against Tensor.normal_() of PyTorch 2.13.0. */
#include <lstm/rng.h>
#include <lstm/tensor.h>

#include "tests/golden/normal.h"
#include "tests/support/test.h"

enum { LARGEST = 1000 };

/* Relative. The float32 logarithms, sines and cosines of PyTorch are off by up to two
 * units in the last place, a unit is at most 1.2e-7, and the product rounds once. */
static const double tolerance = 4e-7;

static lstm_rng *seeded(uint64_t seed)
{
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, seed), LSTM_OK);
    return rng;
}

static lstm_tensor *tensor_of(float *data, size_t count)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_wrap(&tensor, data, 1, &count, NULL), LSTM_OK);
    return tensor;
}

static void fill(lstm_rng *rng, float *data, size_t count, float mean, float std)
{
    lstm_tensor *tensor = tensor_of(data, count);
    assert_int_equal(lstm_rng_normal(rng, tensor, mean, std), LSTM_OK);
    lstm_tensor_destroy(&tensor);
}

static void numbers_of_every_size_agree_with_torch(void **state)
{
    (void)state;
    static float data[LARGEST];
    const float *expected = normal_values;
    for (size_t i = 0; i < sizeof(normal_sizes) / sizeof(normal_sizes[0]); i++) {
        size_t count = (size_t)normal_sizes[i];
        lstm_rng *rng = seeded(count);
        fill(rng, data, count, 0, 1);
        fill(rng, data, count, 0, 2);
        for (size_t j = count > 70 ? count - 70 : 0; j < count; j++, expected++)
            assert_close(data[j], *expected, tolerance * fabs((double)*expected));
        lstm_rng_destroy(&rng);
    }
}

static void the_state_afterwards_agrees_with_torch(void **state)
{
    (void)state;
    static float data[LARGEST];
    for (size_t i = 0; i < sizeof(normal_sizes) / sizeof(normal_sizes[0]); i++) {
        lstm_rng *rng = seeded((uint64_t)normal_sizes[i]);
        fill(rng, data, (size_t)normal_sizes[i], 0, 1);
        fill(rng, data, (size_t)normal_sizes[i], 0, 2);
        assert_true((lstm_rng_next(rng) & INT64_MAX) == (uint64_t)normal_next[i]);
        fill(rng, data, 1, 0.5f, 0.25f);
        assert_close(data[0], normal_last[i], tolerance);
        lstm_rng_destroy(&rng);
    }
}

static void strides_make_no_difference(void **state)
{
    (void)state;
    float plain[21], strided[41];
    lstm_tensor *tensor;
    lstm_rng *rng = seeded(3), *twin = seeded(3);
    for (size_t i = 0; i < 41; i++)
        strided[i] = 7;
    /* [3, 7] with its axes permuted in memory, every second element. */
    assert_int_equal(
        lstm_tensor_wrap(&tensor, strided, 2, (size_t[]){3, 7}, (ptrdiff_t[]){2, 6}),
        LSTM_OK);
    assert_int_equal(lstm_rng_normal(rng, tensor, -1, 0.5f), LSTM_OK);
    fill(twin, plain, 21, -1, 0.5f);
    for (size_t i = 0; i < 21; i++)
        assert_true(strided[2 * (i / 7) + 6 * (i % 7)] == plain[i]);
    for (size_t i = 1; i < 41; i += 2)
        assert_true(strided[i] == 7);
    lstm_tensor_destroy(&tensor);
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&twin);
}

static void a_standard_deviation_of_zero_gives_the_mean(void **state)
{
    (void)state;
    float data[20];
    lstm_rng *rng = seeded(1);
    fill(rng, data, 20, 3, 0);
    fill(rng, data, 3, 4, 0);
    assert_true(data[2] == 4 && data[3] == 3 && data[19] == 3);
    lstm_rng_destroy(&rng);
}

static void a_state_keeps_the_second_number_of_a_pair(void **state)
{
    (void)state;
    uint8_t bytes[LSTM_RNG_STATE_SIZE], again[LSTM_RNG_STATE_SIZE];
    float one, other;
    lstm_rng *rng = seeded(6), *twin = seeded(7);
    fill(rng, &one, 1, 0, 1);
    assert_int_equal(lstm_rng_get_state(rng, bytes), LSTM_OK);
    assert_int_equal(bytes[2500], 1);
    assert_int_equal(lstm_rng_set_state(twin, bytes), LSTM_OK);
    assert_int_equal(lstm_rng_get_state(twin, again), LSTM_OK);
    assert_memory_equal(bytes, again, sizeof(bytes));
    fill(rng, &one, 1, 0, 1);
    fill(twin, &other, 1, 0, 1);
    assert_true(one == other);
    assert_true(lstm_rng_next(rng) == lstm_rng_next(twin));
    assert_int_equal(lstm_rng_get_state(rng, again), LSTM_OK);
    for (size_t i = 2500; i < LSTM_RNG_STATE_SIZE; i++)
        assert_int_equal(again[i], 0);
    /* A flag that is neither 0 nor 1, a number that is not finite, one without flag. */
    bytes[2501] = 1;
    assert_int_equal(lstm_rng_set_state(twin, bytes), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "rng: state is not valid: it ends in 00000101");
    bytes[2501] = 0;
    bytes[2510] = 0xf0;
    bytes[2511] = 0x7f;
    assert_int_equal(lstm_rng_set_state(twin, bytes), LSTM_INVALID_ARGUMENT);
    again[2504] = 1;
    assert_int_equal(lstm_rng_set_state(twin, again), LSTM_INVALID_ARGUMENT);
    assert_true(lstm_rng_next(rng) == lstm_rng_next(twin));
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&twin);
}

static void bad_arguments_are_refused_and_draw_nothing(void **state)
{
    (void)state;
    float data[20];
    lstm_rng *rng = seeded(4), *twin = seeded(4);
    lstm_tensor *tensor = tensor_of(data, 20);
    static const float options[][2] = {
        {NAN, 1}, {INFINITY, 1}, {0, NAN}, {0, INFINITY}, {0, -1}};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        assert_int_equal(lstm_rng_normal(rng, tensor, options[i][0], options[i][1]),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), "expected finite and std at least 0");
    }
    assert_int_equal(lstm_rng_normal(NULL, tensor, 0, 1), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "rng: rng is NULL");
    assert_int_equal(lstm_rng_normal(rng, NULL, 0, 1), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "rng: tensor is NULL");
    assert_true(lstm_rng_next(rng) == lstm_rng_next(twin));
    lstm_tensor_destroy(&tensor);
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_of_every_size_agree_with_torch),
        TEST(the_state_afterwards_agrees_with_torch),
        TEST(strides_make_no_difference),
        TEST(a_standard_deviation_of_zero_gives_the_mean),
        TEST(a_state_keeps_the_second_number_of_a_pair),
        TEST(bad_arguments_are_refused_and_draw_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
