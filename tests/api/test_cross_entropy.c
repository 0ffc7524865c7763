/* Cross-entropy against torch.nn.functional.cross_entropy. */
#include <lstm/cross_entropy.h>
#include <lstm/rng.h>

#include "tests/golden/cross_entropy.h"
#include "tests/support/test.h"

enum { ROWS = 6, CLASSES = 5 };

/* Values up to 20 and gradients up to 3; the float32 sums and exponentials of PyTorch
 * are off by some units in the last place. */
static const double tolerance = 4e-6, gradient_tolerance = 1e-6;

static lstm_tensor *tensor_of(size_t rows, size_t columns)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 2, (size_t[]){rows, columns}),
                     LSTM_OK);
    return tensor;
}

/* The logits of the golden data, drawn as the script draws them. */
static lstm_tensor *golden_logits(void)
{
    lstm_rng *rng;
    lstm_tensor *logits = tensor_of(ROWS, CLASSES);
    assert_int_equal(lstm_rng_create(&rng, 11), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, logits, -4, 4), LSTM_OK);
    lstm_rng_destroy(&rng);
    return logits;
}

static lstm_cross_entropy *loss_of(lstm_reduction reduction)
{
    lstm_cross_entropy *loss;
    lstm_cross_entropy_config config = {.reduction = reduction};
    assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_OK);
    return loss;
}

/* Gradients of the losses of the rows, without reduction. */
static const float row_gradients[ROWS] = {0.5f, 1, 1.5f, 2, 2.5f, 3};

static void assert_golden(lstm_reduction reduction, const float *value,
                          const float *dvalue, const float *dlogits)
{
    lstm_cross_entropy *loss = loss_of(reduction);
    lstm_tensor *logits = golden_logits();
    float found[ROWS] = {0};
    size_t values = reduction == LSTM_REDUCTION_NONE ? ROWS : 1;
    assert_int_equal(
        lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, found),
        LSTM_OK);
    for (size_t i = 0; i < values; i++)
        assert_close(found[i], value[i], tolerance);
    assert_int_equal(lstm_cross_entropy_backward(loss, dvalue, logits), LSTM_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_close(lstm_tensor_data(logits)[i], dlogits[i], gradient_tolerance);
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
}

static void every_reduction_agrees_with_torch(void **state)
{
    (void)state;
    static const float one = 1;
    assert_golden(LSTM_REDUCTION_MEAN, cross_entropy_mean, NULL,
                  cross_entropy_mean_dlogits);
    assert_golden(LSTM_REDUCTION_MEAN, cross_entropy_mean, &one,
                  cross_entropy_mean_dlogits);
    assert_golden(LSTM_REDUCTION_SUM, cross_entropy_sum, NULL,
                  cross_entropy_sum_dlogits);
    assert_golden(LSTM_REDUCTION_NONE, cross_entropy_none, row_gradients,
                  cross_entropy_none_dlogits);
}

/* Class weights of the golden data. */
static const float weights[CLASSES] = {0.5f, 2, 1, 0.25f, 1.5f};

/* Compares a loss and its gradient for target classes or, with soft, for probabilities
 * drawn as the script draws them. */
static void assert_case(lstm_cross_entropy_config config, bool soft, const float *value,
                        const float *dlogits)
{
    lstm_cross_entropy *loss;
    lstm_rng *rng;
    lstm_tensor *logits = tensor_of(ROWS, CLASSES);
    lstm_tensor *probabilities = tensor_of(ROWS, CLASSES);
    bool none = config.reduction == LSTM_REDUCTION_NONE;
    float found[ROWS] = {0};
    assert_int_equal(lstm_rng_create(&rng, 11), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, logits, -4, 4), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(rng, probabilities, 0, 1), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_OK);
    if (soft)
        assert_int_equal(lstm_cross_entropy_forward_probabilities(loss, logits,
                                                                  probabilities, found),
                         LSTM_OK);
    else
        assert_int_equal(
            lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, found),
            LSTM_OK);
    for (size_t i = 0; i < (none ? ROWS : 1); i++)
        assert_close(found[i], value[i], tolerance);
    assert_int_equal(
        lstm_cross_entropy_backward(loss, none ? row_gradients : NULL, logits),
        LSTM_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_close(lstm_tensor_data(logits)[i], dlogits[i], gradient_tolerance);
    lstm_cross_entropy_destroy(&loss);
    lstm_tensor_destroy(&probabilities);
    lstm_tensor_destroy(&logits);
    lstm_rng_destroy(&rng);
}

