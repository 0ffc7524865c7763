#include "tests/support/layer_case.h"

#include "tests/support/draw.h"
#include "tests/support/precision.h"
#include "tests/support/test.h"

lstm_tensor *layer_case_tensor(size_t a, size_t b, size_t c)
{
    lstm_tensor *tensor;
    size_t shape[] = {a, b, c};
    assert_int_equal(lstm_tensor_create(&tensor, 3, shape), LSTM_OK);
    return tensor;
}

void layer_case_fill(lstm_tensor *tensor, uint64_t *seed)
{
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        lstm_tensor_data(tensor)[i] = draw_float(seed);
}

static void create_objects(layer_case *c)
{
    const layer_options *o = &c->options;
    assert_int_equal(lstm_rng_create(&c->rng, o->seed), LSTM_OK);
    if (lstm_layer_create(&c->layer, &o->config, c->rng) != LSTM_OK)
        fail_msg("%s", lstm_last_error());
    assert_int_equal(lstm_params_create(&c->params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(c->params, "", c->layer), LSTM_OK);
}

static void create_tensors(layer_case *c)
{
    const lstm_layer_config *config = &c->options.config;
    size_t directions = config->bidirectional ? 2 : 1;
    size_t state = config->proj_size ? config->proj_size : config->hidden;
    size_t rows = (config->layers ? config->layers : 1) * directions;
    size_t first = config->batch_first ? c->options.batch : c->options.steps;
    size_t second = config->batch_first ? c->options.steps : c->options.batch;
    c->x = layer_case_tensor(first, second, config->inputs);
    c->dx = layer_case_tensor(first, second, config->inputs);
    c->out = layer_case_tensor(first, second, directions * state);
    c->dout = layer_case_tensor(first, second, directions * state);
    lstm_tensor **h[] = {&c->h0, &c->hn, &c->dhn, &c->dh0};
    lstm_tensor **cells[] = {&c->c0, &c->cn, &c->dcn, &c->dc0};
    for (size_t i = 0; i < 4; i++) {
        *h[i] = layer_case_tensor(rows, c->options.batch, state);
        *cells[i] = layer_case_tensor(rows, c->options.batch, config->hidden);
    }
}

layer_case *layer_case_create(const layer_options *options)
{
    layer_case *c = calloc(1, sizeof(*c));
    c->options = *options;
    create_objects(c);
    create_tensors(c);
    uint64_t seed = options->seed;
    lstm_tensor *filled[] = {c->x, c->h0, c->c0, c->dout, c->dhn, c->dcn};
    for (size_t i = 0; i < sizeof(filled) / sizeof(filled[0]); i++)
        layer_case_fill(filled[i], &seed);
    return c;
}

void layer_case_destroy(layer_case *c)
{
    lstm_tensor **tensors[] = {&c->x,    &c->h0,  &c->c0,  &c->out, &c->hn,  &c->cn,
                               &c->dout, &c->dhn, &c->dcn, &c->dx,  &c->dh0, &c->dc0};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_params_destroy(&c->params);
    lstm_layer_destroy(&c->layer);
    lstm_rng_destroy(&c->rng);
    free(c);
}

lstm_status layer_case_forward(layer_case *c)
{
    return layer_case_forward_tape(c, NULL);
}

lstm_status layer_case_backward(layer_case *c)
{
    return layer_case_backward_tape(c, NULL);
}

lstm_status layer_case_forward_tape(layer_case *c, lstm_tape *tape)
{
    const layer_options *o = &c->options;
    lstm_rng_get_state(c->rng, c->rng_state);
    const lstm_tensor *h0 = o->h0 ? c->h0 : NULL, *c0 = o->c0 ? c->c0 : NULL;
    return lstm_layer_forward(c->layer, tape, c->x, o->lengths, h0, c0, c->out, c->hn,
                              c->cn);
}

lstm_status layer_case_backward_tape(layer_case *c, lstm_tape *tape)
{
    const layer_options *o = &c->options;
    return lstm_layer_backward(c->layer, tape, o->dout ? c->dout : NULL,
                               o->dhn ? c->dhn : NULL, o->dcn ? c->dcn : NULL, c->dx,
                               c->dh0, c->dc0);
}

void layer_case_run(layer_case *c)
{
    assert_int_equal(lstm_params_zero_grad(c->params), LSTM_OK);
    if (layer_case_forward(c) != LSTM_OK || layer_case_backward(c) != LSTM_OK)
        fail_msg("%s", lstm_last_error());
}

reference_lstm layer_case_net(const layer_case *c)
{
    const lstm_layer_config *config = &c->options.config;
    return (reference_lstm){
        .inputs = config->inputs,
        .hidden = config->hidden,
        .layers = config->layers ? config->layers : 1,
        .projection = config->proj_size,
        .directions = config->bidirectional ? 2 : 1,
        .bias = !config->no_bias,
    };
}

uint64_t layer_case_hash(const layer_case *c)
{
    const lstm_tensor *results[] = {c->out, c->hn, c->cn, c->dx, c->dh0, c->dc0};
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        hash = hash_bytes(hash, lstm_tensor_data(results[i]),
                          lstm_tensor_count(results[i]) * sizeof(float));
    for (size_t k = 0; k < lstm_params_size(c->params); k++) {
        const lstm_tensor *grad = lstm_params_grad(c->params, k);
        hash = hash_bytes(hash, lstm_tensor_data(grad),
                          lstm_tensor_count(grad) * sizeof(float));
    }
    return hash;
}

double layer_case_tolerance(const layer_options *options)
{
    const lstm_layer_config *config = &options->config;
    size_t layers = config->layers ? config->layers : 1;
    size_t sums = config->inputs + 2 * config->hidden + 4 * config->hidden + 32;
    return 8 * 0x1p-24 * sqrt((double)(layers * options->steps * sums));
}

double *layer_case_doubles(const lstm_tensor *tensor, bool swap)
{
    size_t rank = lstm_tensor_rank(tensor);
    size_t rows = lstm_tensor_extent(tensor, 0);
    size_t columns = swap ? lstm_tensor_extent(tensor, 1) : 1;
    size_t width = lstm_tensor_count(tensor) / rows / columns;
    assert_true(rank == 1 || lstm_tensor_stride(tensor, rank - 1) == 1);
    double *to = malloc(lstm_tensor_count(tensor) * sizeof(double));
    const float *from = lstm_tensor_data(tensor);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < columns; k++)
            for (size_t i = 0; i < width; i++)
                to[(k * rows + r) * width + i] =
                    (double)from[(r * columns + k) * width + i];
    return to;
}

