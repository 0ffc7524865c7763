/* The optimiser against torch.optim.Adam, five steps of every option. */
#include <lstm/adam.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/rng.h>

#include "tests/golden/adam.h"
#include "tests/support/test.h"

enum { WEIGHTS = 35, BIASES = 5, STEPS = 5 };

/* PyTorch's square root is sometimes off by one unit in the last place, which changes a
 * step of at most 0.05 by 6e-9. The values are below 1, and each step rounds them by at
 * most 6e-8. */
static const double tolerance = 1.5e-7;

/* The layer of the golden data, and the generator that draws its gradients. */
typedef struct fixture {
    lstm_rng *rng;
    lstm_linear *linear;
    lstm_params *params;
    lstm_adam *adam;
} fixture;

static fixture create_fixture(const lstm_adam_config *config)
{
    fixture f;
    assert_int_equal(lstm_rng_create(&f.rng, 5), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(&f.linear, &(lstm_linear_config){.inputs = 7, .outputs = 5},
                           f.rng),
        LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "fc", f.linear), LSTM_OK);
    assert_int_equal(lstm_adam_create(&f.adam, f.params, config), LSTM_OK);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_adam_destroy(&f->adam);
    lstm_params_destroy(&f->params);
    lstm_linear_destroy(&f->linear);
    lstm_rng_destroy(&f->rng);
}

static void step(fixture *f, int number)
{
    float bound = ldexpf(1, -number);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(
            lstm_rng_uniform(f->rng, lstm_params_grad(f->params, i), -bound, bound),
            LSTM_OK);
    assert_int_equal(lstm_adam_step(f->adam), LSTM_OK);
}

static float value(const fixture *f, size_t i)
{
    const float *weight = lstm_tensor_data(lstm_params_value(f->params, 0));
    const float *bias = lstm_tensor_data(lstm_params_value(f->params, 1));
    return i < WEIGHTS ? weight[i] : bias[i - WEIGHTS];
}

static void assert_golden(const lstm_adam_config *config, const float *expected)
{
    fixture f = create_fixture(config);
    for (int i = 1; i <= STEPS; i++)
        step(&f, i);
    assert_int_equal(lstm_adam_steps(f.adam), STEPS);
    for (size_t i = 0; i < WEIGHTS + BIASES; i++)
        assert_close(value(&f, i), expected[i], tolerance);
    destroy_fixture(&f);
}

static void defaults_agree_with_torch(void **state)
{
    (void)state;
    assert_golden(NULL, adam_default);
    assert_golden(
        &(lstm_adam_config){.lr = 0.001, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8},
        adam_default);
}

static void decay_of_moments_agrees_with_torch(void **state)
{
    /* With 1 - beta1 above 0.5, the interpolation of PyTorch uses another formula. */
    (void)state;
    assert_golden(
        &(lstm_adam_config){.lr = 0.05, .beta1 = 0.3, .beta2 = 0.9, .eps = 1e-3},
        adam_betas);
}

static void weight_decay_coupled_and_decoupled_agrees_with_torch(void **state)
{
    (void)state;
    assert_golden(&(lstm_adam_config){.lr = 0.01, .weight_decay = 0.1}, adam_decay);
    assert_golden(
        &(lstm_adam_config){.lr = 0.01, .weight_decay = 0.1, .decoupled = true},
        adam_decoupled);
}

static void amsgrad_and_maximize_agree_with_torch(void **state)
{
    (void)state;
    assert_golden(&(lstm_adam_config){.lr = 0.01, .amsgrad = true}, adam_amsgrad);
    assert_golden(
        &(lstm_adam_config){
            .lr = 0.01, .weight_decay = 0.1, .amsgrad = true, .maximize = true},
        adam_maximize);
}

static void without_decay_of_the_moments_a_step_is_the_sign_of_the_gradient(
    void **state)
{
    (void)state;
    fixture f =
        create_fixture(&(lstm_adam_config){.lr = 0.125, .beta1 = -1, .beta2 = -1});
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(lstm_tensor_fill(lstm_params_value(f.params, i), 1), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(lstm_params_grad(f.params, 0), 3), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(lstm_params_grad(f.params, 1), -5), LSTM_OK);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(lstm_adam_step(f.adam), LSTM_OK);
    assert_close(value(&f, 0), 1 - 3 * 0.125, 1e-6);
    assert_close(value(&f, WEIGHTS), 1 + 3 * 0.125, 1e-6);
    destroy_fixture(&f);
}

