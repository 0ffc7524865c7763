/*
 * Compares forward and gradients with a reference in double precision.
 *
 * The gradients of a tensor are compared along a direction of random signs: the
 * product of the gradient with the direction with a central difference of the
 * reference. A wrong element of the gradient changes the product.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/draw.h"
#include "tests/support/ending.h"
#include "tests/support/reference.h"
#include "tests/verify/part.h"

typedef struct sizes {
    lstm_layer_config config;
    size_t steps, batch;
} sizes;

/* Sizes on both sides of the blocks of 16 units and of the groups of rows; each option
 * of a layer. */
static const sizes all[] = {
    {.config = {.inputs = 5, .hidden = 7}, .steps = 6, .batch = 3},
    {.config = {.inputs = 17, .hidden = 33, .layers = 2}, .steps = 7, .batch = 21},
    {.config = {.inputs = 28, .hidden = 48, .layers = 3, .no_bias = true},
     .steps = 4,
     .batch = 37},
    {.config = {.inputs = 3, .hidden = 20, .layers = 2, .proj_size = 9},
     .steps = 9,
     .batch = 18},
    {.config = {.inputs = 6, .hidden = 18, .layers = 2, .bidirectional = true},
     .steps = 5,
     .batch = 19},
    {.config = {.inputs = 28, .hidden = 128, .layers = 2}, .steps = 12, .batch = 64},
};
enum {
    CASES = sizeof(all) / sizeof(all[0]),
    OUTPUTS = 3,
    INPUTS = 3,
    MOST_PARAMETERS = 64
};

/* A layer with its inputs, outputs and gradients: x, h0, c0 and out, hn, cn. */
typedef struct trial {
    const sizes *sizes;
    reference_lstm net;
    lstm_layer *layer;
    lstm_params *params;
    lstm_tensor *in[INPUTS], *out[OUTPUTS], *din[INPUTS], *dout[OUTPUTS];
    /* The parameters, and the inputs, in double precision. */
    double *parameters, *values[INPUTS];
} trial;

static size_t width_of(const trial *t)
{
    return reference_state_size(&t->net) * t->net.directions;
}

static void fill(lstm_tensor *tensor, uint64_t *seed, float scale)
{
    float *values = lstm_tensor_data(tensor);
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        values[i] = scale * draw_float(seed);
}

static double *doubles(const lstm_tensor *tensor)
{
    size_t count = lstm_tensor_count(tensor);
    double *to = ending_unless(malloc(count * sizeof(double)));
    for (size_t i = 0; i < count; i++)
        to[i] = (double)lstm_tensor_data(tensor)[i];
    return to;
}

static void create_tensors(trial *t, uint64_t *seed)
{
    const sizes *s = t->sizes;
    size_t rows = t->net.layers * t->net.directions,
           state = reference_state_size(&t->net);
    const size_t shapes[INPUTS + OUTPUTS][3] = {
        {s->steps, s->batch, s->config.inputs},
        {rows, s->batch, state},
        {rows, s->batch, s->config.hidden},
        {s->steps, s->batch, width_of(t)},
        {rows, s->batch, state},
        {rows, s->batch, s->config.hidden},
    };
    for (size_t i = 0; i < INPUTS; i++) {
        part_must(lstm_tensor_create(&t->in[i], 3, shapes[i]));
        part_must(lstm_tensor_create(&t->din[i], 3, shapes[i]));
        part_must(lstm_tensor_create(&t->out[i], 3, shapes[INPUTS + i]));
        part_must(lstm_tensor_create(&t->dout[i], 3, shapes[INPUTS + i]));
        fill(t->in[i], seed, 1);
        fill(t->dout[i], seed, 1);
        t->values[i] = doubles(t->in[i]);
    }
}

static void copy_parameters(trial *t)
{
    t->parameters =
        ending_unless(malloc(lstm_params_count(t->params) * sizeof(double)));
    double *to = t->parameters;
    for (size_t k = 0; k < lstm_params_size(t->params); k++) {
        const lstm_tensor *value = lstm_params_value(t->params, k);
        for (size_t i = 0; i < lstm_tensor_count(value); i++)
            *to++ = (double)lstm_tensor_data(value)[i];
    }
    t->net.parameters = t->parameters;
}

