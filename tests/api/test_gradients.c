/*
 * Forward and gradients of the layer, compared with a forward in double precision.
 *
 * The loss is a random linear function of out, hn and cn. Its gradient with respect to
 * each parameter, input and initial state comes from central differences of the
 * reference, without a derivation. The configurations are all combinations of the
 * options, with small random sizes, lengths, and incoming gradients. A large batch is
 * compared with its parts.
 */
#include "tests/support/draw.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

/* With h = 1e-5 the error of the differences is h^2 / 6 of the third derivative (2e-11
 * of it) plus 2^-53 / h of the loss (1e-11 of it): far below float32. */
static const double difference = 1e-5;

/* Sanitizers slow a case down: every fifth has each option on and off as often. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STRIDE = 5 };
#else
enum { STRIDE = 1 };
#endif

enum {
    BIASES = 1,
    BATCH_FIRST = 2,
    BIDIRECTIONAL = 4,
    PROJECTION = 8,
    DROPOUT = 16,
    LENGTHS = 32,
    H0 = 64,
    C0 = 128,
    COMBINATIONS = 256,
    MAX_STEPS = 4,
    MAX_BATCH = 3,
    MAX_LAYERS = 3
};

/* All variables of the loss: parameters, x, h0, c0. */
typedef struct problem {
    layer_case *c;
    reference_lstm net;
    reference_input input;
    size_t count, parameters, x, h, cells, out;
    double *variables;
    double *masks;
    /* All outputs, and their factors in the loss: out, hn, cn. */
    double *outputs, *factors;
} problem;

static void append(double *to, size_t *at, const lstm_tensor *tensor, bool swap,
                   bool used)
{
    double *values = layer_case_doubles(tensor, swap);
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        to[(*at)++] = used ? values[i] : 0;
    free(values);
}

static double *variables_of(const layer_case *c, size_t count)
{
    const layer_options *o = &c->options;
    double *all = malloc(count * sizeof(double));
    size_t at = 0;
    for (size_t k = 0; k < lstm_params_size(c->params); k++)
        append(all, &at, lstm_params_value(c->params, k), false, true);
    append(all, &at, c->x, o->config.batch_first, true);
    append(all, &at, c->h0, false, o->h0);
    append(all, &at, c->c0, false, o->c0);
    assert_int_equal(at, count);
    return all;
}

static double *gradients_of(const layer_case *c, size_t count)
{
    double *all = malloc(count * sizeof(double));
    size_t at = 0;
    for (size_t k = 0; k < lstm_params_size(c->params); k++)
        append(all, &at, lstm_params_grad(c->params, k), false, true);
    append(all, &at, c->dx, c->options.config.batch_first, true);
    append(all, &at, c->dh0, false, true);
    append(all, &at, c->dc0, false, true);
    assert_int_equal(at, count);
    return all;
}

static double *factors_of(const layer_case *c, size_t count)
{
    const layer_options *o = &c->options;
    double *all = malloc(count * sizeof(double));
    size_t at = 0;
    append(all, &at, c->dout, o->config.batch_first, o->dout);
    append(all, &at, c->dhn, false, o->dhn);
    append(all, &at, c->dcn, false, o->dcn);
    return all;
}

static uint64_t draw_mask(void *generator)
{
    return lstm_rng_next(generator);
}

/* The masks of the forward, drawn from a generator in the state before it. */
static double *masks_of(const problem *p)
{
    const layer_case *c = p->c;
    if (c->options.config.dropout == 0 || p->net.layers == 1)
        return NULL;
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, 0), LSTM_OK);
    assert_int_equal(lstm_rng_set_state(rng, c->rng_state), LSTM_OK);
    double *masks = malloc((p->net.layers - 1) * p->out * sizeof(double));
    reference_masks(&p->net, &p->input, c->options.config.dropout, draw_mask, rng,
                    masks);
    lstm_rng_destroy(&rng);
    return masks;
}

