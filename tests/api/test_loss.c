/* Mean squared error and binary cross-entropy against torch.nn.MSELoss and
 * torch.nn.BCEWithLogitsLoss. */
#include <lstm/loss.h>
#include <lstm/rng.h>

#include "tests/golden/loss.h"
#include "tests/support/test.h"

enum { A = 4, B = 3, C = 5, COUNT = A * B * C, ROWS = A * B };

/* Relative. The golden data are computed in double, the results here in double and
 * rounded once; a double is written with nine digits. */
static const double tolerance = 6.1e-8;

typedef lstm_status forward(const lstm_tensor *, const lstm_tensor *,
                            const lstm_loss_options *, float *);
typedef lstm_status backward(const lstm_tensor *, const lstm_tensor *,
                             const lstm_loss_options *, const float *, lstm_tensor *);

/* The tensors of the golden data, drawn as the script draws them. */
typedef struct fixture {
    lstm_tensor *input, *target, *dinput, *mask, *row_mask;
    float dvalue[COUNT], pos_weight[C];
} fixture;

static const size_t shape[] = {A, B, C};

static lstm_tensor *drawn(lstm_rng *rng, size_t rank, float low, float high)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, tensor, low, high), LSTM_OK);
    return tensor;
}

/* Makes a mask of the signs of a tensor. */
static lstm_tensor *signs(lstm_tensor *tensor)
{
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        lstm_tensor_data(tensor)[i] = lstm_tensor_data(tensor)[i] < 0;
    return tensor;
}

static fixture create_fixture(void)
{
    fixture f;
    lstm_rng *rng;
    lstm_tensor *weight;
    assert_int_equal(lstm_rng_create(&rng, 17), LSTM_OK);
    f.input = drawn(rng, 3, -4, 4);
    f.target = drawn(rng, 3, 0, 1);
    f.mask = signs(drawn(rng, 3, -1, 1));
    f.row_mask = signs(drawn(rng, 2, -1, 1));
    assert_int_equal(lstm_tensor_wrap(&weight, f.pos_weight, 1, (size_t[]){C}, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, weight, 0.5f, 3), LSTM_OK);
    lstm_tensor_destroy(&weight);
    f.dinput = drawn(rng, 3, 0, 1);
    for (size_t i = 0; i < COUNT; i++)
        f.dvalue[i] = (float)(i + 1) / 8;
    lstm_rng_destroy(&rng);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_tensor **tensors[] = {&f->input, &f->target, &f->dinput, &f->mask,
                               &f->row_mask};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
}

static void assert_values(const float *values, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_close(values[i], expected[i], tolerance * fabs(expected[i]));
}

/* Sum, mean, and losses of the elements, with the gradients of the first and the last.
 */
static void assert_golden(const fixture *f, forward *loss, backward *gradient,
                          lstm_loss_options options, const double *sums,
                          const double *none, const double *dmean, const double *dnone)
{
    float value, values[COUNT];
    options.reduction = LSTM_REDUCTION_SUM;
    assert_int_equal(loss(f->input, f->target, &options, &value), LSTM_OK);
    assert_values(&value, &sums[0], 1);
    options.reduction = LSTM_REDUCTION_MEAN;
    assert_int_equal(loss(f->input, f->target, &options, &value), LSTM_OK);
    assert_values(&value, &sums[1], 1);
    assert_int_equal(gradient(f->input, f->target, &options, NULL, f->dinput), LSTM_OK);
    assert_values(lstm_tensor_data(f->dinput), dmean, COUNT);
    options.reduction = LSTM_REDUCTION_NONE;
    assert_int_equal(loss(f->input, f->target, &options, values), LSTM_OK);
    assert_values(values, none, COUNT);
    assert_int_equal(gradient(f->input, f->target, &options, f->dvalue, f->dinput),
                     LSTM_OK);
    assert_values(lstm_tensor_data(f->dinput), dnone, COUNT);
}

#define GOLDEN(loss, name, options)                                                    \
    assert_golden(&f, lstm_##loss##_forward, lstm_##loss##_backward, options,          \
                  loss##_##name##_sums, loss##_##name##_none, loss##_##name##_dmean,   \
                  loss##_##name##_dnone)

static void squared_errors_agree_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    GOLDEN(mse, plain, (lstm_loss_options){0});
    GOLDEN(mse, masked, (lstm_loss_options){.mask = f.mask});
    GOLDEN(mse, rows, (lstm_loss_options){.mask = f.row_mask});
    destroy_fixture(&f);
}

static void binary_cross_entropies_agree_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_loss_options weighted = {.pos_weight = f.pos_weight, .classes = C};
    GOLDEN(bce, plain, (lstm_loss_options){0});
    GOLDEN(bce, masked, (lstm_loss_options){.mask = f.mask});
    GOLDEN(bce, rows, (lstm_loss_options){.mask = f.row_mask});
    GOLDEN(bce, weighted, weighted);
    weighted.mask = f.mask;
    GOLDEN(bce, all, weighted);
    destroy_fixture(&f);
}

