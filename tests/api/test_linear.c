/* The linear layer against torch.nn.Linear. */
#include <lstm/linear.h>
#include <lstm/params.h>

#include "tests/golden/linear.h"
#include "tests/support/test.h"

enum { INPUTS = 7, OUTPUTS = 5, ROWS = 6 };

/* The error of a sum of k float32 terms is at most k 2^-24 times the sum of their
 * magnitudes: 8 terms, and magnitudes that sum to less than 3. */
static const double tolerance = 1.5e-6;

/* The layer of the golden data with its x and dy, drawn as the script draws them. */
typedef struct fixture {
    lstm_linear *linear;
    lstm_params *params;
    lstm_tensor *x, *y, *dx, *dy;
} fixture;

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

static fixture create_fixture_of(lstm_linear_config config)
{
    fixture f;
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, 3), LSTM_OK);
    assert_int_equal(lstm_linear_create(&f.linear, &config, rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "fc", f.linear), LSTM_OK);
    f.x = tensor_of(2, (size_t[]){ROWS, INPUTS});
    f.dx = tensor_of(2, (size_t[]){ROWS, INPUTS});
    f.y = tensor_of(2, (size_t[]){ROWS, OUTPUTS});
    f.dy = tensor_of(2, (size_t[]){ROWS, OUTPUTS});
    assert_int_equal(lstm_rng_uniform(rng, f.x, -1, 1), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, f.dy, -1, 1), LSTM_OK);
    lstm_rng_destroy(&rng);
    return f;
}

static fixture create_fixture(void)
{
    return create_fixture_of(
        (lstm_linear_config){.inputs = INPUTS, .outputs = OUTPUTS});
}

static void destroy_fixture(fixture *f)
{
    lstm_params_destroy(&f->params);
    lstm_linear_destroy(&f->linear);
    lstm_tensor_destroy(&f->x);
    lstm_tensor_destroy(&f->y);
    lstm_tensor_destroy(&f->dx);
    lstm_tensor_destroy(&f->dy);
}

static void assert_values(const lstm_tensor *tensor, const float *expected,
                          double factor)
{
    const float *data = lstm_tensor_data(tensor);
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        assert_close(data[i], factor * (double)expected[i], tolerance);
}

static void initial_weights_have_the_bits_of_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_memory_equal(lstm_tensor_data(lstm_params_value(f.params, 0)), linear_weight,
                        sizeof(linear_weight));
    assert_memory_equal(lstm_tensor_data(lstm_params_value(f.params, 1)), linear_bias,
                        sizeof(linear_bias));
    destroy_fixture(&f);
}

static void bounds_of_many_sizes_have_the_bits_of_torch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(linear_bounds) / sizeof(uint32_t); i += 3) {
        lstm_rng *rng;
        lstm_linear *linear;
        lstm_params *params;
        assert_int_equal(lstm_rng_create(&rng, linear_bounds[i]), LSTM_OK);
        assert_int_equal(
            lstm_linear_create(
                &linear,
                &(lstm_linear_config){.inputs = linear_bounds[i], .outputs = 3}, rng),
            LSTM_OK);
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_params_add_linear(params, "", linear), LSTM_OK);
        const float *weight = lstm_tensor_data(lstm_params_value(params, 0));
        const float *bias = lstm_tensor_data(lstm_params_value(params, 1));
        assert_memory_equal(&weight[0], &linear_bounds[i + 1], sizeof(float));
        assert_memory_equal(&bias[2], &linear_bounds[i + 2], sizeof(float));
        lstm_params_destroy(&params);
        lstm_linear_destroy(&linear);
        lstm_rng_destroy(&rng);
    }
}

static void forward_and_gradients_agree_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_linear_forward(f.linear, f.x, f.y), LSTM_OK);
    assert_values(f.y, linear_y, 1);
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, f.dx), LSTM_OK);
    assert_values(f.dx, linear_dx, 1);
    assert_values(lstm_params_grad(f.params, 0), linear_dweight, 1);
    assert_values(lstm_params_grad(f.params, 1), linear_dbias, 1);
    destroy_fixture(&f);
}

static void parameter_gradients_accumulate_and_dx_does_not(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_linear_forward(f.linear, f.x, f.y), LSTM_OK);
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, NULL), LSTM_OK);
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, f.dx), LSTM_OK);
    assert_values(f.dx, linear_dx, 1);
    assert_values(lstm_params_grad(f.params, 0), linear_dweight, 2);
    assert_values(lstm_params_grad(f.params, 1), linear_dbias, 2);
    destroy_fixture(&f);
}