void layer_case_assert_same_bits(const lstm_tensor *a, const lstm_tensor *b,
                                 const char *file, int line)
{
    size_t count = lstm_tensor_count(a);
    const float *x = lstm_tensor_data(a), *y = lstm_tensor_data(b);
    if (count != lstm_tensor_count(b)) {
        print_error("%zu and %zu elements\n", count, lstm_tensor_count(b));
        _fail(file, line);
    }
    for (size_t i = 0; i < count; i++)
        if (memcmp(&x[i], &y[i], sizeof(float)) != 0) {
            print_error("element %zu of %zu: %.9g and %.9g\n", i, count, (double)x[i],
                        (double)y[i]);
            _fail(file, line);
        }
}

static const layer_options spread[LAYER_CASE_SPREAD] = {
    {.config = {.inputs = 5, .hidden = 7}, .steps = 6, .batch = 3},
    {.config = {.inputs = 17, .hidden = 33, .layers = 2, .batch_first = true},
     .steps = 7,
     .batch = 21},
    {.config = {.inputs = 28, .hidden = 48, .layers = 3, .no_bias = true},
     .steps = 4,
     .batch = 37},
    {.config = {.inputs = 3, .hidden = 20, .layers = 2, .proj_size = 9},
     .steps = 9,
     .batch = 18},
    {.config = {.inputs = 6, .hidden = 18, .layers = 2, .bidirectional = true},
     .steps = 5,
     .batch = 19},
    {.config = {.inputs = 2,
                .hidden = 12,
                .layers = 2,
                .proj_size = 5,
                .bidirectional = true,
                .batch_first = true},
     .steps = 8,
     .batch = 17},
    {.config = {.inputs = 4, .hidden = 19, .layers = 2}, .steps = 37, .batch = 5},
};

layer_options layer_case_options(size_t i, uint64_t seed)
{
    layer_options options = spread[i];
    options.seed = seed;
    options.config.precision = test_precision();
    options.h0 = options.c0 = options.dout = options.dhn = options.dcn = true;
    return options;
}

layer_case *layer_case_spread(size_t i, uint64_t seed)
{
    if (i == LAYER_CASE_SPREAD)
        return NULL;
    layer_options options = layer_case_options(i, seed);
    return layer_case_create(&options);
}
