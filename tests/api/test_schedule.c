/* Learning rates against torch.optim.lr_scheduler. */
#include <lstm/schedule.h>

#include "tests/golden/schedule.h"
#include "tests/support/test.h"

enum { COUNT = 12 };

/* PyTorch multiplies from step to step and rounds each time. */
static const double relative = 1e-14;

static void assert_rates(lstm_schedule schedule, const double *expected)
{
    schedule.lr = 0.1;
    for (uint64_t step = 0; step < COUNT; step++) {
        double lr = -1;
        assert_int_equal(lstm_schedule_lr(&schedule, step, &lr), LSTM_OK);
        assert_close(lr, expected[step], 0.1 * relative);
    }
}

static void step_schedules_agree_with_torch(void **state)
{
    (void)state;
    /* The last one is not counted. */
    static const uint64_t milestones[] = {5, 2, 9, 5, 0};
    assert_rates((lstm_schedule){.kind = LSTM_SCHEDULE_STEP, .steps = 3, .gamma = 0.5},
                 schedule_step);
    assert_rates((lstm_schedule){.kind = LSTM_SCHEDULE_MULTI_STEP,
                                 .milestones = milestones,
                                 .milestone_count = 4},
                 schedule_multi_step);
}

static void exponential_and_cosine_agree_with_torch(void **state)
{
    (void)state;
    assert_rates((lstm_schedule){.kind = LSTM_SCHEDULE_EXPONENTIAL, .gamma = 0.9},
                 schedule_exponential);
    assert_rates(
        (lstm_schedule){.kind = LSTM_SCHEDULE_COSINE, .steps = 5, .min_lr = 0.01},
        schedule_cosine);
}

static void warm_ups_agree_with_torch(void **state)
{
    (void)state;
    assert_rates((lstm_schedule){.kind = LSTM_SCHEDULE_COSINE,
                                 .steps = 8,
                                 .min_lr = 0.01,
                                 .warmup = 3,
                                 .warmup_start = 0.25},
                 schedule_warm_cosine);
    assert_rates((lstm_schedule){.warmup = 5}, schedule_warm_third);
}

static void one_cycle_agrees_with_torch(void **state)
{
    (void)state;
    lstm_schedule three = {.kind = LSTM_SCHEDULE_ONE_CYCLE,
                           .steps = 12,
                           .rise = 0.4,
                           .div_factor = 10,
                           .final_div_factor = 100,
                           .three_phase = true,
                           .linear = true};
    assert_rates((lstm_schedule){.kind = LSTM_SCHEDULE_ONE_CYCLE, .steps = 12},
                 schedule_one_cycle);
    assert_rates(three, schedule_three_phase);
}

static void assert_plateau(lstm_plateau plateau, const double *expected)
{
    static const double metrics[] = {5, 4, 3, 3,   3, 3, 2.9999, 3, 2, 2,
                                     2, 2, 2, NAN, 2, 2, 1,      1, 1, 1};
    plateau.lr = 0.1;
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        assert_int_equal(lstm_plateau_update(&plateau, metrics[i]), LSTM_OK);
        assert_close(plateau.lr, expected[i], 0.1 * relative);
    }
}

/* A rise of one step begins at its end. */
static void a_cycle_whose_rise_is_one_step_starts_at_the_top(void **state)
{
    (void)state;
    const lstm_schedule cycle = {
        .kind = LSTM_SCHEDULE_ONE_CYCLE, .lr = 0.1, .steps = 4, .rise = 0.25};
    double lr = -1, before = -1;
    assert_int_equal(lstm_schedule_lr(&cycle, 0, &before), LSTM_OK);
    assert_close(before, 0.1, 0.1 * relative);
    for (uint64_t step = 1; step < 4; step++, before = lr) {
        assert_int_equal(lstm_schedule_lr(&cycle, step, &lr), LSTM_OK);
        assert_true(lr > 0 && lr < before);
    }
}

static void plateaus_agree_with_torch(void **state)
{
    (void)state;
    assert_plateau((lstm_plateau){.patience = 1}, schedule_plateau);
    assert_plateau(
        (lstm_plateau){.patience = -1, .factor = 0.5, .cooldown = 2, .min_lr = 0.02},
        schedule_plateau_cool);
    assert_plateau(
        (lstm_plateau){
            .patience = 2, .maximize = true, .threshold = 0.5, .absolute = true},
        schedule_plateau_max);
}

static void refused(lstm_schedule schedule, uint64_t step, const char *message)
{
    double lr = -77;
    schedule.lr = 0.1;
    assert_int_equal(lstm_schedule_lr(&schedule, step, &lr), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), message);
    assert_true(lr == -77);
}