static void weights_and_ignored_rows_agree_with_torch(void **state)
{
    (void)state;
    lstm_cross_entropy_config config = {.class_weights = weights, .classes = CLASSES};
    assert_case(config, false, cross_entropy_weighted, cross_entropy_weighted_dlogits);
    config.ignore = true;
    config.ignore_index = 2;
    assert_case(config, false, cross_entropy_ignored, cross_entropy_ignored_dlogits);
}

static void smoothed_labels_agree_with_torch(void **state)
{
    (void)state;
    lstm_cross_entropy_config config = {.label_smoothing = 0.2};
    assert_case(config, false, cross_entropy_smoothed, cross_entropy_smoothed_dlogits);
    config.class_weights = weights;
    config.classes = CLASSES;
    config.ignore = true;
    config.ignore_index = 2;
    assert_case(config, false, cross_entropy_all, cross_entropy_all_dlogits);
    config.reduction = LSTM_REDUCTION_SUM;
    assert_case(config, false, cross_entropy_smoothed_sum,
                cross_entropy_smoothed_sum_dlogits);
    config.reduction = LSTM_REDUCTION_NONE;
    assert_case(config, false, cross_entropy_all_none, cross_entropy_all_none_dlogits);
}

static void probabilities_as_targets_agree_with_torch(void **state)
{
    (void)state;
    assert_case((lstm_cross_entropy_config){0}, true, cross_entropy_soft,
                cross_entropy_soft_dlogits);
    lstm_cross_entropy_config config = {
        .class_weights = weights, .classes = CLASSES, .label_smoothing = 0.1};
    assert_case(config, true, cross_entropy_soft_all, cross_entropy_soft_all_dlogits);
    config.reduction = LSTM_REDUCTION_SUM;
    assert_case(config, true, cross_entropy_soft_sum, cross_entropy_soft_sum_dlogits);
    config.reduction = LSTM_REDUCTION_NONE;
    assert_case(config, true, cross_entropy_soft_none, cross_entropy_soft_none_dlogits);
}

/* A forward with the golden targets, or with soft, probabilities. */
static void run_forward(lstm_cross_entropy *loss, const lstm_tensor *logits, bool soft,
                        float *value)
{
    assert_int_equal(
        soft ? lstm_cross_entropy_forward_probabilities(loss, logits, logits, value)
             : lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, value),
        LSTM_OK);
}

