/* Sets of parameters: names, gradients, and the norm of torch's clip_grad_norm_. */
#include <lstm/linear.h>
#include <lstm/params.h>

#include "tests/golden/linear.h"
#include "tests/golden/params.h"
#include "tests/support/test.h"

/* Two linear layers in a set; of the first the gradients of the golden data. */
typedef struct fixture {
    lstm_linear *first, *second;
    lstm_params *params;
} fixture;

static fixture create_fixture(void)
{
    fixture f;
    assert_int_equal(
        lstm_linear_create(&f.first, &(lstm_linear_config){.inputs = 7, .outputs = 5},
                           NULL),
        LSTM_OK);
    assert_int_equal(
        lstm_linear_create(&f.second, &(lstm_linear_config){.inputs = 3, .outputs = 2},
                           NULL),
        LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "fc", f.first), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "", f.second), LSTM_OK);
    memcpy(lstm_tensor_data(lstm_params_grad(f.params, 0)), linear_dweight,
           sizeof(linear_dweight));
    memcpy(lstm_tensor_data(lstm_params_grad(f.params, 1)), linear_dbias,
           sizeof(linear_dbias));
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_params_destroy(&f->params);
    lstm_linear_destroy(&f->first);
    lstm_linear_destroy(&f->second);
}

static float *grad(const fixture *f, size_t index)
{
    return lstm_tensor_data(lstm_params_grad(f->params, index));
}

static void names_and_order_are_those_of_a_state_dict(void **state)
{
    (void)state;
    fixture f = create_fixture();
    static const char *const names[] = {"fc.weight", "fc.bias", "weight", "bias"};
    assert_int_equal(lstm_params_size(f.params), 4);
    assert_int_equal(lstm_params_count(f.params), 35 + 5 + 6 + 2);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(lstm_params_name(f.params, i), names[i]);
    assert_int_equal(lstm_tensor_extent(lstm_params_value(f.params, 2), 0), 2);
    assert_int_equal(lstm_tensor_extent(lstm_params_value(f.params, 2), 1), 3);
    assert_int_equal(lstm_tensor_rank(lstm_params_grad(f.params, 3)), 1);
    destroy_fixture(&f);
}

static void getters_of_nothing_are_nothing(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_null(lstm_params_name(f.params, 4));
    assert_null(lstm_params_value(f.params, 4));
    assert_null(lstm_params_grad(f.params, SIZE_MAX));
    assert_int_equal(lstm_params_size(NULL), 0);
    assert_int_equal(lstm_params_count(NULL), 0);
    assert_null(lstm_params_name(NULL, 0));
    assert_null(lstm_params_value(NULL, 0));
    assert_null(lstm_params_grad(NULL, 0));
    destroy_fixture(&f);
    lstm_params_destroy(&f.params);
    lstm_params_destroy(NULL);
}

static void a_taken_name_adds_nothing(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_params_add_linear(f.params, "fc", f.second),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "params: name fc.weight is in the set already");
    assert_int_equal(lstm_params_size(f.params), 4);
    assert_int_equal(lstm_params_add_linear(f.params, "head", f.second), LSTM_OK);
    assert_string_equal(lstm_params_name(f.params, 5), "head.bias");
    destroy_fixture(&f);
}

static void zeroing_reaches_every_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_params_zero_grad(f.params), LSTM_OK);
    for (size_t i = 0; i < lstm_params_size(f.params); i++)
        for (size_t j = 0; j < lstm_tensor_count(lstm_params_grad(f.params, i)); j++)
            assert_true(grad(&f, i)[j] == 0);
    destroy_fixture(&f);
}

static void clipping_scales_as_torch_does(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, &norm), LSTM_OK);
    /* PyTorch sums in float32, which is off by some units of 2^-24. */
    double relative = 4e-7;
    assert_close(norm, params_norm[0], norm * relative);
    for (size_t i = 0; i < 35; i++)
        assert_close(grad(&f, 0)[i], params_dweight[i],
                     fabs((double)params_dweight[i]) * relative);
    for (size_t i = 0; i < 5; i++)
        assert_close(grad(&f, 1)[i], params_dbias[i],
                     fabs((double)params_dbias[i]) * relative);
    assert_int_equal(lstm_params_clip_norm(f.params, INFINITY, &norm), LSTM_OK);
    assert_close(norm, 0.5, 1e-6);
    destroy_fixture(&f);
}

