/*
 * The layer compared with PyTorch: forward, all gradients, five Adam steps, evaluation.
 *
 * PyTorch computed in double precision from float32 weights (make_layer.py), so the
 * differences are rounding errors of liblstm: layer_case_tolerance() derives the bound.
 */
#include "tests/support/golden.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

enum { ADAM_STEPS = 5 };
static const double learning_rate = 0.001;

static void options_of(const golden *file, layer_options *options)
{
    *options = (layer_options){
        .config =
            {
                .inputs = (size_t)golden_number(file, "inputs"),
                .hidden = (size_t)golden_number(file, "hidden"),
                .layers = (size_t)golden_number(file, "layers"),
                .proj_size = (size_t)golden_number(file, "proj_size"),
                .dropout = golden_number(file, "dropout"),
                .no_bias = golden_number(file, "no_bias") != 0,
                .batch_first = golden_number(file, "batch_first") != 0,
                .bidirectional = golden_number(file, "bidirectional") != 0,
            },
        .steps = (size_t)golden_number(file, "steps"),
        .batch = (size_t)golden_number(file, "batch"),
        .lengths = file->length_count ? file->lengths : NULL,
        .seed = (uint64_t)golden_number(file, "seed"),
        .h0 = golden_find(file, "h0"),
        .c0 = golden_find(file, "c0"),
        .dout = golden_find(file, "dout"),
        .dhn = golden_find(file, "dhn"),
        .dcn = golden_find(file, "dcn"),
    };
}

static void set(lstm_tensor *tensor, const golden *file, const char *name)
{
    const golden_tensor *from = golden_find(file, name);
    if (!from)
        return;
    assert_int_equal(from->count, lstm_tensor_count(tensor));
    memcpy(lstm_tensor_data(tensor), from->data, from->count * sizeof(float));
}

static double largest(const golden_tensor *tensor)
{
    double value = 1;
    for (size_t i = 0; i < tensor->count; i++)
        value = fmax(value, fabs((double)tensor->data[i]));
    return value;
}

static void assert_near(const layer_case *c, const golden_tensor *expected,
                        const lstm_tensor *actual)
{
    double tolerance = layer_case_tolerance(&c->options) * largest(expected);
    assert_int_equal(expected->rank, lstm_tensor_rank(actual));
    for (size_t axis = 0; axis < expected->rank; axis++)
        assert_int_equal(expected->shape[axis], lstm_tensor_extent(actual, axis));
    for (size_t i = 0; i < expected->count; i++) {
        double value = (double)lstm_tensor_data(actual)[i];
        if (fabs(value - (double)expected->data[i]) <= tolerance)
            continue;
        fail_msg("%s[%zu] is %.9g, expected %.9g within %.3g", expected->name, i, value,
                 (double)expected->data[i], tolerance);
    }
}

static void assert_initial_weights(const layer_case *c, const golden *file)
{
    assert_int_equal(lstm_params_size(c->params), golden_number(file, "parameters"));
    for (size_t k = 0; k < lstm_params_size(c->params); k++) {
        const golden_tensor *expected = golden_at(file, "p0", k);
        assert_memory_equal(lstm_tensor_data(lstm_params_value(c->params, k)),
                            expected->data, expected->count * sizeof(float));
    }
}

static void assert_first_step(const layer_case *c, const golden *file)
{
    assert_near(c, golden_find(file, "out"), c->out);
    assert_near(c, golden_find(file, "hn"), c->hn);
    assert_near(c, golden_find(file, "cn"), c->cn);
    assert_near(c, golden_find(file, "dx"), c->dx);
    assert_near(c, golden_find(file, "dh0"), c->dh0);
    assert_near(c, golden_find(file, "dc0"), c->dc0);
    for (size_t k = 0; k < lstm_params_size(c->params); k++)
        assert_near(c, golden_at(file, "grad", k), lstm_params_grad(c->params, k));
}

/*
 * A step changes a parameter by about lr at most, so the error of a step is at most
 * 2 lr. If the gradient is large compared with its error e, it is at most slack * e
 * (make_layer.py). The parameter itself is rounded once per step.
 */
static void assert_stepped(const layer_case *c, const golden *file, size_t k)
{
    const golden_tensor *expected = golden_at(file, "p5", k);
    const golden_tensor *slack = golden_at(file, "slack", k);
    double error =
        layer_case_tolerance(&c->options) * largest(golden_at(file, "grad", k));
    for (size_t i = 0; i < expected->count; i++) {
        double moved =
            fmin(ADAM_STEPS * 2 * learning_rate, (double)slack->data[i] * error);
        double rounded = ADAM_STEPS * 0x1p-24 * fabs((double)expected->data[i]);
        assert_close(lstm_tensor_data(lstm_params_value(c->params, k))[i],
                     expected->data[i], moved + rounded);
    }
}

/* Errors |dp| of parameters change outputs by |dp| times the gradient. */
static void assert_evaluation(layer_case *c, const golden *file)
{
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    const golden_tensor *expected = golden_find(file, "eval");
    for (size_t i = 0; i < expected->count; i++)
        assert_close(lstm_tensor_data(c->out)[i], expected->data[i],
                     ADAM_STEPS * learning_rate);
}

static void the_layer_agrees_with_pytorch(void **state)
{
    golden *file = golden_read("layer", *state);
    layer_options options;
    options_of(file, &options);
    layer_case *c = layer_case_create(&options);
    assert_initial_weights(c, file);
    set(c->x, file, "x");
    set(c->h0, file, "h0");
    set(c->c0, file, "c0");
    set(c->dout, file, "dout");
    set(c->dhn, file, "dhn");
    set(c->dcn, file, "dcn");
    lstm_adam *adam;
    lstm_adam_config config = {.lr = learning_rate};
    assert_int_equal(lstm_adam_create(&adam, c->params, &config), LSTM_OK);
    for (size_t step = 0; step < ADAM_STEPS; step++) {
        layer_case_run(c);
        if (step == 0)
            assert_first_step(c, file);
        assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    }
    for (size_t k = 0; k < lstm_params_size(c->params); k++)
        assert_stepped(c, file, k);
    assert_evaluation(c, file);
    lstm_adam_destroy(&adam);
    layer_case_destroy(c);
    golden_free(file);
}

int main(void)
{
    return golden_run("layer", the_layer_agrees_with_pytorch);
}