static void without_bias_everything_agrees_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture_of(
        (lstm_linear_config){.inputs = INPUTS, .outputs = OUTPUTS, .no_bias = true});
    assert_int_equal(lstm_params_size(f.params), 1);
    assert_string_equal(lstm_params_name(f.params, 0), "fc.weight");
    assert_memory_equal(lstm_tensor_data(lstm_params_value(f.params, 0)), linear_weight,
                        sizeof(linear_weight));
    /* The second forward overwrites y. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lstm_linear_forward(f.linear, f.x, f.y), LSTM_OK);
        assert_values(f.y, linear_plain_y, 1);
    }
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, f.dx), LSTM_OK);
    assert_values(f.dx, linear_plain_dx, 1);
    assert_values(lstm_params_grad(f.params, 0), linear_plain_dweight, 1);
    destroy_fixture(&f);
}

/* Small integers, whose sums are exact. */
static void the_gradient_of_the_bias_is_the_sum_of_any_rows(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 63, 64, 65, 128, 130}, counts[] = {1, 5, 129};
    for (size_t i = 0; i < 18; i++) {
        size_t width = widths[i / 3], rows = counts[i % 3];
        fixture f =
            create_fixture_of((lstm_linear_config){.inputs = 1, .outputs = width});
        lstm_tensor *x = tensor_of(2, (size_t[]){rows, 1});
        lstm_tensor *y = tensor_of(2, (size_t[]){rows, width});
        assert_int_equal(lstm_linear_forward(f.linear, x, y), LSTM_OK);
        float *dy = lstm_tensor_data(y);
        for (size_t k = 0; k < rows * width; k++)
            dy[k] = (float)(k / width + 3 * (k % width));
        assert_int_equal(lstm_linear_backward(f.linear, y, NULL), LSTM_OK);
        const float *db = lstm_tensor_data(lstm_params_grad(f.params, 1));
        for (size_t k = 0; k < width; k++)
            assert_true(db[k] == (float)(rows * (rows - 1) / 2 + 3 * k * rows));
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&y);
        destroy_fixture(&f);
    }
}

static void the_options_are_read_back(void **state)
{
    (void)state;
    fixture f = create_fixture_of(
        (lstm_linear_config){.inputs = INPUTS, .outputs = OUTPUTS, .no_bias = true});
    const lstm_linear_config *config = lstm_linear_get_config(f.linear);
    assert_int_equal(config->inputs, INPUTS);
    assert_int_equal(config->outputs, OUTPUTS);
    assert_true(config->no_bias);
    assert_null(lstm_linear_get_config(NULL));
    destroy_fixture(&f);
}

static void x_may_change_before_backward(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_linear_forward(f.linear, f.x, f.y), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(f.x, NAN), LSTM_OK);
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, f.x), LSTM_OK);
    assert_values(f.x, linear_dx, 1);
    assert_values(lstm_params_grad(f.params, 0), linear_dweight, 1);
    destroy_fixture(&f);
}

static void three_axes_and_strides_give_the_same(void **state)
{
    /* x and dx have permuted axes, y and dy gaps between rows. */
    (void)state;
    fixture f = create_fixture();
    float x_data[ROWS * INPUTS], dx_data[ROWS * INPUTS];
    float y_data[ROWS * (OUTPUTS + 2)], dy_data[ROWS * (OUTPUTS + 2)];
    size_t in[] = {2, 3, INPUTS}, out[] = {2, 3, OUTPUTS};
    ptrdiff_t permuted[] = {1, 2, 6};
    ptrdiff_t apart[] = {3 * (OUTPUTS + 2), OUTPUTS + 2, 1};
    lstm_tensor *x, *dx, *y, *dy, *x3, *dy3;
    assert_int_equal(lstm_tensor_wrap(&x, x_data, 3, in, permuted), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dx, dx_data, 3, in, permuted), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&y, y_data, 3, out, apart), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dy, dy_data, 3, out, apart), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&x3, lstm_tensor_data(f.x), 3, in, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dy3, lstm_tensor_data(f.dy), 3, out, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_copy(x, x3), LSTM_OK);
    assert_int_equal(lstm_tensor_copy(dy, dy3), LSTM_OK);
    assert_int_equal(lstm_linear_forward(f.linear, x, y), LSTM_OK);
    assert_int_equal(lstm_linear_backward(f.linear, dy, dx), LSTM_OK);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t o = 0; o < OUTPUTS; o++)
            assert_close(y_data[row * (OUTPUTS + 2) + o], linear_y[row * OUTPUTS + o],
                         tolerance);
        for (size_t i = 0; i < INPUTS; i++)
            assert_close(dx_data[row / 3 + 2 * (row % 3) + 6 * i],
                         linear_dx[row * INPUTS + i], tolerance);
    }
    lstm_tensor *views[] = {x, dx, y, dy, x3, dy3};
    for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
        lstm_tensor_destroy(&views[i]);
    destroy_fixture(&f);
}