static void without_options_the_mean_is_computed(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float value, two = 2;
    assert_int_equal(lstm_mse_forward(f.input, f.target, NULL, &value), LSTM_OK);
    assert_values(&value, &mse_plain_sums[1], 1);
    assert_int_equal(lstm_bce_forward(f.input, f.target, NULL, &value), LSTM_OK);
    assert_values(&value, &bce_plain_sums[1], 1);
    assert_int_equal(lstm_bce_backward(f.input, f.target, NULL, &two, f.dinput),
                     LSTM_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_close(lstm_tensor_data(f.dinput)[i], 2 * bce_plain_dmean[i],
                     tolerance * fabs(2 * bce_plain_dmean[i]));
    destroy_fixture(&f);
}

static void dinput_may_be_input_or_target(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        fixture f = create_fixture();
        lstm_tensor *to = other ? f.target : f.input;
        assert_int_equal(lstm_mse_backward(f.input, f.target, NULL, NULL, to), LSTM_OK);
        assert_values(lstm_tensor_data(to), mse_plain_dmean, COUNT);
        destroy_fixture(&f);
    }
}

/* Every second element of memory, the axes permuted. */
static lstm_tensor *strided_copy(float *memory, const lstm_tensor *tensor)
{
    lstm_tensor *copy;
    ptrdiff_t strides[] = {2, 2 * A * C, 2 * A};
    assert_int_equal(lstm_tensor_wrap(&copy, memory, 3, shape, strides), LSTM_OK);
    assert_int_equal(lstm_tensor_copy(copy, tensor), LSTM_OK);
    return copy;
}

static void strides_give_the_same(void **state)
{
    (void)state;
    fixture f = create_fixture(), g = f;
    static float memory[4][2 * COUNT];
    g.input = strided_copy(memory[0], f.input);
    g.target = strided_copy(memory[1], f.target);
    g.dinput = strided_copy(memory[2], f.dinput);
    g.mask = strided_copy(memory[3], f.mask);
    float values[2][COUNT];
    lstm_loss_options options = {.mask = f.mask, .reduction = LSTM_REDUCTION_NONE};
    assert_int_equal(lstm_bce_forward(f.input, f.target, &options, values[0]), LSTM_OK);
    assert_int_equal(lstm_bce_backward(f.input, f.target, &options, NULL, f.dinput),
                     LSTM_OK);
    options.mask = g.mask;
    assert_int_equal(lstm_bce_forward(g.input, g.target, &options, values[1]), LSTM_OK);
    assert_int_equal(lstm_bce_backward(g.input, g.target, &options, NULL, g.dinput),
                     LSTM_OK);
    assert_memory_equal(values[0], values[1], sizeof(values[0]));
    assert_int_equal(lstm_tensor_copy(f.input, g.dinput), LSTM_OK);
    assert_memory_equal(lstm_tensor_data(f.input), lstm_tensor_data(f.dinput),
                        sizeof(values[0]));
    lstm_tensor_destroy(&g.input);
    lstm_tensor_destroy(&g.target);
    lstm_tensor_destroy(&g.dinput);
    lstm_tensor_destroy(&g.mask);
    destroy_fixture(&f);
}

static void nan_in_masked_elements_has_no_effect(void **state)
{
    (void)state;
    fixture f = create_fixture();
    for (size_t i = 0; i < COUNT; i++)
        if (lstm_tensor_data(f.mask)[i] == 0)
            lstm_tensor_data(i % 2 ? f.input : f.target)[i] = i % 3 ? NAN : INFINITY;
    GOLDEN(mse, masked, (lstm_loss_options){.mask = f.mask});
    GOLDEN(bce, masked, (lstm_loss_options){.mask = f.mask});
    destroy_fixture(&f);
}

static void a_mean_over_nothing_is_nan_with_gradients_of_zero(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_loss_options options = {.mask = f.mask};
    float value = 0;
    assert_int_equal(lstm_tensor_fill(f.mask, 0), LSTM_OK);
    assert_int_equal(lstm_mse_forward(f.input, f.target, &options, &value), LSTM_OK);
    assert_true(isnan(value));
    assert_int_equal(lstm_mse_backward(f.input, f.target, &options, NULL, f.dinput),
                     LSTM_OK);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(lstm_tensor_data(f.dinput)[i] == 0);
    options.reduction = LSTM_REDUCTION_SUM;
    assert_int_equal(lstm_bce_forward(f.input, f.target, &options, &value), LSTM_OK);
    assert_true(value == 0);
    destroy_fixture(&f);
}

