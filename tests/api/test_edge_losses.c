/*
 * Losses and schedules where numbers are not finite or weights are zero: as
 * PyTorch 2.13 computes them. The values are those of torch.nn.functional.cross_entropy
 * and ReduceLROnPlateau.
 */
#include <lstm/lstm.h>

#include "tests/support/test.h"

enum { ROWS = 2, CLASSES = 3 };

/* A mean over two rows of three classes with weights that sum to 0. */
typedef struct zero_case {
    float weights[CLASSES];
    int64_t targets[ROWS];
    double smoothing;
    bool ignore;
    int64_t ignored;
    /* Whether the gradient of each row is NaN, else 0. */
    bool is_nan[ROWS];
} zero_case;

static const zero_case zero_cases[] = {
    {{0, 1, 1}, {0, 0}, 0, false, 0, {true, true}},
    {{0, 1, 1}, {0, 0}, 0.1, false, 0, {true, true}},
    {{0, 0, 0}, {0, 1}, 0, false, 0, {true, true}},
    {{0, 0, 0}, {0, 1}, 0.1, false, 0, {true, true}},
    {{0, 1, 1}, {0, 1}, 0.1, true, 1, {true, false}},
    {{1, 1, 1}, {0, 0}, 0.1, true, 0, {false, false}},
};

static void check(const zero_case *z, bool zero)
{
    const size_t shape[] = {ROWS, CLASSES};
    const float values[ROWS * CLASSES] = {0.5f, -1, 2, 1, 0, -1};
    lstm_cross_entropy *loss;
    lstm_tensor *logits;
    float value = -77;
    const lstm_cross_entropy_config config = {.class_weights = z->weights,
                                              .classes = CLASSES,
                                              .label_smoothing = z->smoothing,
                                              .ignore = z->ignore,
                                              .ignore_index = z->ignored,
                                              .zero_mean_of_none = zero};
    assert_int_equal(lstm_cross_entropy_create(&loss, &config), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&logits, 2, shape), LSTM_OK);
    memcpy(lstm_tensor_data(logits), values, sizeof(values));
    assert_int_equal(lstm_cross_entropy_forward(loss, logits, z->targets, &value),
                     LSTM_OK);
    assert_true(zero ? value == 0 : isnan(value));
    assert_int_equal(lstm_cross_entropy_backward(loss, NULL, logits), LSTM_OK);
    for (size_t i = 0; i < ROWS * CLASSES; i++) {
        float gradient = lstm_tensor_data(logits)[i];
        assert_true(z->is_nan[i / CLASSES] && !zero ? isnan(gradient) : gradient == 0);
    }
    lstm_tensor_destroy(&logits);
    lstm_cross_entropy_destroy(&loss);
}

static void a_mean_over_weights_of_zero_has_no_gradient(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(zero_cases) / sizeof(zero_cases[0]); i++) {
        check(&zero_cases[i], false);
        check(&zero_cases[i], true);
    }
}

/* Metrics of a plateau with patience 0 and factor 0.5, and the rates after them. */
typedef struct metrics {
    bool maximize, absolute;
    size_t count;
    double metric[4], lr[4];
} metrics;

static const metrics sequences[] = {
    {false, false, 4, {INFINITY, 1, 1, 1}, {0.5, 0.5, 0.25, 0.125}},
    {false, true, 4, {INFINITY, 1, 1, 1}, {0.5, 0.5, 0.25, 0.125}},
    {true, false, 4, {INFINITY, 1, 1, 1}, {1, 0.5, 0.25, 0.125}},
    {false, false, 3, {-INFINITY, 1, 1}, {1, 0.5, 0.25}},
    {true, false, 3, {-INFINITY, 1, 1}, {0.5, 0.5, 0.25}},
    {true, true, 3, {-INFINITY, 1, 1}, {0.5, 0.5, 0.25}},
    {false, false, 4, {NAN, NAN, 1, 2}, {0.5, 0.25, 0.25, 0.125}},
    {true, false, 4, {NAN, NAN, 1, 2}, {0.5, 0.25, 0.25, 0.25}},
    {false, false, 3, {1, INFINITY, 0.5}, {1, 0.5, 0.5}},
    {true, false, 3, {1, INFINITY, 0.5}, {1, 1, 0.5}},
    {false, false, 4, {1, -INFINITY, -5, -INFINITY}, {1, 1, 0.5, 0.25}},
    {true, true, 4, {1, -INFINITY, -5, -INFINITY}, {1, 0.5, 0.25, 0.125}},
    {false, false, 3, {-1, -1.00001, -2}, {1, 1, 1}},
    {false, true, 3, {-1, -1.00001, -2}, {1, 0.5, 0.5}},
    {true, false, 3, {-1, -1.00001, -2}, {1, 1, 0.5}},
    {true, true, 3, {-1, -1.00001, -2}, {1, 0.5, 0.25}},
};