static void a_new_learning_rate_applies_from_the_next_step(void **state)
{
    (void)state;
    fixture f = create_fixture(&(lstm_adam_config){.lr = 0.01});
    assert_true(lstm_adam_lr(f.adam) == 0.01);
    step(&f, 1);
    float before = value(&f, 3);
    assert_int_equal(lstm_adam_set_lr(f.adam, 0), LSTM_OK);
    step(&f, 2);
    assert_true(value(&f, 3) == before);
    assert_int_equal(lstm_adam_set_lr(f.adam, 0.5), LSTM_OK);
    step(&f, 3);
    assert_true(fabsf(value(&f, 3) - before) > 0.05f);
    assert_int_equal(lstm_adam_set_lr(f.adam, -1), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "adam: lr is -1, expected at least 0 and finite");
    assert_int_equal(lstm_adam_set_lr(f.adam, NAN), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_adam_set_lr(NULL, 1), LSTM_INVALID_ARGUMENT);
    assert_true(lstm_adam_lr(f.adam) == 0.5);
    destroy_fixture(&f);
}

static void a_gradient_that_is_not_finite_is_named_and_changes_nothing(void **state)
{
    (void)state;
    fixture f = create_fixture(&(lstm_adam_config){.check_finite = true});
    fixture twin = create_fixture(NULL);
    step(&f, 1);
    step(&twin, 1);
    lstm_tensor_data(lstm_params_grad(f.params, 1))[4] = -INFINITY;
    assert_int_equal(lstm_adam_step(f.adam), LSTM_NOT_FINITE);
    assert_string_equal(lstm_last_error(), "params: gradient of fc.bias is -inf at "
                                           "element 4, expected finite");
    assert_int_equal(lstm_adam_steps(f.adam), 1);
    step(&f, 2);
    step(&twin, 2);
    for (size_t i = 0; i < WEIGHTS + BIASES; i++)
        assert_true(value(&f, i) == value(&twin, i));
    destroy_fixture(&twin);
    destroy_fixture(&f);
}

static void rates_of_single_parameters_agree_with_groups_of_torch(void **state)
{
    (void)state;
    fixture f = create_fixture(&(lstm_adam_config){.lr = 0.01, .weight_decay = 0.1});
    assert_int_equal(lstm_adam_set_parameter(f.adam, 1, 0.25, 0), LSTM_OK);
    for (int i = 1; i <= STEPS; i++)
        step(&f, i);
    for (size_t i = 0; i < WEIGHTS + BIASES; i++)
        assert_close(value(&f, i), adam_groups[i], tolerance);
    assert_int_equal(lstm_adam_set_parameter(NULL, 0, 1, 0), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_adam_set_parameter(f.adam, 2, 1, 0), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "adam: index is 2, expected below 2");
    assert_int_equal(lstm_adam_set_parameter(f.adam, 0, -1, 0), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "lr_factor is -1");
    assert_int_equal(lstm_adam_set_parameter(f.adam, 0, 1, NAN), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "weight_decay is ");
    destroy_fixture(&f);
}

static void a_frozen_parameter_agrees_with_torch_without_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture(
        &(lstm_adam_config){.lr = 0.01, .weight_decay = 0.1, .decoupled = true});
    for (int i = 1; i <= STEPS; i++) {
        assert_int_equal(lstm_params_set_trainable(f.params, 1, i != 2 && i != 3),
                         LSTM_OK);
        step(&f, i);
    }
    assert_int_equal(lstm_adam_steps(f.adam), STEPS);
    for (size_t i = 0; i < WEIGHTS + BIASES; i++)
        assert_close(value(&f, i), adam_frozen[i], tolerance);
    destroy_fixture(&f);
}

static void a_frozen_parameter_keeps_its_bits(void **state)
{
    (void)state;
    fixture f = create_fixture(&(lstm_adam_config){
        .weight_decay = 0.1, .decoupled = true, .check_finite = true});
    assert_int_equal(lstm_params_set_trainable(f.params, 0, false), LSTM_OK);
    float before[WEIGHTS];
    memcpy(before, lstm_tensor_data(lstm_params_value(f.params, 0)), sizeof(before));
    assert_int_equal(lstm_tensor_fill(lstm_params_grad(f.params, 0), NAN), LSTM_OK);
    assert_int_equal(lstm_adam_step(f.adam), LSTM_OK);
    assert_memory_equal(before, lstm_tensor_data(lstm_params_value(f.params, 0)),
                        sizeof(before));
    assert_int_equal(lstm_params_set_trainable(f.params, 0, true), LSTM_OK);
    assert_int_equal(lstm_adam_step(f.adam), LSTM_NOT_FINITE);
    destroy_fixture(&f);
}

