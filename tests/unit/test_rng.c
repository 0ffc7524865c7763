/* The generator against values that PyTorch 2.13.0 draws on Linux x86-64. */
#include <lstm/rng.h>

#include "lib/common/mt19937.h"
#include "tests/support/test.h"

static lstm_rng *seeded(uint64_t seed)
{
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, seed), LSTM_OK);
    return rng;
}

static void assert_bits(const float *values, const uint32_t *bits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t found;
        memcpy(&found, &values[i], sizeof(found));
        assert_int_equal(found, bits[i]);
    }
}

static void uniform_tensors_have_the_bits_of_torch(void **state)
{
    /* g = Generator().manual_seed(7), then torch.empty(4).uniform_(0, 1, generator=g),
     * uniform_(-3, 5), and torch.empty(20).uniform_(.1, .3). */
    (void)state;
    static const uint32_t unit[] = {0x3f08f0af, 0x3e4b9310, 0x3f28c219, 0x3f2829f6};
    static const uint32_t wide[] = {0xbf91a6f4, 0x3ecd0d30, 0xbfabf1a4, 0x40026cce};
    static const uint32_t narrow[] = {0x3e31377d, 0x3e8a5eb1, 0x3e8abf06, 0x3e573b46,
                                      0x3e212507, 0x3e10a77b, 0x3e418df2, 0x3e2ffb55,
                                      0x3e79ef16, 0x3deab8da, 0x3e968510, 0x3df8f30a,
                                      0x3e8d9b4f, 0x3e3b048d, 0x3e80bc9a, 0x3e74b46d,
                                      0x3e511624, 0x3e5fe4ce, 0x3e8d481f, 0x3e672293};
    lstm_rng *rng = seeded(7);
    lstm_tensor *four, *twenty;
    assert_int_equal(lstm_tensor_create(&four, 1, (size_t[]){4}), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&twenty, 2, (size_t[]){4, 5}), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, four, 0, 1), LSTM_OK);
    assert_bits(lstm_tensor_data(four), unit, 4);
    assert_int_equal(lstm_rng_uniform(rng, four, -3, 5), LSTM_OK);
    assert_bits(lstm_tensor_data(four), wide, 4);
    assert_int_equal(lstm_rng_uniform(rng, twenty, 0.1f, 0.3f), LSTM_OK);
    assert_bits(lstm_tensor_data(twenty), narrow, 20);
    lstm_tensor_destroy(&four);
    lstm_tensor_destroy(&twenty);
    lstm_rng_destroy(&rng);
    assert_null(rng);
}

static void initial_weights_equal_nn_lstm(void **state)
{
    /* nn.LSTM(28, 128, 2).weight_ih_l0[0, :4] after manual_seed(0) and (42). */
    (void)state;
    static const uint32_t zero[] = {0xba2d7922, 0x3d42369c, 0xbd94fcb1, 0xbd85381d};
    static const uint32_t answer[] = {0x3d8a6571, 0x3d963f5b, 0xbca9a1a3, 0x3da64952};
    float bound = (float)(1 / sqrt(128.0));
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 1, (size_t[]){4}), LSTM_OK);
    lstm_rng *rng = seeded(0);
    assert_int_equal(lstm_rng_uniform(rng, tensor, -bound, bound), LSTM_OK);
    assert_bits(lstm_tensor_data(tensor), zero, 4);
    lstm_rng_destroy(&rng);
    rng = seeded(42);
    assert_int_equal(lstm_rng_uniform(rng, tensor, -bound, bound), LSTM_OK);
    assert_bits(lstm_tensor_data(tensor), answer, 4);
    lstm_rng_destroy(&rng);
    lstm_tensor_destroy(&tensor);
}

static void views_are_filled_in_row_major_order_of_the_view(void **state)
{
    (void)state;
    float straight[6], turned[6];
    lstm_tensor *rows, *columns;
    assert_int_equal(lstm_tensor_wrap(&rows, straight, 2, (size_t[]){2, 3}, NULL),
                     LSTM_OK);
    assert_int_equal(
        lstm_tensor_wrap(&columns, turned, 2, (size_t[]){2, 3}, (ptrdiff_t[]){1, 2}),
        LSTM_OK);
    lstm_rng *first = seeded(1), *second = seeded(1);
    assert_int_equal(lstm_rng_uniform(first, rows, 0, 1), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(second, columns, 0, 1), LSTM_OK);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++)
            assert_true(straight[3 * i + j] == turned[i + 2 * j]);
    lstm_rng_destroy(&first);
    lstm_rng_destroy(&second);
    lstm_tensor_destroy(&rows);
    lstm_tensor_destroy(&columns);
}

static void next_and_permutation_agree_with_random_and_randperm(void **state)
{
    /* manual_seed(5): empty((), dtype=int64).random_(), then randperm(12). */
    (void)state;
    static const int64_t expected[] = {7, 4, 8, 10, 1, 2, 6, 11, 0, 9, 5, 3};
    static const uint64_t seeds[] = {5, (UINT64_C(1) << 40) + 5};
    for (size_t i = 0; i < 2; i++) {
        lstm_rng *rng = seeded(seeds[i]);
        int64_t order[12];
        assert_true((lstm_rng_next(rng) & INT64_MAX) == 4095051218741643470);
        assert_int_equal(lstm_rng_permutation(rng, order, 12), LSTM_OK);
        assert_memory_equal(order, expected, sizeof(expected));
        lstm_rng_destroy(&rng);
    }
}