static void a_norm_below_the_limit_leaves_the_bits(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0;
    assert_int_equal(lstm_params_clip_norm(f.params, 100, &norm), LSTM_OK);
    assert_int_equal(lstm_params_clip_norm(f.params, INFINITY, NULL), LSTM_OK);
    assert_close(norm, params_norm[0], 1e-5);
    assert_memory_equal(grad(&f, 0), linear_dweight, sizeof(linear_dweight));
    destroy_fixture(&f);
}

static void the_largest_floats_have_a_finite_norm(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0;
    assert_int_equal(lstm_params_zero_grad(f.params), LSTM_OK);
    grad(&f, 0)[0] = 3e38f;
    grad(&f, 3)[1] = 3e38f;
    assert_int_equal(lstm_params_clip_norm(f.params, 1, &norm), LSTM_OK);
    assert_close(norm / 3e38, sqrt(2.0), 1e-6);
    assert_close(grad(&f, 0)[0], sqrt(0.5), 1e-6);
    destroy_fixture(&f);
}

static void a_gradient_that_is_not_finite_is_named_and_nothing_changes(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0;
    grad(&f, 1)[2] = NAN;
    grad(&f, 2)[0] = INFINITY;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, &norm), LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "params: gradient of fc.bias is");
    assert_contains(lstm_last_error(), "nan at element 2, expected finite");
    assert_true(isnan(norm));
    assert_memory_equal(grad(&f, 0), linear_dweight, sizeof(linear_dweight));
    grad(&f, 1)[2] = 0;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, &norm), LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "gradient of weight is inf at element 0");
    assert_true(isinf(norm));
    destroy_fixture(&f);
}

static void clipping_by_value_limits_every_element(void **state)
{
    (void)state;
    fixture f = create_fixture();
    grad(&f, 2)[0] = INFINITY;
    grad(&f, 2)[1] = -INFINITY;
    grad(&f, 2)[2] = NAN;
    assert_int_equal(lstm_params_clip_value(f.params, 0.25), LSTM_OK);
    for (size_t i = 0; i < 35; i++) {
        float value = linear_dweight[i];
        assert_true(grad(&f, 0)[i] == fminf(fmaxf(value, -0.25f), 0.25f));
    }
    assert_true(grad(&f, 2)[0] == 0.25f && grad(&f, 2)[1] == -0.25f);
    assert_true(isnan(grad(&f, 2)[2]));
    assert_int_equal(lstm_params_clip_value(f.params, -1), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: limit is -1, expected at least 0");
    assert_int_equal(lstm_params_clip_value(f.params, NAN), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_clip_value(NULL, 1), LSTM_INVALID_ARGUMENT);
    destroy_fixture(&f);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    fixture f = create_fixture();
    static const double limits[] = {0, -1, NAN, -INFINITY};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        assert_int_equal(lstm_params_clip_norm(f.params, limits[i], NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), "expected above 0");
    }
    assert_int_equal(lstm_params_create(NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_linear(NULL, "", f.first), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_linear(f.params, NULL, f.first),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_linear(f.params, "", NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_zero_grad(NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_clip_norm(NULL, 1, NULL), LSTM_INVALID_ARGUMENT);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_and_order_are_those_of_a_state_dict),
        TEST(getters_of_nothing_are_nothing),
        TEST(a_taken_name_adds_nothing),
        TEST(zeroing_reaches_every_gradient),
        TEST(clipping_scales_as_torch_does),
        TEST(a_norm_below_the_limit_leaves_the_bits),
        TEST(the_largest_floats_have_a_finite_norm),
        TEST(a_gradient_that_is_not_finite_is_named_and_nothing_changes),
        TEST(clipping_by_value_limits_every_element),
        TEST(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