static void tensors_of_the_caller_are_updated_like_parameters_of_layers(void **state)
{
    (void)state;
    fixture f = create_fixture(NULL);
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *weight, *grad, *mean;
    assert_int_equal(lstm_tensor_create(&weight, 2, (size_t[]){5, 7}), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&grad, 2, (size_t[]){5, 7}), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&mean, 1, (size_t[]){3}), LSTM_OK);
    assert_int_equal(lstm_tensor_copy(weight, lstm_params_value(f.params, 0)), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(mean, 4), LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(params, "mean", mean, NULL), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(params, "weight", weight, grad), LSTM_OK);
    assert_int_equal(
        lstm_adam_create(&adam, params,
                         &(lstm_adam_config){.amsgrad = true, .weight_decay = 1}),
        LSTM_OK);
    lstm_adam_destroy(&adam);
    assert_int_equal(lstm_adam_create(&adam, params, NULL), LSTM_OK);
    for (int i = 1; i <= STEPS; i++) {
        step(&f, i);
        assert_int_equal(lstm_tensor_copy(grad, lstm_params_grad(f.params, 0)),
                         LSTM_OK);
        assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    }
    assert_memory_equal(lstm_tensor_data(weight),
                        lstm_tensor_data(lstm_params_value(f.params, 0)),
                        WEIGHTS * sizeof(float));
    for (size_t i = 0; i < 3; i++)
        assert_true(lstm_tensor_data(mean)[i] == 4);
    lstm_adam_destroy(&adam);
    lstm_params_destroy(&params);
    lstm_tensor_destroy(&weight);
    lstm_tensor_destroy(&grad);
    lstm_tensor_destroy(&mean);
    destroy_fixture(&f);
}

static void a_set_that_has_grown_is_refused(void **state)
{
    (void)state;
    fixture f = create_fixture(NULL);
    lstm_tensor *more;
    assert_int_equal(lstm_tensor_create(&more, 1, (size_t[]){1}), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(f.params, "more", more, NULL), LSTM_OK);
    float before = value(&f, 0);
    assert_int_equal(lstm_adam_step(f.adam), LSTM_INVALID_STATE);
    assert_string_equal(lstm_last_error(), "adam: the set has 3 parameters, expected "
                                           "the 2 it had at creation");
    assert_true(value(&f, 0) == before);
    destroy_fixture(&f);
    lstm_tensor_destroy(&more);
}

static void an_empty_set_can_be_updated(void **state)
{
    (void)state;
    lstm_params *params;
    lstm_adam *adam;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_adam_create(&adam, params, NULL), LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    lstm_adam_destroy(&adam);
    lstm_params_destroy(&params);
}

static void refused(fixture *f, lstm_adam_config config, const char *message)
{
    lstm_adam *adam = f->adam;
    assert_int_equal(lstm_adam_create(&adam, f->params, &config),
                     LSTM_INVALID_ARGUMENT);
    assert_null(adam);
    assert_string_equal(lstm_last_error(), message);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    fixture f = create_fixture(NULL);
    refused(&f, (lstm_adam_config){.lr = -0.5},
            "adam: lr is -0.5, expected at least 0 and finite");
    refused(&f, (lstm_adam_config){.lr = INFINITY},
            "adam: lr is inf, expected at least 0 and finite");
    refused(&f, (lstm_adam_config){.beta1 = 1},
            "adam: beta1 is 1, expected 0 to below 1");
    refused(&f, (lstm_adam_config){.beta2 = 1.5},
            "adam: beta2 is 1.5, expected 0 to below 1");
    refused(&f, (lstm_adam_config){.eps = -1e-8},
            "adam: eps is -1e-08, expected at least 0 and finite");
    refused(&f, (lstm_adam_config){.weight_decay = -1},
            "adam: weight_decay is -1, expected at least 0 and finite");
    assert_int_equal(lstm_adam_create(NULL, f.params, NULL), LSTM_INVALID_ARGUMENT);
    lstm_adam *adam = f.adam;
    assert_int_equal(lstm_adam_create(&adam, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_adam_step(NULL), LSTM_INVALID_ARGUMENT);
    assert_true(lstm_adam_lr(NULL) == 0);
    assert_true(lstm_adam_steps(NULL) == 0);
    lstm_adam_destroy(NULL);
    destroy_fixture(&f);
    lstm_adam_destroy(&f.adam);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_agree_with_torch),
        TEST(decay_of_moments_agrees_with_torch),
        TEST(weight_decay_coupled_and_decoupled_agrees_with_torch),
        TEST(amsgrad_and_maximize_agree_with_torch),
        TEST(without_decay_of_the_moments_a_step_is_the_sign_of_the_gradient),
        TEST(a_new_learning_rate_applies_from_the_next_step),
        TEST(a_gradient_that_is_not_finite_is_named_and_changes_nothing),
        TEST(rates_of_single_parameters_agree_with_groups_of_torch),
        TEST(a_frozen_parameter_agrees_with_torch_without_gradient),
        TEST(a_frozen_parameter_keeps_its_bits),
        TEST(tensors_of_the_caller_are_updated_like_parameters_of_layers),
        TEST(a_set_that_has_grown_is_refused),
        TEST(an_empty_set_can_be_updated),
        TEST(options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