static void options_out_of_range_are_named(void **state)
{
    (void)state;
    refused((lstm_schedule){.kind = (lstm_schedule_kind)6}, 0,
            "schedule: kind is 6, expected 0 to 5");
    refused((lstm_schedule){.kind = LSTM_SCHEDULE_STEP}, 0,
            "schedule: steps is 0, expected at least 1");
    refused((lstm_schedule){.kind = LSTM_SCHEDULE_ONE_CYCLE, .steps = 1}, 0,
            "schedule: steps is 1, expected at least 2");
    refused((lstm_schedule){.kind = LSTM_SCHEDULE_ONE_CYCLE, .steps = 9}, 9,
            "schedule: step is 9, expected below 9, the steps of the cycle");
    refused((lstm_schedule){.milestone_count = 1}, 0, "schedule: milestones is NULL");
    refused((lstm_schedule){.gamma = -0.5}, 0,
            "schedule: gamma is -0.5, expected above 0 and finite");
    refused((lstm_schedule){.min_lr = INFINITY}, 0,
            "schedule: min_lr is inf, expected at least 0 and finite");
    refused((lstm_schedule){.warmup_start = 2}, 0,
            "schedule: warmup_start is 2, expected above 0 and at most 1");
    refused((lstm_schedule){.rise = 1}, 0,
            "schedule: rise is 1, expected above 0 and below 1");
    refused((lstm_schedule){.div_factor = -1}, 0,
            "schedule: div_factor is -1, expected above 0 and finite");
    refused((lstm_schedule){.final_div_factor = -1}, 0,
            "schedule: final_div_factor is -1, expected above 0 and finite");
    double lr;
    assert_int_equal(lstm_schedule_lr(&(lstm_schedule){.lr = -1}, 0, &lr),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "schedule: lr is -1, expected above 0 and finite");
    assert_int_equal(lstm_schedule_lr(NULL, 0, &lr), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_schedule_lr(&(lstm_schedule){0}, 0, NULL),
                     LSTM_INVALID_ARGUMENT);
}

/* Adam accepts a rate of 0, which would stop the training without a message. */
static void a_rate_that_is_not_set_is_refused(void **state)
{
    (void)state;
    const lstm_schedule schedule = {.kind = LSTM_SCHEDULE_COSINE, .steps = 9};
    lstm_plateau plateau = {.patience = 1};
    double lr;
    assert_int_equal(lstm_schedule_lr(&schedule, 0, &lr), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "schedule: lr is 0, expected above 0 and finite");
    assert_int_equal(lstm_plateau_update(&plateau, 1), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "schedule: lr is 0, expected above 0 and finite");
}

/* The defaults of PyTorch: the eleventh update without improvement by 1e-4 reduces lr
 * to a tenth. */
static void a_plateau_has_defaults(void **state)
{
    (void)state;
    lstm_plateau plateau = {.lr = 0.5};
    assert_int_equal(lstm_plateau_update(&plateau, 4), LSTM_OK);
    assert_int_equal(lstm_plateau_update(&plateau, 3), LSTM_OK);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(lstm_plateau_update(&plateau, 3 * (1 - 0.9e-4)), LSTM_OK);
        assert_true(plateau.lr == 0.5);
    }
    lstm_plateau better = plateau;
    assert_int_equal(lstm_plateau_update(&better, 3 * (1 - 1.1e-4)), LSTM_OK);
    assert_true(better.lr == 0.5);
    assert_int_equal(lstm_plateau_update(&plateau, 3 * (1 - 0.9e-4)), LSTM_OK);
    assert_close(plateau.lr, 0.05, 1e-16);
}

/* As in PyTorch, where the comparisons are strict. */
static void a_metric_at_the_threshold_is_not_better(void **state)
{
    (void)state;
    static const double at[][2] = {{3, 3.75}, {5, 4.25}};
    for (int maximize = 0; maximize < 2; maximize++)
        for (int absolute = 0; absolute < 2; absolute++) {
            lstm_plateau plateau = {.lr = 0.1,
                                    .patience = 5,
                                    .threshold = 0.25,
                                    .maximize = maximize,
                                    .absolute = absolute};
            double edge = at[maximize][absolute], better = maximize ? 9 : 1;
            assert_int_equal(lstm_plateau_update(&plateau, 4), LSTM_OK);
            assert_int_equal(lstm_plateau_update(&plateau, edge), LSTM_OK);
            assert_int_equal(plateau.bad, 1);
            assert_true(plateau.best == 4);
            edge = nextafter(edge, better);
            assert_int_equal(lstm_plateau_update(&plateau, edge), LSTM_OK);
            assert_int_equal(plateau.bad, 0);
            assert_true(plateau.best == edge);
        }
}

static void plateaus_out_of_range_change_nothing(void **state)
{
    (void)state;
    lstm_plateau bad[] = {
        {.lr = -1},
        {.lr = 1, .factor = 1},
        {.lr = 1, .threshold = INFINITY},
        {.lr = 1, .min_lr = -1},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(lstm_plateau_update(&bad[i], 1), LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), "schedule: ");
        assert_false(bad[i].started);
    }
    assert_int_equal(lstm_plateau_update(NULL, 1), LSTM_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(step_schedules_agree_with_torch),
        TEST(exponential_and_cosine_agree_with_torch),
        TEST(warm_ups_agree_with_torch),
        TEST(one_cycle_agrees_with_torch),
        TEST(a_cycle_whose_rise_is_one_step_starts_at_the_top),
        TEST(plateaus_agree_with_torch),
        TEST(options_out_of_range_are_named),
        TEST(a_rate_that_is_not_set_is_refused),
        TEST(a_plateau_has_defaults),
        TEST(a_metric_at_the_threshold_is_not_better),
        TEST(plateaus_out_of_range_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