/* Compares logits [2, 3, C], strided, with the same logits as [6, C]. */
static void assert_steps_are_rows(lstm_cross_entropy_config config, bool soft)
{
    lstm_cross_entropy *loss;
    float rows[ROWS] = {0}, steps[ROWS] = {0}, data[2 * ROWS * CLASSES];
    ptrdiff_t strides[] = {2, 4, 12};
    size_t shape[] = {2, 3, CLASSES};
    lstm_tensor *logits = golden_logits(), *view, *x;
    assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&x, data, 3, shape, strides), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&view, lstm_tensor_data(logits), 3, shape, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_copy(x, view), LSTM_OK);
    run_forward(loss, x, soft, steps);
    assert_int_equal(lstm_cross_entropy_backward(loss, row_gradients, logits),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: dlogits is [6, 5], expected [2, 3, 5]");
    assert_int_equal(lstm_cross_entropy_backward(loss, row_gradients, x), LSTM_OK);
    run_forward(loss, logits, soft, rows);
    assert_memory_equal(steps, rows, sizeof(rows));
    assert_int_equal(lstm_cross_entropy_backward(loss, row_gradients, logits), LSTM_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_true(lstm_tensor_data(logits)[i] ==
                    data[2 * (i / 15) + 4 * (i / 5 % 3) + 12 * (i % 5)]);
    lstm_tensor_destroy(&logits);
    lstm_tensor_destroy(&view);
    lstm_tensor_destroy(&x);
    lstm_cross_entropy_destroy(&loss);
}

static void steps_of_sequences_are_rows(void **state)
{
    (void)state;
    for (int reduction = 0; reduction <= LSTM_REDUCTION_NONE; reduction++) {
        lstm_cross_entropy_config config = {.reduction = (lstm_reduction)reduction,
                                            .class_weights = weights,
                                            .classes = CLASSES,
                                            .ignore = true,
                                            .ignore_index = 2,
                                            .label_smoothing = 0.2};
        assert_steps_are_rows(config, false);
        assert_steps_are_rows(config, true);
    }
}

static void a_mean_over_no_row_is_nan_or_on_request_zero(void **state)
{
    (void)state;
    static const int64_t none[ROWS] = {-100, -100, -100, -100, -100, -100};
    for (int zero = 0; zero < 2; zero++) {
        lstm_cross_entropy_config config = {
            .ignore = true, .ignore_index = -100, .zero_mean_of_none = zero};
        lstm_cross_entropy *loss;
        lstm_tensor *logits = golden_logits();
        float value = -77;
        lstm_tensor_data(logits)[3] = NAN;
        assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_OK);
        assert_int_equal(lstm_cross_entropy_forward(loss, logits, none, &value),
                         LSTM_OK);
        assert_true(zero ? value == 0 : isnan(value));
        assert_int_equal(lstm_cross_entropy_backward(loss, NULL, logits), LSTM_OK);
        for (size_t i = 0; i < ROWS * CLASSES; i++)
            assert_true(lstm_tensor_data(logits)[i] == 0);
        lstm_tensor_destroy(&logits);
        lstm_cross_entropy_destroy(&loss);
    }
}

static void refused_options(lstm_cross_entropy_config config, const char *message)
{
    lstm_cross_entropy *loss;
    assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_INVALID_ARGUMENT);
    assert_null(loss);
    assert_string_equal(lstm_last_error(), message);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    static const float bad[] = {1, -1}, infinite[] = {INFINITY};
    refused_options((lstm_cross_entropy_config){.label_smoothing = 1.5},
                    "cross_entropy: label_smoothing is 1.5, expected 0 to 1");
    refused_options((lstm_cross_entropy_config){.label_smoothing = -INFINITY},
                    "cross_entropy: label_smoothing is -inf, expected 0 to 1");
    refused_options((lstm_cross_entropy_config){.classes = 3},
                    "cross_entropy: classes is 3, expected 0 without class_weights");
    refused_options((lstm_cross_entropy_config){.ignore_index = -100},
                    "cross_entropy: ignore_index is -100, expected 0 without ignore");
    refused_options((lstm_cross_entropy_config){.class_weights = weights},
                    "cross_entropy: classes is 0, expected the number of "
                    "class_weights");
    refused_options((lstm_cross_entropy_config){.class_weights = bad, .classes = 2},
                    "cross_entropy: weight of class 1 is -1, expected at least 0 and "
                    "finite");
    refused_options(
        (lstm_cross_entropy_config){.class_weights = infinite, .classes = 1},
        "cross_entropy: weight of class 0 is inf, expected at least 0 and finite");
    lstm_cross_entropy *loss;
    lstm_tensor *logits = golden_logits(), *wide = tensor_of(ROWS, CLASSES + 1);
    float value;
    assert_int_equal(lstm_cross_entropy_create(
                         &loss, &(lstm_cross_entropy_config){.class_weights = weights,
                                                             .classes = 5}),
                     LSTM_OK);
    assert_int_equal(
        lstm_cross_entropy_forward(loss, wide, cross_entropy_targets, &value),
        LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: logits is [6, 6], expected [N, 5]");
    assert_int_equal(
        lstm_cross_entropy_forward_probabilities(loss, logits, wide, &value),
        LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: targets is [6, 6], expected [6, 5]");
    assert_int_equal(
        lstm_cross_entropy_forward_probabilities(loss, logits, NULL, &value),
        LSTM_INVALID_ARGUMENT);
    lstm_cross_entropy_destroy(&loss);
    lstm_tensor_destroy(&wide);
    lstm_tensor_destroy(&logits);
}

static void the_gradient_is_multiplied_by_dvalue(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_SUM);
    lstm_tensor *logits = golden_logits(), *dlogits = tensor_of(ROWS, CLASSES);
    float value, factor = -2;
    assert_int_equal(
        lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, &value),
        LSTM_OK);
    assert_int_equal(lstm_cross_entropy_backward(loss, &factor, dlogits), LSTM_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++)
        assert_close(lstm_tensor_data(dlogits)[i],
                     -2 * (double)cross_entropy_sum_dlogits[i], 2 * gradient_tolerance);
    lstm_tensor_destroy(&logits);
    lstm_tensor_destroy(&dlogits);
    lstm_cross_entropy_destroy(&loss);
}

