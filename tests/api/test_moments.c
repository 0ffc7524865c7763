/* Moments of Adam in files: those that it cannot have are refused. */
#include <math.h>

#include <lstm/lstm.h>

#include "tests/support/model.h"

/* More values than the check converts at once. */
enum { COUNT = 600 };

/* A set of one tensor, and its optimiser. */
typedef struct fixture {
    lstm_tensor *value, *grad;
    lstm_params *params;
    lstm_adam *adam;
} fixture;

static fixture create(bool amsgrad)
{
    fixture f;
    const size_t shape[] = {COUNT};
    const lstm_adam_config config = {.amsgrad = amsgrad};
    assert_int_equal(lstm_tensor_create(&f.value, 1, shape), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&f.grad, 1, shape), LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(f.params, "w", f.value, f.grad), LSTM_OK);
    assert_int_equal(lstm_adam_create(&f.adam, f.params, &config), LSTM_OK);
    return f;
}

static void destroy(fixture *f)
{
    lstm_adam_destroy(&f->adam);
    lstm_params_destroy(&f->params);
    lstm_tensor_destroy(&f->grad);
    lstm_tensor_destroy(&f->value);
}

/* Values of 1 with one other, as F32 or F64. */
static const void *values(bool wide, size_t at, double other)
{
    static float narrow[COUNT];
    static double full[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        full[i] = i == at ? other : 1;
        narrow[i] = (float)full[i];
    }
    return wide ? (const void *)full : narrow;
}

/* Loads a file in which one tensor has another value; returns the status. */
static lstm_status load(const fixture *f, const char *name, bool wide, size_t at,
                        double other)
{
    static const char *const names[] = {"w", "__adam__.exp_avg.w",
                                        "__adam__.exp_avg_sq.w",
                                        "__adam__.max_exp_avg_sq.w"};
    const lstm_file_options options = {.adam = f->adam};
    test_model *m = test_model_new();
    for (size_t i = 0; i < 4; i++) {
        bool here = strcmp(names[i], name) == 0, large = wide && here;
        test_model_bytes(m, names[i], large ? "F64" : "F32", "[600]",
                         values(large, here ? at : COUNT, other),
                         COUNT * (large ? sizeof(double) : sizeof(float)));
    }
    test_model_metadata(m, "\"lstm.adam\":\"{\\\"steps\\\":3,\\\"lr\\\":0.5}\"");
    return lstm_params_load(f->params, test_model_write(m, "moments"), &options);
}

static void check_refusal(const fixture *f, const char *name, bool wide, size_t at,
                          double other, const char *shown)
{
    char text[128];
    bool first = strcmp(name, "__adam__.exp_avg.w") == 0;
    assert_int_equal(load(f, name, wide, at, other), LSTM_BAD_FILE);
    snprintf(text, sizeof(text),
             "tensor %s has the value %s, expected finite numbers%s", name, shown,
             first ? "" : " of at least 0");
    assert_contains(lstm_last_error(), text);
    assert_int_equal(lstm_adam_steps(f->adam), 0);
    assert_true(lstm_tensor_data(f->value)[0] == 0);
}

static void moments_that_adam_cannot_have_are_refused(void **state)
{
    (void)state;
    fixture f = create(true);
    static const size_t places[] = {0, 255, 256, COUNT - 1};
    for (size_t i = 0; i < 4; i++) {
        check_refusal(&f, "__adam__.exp_avg.w", false, places[i], -INFINITY, "-inf");
        check_refusal(&f, "__adam__.exp_avg_sq.w", false, places[i], -0.5, "-0.5");
        check_refusal(&f, "__adam__.max_exp_avg_sq.w", false, places[i], -2, "-2");
        check_refusal(&f, "__adam__.exp_avg_sq.w", false, places[i], INFINITY, "inf");
        check_refusal(&f, "__adam__.exp_avg_sq.w", true, places[i], 1e300, "inf");
    }
    const char *const names[] = {"__adam__.exp_avg.w", "__adam__.exp_avg_sq.w",
                                 "__adam__.max_exp_avg_sq.w"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(load(&f, names[i], i == 1, 300, NAN), LSTM_BAD_FILE);
        assert_contains(lstm_last_error(), names[i]);
        assert_contains(lstm_last_error(), "has the value");
        assert_contains(lstm_last_error(), "nan");
    }
    destroy(&f);
}

static void other_moments_and_values_are_loaded(void **state)
{
    (void)state;
    fixture f = create(true);
    assert_int_equal(load(&f, "__adam__.exp_avg.w", true, 5, -3), LSTM_OK);
    assert_int_equal(load(&f, "__adam__.exp_avg_sq.w", false, 5, -0.0), LSTM_OK);
    assert_int_equal(load(&f, "w", false, 5, -7), LSTM_OK);
    assert_true(lstm_tensor_data(f.value)[5] == -7);
    assert_int_equal(lstm_adam_steps(f.adam), 3);
    destroy(&f);
    /* Without AMSGrad, the tensor of the maximum is not read. */
    f = create(false);
    assert_int_equal(load(&f, "__adam__.max_exp_avg_sq.w", false, 5, -7), LSTM_OK);
    destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(moments_that_adam_cannot_have_are_refused),
        TEST(other_moments_and_values_are_loaded),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