static void problem_create(problem *p, layer_case *c)
{
    *p = (problem){.c = c, .net = layer_case_net(c)};
    p->parameters = lstm_params_count(c->params);
    p->x = lstm_tensor_count(c->x);
    p->h = lstm_tensor_count(c->h0);
    p->cells = lstm_tensor_count(c->c0);
    p->out = lstm_tensor_count(c->out);
    p->count = p->parameters + p->x + p->h + p->cells;
    p->variables = variables_of(c, p->count);
    p->net.parameters = p->variables;
    p->input.steps = c->options.steps;
    p->input.batch = c->options.batch;
    p->input.lengths = c->options.lengths;
    p->input.x = p->variables + p->parameters;
    p->input.h0 = p->input.x + p->x;
    p->input.c0 = p->input.h0 + p->h;
    p->masks = masks_of(p);
    p->input.masks = p->masks;
    p->outputs = malloc((p->out + p->h + p->cells) * sizeof(double));
    p->factors = factors_of(c, p->out + p->h + p->cells);
}

static void problem_free(problem *p)
{
    free(p->variables);
    free(p->masks);
    free(p->outputs);
    free(p->factors);
}

static double loss(problem *p)
{
    double *hn = p->outputs + p->out, sum = 0;
    reference_forward(&p->net, &p->input, p->outputs, hn, hn + p->h);
    for (size_t i = 0; i < p->out + p->h + p->cells; i++)
        sum += p->outputs[i] * p->factors[i];
    return sum;
}

static double central_difference(problem *p, size_t variable)
{
    double value = p->variables[variable];
    p->variables[variable] = value + difference;
    double above = loss(p);
    p->variables[variable] = value - difference;
    double below = loss(p);
    p->variables[variable] = value;
    return (above - below) / (2 * difference);
}

static double worst_forward, worst_gradient;

/* Fails and prints the case when actual and expected differ by more than its tolerance.
 * Updates worst, the largest difference relative to the larger of 1 and largest. */
static void check(const problem *p, const char *what, size_t index, double actual,
                  double expected, double largest, double *worst)
{
    const layer_options *o = &p->c->options;
    double error = fabs(actual - expected) / fmax(1, largest);
    if (error > *worst)
        *worst = error;
    if (error <= layer_case_tolerance(o))
        return;
    fail_msg("seed %zu, I %zu, H %zu, P %zu, L %zu, T %zu, N %zu, dropout %g, bias %d, "
             "batch first %d, bidirectional %d, lengths %d: %s %zu is %.9g, expected "
             "%.9g",
             (size_t)o->seed, o->config.inputs, o->config.hidden, o->config.proj_size,
             o->config.layers, o->steps, o->batch, o->config.dropout,
             !o->config.no_bias, o->config.batch_first, o->config.bidirectional,
             o->lengths != NULL, what, index, actual, expected);
}

static double largest_of(const double *values, size_t count)
{
    double value = 0;
    for (size_t i = 0; i < count; i++)
        value = fmax(value, fabs(values[i]));
    return value;
}

static void check_forward(problem *p)
{
    const layer_case *c = p->c;
    loss(p);
    const lstm_tensor *tensors[] = {c->out, c->hn, c->cn};
    const double *expected = p->outputs;
    for (size_t k = 0; k < 3; k++) {
        size_t count = lstm_tensor_count(tensors[k]);
        double *actual =
            layer_case_doubles(tensors[k], k == 0 && c->options.config.batch_first);
        double largest = largest_of(expected, count);
        for (size_t i = 0; i < count; i++)
            check(p, "output", i, actual[i], expected[i], largest, &worst_forward);
        expected += count;
        free(actual);
    }
}

static void check_gradients(problem *p)
{
    double *actual = gradients_of(p->c, p->count);
    double largest = largest_of(actual, p->count);
    for (size_t i = 0; i < p->count; i++)
        check(p, "gradient", i, actual[i], central_difference(p, i), largest,
              &worst_gradient);
    free(actual);
}

/* Random sizes, lengths and incoming gradients; each bit is an option. */
static void draw_options(layer_options *o, size_t bits, size_t layers, size_t *lengths)
{
    uint64_t seed = o->seed;
    size_t hidden = draw_size(&seed, (bits & PROJECTION) ? 2 : 1, 5);
    size_t incoming = draw_size(&seed, 1, 7);
    o->config = (lstm_layer_config){
        .inputs = draw_size(&seed, 1, 5),
        .hidden = hidden,
        .layers = layers,
        .proj_size = (bits & PROJECTION) ? draw_size(&seed, 1, hidden - 1) : 0,
        .dropout = (bits & DROPOUT) ? 0.4 : 0,
        .no_bias = !(bits & BIASES),
        .batch_first = bits & BATCH_FIRST,
        .bidirectional = bits & BIDIRECTIONAL,
    };
    o->steps = draw_size(&seed, 1, MAX_STEPS);
    o->batch = draw_size(&seed, 1, MAX_BATCH);
    for (size_t n = 0; n < o->batch; n++)
        lengths[n] = draw_size(&seed, 1, o->steps);
    o->lengths = (bits & LENGTHS) ? lengths : NULL;
    o->h0 = bits & H0;
    o->c0 = bits & C0;
    o->dout = incoming & 1;
    o->dhn = incoming & 2;
    o->dcn = incoming & 4;
}