static void gradients_of_a_row_sum_to_zero(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_SUM);
    lstm_tensor *logits = golden_logits();
    float value;
    assert_int_equal(
        lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, &value),
        LSTM_OK);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, logits), LSTM_OK);
    for (size_t row = 0; row < ROWS; row++) {
        double sum = 0;
        for (size_t c = 0; c < CLASSES; c++)
            sum += (double)lstm_tensor_data(logits)[row * CLASSES + c];
        assert_close(sum, 0, 2e-7);
    }
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
}

static void logits_of_any_size_have_a_finite_loss(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_NONE);
    float data[] = {1e30f, 0, -1e30f, 300, 300, 300, -3e38f, 3e38f, 0};
    static const int64_t targets[] = {0, 1, 1};
    float values[3];
    lstm_tensor *logits, *dlogits = tensor_of(3, 3);
    assert_int_equal(lstm_tensor_wrap(&logits, data, 2, (size_t[]){3, 3}, NULL),
                     LSTM_OK);
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, values),
                     LSTM_OK);
    assert_true(values[0] == 0);
    assert_close(values[1], log(3.0), 1e-6);
    assert_true(values[2] == 0);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, dlogits), LSTM_OK);
    assert_close(lstm_tensor_data(dlogits)[3], 1 / 3.0, 1e-7);
    lstm_tensor_destroy(&logits);
    lstm_tensor_destroy(&dlogits);
    lstm_cross_entropy_destroy(&loss);
}

static void a_nan_stays_in_its_row(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_NONE);
    lstm_tensor *logits = golden_logits();
    float values[ROWS];
    lstm_tensor_data(logits)[CLASSES] = NAN;
    assert_int_equal(
        lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, values),
        LSTM_OK);
    assert_true(isnan(values[1]));
    assert_close(values[2], cross_entropy_none[2], tolerance);
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
}

static void strides_give_the_same(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_SUM);
    float data[ROWS * CLASSES], gradient[ROWS * CLASSES], value;
    lstm_tensor *straight = golden_logits(), *logits, *dlogits;
    size_t shape[] = {ROWS, CLASSES};
    ptrdiff_t permuted[] = {1, ROWS};
    assert_int_equal(lstm_tensor_wrap(&logits, data, 2, shape, permuted), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dlogits, gradient, 2, shape, permuted), LSTM_OK);
    assert_int_equal(lstm_tensor_copy(logits, straight), LSTM_OK);
    assert_int_equal(
        lstm_cross_entropy_forward(loss, logits, cross_entropy_targets, &value),
        LSTM_OK);
    assert_close(value, cross_entropy_sum[0], tolerance);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, dlogits), LSTM_OK);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t c = 0; c < CLASSES; c++)
            assert_close(gradient[row + ROWS * c],
                         cross_entropy_sum_dlogits[row * CLASSES + c],
                         gradient_tolerance);
    lstm_tensor_destroy(&straight);
    lstm_tensor_destroy(&logits);
    lstm_tensor_destroy(&dlogits);
    lstm_cross_entropy_destroy(&loss);
}

