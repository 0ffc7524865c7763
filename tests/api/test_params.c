/* Parameter sets: contents, frozen parameters, gradients, and clip_grad_norm_ of torch.
 */
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>

#include "tests/golden/linear.h"
#include "tests/golden/params.h"
#include "tests/support/test.h"

/* Two linear layers in a set; the first one has the gradients of the golden data. */
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

static void names_and_order_equal_a_state_dict(void **state)
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

static void getters_out_of_range_return_null(void **state)
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

static lstm_tensor *tensor_of(float *data, size_t count, ptrdiff_t stride)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_wrap(&tensor, data, 1, &count, &stride), LSTM_OK);
    return tensor;
}

static void a_name_cannot_be_added_twice(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_linear *third;
    assert_int_equal(
        lstm_linear_create(&third, &(lstm_linear_config){.inputs = 3, .outputs = 2},
                           NULL),
        LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "fc", third),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "params: name fc.weight is in the set already");
    assert_int_equal(lstm_params_size(f.params), 4);
    assert_int_equal(lstm_params_add_linear(f.params, "head", third), LSTM_OK);
    assert_string_equal(lstm_params_name(f.params, 5), "head.bias");
    destroy_fixture(&f);
    lstm_linear_destroy(&third);
}

static void a_parameter_cannot_be_added_twice(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_params_add_linear(f.params, "again", f.first),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(
        lstm_last_error(),
        "params: memory of again.weight is in the set already, as fc.weight");
    /* A part of a value or of a gradient, as value or as gradient. */
    float other[2] = {0};
    lstm_tensor *free_two = tensor_of(other, 2, 1);
    lstm_tensor *taken[] = {
        tensor_of(lstm_tensor_data(lstm_params_value(f.params, 1)) + 3, 2, 1),
        tensor_of(grad(&f, 1) + 3, 2, 1),
    };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lstm_params_add_tensor(f.params, "t", taken[i], NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(),
                        "memory of t is in the set already, as fc.b");
        assert_int_equal(lstm_params_add_tensor(f.params, "t", free_two, taken[i]),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(),
                        "memory of t is in the set already, as fc.b");
        lstm_tensor_destroy(&taken[i]);
    }
    assert_int_equal(lstm_params_size(f.params), 4);
    lstm_tensor *overlapping = tensor_of(other + 1, 1, 1);
    lstm_tensor *one = tensor_of(other, 1, 1);
    assert_int_equal(lstm_params_add_tensor(f.params, "t", free_two, free_two),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "params: value and grad of t overlap in memory");
    /* Neighbours do not overlap. */
    assert_int_equal(lstm_params_add_tensor(f.params, "t", one, overlapping), LSTM_OK);
    destroy_fixture(&f);
    lstm_tensor_destroy(&one);
    lstm_tensor_destroy(&overlapping);
    lstm_tensor_destroy(&free_two);
}

static void tensors_of_the_caller_have_names_and_need_no_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float data[9] = {1, 2, 3, 4, NAN, 6, 7, 8, 9};
    lstm_tensor *value = tensor_of(data, 4, 1), *slope = tensor_of(data + 5, 4, 1);
    lstm_tensor *mean = tensor_of(data + 4, 1, 1);
    char name[] = "a.b";
    assert_int_equal(lstm_params_add_tensor(f.params, "mean", mean, NULL), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(f.params, name, value, slope), LSTM_OK);
    name[0] = 'x';
    assert_int_equal(lstm_params_size(f.params), 6);
    assert_int_equal(lstm_params_count(f.params), 48 + 5);
    assert_string_equal(lstm_params_name(f.params, 5), "a.b");
    assert_ptr_equal(lstm_params_value(f.params, 5), value);
    assert_ptr_equal(lstm_params_grad(f.params, 5), slope);
    assert_null(lstm_params_grad(f.params, 4));
    assert_false(lstm_params_trainable(f.params, 4));
    assert_true(lstm_params_trainable(f.params, 5));
    double norm = 0;
    assert_int_equal(lstm_params_clip_norm(f.params, INFINITY, &norm), LSTM_OK);
    assert_int_equal(lstm_params_clip_value(f.params, 0.5), LSTM_OK);
    assert_true(data[5] == 0.5f && data[0] == 1);
    assert_int_equal(lstm_params_zero_grad(f.params), LSTM_OK);
    assert_true(data[5] == 0 && data[8] == 0 && data[0] == 1 && isnan(data[4]));
    destroy_fixture(&f);
    lstm_tensor_destroy(&value);
    lstm_tensor_destroy(&slope);
    lstm_tensor_destroy(&mean);
}