static void check_case(size_t seed, size_t bits, size_t layers)
{
    size_t lengths[MAX_BATCH];
    layer_options options = {.seed = seed};
    draw_options(&options, bits, layers, lengths);
    layer_case *c = layer_case_create(&options);
    layer_case_run(c);
    problem p;
    problem_create(&p, c);
    check_forward(&p);
    check_gradients(&p);
    problem_free(&p);
    layer_case_destroy(c);
}

static void check_all(size_t layers)
{
    worst_forward = worst_gradient = 0;
    for (size_t bits = 0; bits < COMBINATIONS; bits += STRIDE)
        check_case(1000 * layers + bits, bits, layers);
    print_message("# %d configurations, largest error of an output %.3g, of a gradient "
                  "%.3g\n",
                  (COMBINATIONS + STRIDE - 1) / STRIDE, worst_forward, worst_gradient);
}

static void one_layer_has_the_gradients_of_central_differences(void **state)
{
    (void)state;
    check_all(1);
}

static void two_layers_have_the_gradients_of_central_differences(void **state)
{
    (void)state;
    check_all(2);
}

static void three_layers_have_the_gradients_of_central_differences(void **state)
{
    (void)state;
    check_all(3);
}

/* Copies the rows of part i of parts from a tensor in which rows come first, or second
 * after an axis of extent 1. */
static void copy_part(const lstm_tensor *from, size_t i, lstm_tensor *to)
{
    size_t count = lstm_tensor_count(to);
    memcpy(lstm_tensor_data(to), lstm_tensor_data(from) + i * count,
           count * sizeof(float));
}

/* The sums over so many rows are computed in several chunks, those of a part in one. */
static void the_gradients_of_many_rows_are_those_of_their_parts(void **state)
{
    (void)state;
    enum { PARTS = 4, ROWS = 64 };
    layer_options options = {
        .config = {.inputs = 28, .hidden = 128, .layers = 1, .batch_first = true},
        .steps = 27,
        .batch = ROWS,
        .seed = 3,
        .h0 = true,
        .c0 = true,
        .dout = true,
        .dhn = true,
        .dcn = true,
    };
    layer_case *whole = layer_case_create(&options);
    layer_case_run(whole);
    options.batch = ROWS / PARTS;
    layer_case *part = layer_case_create(&options);
    assert_int_equal(lstm_params_zero_grad(part->params), LSTM_OK);
    for (size_t i = 0; i < PARTS; i++) {
        const lstm_tensor *from[] = {whole->x,    whole->h0,  whole->c0,
                                     whole->dout, whole->dhn, whole->dcn};
        lstm_tensor *to[] = {part->x,    part->h0,  part->c0,
                             part->dout, part->dhn, part->dcn};
        for (size_t k = 0; k < sizeof(to) / sizeof(to[0]); k++)
            copy_part(from[k], i, to[k]);
        assert_int_equal(layer_case_forward(part), LSTM_OK);
        assert_int_equal(layer_case_backward(part), LSTM_OK);
    }
    for (size_t k = 0; k < lstm_params_size(whole->params); k++) {
        const lstm_tensor *sum = lstm_params_grad(part->params, k);
        const lstm_tensor *found = lstm_params_grad(whole->params, k);
        for (size_t i = 0; i < lstm_tensor_count(sum); i++) {
            double expected = (double)lstm_tensor_data(sum)[i];
            assert_close(lstm_tensor_data(found)[i], expected,
                         1e-5 * fmax(1, fabs(expected)));
        }
    }
    layer_case_destroy(whole);
    layer_case_destroy(part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_layer_has_the_gradients_of_central_differences),
        TEST(two_layers_have_the_gradients_of_central_differences),
        TEST(three_layers_have_the_gradients_of_central_differences),
        TEST(the_gradients_of_many_rows_are_those_of_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