static void the_number_of_rows_may_change(void **state)
{
    /* For equal logits the loss is log C, independent of the previous call. */
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_MEAN);
    static const size_t shapes[][2] = {{2, 3}, {1, 9}, {40, 2}, {3, 30}, {2, 3}};
    static const int64_t targets[40];
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        lstm_tensor *logits = tensor_of(shapes[i][0], shapes[i][1]);
        float value;
        assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, &value),
                         LSTM_OK);
        assert_close(value, log((double)shapes[i][1]), 1e-6);
        assert_int_equal(lstm_cross_entropy_backward(loss, NULL, logits), LSTM_OK);
        lstm_tensor_destroy(&logits);
    }
    lstm_cross_entropy_destroy(&loss);
}

static void a_target_out_of_range_is_named_with_its_row(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_MEAN);
    lstm_tensor *logits = golden_logits();
    int64_t targets[ROWS] = {0, 1, 2, 3, 5, 0};
    float value = -77;
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: target of row 4 is 5, expected 0 to 4");
    targets[1] = -100;
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: target of row 1 is -100, expected 0 to 4");
    assert_true(value == -77);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, logits),
                     LSTM_INVALID_STATE);
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    lstm_cross_entropy *loss = loss_of(LSTM_REDUCTION_MEAN), *none = loss;
    lstm_tensor *logits = golden_logits(), *wide = tensor_of(ROWS, 6), *row;
    lstm_cross_entropy_config config = {.reduction = (lstm_reduction)3};
    float value;
    const int64_t *targets = cross_entropy_targets;
    assert_int_equal(lstm_tensor_select(&row, logits, 0, 0), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_create(&none, &config), LSTM_INVALID_ARGUMENT);
    assert_null(none);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: reduction is 3, expected 0 to 2");
    assert_int_equal(lstm_cross_entropy_create(NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_forward(NULL, logits, targets, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_forward(loss, NULL, targets, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, NULL, &value),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_forward(loss, row, targets, &value),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: logits is [5], expected [N, C] or "
                        "[N, T, C]");
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, targets, &value),
                     LSTM_OK);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, wide),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(),
                        "cross_entropy: dlogits is [6, 6], expected [6, 5]");
    assert_int_equal(lstm_cross_entropy_backward(NULL, NULL, logits),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, NULL),
                     LSTM_INVALID_ARGUMENT);
    lstm_tensor_destroy(&row);
    lstm_tensor_destroy(&wide);
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
    lstm_cross_entropy_destroy(&loss);
    lstm_cross_entropy_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_reduction_agrees_with_torch),
        TEST(weights_and_ignored_rows_agree_with_torch),
        TEST(smoothed_labels_agree_with_torch),
        TEST(probabilities_as_targets_agree_with_torch),
        TEST(steps_of_sequences_are_rows),
        TEST(a_mean_over_no_row_is_nan_or_on_request_zero),
        TEST(options_out_of_range_are_named),
        TEST(the_gradient_is_multiplied_by_dvalue),
        TEST(gradients_of_a_row_sum_to_zero),
        TEST(logits_of_any_size_have_a_finite_loss),
        TEST(a_nan_stays_in_its_row),
        TEST(strides_give_the_same),
        TEST(the_number_of_rows_may_change),
        TEST(a_target_out_of_range_is_named_with_its_row),
        TEST(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