static void a_long_permutation_agrees_with_torch_and_is_complete(void **state)
{
    /* manual_seed(3): randperm(60000)[[0, 1, 2, 3, 59998, 59999]]. */
    (void)state;
    enum { COUNT = 60000 };
    int64_t *order = calloc(COUNT, sizeof(*order));
    bool *seen = calloc(COUNT, sizeof(*seen));
    lstm_rng *rng = seeded(3);
    assert_int_equal(lstm_rng_permutation(rng, order, COUNT), LSTM_OK);
    assert_int_equal(order[0], 38986);
    assert_int_equal(order[1], 46111);
    assert_int_equal(order[2], 53123);
    assert_int_equal(order[3], 54054);
    assert_int_equal(order[59998], 49374);
    assert_int_equal(order[59999], 32804);
    for (size_t i = 0; i < COUNT; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    assert_int_equal(lstm_rng_permutation(rng, order, 0), LSTM_OK);
    lstm_rng_destroy(&rng);
    free(order);
    free(seen);
}

static void a_restored_state_continues_the_stream(void **state)
{
    (void)state;
    uint8_t bytes[LSTM_RNG_STATE_SIZE];
    lstm_rng *rng = seeded(9), *other = seeded(10);
    /* Before the first word, within a block, at its end, and in the next one. */
    static const size_t draws[] = {0, 1, 310, 1, 300};
    for (size_t i = 0; i < sizeof(draws) / sizeof(draws[0]); i++) {
        for (size_t j = 0; j < draws[i]; j++)
            lstm_rng_next(rng);
        assert_int_equal(lstm_rng_get_state(rng, bytes), LSTM_OK);
        assert_int_equal(lstm_rng_set_state(other, bytes), LSTM_OK);
        for (size_t j = 0; j < 700; j++)
            assert_true(lstm_rng_next(rng) == lstm_rng_next(other));
        assert_int_equal(lstm_rng_set_state(rng, bytes), LSTM_OK);
    }
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&other);
}

static void the_bytes_of_a_state_are_little_endian_words(void **state)
{
    (void)state;
    uint8_t bytes[LSTM_RNG_STATE_SIZE];
    static const uint8_t seed[] = {0x04, 0x03, 0x02, 0x01};
    static const uint8_t end[16] = {624 & 255, 624 >> 8};
    lstm_rng *rng = seeded(0x01020304);
    assert_int_equal(lstm_rng_get_state(rng, bytes), LSTM_OK);
    assert_memory_equal(bytes, seed, sizeof(seed));
    assert_memory_equal(bytes + 2496, end, sizeof(end));
    lstm_rng_destroy(&rng);
}

static void bytes_that_are_not_a_valid_state_change_nothing(void **state)
{
    (void)state;
    uint8_t bytes[LSTM_RNG_STATE_SIZE];
    lstm_rng *rng = seeded(4), *twin = seeded(4);
    assert_int_equal(lstm_rng_get_state(rng, bytes), LSTM_OK);
    bytes[2496] = 113;
    assert_int_equal(lstm_rng_set_state(rng, bytes), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "625 of 624 words");
    bytes[2496] = 112;
    bytes[2503] = 1;
    assert_int_equal(lstm_rng_set_state(rng, bytes), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "it ends in 01000000, 0");
    bytes[2503] = 0;
    bytes[2500] = 2;
    assert_int_equal(lstm_rng_set_state(rng, bytes), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "it ends in 00000002, 0");
    memset(bytes, 0, sizeof(bytes));
    bytes[3] = 0x7f;
    assert_int_equal(lstm_rng_set_state(rng, bytes), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "all words are zero");
    for (size_t i = 0; i < 10; i++)
        assert_true(lstm_rng_next(rng) == lstm_rng_next(twin));
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&twin);
}

static void bad_arguments_are_refused_and_draw_nothing(void **state)
{
    (void)state;
    lstm_rng *rng = seeded(4), *twin = seeded(4);
    lstm_tensor *tensor;
    int64_t order[1];
    uint8_t bytes[LSTM_RNG_STATE_SIZE];
    assert_int_equal(lstm_tensor_create(&tensor, 1, (size_t[]){4}), LSTM_OK);
    static const float ranges[][2] = {{1, 0},   {0, INFINITY}, {-INFINITY, 0},
                                      {NAN, 1}, {0, NAN},      {-3e38f, 3e38f}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        assert_int_equal(lstm_rng_uniform(rng, tensor, ranges[i][0], ranges[i][1]),
                         LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_uniform(NULL, tensor, 0, 1), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_uniform(rng, NULL, 0, 1), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_permutation(NULL, order, 1), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_permutation(rng, NULL, 1), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_permutation(rng, order, 214748364),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "rng: count is 214748364, expected below 214748364");
    assert_int_equal(lstm_rng_get_state(NULL, bytes), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_get_state(rng, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_set_state(NULL, bytes), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_set_state(rng, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_rng_create(NULL, 1), LSTM_INVALID_ARGUMENT);
    assert_true(lstm_rng_next(NULL) == 0);
    assert_true(lstm_rng_next(rng) == lstm_rng_next(twin));
    lstm_rng_destroy(NULL);
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&rng);
    lstm_rng_destroy(&twin);
    lstm_tensor_destroy(&tensor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(uniform_tensors_have_the_bits_of_torch),
        TEST(initial_weights_equal_nn_lstm),
        TEST(views_are_filled_in_row_major_order_of_the_view),
        TEST(next_and_permutation_agree_with_random_and_randperm),
        TEST(a_long_permutation_agrees_with_torch_and_is_complete),
        TEST(a_restored_state_continues_the_stream),
        TEST(the_bytes_of_a_state_are_little_endian_words),
        TEST(bytes_that_are_not_a_valid_state_change_nothing),
        TEST(bad_arguments_are_refused_and_draw_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