static void tensors_that_cannot_be_parameters_are_refused(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float data[16] = {0};
    lstm_tensor *value = tensor_of(data, 4, 1), *strided = tensor_of(data + 4, 4, 2);
    lstm_tensor *shorter = tensor_of(data + 12, 3, 1);
    lstm_params *p = f.params;
    assert_int_equal(lstm_params_add_tensor(NULL, "t", value, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_tensor(p, NULL, value, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_tensor(p, "t", NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: value is NULL");
    assert_int_equal(lstm_params_add_tensor(p, "", value, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: name is empty");
    assert_int_equal(lstm_params_add_tensor(p, "t", strided, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(
        lstm_last_error(),
        "params: value of t has strides, expected row-major without gaps");
    assert_int_equal(lstm_params_add_tensor(p, "t", value, strided),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "grad of t has strides");
    assert_int_equal(lstm_params_add_tensor(p, "t", value, shorter),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "params: grad is [3], expected [4]");
    assert_int_equal(lstm_params_add_tensor(p, "weight", value, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "name weight is in the set already");
    assert_int_equal(lstm_params_size(p), 4);
    destroy_fixture(&f);
    lstm_tensor_destroy(&value);
    lstm_tensor_destroy(&strided);
    lstm_tensor_destroy(&shorter);
}

static void norm_and_clipping_skip_frozen_parameters(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0, relative = 4e-7;
    assert_true(lstm_params_trainable(f.params, 1));
    assert_int_equal(lstm_params_set_trainable(f.params, 1, false), LSTM_OK);
    assert_false(lstm_params_trainable(f.params, 1));
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, &norm), LSTM_OK);
    assert_close(norm, params_frozen_norm[0], norm * relative);
    for (size_t i = 0; i < 35; i++)
        assert_close(grad(&f, 0)[i], params_frozen_dweight[i],
                     fabs((double)params_frozen_dweight[i]) * relative);
    assert_int_equal(lstm_params_clip_value(f.params, 1e-3), LSTM_OK);
    assert_memory_equal(grad(&f, 1), linear_dbias, sizeof(linear_dbias));
    grad(&f, 1)[0] = NAN;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, NULL), LSTM_OK);
    grad(&f, 3)[1] = NAN;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, NULL), LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "gradient of bias is");
    assert_int_equal(lstm_params_set_trainable(f.params, 1, true), LSTM_OK);
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, NULL), LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "gradient of fc.bias is");
    assert_int_equal(lstm_params_set_trainable(f.params, 1, false), LSTM_OK);
    assert_int_equal(lstm_params_zero_grad(f.params), LSTM_OK);
    assert_true(grad(&f, 1)[0] == 0 && grad(&f, 1)[4] == 0);
    destroy_fixture(&f);
}

static void freezing_what_cannot_be_frozen_is_refused(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float data[1] = {0};
    lstm_tensor *mean = tensor_of(data, 1, 1);
    assert_int_equal(lstm_params_add_tensor(f.params, "mean", mean, NULL), LSTM_OK);
    assert_int_equal(lstm_params_set_trainable(NULL, 0, true), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_set_trainable(f.params, 5, true),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: index is 5, expected below 5");
    assert_int_equal(lstm_params_set_trainable(f.params, 4, true),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "params: mean has no gradient and cannot be trainable");
    assert_int_equal(lstm_params_set_trainable(f.params, 4, false), LSTM_OK);
    assert_false(lstm_params_trainable(f.params, 5));
    assert_false(lstm_params_trainable(NULL, 0));
    destroy_fixture(&f);
    lstm_tensor_destroy(&mean);
}

static void values_and_gradients_are_flat_arrays(void **state)
{
    (void)state;
    fixture f = create_fixture();
    float data[2] = {7, 8}, flat[50], back[50];
    lstm_tensor *mean = tensor_of(data, 2, 1);
    assert_int_equal(lstm_params_add_tensor(f.params, "mean", mean, NULL), LSTM_OK);
    for (size_t i = 0; i < 50; i++)
        flat[i] = (float)i;
    assert_int_equal(lstm_params_set_values(f.params, flat), LSTM_OK);
    assert_true(lstm_tensor_data(lstm_params_value(f.params, 1))[0] == 35);
    assert_true(lstm_tensor_data(lstm_params_value(f.params, 3))[1] == 47);
    assert_true(data[0] == 48 && data[1] == 49);
    assert_int_equal(lstm_params_get_values(f.params, back), LSTM_OK);
    assert_memory_equal(back, flat, sizeof(flat));
    assert_int_equal(lstm_params_set_grads(f.params, flat), LSTM_OK);
    assert_true(grad(&f, 1)[0] == 35 && grad(&f, 3)[1] == 47);
    assert_int_equal(lstm_params_get_grads(f.params, back), LSTM_OK);
    assert_memory_equal(back, flat, 48 * sizeof(float));
    assert_true(back[48] == 0 && back[49] == 0);
    assert_int_equal(lstm_params_get_values(NULL, back), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_set_values(f.params, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: values is NULL");
    assert_int_equal(lstm_params_get_grads(f.params, NULL), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: grads is NULL");
    assert_int_equal(lstm_params_set_grads(NULL, flat), LSTM_INVALID_ARGUMENT);
    destroy_fixture(&f);
    lstm_tensor_destroy(&mean);
}

/* The last h of a layer in evaluation mode. */
static float last_h(lstm_layer *layer)
{
    float x_data[] = {1, -1}, h_data[1];
    lstm_tensor *x, *h;
    assert_int_equal(lstm_tensor_wrap(&x, x_data, 3, (size_t[]){2, 1, 1}, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&h, h_data, 3, (size_t[]){1, 1, 1}, NULL),
                     LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, h, NULL), LSTM_OK);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&h);
    return h_data[0];
}

static void a_layer_in_evaluation_uses_values_that_were_set(void **state)
{
    (void)state;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_params *params;
    float best[16], others[16];
    assert_int_equal(lstm_rng_create(&rng, 1), LSTM_OK);
    assert_int_equal(
        lstm_layer_create(&layer, &(lstm_layer_config){.inputs = 1, .hidden = 1}, rng),
        LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", layer), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    assert_int_equal(lstm_params_count(params), 16);
    float h = last_h(layer);
    assert_int_equal(lstm_params_get_values(params, best), LSTM_OK);
    for (size_t i = 0; i < 16; i++)
        others[i] = 0.25f;
    assert_int_equal(lstm_params_set_values(params, others), LSTM_OK);
    assert_true(last_h(layer) != h);
    assert_int_equal(lstm_params_set_values(params, best), LSTM_OK);
    assert_true(last_h(layer) == h);
    lstm_params_destroy(&params);
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
}

static void zero_grad_zeroes_every_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_params_zero_grad(f.params), LSTM_OK);
    for (size_t i = 0; i < lstm_params_size(f.params); i++)
        for (size_t j = 0; j < lstm_tensor_count(lstm_params_grad(f.params, i)); j++)
            assert_true(grad(&f, i)[j] == 0);
    destroy_fixture(&f);
}

static void clipping_by_norm_agrees_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    double norm = 0;
    assert_int_equal(lstm_params_clip_norm(f.params, 0.5, &norm), LSTM_OK);
    /* PyTorch sums in float32; the error is a few units of 2^-24. */
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

static void a_norm_below_the_limit_changes_no_bit(void **state)
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

static void clipping_by_value_clamps_every_element(void **state)
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
        TEST(names_and_order_equal_a_state_dict),
        TEST(getters_out_of_range_return_null),
        TEST(a_name_cannot_be_added_twice),
        TEST(a_parameter_cannot_be_added_twice),
        TEST(tensors_of_the_caller_have_names_and_need_no_gradient),
        TEST(tensors_that_cannot_be_parameters_are_refused),
        TEST(norm_and_clipping_skip_frozen_parameters),
        TEST(freezing_what_cannot_be_frozen_is_refused),
        TEST(values_and_gradients_are_flat_arrays),
        TEST(a_layer_in_evaluation_uses_values_that_were_set),
        TEST(zero_grad_zeroes_every_gradient),
        TEST(clipping_by_norm_agrees_with_torch),
        TEST(a_norm_below_the_limit_changes_no_bit),
        TEST(the_largest_floats_have_a_finite_norm),
        TEST(a_gradient_that_is_not_finite_is_named_and_nothing_changes),
        TEST(clipping_by_value_clamps_every_element),
        TEST(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