static trial create_trial(const sizes *s, uint64_t *seed)
{
    trial t = {.sizes = s};
    lstm_rng *rng;
    t.net = (reference_lstm){
        .inputs = s->config.inputs,
        .hidden = s->config.hidden,
        .layers = s->config.layers ? s->config.layers : 1,
        .projection = s->config.proj_size,
        .directions = s->config.bidirectional ? 2 : 1,
        .bias = !s->config.no_bias,
    };
    part_must(lstm_rng_create(&rng, draw_bits(seed)));
    part_must(lstm_layer_create(&t.layer, &s->config, rng));
    lstm_rng_destroy(&rng);
    part_must(lstm_params_create(&t.params));
    part_must(lstm_params_add_layer(t.params, "lstm", t.layer));
    create_tensors(&t, seed);
    copy_parameters(&t);
    return t;
}

static void destroy_trial(trial *t)
{
    for (size_t i = 0; i < INPUTS; i++) {
        lstm_tensor_destroy(&t->in[i]);
        lstm_tensor_destroy(&t->din[i]);
        lstm_tensor_destroy(&t->out[i]);
        lstm_tensor_destroy(&t->dout[i]);
        free(t->values[i]);
    }
    free(t->parameters);
    lstm_params_destroy(&t->params);
    lstm_layer_destroy(&t->layer);
}

/* The outputs in double precision. */
static void reference(const trial *t, double **out)
{
    const reference_input input = {.steps = t->sizes->steps,
                                   .batch = t->sizes->batch,
                                   .x = t->values[0],
                                   .h0 = t->values[1],
                                   .c0 = t->values[2]};
    reference_forward(&t->net, &input, out[0], out[1], out[2]);
}

static void make_outputs(const trial *t, double **out)
{
    for (size_t i = 0; i < OUTPUTS; i++)
        out[i] = doubles(t->out[i]);
}

static void free_outputs(double **out)
{
    for (size_t i = 0; i < OUTPUTS; i++)
        free(out[i]);
}

/* Sum of all outputs times their gradients. */
static double loss(const trial *t)
{
    double *out[OUTPUTS], sum = 0;
    make_outputs(t, out);
    reference(t, out);
    for (size_t i = 0; i < OUTPUTS; i++)
        for (size_t k = 0; k < lstm_tensor_count(t->dout[i]); k++)
            sum += out[i][k] * (double)lstm_tensor_data(t->dout[i])[k];
    free_outputs(out);
    return sum;
}

/* Moves values by scale in the direction of a seed. */
static void move(double *values, size_t count, uint64_t seed, double scale)
{
    for (size_t i = 0; i < count; i++)
        values[i] += draw_bits(&seed) >> 63 ? scale : -scale;
}

/*
 * Error of a gradient along a random direction, as a share of what count elements of
 * the largest size may differ if each has an error of 1: sqrt(count) for random signs.
 */
static double error_of(const trial *t, const lstm_tensor *gradient, double *values,
                       uint64_t *seed)
{
    const double step = 1e-5;
    size_t count = lstm_tensor_count(gradient);
    uint64_t direction = draw_bits(seed), signs = direction;
    double product = 0, largest = 1;
    for (size_t i = 0; i < count; i++) {
        double element = (double)lstm_tensor_data(gradient)[i];
        product += draw_bits(&signs) >> 63 ? element : -element;
        largest = fmax(largest, fabs(element));
    }
    move(values, count, direction, step);
    double above = loss(t);
    move(values, count, direction, -2 * step);
    double below = loss(t);
    move(values, count, direction, step);
    double error = fabs(product - (above - below) / (2 * step));
    return error / (largest * sqrt((double)count));
}

static double worst_output(const trial *t)
{
    double *out[OUTPUTS], worst = 0;
    make_outputs(t, out);
    reference(t, out);
    for (size_t i = 0; i < OUTPUTS; i++)
        for (size_t k = 0; k < lstm_tensor_count(t->out[i]); k++) {
            double error = fabs((double)lstm_tensor_data(t->out[i])[k] - out[i][k]);
            /* Not fmax(), which ignores a not-a-number. */
            if (!(error <= worst))
                worst = error;
        }
    free_outputs(out);
    return worst;
}

static double worst_gradient(const trial *t, uint64_t *seed)
{
    double worst = 0, *at = t->parameters;
    for (size_t i = 0; i < lstm_params_size(t->params) + INPUTS; i++) {
        bool parameter = i < lstm_params_size(t->params);
        const lstm_tensor *gradient = parameter
                                          ? lstm_params_grad(t->params, i)
                                          : t->din[i - lstm_params_size(t->params)];
        double *values = parameter ? at : t->values[i - lstm_params_size(t->params)];
        double error = error_of(t, gradient, values, seed);
        if (!(error <= worst))
            worst = error;
        at += parameter ? lstm_tensor_count(gradient) : 0;
    }
    return worst;
}

