/* Softmax and sigmoid of tensors against double precision. */
#include <lstm/rng.h>
#include <lstm/tensor.h>
#include <lstm/threads.h>

#include "tests/support/test.h"

/* As the header says: absolute, and relative with the rounding of x - max. */
static const double absolute = 3e-7, sigmoid_absolute = 1.5e-7;

/* Relative error of exp: plain C rounds between multiply and add. */
static double relative(void)
{
    return strcmp(lstm_kernels_name(), "generic") == 0 ? 3e-6 : 3e-7;
}

static lstm_tensor *drawn(size_t rank, const size_t *shape, float bound)
{
    lstm_tensor *tensor;
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, 5), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, tensor, -bound, bound), LSTM_OK);
    lstm_rng_destroy(&rng);
    return tensor;
}

static void assert_softmax(const float *x, const float *y, size_t count)
{
    double sum = 0, largest = (double)x[0], total = 0;
    for (size_t i = 1; i < count; i++)
        largest = fmax(largest, (double)x[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp((double)x[i] - largest);
    for (size_t i = 0; i < count; i++) {
        double below = largest - (double)x[i], expected = exp(-below) / sum;
        assert_close(y[i], expected, absolute);
        assert_close(y[i], expected, expected * (relative() + 6e-8 * below));
        total += (double)y[i];
    }
    assert_close(total, 1, 1e-6);
}

static void softmax_of_rows_of_every_size_is_exact_enough(void **state)
{
    (void)state;
    static const float bounds[] = {0.1f, 5, 40};
    for (size_t size = 1; size < 600; size += size < 70 ? 1 : 67) {
        for (size_t b = 0; b < 3; b++) {
            lstm_tensor *x = drawn(2, (size_t[]){3, size}, bounds[b]), *y;
            assert_int_equal(lstm_tensor_create(&y, 2, (size_t[]){3, size}), LSTM_OK);
            assert_int_equal(lstm_tensor_softmax(y, x), LSTM_OK);
            for (size_t row = 0; row < 3; row++)
                assert_softmax(lstm_tensor_data(x) + row * size,
                               lstm_tensor_data(y) + row * size, size);
            lstm_tensor_destroy(&x);
            lstm_tensor_destroy(&y);
        }
    }
}

static void sigmoid_is_exact_enough(void **state)
{
    (void)state;
    lstm_tensor *x = drawn(3, (size_t[]){7, 5, 300}, 90), *y;
    assert_int_equal(lstm_tensor_create(&y, 3, (size_t[]){7, 5, 300}), LSTM_OK);
    assert_int_equal(lstm_tensor_sigmoid(y, x), LSTM_OK);
    for (size_t i = 0; i < lstm_tensor_count(x); i++)
        assert_close(lstm_tensor_data(y)[i],
                     1 / (1 + exp(-(double)lstm_tensor_data(x)[i])), sigmoid_absolute);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

typedef lstm_status function(lstm_tensor *to, const lstm_tensor *from);
static function *const functions[] = {lstm_tensor_softmax, lstm_tensor_sigmoid};

static void in_place_and_strides_give_the_same_bits(void **state)
{
    (void)state;
    static const size_t shape[] = {2, 3, 270};
    static const ptrdiff_t strides[] = {2, 4, 12};
    static float memory[2][12 * 270];
    for (size_t i = 0; i < 2; i++) {
        lstm_tensor *x = drawn(3, shape, 6), *y, *from, *to;
        assert_int_equal(lstm_tensor_create(&y, 3, shape), LSTM_OK);
        assert_int_equal(lstm_tensor_wrap(&from, memory[0], 3, shape, strides),
                         LSTM_OK);
        assert_int_equal(lstm_tensor_wrap(&to, memory[1], 3, shape, strides), LSTM_OK);
        assert_int_equal(lstm_tensor_copy(from, x), LSTM_OK);
        assert_int_equal(functions[i](to, from), LSTM_OK);
        assert_int_equal(lstm_tensor_copy(y, to), LSTM_OK);
        assert_int_equal(functions[i](x, x), LSTM_OK);
        assert_memory_equal(lstm_tensor_data(x), lstm_tensor_data(y),
                            lstm_tensor_count(x) * sizeof(float));
        for (size_t j = 1; j < 12 * 270; j += 2)
            assert_true(memory[1][j] == 0);
        lstm_tensor **tensors[] = {&x, &y, &from, &to};
        for (size_t j = 0; j < 4; j++)
            lstm_tensor_destroy(tensors[j]);
    }
}

static void large_infinite_and_invalid_logits_stay_in_their_row(void **state)
{
    (void)state;
    float data[] = {1e30f, 0, -1e30f, -INFINITY, 3, 3, NAN, 1, 2, INFINITY, 1, 2};
    size_t shape[] = {4, 3};
    lstm_tensor *x;
    assert_int_equal(lstm_tensor_wrap(&x, data, 2, shape, NULL), LSTM_OK);
    assert_int_equal(lstm_tensor_softmax(x, x), LSTM_OK);
    assert_true(data[0] == 1 && data[1] == 0 && data[2] == 0);
    assert_true(data[3] == 0 && data[4] == 0.5f && data[5] == 0.5f);
    assert_true(isnan(data[6]) && isnan(data[7]) && isnan(data[9]));
    data[0] = INFINITY;
    data[1] = -INFINITY;
    data[2] = 0;
    assert_int_equal(lstm_tensor_sigmoid(x, x), LSTM_OK);
    assert_true(data[0] == 1 && data[1] < 1e-37f && data[2] == 0.5f);
    assert_true(isnan(data[6]));
    lstm_tensor_destroy(&x);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    lstm_tensor *x = drawn(2, (size_t[]){2, 3}, 1), *y = drawn(2, (size_t[]){3, 2}, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(functions[i](NULL, x), LSTM_INVALID_ARGUMENT);
        assert_string_equal(lstm_last_error(), "tensor: to is NULL");
        assert_int_equal(functions[i](x, NULL), LSTM_INVALID_ARGUMENT);
        assert_string_equal(lstm_last_error(), "tensor: from is NULL");
        assert_int_equal(functions[i](y, x), LSTM_SHAPE_MISMATCH);
        assert_string_equal(lstm_last_error(), "tensor: to is [3, 2], expected [2, 3]");
    }
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(softmax_of_rows_of_every_size_is_exact_enough),
        TEST(sigmoid_is_exact_enough),
        TEST(in_place_and_strides_give_the_same_bits),
        TEST(large_infinite_and_invalid_logits_stay_in_their_row),
        TEST(wrong_arguments_are_refused_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