static void logits_of_any_size_have_the_right_loss(void **state)
{
    (void)state;
    float x[] = {1e4f, 1e4f, -1e4f, -1e4f, INFINITY, -INFINITY, -30, 30, 0, NAN};
    float t[] = {0, 1, 0, 1, 1, 0, 0, 1, 0.5f, 0.5f};
    const double loss[] = {1e4, 0, 0, 1e4, 0, 0, exp(-30), exp(-30), log(2), NAN};
    const double slope[] = {1, 0, 0, -1, 0, 0, exp(-30), -exp(-30), 0, NAN};
    float values[10], dx_data[10];
    lstm_tensor *input, *target, *dinput;
    lstm_loss_options options = {.reduction = LSTM_REDUCTION_NONE};
    assert_int_equal(lstm_tensor_wrap(&input, x, 1, (size_t[]){10}, NULL), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&target, t, 1, (size_t[]){10}, NULL), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dinput, dx_data, 1, (size_t[]){10}, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_bce_forward(input, target, &options, values), LSTM_OK);
    assert_int_equal(lstm_bce_backward(input, target, &options, NULL, dinput), LSTM_OK);
    assert_values(values, loss, 9);
    assert_values(dx_data, slope, 9);
    assert_true(isnan(values[9]) && isnan(dx_data[9]));
    lstm_tensor_destroy(&input);
    lstm_tensor_destroy(&target);
    lstm_tensor_destroy(&dinput);
}

/* Both calls of a loss refuse the same. */
static void assert_refused(const fixture *f, const lstm_loss_options *options,
                           lstm_status status, const char *message)
{
    float value = 7;
    lstm_tensor_data(f->dinput)[0] = 7;
    assert_int_equal(lstm_bce_forward(f->input, f->target, options, &value), status);
    assert_string_equal(lstm_last_error(), message);
    assert_int_equal(lstm_bce_backward(f->input, f->target, options, NULL, f->dinput),
                     status);
    assert_string_equal(lstm_last_error(), message);
    assert_true(value == 7 && lstm_tensor_data(f->dinput)[0] == 7);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_refused(&f, &(lstm_loss_options){.reduction = (lstm_reduction)3},
                   LSTM_INVALID_ARGUMENT, "bce: reduction is 3, expected 0 to 2");
    assert_refused(&f, &(lstm_loss_options){.classes = 3}, LSTM_INVALID_ARGUMENT,
                   "bce: classes is 3, expected 0 without pos_weight");
    assert_refused(&f, &(lstm_loss_options){.pos_weight = f.pos_weight},
                   LSTM_INVALID_ARGUMENT,
                   "bce: classes is 0, expected the number of values of pos_weight");
    assert_refused(&f, &(lstm_loss_options){.pos_weight = f.pos_weight, .classes = 3},
                   LSTM_SHAPE_MISMATCH,
                   "bce: classes is 3, expected 5, the last axis of input");
    lstm_tensor *mask;
    assert_int_equal(lstm_tensor_create(&mask, 1, (size_t[]){A}), LSTM_OK);
    assert_refused(&f, &(lstm_loss_options){.mask = mask}, LSTM_SHAPE_MISMATCH,
                   "bce: mask is [4], expected [4, 3, 5] or [4, 3]");
    lstm_tensor *row;
    assert_int_equal(lstm_tensor_create(&row, 1, (size_t[]){A + 1}), LSTM_OK);
    float value;
    lstm_loss_options options = {.mask = mask};
    assert_int_equal(lstm_mse_forward(row, row, &options, &value), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "mse: mask is [4], expected [5]");
    lstm_tensor_destroy(&row);
    assert_int_equal(lstm_tensor_create(&row, 2, (size_t[]){A + 1, A}), LSTM_OK);
    assert_int_equal(lstm_mse_forward(row, row, &options, &value), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "mse: mask is [4], expected [5, 4] or [5]");
    lstm_tensor_destroy(&row);
    lstm_tensor_destroy(&mask);
    options = (lstm_loss_options){.pos_weight = f.pos_weight, .classes = C};
    assert_int_equal(lstm_mse_forward(f.input, f.target, &options, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "mse: pos_weight and classes are set, expected NULL and 0");
    destroy_fixture(&f);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float value;
    lstm_tensor *x = f.input, *t = f.target;
    assert_int_equal(lstm_mse_forward(NULL, t, NULL, &value), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "mse: input is NULL");
    assert_int_equal(lstm_mse_forward(x, NULL, NULL, &value), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_mse_forward(x, t, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "mse: value is NULL");
    assert_int_equal(lstm_mse_forward(x, f.row_mask, NULL, &value),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "mse: target is [4, 3], expected [4, 3, 5]");
    assert_int_equal(lstm_mse_backward(NULL, t, NULL, NULL, x), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_mse_backward(x, NULL, NULL, NULL, x), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_bce_backward(x, t, NULL, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "bce: dinput is NULL");
    assert_int_equal(lstm_bce_backward(x, t, NULL, NULL, f.row_mask),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "bce: dinput is [4, 3], expected [4, 3, 5]");
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(squared_errors_agree_with_torch),
        TEST(binary_cross_entropies_agree_with_torch),
        TEST(without_options_the_mean_is_computed),
        TEST(dinput_may_be_input_or_target),
        TEST(strides_give_the_same),
        TEST(nan_in_masked_elements_has_no_effect),
        TEST(a_mean_over_nothing_is_nan_with_gradients_of_zero),
        TEST(logits_of_any_size_have_the_right_loss),
        TEST(options_out_of_range_are_named),
        TEST(wrong_arguments_are_refused_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