static void run(trial *t)
{
    part_must(lstm_params_zero_grad(t->params));
    part_must(lstm_layer_forward(t->layer, NULL, t->in[0], NULL, t->in[1], t->in[2],
                                 t->out[0], t->out[1], t->out[2]));
    part_must(lstm_layer_backward(t->layer, NULL, t->dout[0], t->dout[1], t->dout[2],
                                  t->din[0], t->din[1], t->din[2]));
}

/* The largest error of outputs in int8, compared with weights that are not rounded. */
static double worst_int8(uint64_t *seed)
{
    double worst = 0;
    for (size_t i = 0; i < CASES; i++) {
        sizes s = all[i];
        s.config.precision = LSTM_INT8;
        trial t = create_trial(&s, seed);
        part_must(lstm_layer_forward(t.layer, NULL, t.in[0], NULL, t.in[1], t.in[2],
                                     t.out[0], t.out[1], t.out[2]));
        double error = worst_output(&t);
        if (!(error <= worst))
            worst = error;
        destroy_trial(&t);
    }
    return worst;
}

/* Norm of the difference of a tensor from exact values, by their norm. */
static double relative_error(const lstm_tensor *found, const double *exact)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < lstm_tensor_count(found); i++) {
        double error = (double)lstm_tensor_data(found)[i] - exact[i];
        difference += error * error;
        size += exact[i] * exact[i];
    }
    return sqrt(difference / size);
}

static void keep_worst(double *worst, const lstm_tensor *found, const double *exact)
{
    double error = relative_error(found, exact);
    if (!(error <= *worst))
        *worst = error;
}

static void keep_worst_of(double *worst, const lstm_tensor *found,
                          const lstm_tensor *exact)
{
    double *values = doubles(exact);
    keep_worst(worst, found, values);
    free(values);
}

/*
 * The largest errors of a case in bfloat16: of outputs, compared with double precision,
 * and of gradients, compared with those of float32 of these kernels, which central
 * differences have checked.
 */
static void worst_bfloat16(const sizes *s, uint64_t *seed, double *output,
                           double *gradient)
{
    double *out[OUTPUTS];
    uint64_t same = *seed;
    sizes half = *s;
    half.config.precision = LSTM_BFLOAT16;
    trial t = create_trial(&half, &same), exact = create_trial(s, seed);
    run(&t);
    run(&exact);
    make_outputs(&exact, out);
    reference(&exact, out);
    for (size_t i = 0; i < OUTPUTS; i++)
        keep_worst(output, t.out[i], out[i]);
    for (size_t i = 0; i < INPUTS; i++)
        keep_worst_of(gradient, t.din[i], exact.din[i]);
    for (size_t i = 0; i < lstm_params_size(t.params); i++)
        keep_worst_of(gradient, lstm_params_grad(t.params, i),
                      lstm_params_grad(exact.params, i));
    free_outputs(out);
    destroy_trial(&exact);
    destroy_trial(&t);
}

static void check_bfloat16(uint64_t *seed)
{
    /* That of docs/numerics.md; the largest errors seen are 2.8e-3 and 3.8e-3. */
    const double limit = 0x1p-7;
    double output = 0, gradient = 0;
    for (size_t i = 0; i < CASES; i++)
        worst_bfloat16(&all[i], seed, &output, &gradient);
    part_line(output <= limit, "bfloat16 outputs against double precision",
              "error %.1e, at most %.1e", output, limit);
    part_line(gradient <= limit, "bfloat16 gradients against float32",
              "error %.1e, at most %.1e", gradient, limit);
}

void part_numbers(void)
{
    /* The largest errors seen are 2e-7, 1.2e-7 and 2.1e-3. */
    const double output_limit = 1e-6, gradient_limit = 5e-7, int8_limit = 1e-2;
    double output = 0, gradient = 0;
    uint64_t seed = 1;
    for (size_t i = 0; i < CASES; i++) {
        trial t = create_trial(&all[i], &seed);
        run(&t);
        double error = worst_output(&t);
        if (!(error <= output))
            output = error;
        error = worst_gradient(&t, &seed);
        if (!(error <= gradient))
            gradient = error;
        destroy_trial(&t);
    }
    part_line(output <= output_limit, "outputs against double precision",
              "error %.1e, at most %.0e", output, output_limit);
    part_line(gradient <= gradient_limit, "gradients against double precision",
              "error %.1e, at most %.0e", gradient, gradient_limit);
    double int8 = worst_int8(&seed);
    part_line(int8 <= int8_limit, "int8 against double precision",
              "error %.1e, at most %.0e", int8, int8_limit);
    check_bfloat16(&seed);
}