static void the_number_of_rows_may_change(void **state)
{
    (void)state;
    fixture f = create_fixture();
    static const size_t rows[] = {6, 1, 40, 6};
    for (size_t i = 0; i < 4; i++) {
        lstm_tensor *x = tensor_of(2, (size_t[]){rows[i], INPUTS});
        lstm_tensor *y = tensor_of(2, (size_t[]){rows[i], OUTPUTS});
        for (size_t row = 0; row < rows[i]; row++)
            memcpy(lstm_tensor_data(x) + row * INPUTS,
                   lstm_tensor_data(f.x) + row % ROWS * INPUTS, INPUTS * sizeof(float));
        assert_int_equal(lstm_linear_forward(f.linear, x, y), LSTM_OK);
        for (size_t j = 0; j < rows[i] * OUTPUTS; j++)
            assert_close(lstm_tensor_data(y)[j], linear_y[j % (ROWS * OUTPUTS)],
                         tolerance);
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&y);
    }
    destroy_fixture(&f);
}

static void without_a_generator_the_weights_are_zero(void **state)
{
    (void)state;
    lstm_linear *linear;
    lstm_tensor *x = tensor_of(2, (size_t[]){1, 2}),
                *y = tensor_of(2, (size_t[]){1, 3});
    assert_int_equal(
        lstm_linear_create(&linear, &(lstm_linear_config){.inputs = 2, .outputs = 3},
                           NULL),
        LSTM_OK);
    assert_int_equal(lstm_tensor_fill(x, 5), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(y, 5), LSTM_OK);
    assert_int_equal(lstm_linear_forward(linear, x, y), LSTM_OK);
    for (size_t i = 0; i < 3; i++)
        assert_true(lstm_tensor_data(y)[i] == 0);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
    lstm_linear_destroy(&linear);
    lstm_linear_destroy(&linear);
    lstm_linear_destroy(NULL);
}

static void wrong_shapes_are_refused_with_both(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_tensor *wide = tensor_of(2, (size_t[]){ROWS, 8});
    lstm_tensor *line = tensor_of(1, (size_t[]){INPUTS});
    assert_int_equal(lstm_linear_forward(f.linear, wide, f.y), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "linear: x is [6, 8], expected [N, 7] or [A, B, 7]");
    assert_int_equal(lstm_linear_forward(f.linear, line, f.y), LSTM_SHAPE_MISMATCH);
    assert_int_equal(lstm_linear_forward(f.linear, f.x, wide), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "linear: y is [6, 8], expected [6, 5]");
    assert_int_equal(lstm_linear_forward(f.linear, f.x, f.y), LSTM_OK);
    assert_int_equal(lstm_linear_backward(f.linear, wide, f.dx), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "linear: dy is [6, 8], expected [6, 5]");
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, wide), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "linear: dx is [6, 8], expected [6, 7]");
    const float *db = lstm_tensor_data(lstm_params_grad(f.params, 1));
    for (size_t i = 0; i < OUTPUTS; i++)
        assert_true(db[i] == 0);
    lstm_tensor_destroy(&wide);
    lstm_tensor_destroy(&line);
    destroy_fixture(&f);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_linear *linear = f.linear;
    assert_int_equal(lstm_linear_create(
                         NULL, &(lstm_linear_config){.inputs = 1, .outputs = 1}, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(
        lstm_linear_create(&linear, &(lstm_linear_config){.inputs = 0, .outputs = 1},
                           NULL),
        LSTM_INVALID_ARGUMENT);
    assert_null(linear);
    assert_string_equal(lstm_last_error(), "linear: inputs is 0, expected at least 1");
    assert_int_equal(
        lstm_linear_create(&linear, &(lstm_linear_config){.inputs = 1, .outputs = 0},
                           NULL),
        LSTM_INVALID_ARGUMENT);
    assert_int_equal(
        lstm_linear_create(
            &linear, &(lstm_linear_config){.inputs = SIZE_MAX / 2, .outputs = 4}, NULL),
        LSTM_INVALID_ARGUMENT);
    assert_null(linear);
    linear = f.linear;
    assert_int_equal(lstm_linear_create(&linear, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_null(linear);
    assert_string_equal(lstm_last_error(), "linear: config is NULL");
    assert_int_equal(lstm_linear_backward(f.linear, f.dy, f.dx), LSTM_INVALID_STATE);
    assert_int_equal(lstm_linear_forward(NULL, f.x, f.y), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_forward(f.linear, NULL, f.y), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_forward(f.linear, f.x, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_backward(NULL, f.dy, f.dx), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_backward(f.linear, NULL, f.dx), LSTM_INVALID_ARGUMENT);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initial_weights_have_the_bits_of_torch),
        TEST(bounds_of_many_sizes_have_the_bits_of_torch),
        TEST(forward_and_gradients_agree_with_torch),
        TEST(parameter_gradients_accumulate_and_dx_does_not),
        TEST(without_bias_everything_agrees_with_torch),
        TEST(the_gradient_of_the_bias_is_the_sum_of_any_rows),
        TEST(the_options_are_read_back),
        TEST(x_may_change_before_backward),
        TEST(three_axes_and_strides_give_the_same),
        TEST(the_number_of_rows_may_change),
        TEST(without_a_generator_the_weights_are_zero),
        TEST(wrong_shapes_are_refused_with_both),
        TEST(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