/* The logarithm of the sum counts beside logits of any size. */
static void large_logits_have_the_loss_of_small_ones(void **state)
{
    (void)state;
    static const struct {
        float logits[CLASSES];
        int64_t target;
        double expected;
    } cases[] = {
        {{1e30f, 1e30f, 1e30f}, 0, 1.0986122886681098},
        {{-1e30f, -1e30f, -1e30f}, 2, 1.0986122886681098},
        {{1e30f, 1e30f, -1e30f}, 1, 0.6931471805599453},
        {{10000001, 10000000, 10000000}, 0, 0.5514447139320511},
        {{10000001, 10000000, 10000000}, 1, 1.5514447139320511},
        {{3e38f, -3e38f, 0}, 0, 0},
        {{3e38f, -3e38f, 0}, 1, INFINITY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lstm_cross_entropy *loss;
        lstm_tensor *logits;
        float value = -77;
        assert_int_equal(lstm_cross_entropy_create(&loss, NULL), LSTM_OK);
        assert_int_equal(lstm_tensor_create(&logits, 2, (size_t[]){1, CLASSES}),
                         LSTM_OK);
        memcpy(lstm_tensor_data(logits), cases[i].logits, sizeof(cases[i].logits));
        assert_int_equal(
            lstm_cross_entropy_forward(loss, logits, &cases[i].target, &value),
            LSTM_OK);
        assert_true(value == (float)cases[i].expected);
        lstm_tensor_destroy(&logits);
        lstm_cross_entropy_destroy(&loss);
    }
}

static void plateaus_treat_any_metric_as_torch_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        const metrics *m = &sequences[i];
        lstm_plateau plateau = {.lr = 1,
                                .maximize = m->maximize,
                                .factor = 0.5,
                                .patience = -1,
                                .absolute = m->absolute};
        for (size_t k = 0; k < m->count; k++) {
            assert_int_equal(lstm_plateau_update(&plateau, m->metric[k]), LSTM_OK);
            assert_true(plateau.lr == m->lr[k]);
        }
    }
}

static void a_plateau_ignores_reductions_of_at_most_eps(void **state)
{
    (void)state;
    lstm_plateau plateau = {.lr = 1.5e-8, .factor = 0.5, .patience = -1};
    for (int i = 0; i < 3; i++)
        assert_int_equal(lstm_plateau_update(&plateau, 1), LSTM_OK);
    assert_true(plateau.lr == 1.5e-8);
    plateau.lr = 2.5e-8;
    assert_int_equal(lstm_plateau_update(&plateau, 1), LSTM_OK);
    assert_true(plateau.lr == 1.25e-8);
}

static void options_at_their_limits_are_accepted(void **state)
{
    (void)state;
    static const float weights[] = {0, 1};
    lstm_cross_entropy *loss;
    assert_int_equal(lstm_cross_entropy_create(
                         &loss, &(lstm_cross_entropy_config){.label_smoothing = 1,
                                                             .class_weights = weights,
                                                             .classes = 2}),
                     LSTM_OK);
    lstm_cross_entropy_destroy(&loss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_at_their_limits_are_accepted),
        TEST(a_mean_over_weights_of_zero_has_no_gradient),
        TEST(large_logits_have_the_loss_of_small_ones),
        TEST(plateaus_treat_any_metric_as_torch_does),
        TEST(a_plateau_ignores_reductions_of_at_most_eps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
