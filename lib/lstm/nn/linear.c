/*
 * The linear layer: y = x W^T + b.
 *
 * The products work on contiguous rows. Forward copies x into a contiguous array, which
 * backward needs as well, and copies the results from contiguous arrays to y and dx.
 * Forward also transposes the weight to [inputs, outputs], so that the inner loop runs
 * along contiguous outputs.
 */
#include <math.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/memory.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

enum { WEIGHT, BIAS, MAX_PARAMETERS };

struct lstm_linear {
    lstm_linear_config config;
    /** Without a bias the second one is all zeros. */
    lstm_parameter parameters[MAX_PARAMETERS];
    uint64_t version;
    /** The weight as [inputs, outputs]. */
    float *transposed;
    /** x, dx, and y or dy, each with capacity rows, in one allocation. */
    float *x, *dx, *y;
    size_t capacity;
    /** Shape of y in the last forward; rank 0 before the first one. */
    size_t rank, shape[LSTM_MAX_RANK];
    size_t rows;
};

static lstm_status create_parameter(lstm_linear *linear, int which, const char *name,
                                    size_t rank, const size_t *shape)
{
    lstm_parameter *parameter = &linear->parameters[which];
    memcpy(parameter->name, name, strlen(name) + 1);
    parameter->version = &linear->version;
    lstm_status status = lstm_tensor_create(&parameter->value, rank, shape);
    return status ? status : lstm_tensor_create(&parameter->grad, rank, shape);
}

static lstm_status create_parameters(lstm_linear *linear)
{
    size_t inputs = linear->config.inputs, outputs = linear->config.outputs;
    lstm_status status =
        create_parameter(linear, WEIGHT, "weight", 2, (size_t[]){outputs, inputs});
    if (!status && !linear->config.no_bias)
        status = create_parameter(linear, BIAS, "bias", 1, (size_t[]){outputs});
    if (status)
        return status;
    linear->transposed = common_alloc(inputs * outputs, sizeof(float));
    return linear->transposed ? LSTM_OK : lstm_fail_memory("linear");
}

/* As torch.nn.Linear.reset_parameters(): kaiming_uniform_(weight, a=sqrt(5)), then the
 * bias uniform in +-1/sqrt(inputs), with PyTorch's operations in PyTorch's order. */
static lstm_status draw_parameters(lstm_linear *linear, lstm_rng *rng)
{
    double slope = sqrt(5.0), fan_in = sqrt((double)linear->config.inputs);
    float weight = (float)(sqrt(3.0) * (sqrt(2.0 / (1 + slope * slope)) / fan_in));
    float bias = (float)(1 / fan_in);
    const lstm_parameter *parameters = linear->parameters;
    lstm_status status =
        lstm_rng_uniform(rng, parameters[WEIGHT].value, -weight, weight);
    if (status || linear->config.no_bias)
        return status;
    return lstm_rng_uniform(rng, parameters[BIAS].value, -bias, bias);
}

static lstm_status check_config(const lstm_linear_config *config)
{
    lstm_status status = lstm_check_reserved("linear", config->reserved);
    if (status)
        return status;
    if (config->inputs > 0 && config->outputs > 0)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "linear: %s is 0, expected at least 1",
                     config->inputs ? "outputs" : "inputs");
}

lstm_status lstm_linear_create(lstm_linear **out, const lstm_linear_config *config,
                               lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("linear", "out");
    *out = NULL;
    if (!config)
        return lstm_fail_null("linear", "config");
    lstm_status status = check_config(config);
    if (status)
        return status;
    lstm_linear *linear = common_alloc_bytes(sizeof(*linear));
    if (!linear)
        return lstm_fail_memory("linear");
    linear->config = *config;
    status = create_parameters(linear);
    if (!status && rng)
        status = draw_parameters(linear, rng);
    if (status)
        lstm_linear_destroy(&linear);
    *out = linear;
    return status;
}

void lstm_linear_destroy(lstm_linear **linear)
{
    if (!linear || !*linear)
        return;
    for (size_t i = 0; i < MAX_PARAMETERS; i++) {
        lstm_tensor_destroy(&(*linear)->parameters[i].value);
        lstm_tensor_destroy(&(*linear)->parameters[i].grad);
    }
    common_free((*linear)->transposed);
    common_free((*linear)->x);
    common_free(*linear);
    *linear = NULL;
}

const lstm_linear_config *lstm_linear_get_config(const lstm_linear *linear)
{
    return linear ? &linear->config : NULL;
}

lstm_parameter *lstm_linear_parameters(lstm_linear *linear, size_t *count)
{
    *count = linear->config.no_bias ? 1 : 2;
    return linear->parameters;
}

/* Values of the bias; NULL without one. */
static const float *bias_of(const lstm_linear *linear)
{
    return lstm_tensor_data(linear->parameters[BIAS].value);
}

lstm_linear_view lstm_linear_get_view(const lstm_linear *linear)
{
    return (lstm_linear_view){linear->config.inputs, linear->config.outputs,
                              lstm_tensor_data(linear->parameters[WEIGHT].value),
                              bias_of(linear)};
}

/* Checks that x is [N, inputs] or [A, B, inputs]. */
static lstm_status check_x(const lstm_linear *linear, const lstm_tensor *x)
{
    char text[LSTM_SHAPE_TEXT];
    bool fits = (x->rank == 2 || x->rank == 3) && //
                x->shape[x->rank - 1] == linear->config.inputs;
    if (fits)
        return LSTM_OK;
    return lstm_fail(LSTM_SHAPE_MISMATCH,
                     "linear: x is %s, expected [N, %zu] or [A, B, %zu]",
                     lstm_shape_text(text, x->rank, x->shape), linear->config.inputs,
                     linear->config.inputs);
}

/* Ensures that there is memory for rows; a failure changes nothing. */
static lstm_status reserve(lstm_linear *linear, size_t rows)
{
    if (rows <= linear->capacity)
        return LSTM_OK;
    size_t width, count;
    float *room = NULL;
    if (common_multiply(linear->config.inputs, 2, &width) &&
        common_add(width, linear->config.outputs, &width) &&
        common_multiply(rows, width, &count))
        room = common_alloc(count, sizeof(float));
    if (!room)
        return lstm_fail_memory("linear");
    common_free(linear->x);
    linear->x = room;
    linear->dx = linear->x + rows * linear->config.inputs;
    linear->y = linear->dx + rows * linear->config.inputs;
    linear->capacity = rows;
    linear->rank = 0;
    return LSTM_OK;
}

/* Transposes the thread's outputs in squares that fit into the first-level cache. */
static void transpose_outputs(void *context, lstm_team *team, size_t thread,
                              size_t threads)
{
    enum { SIDE = 16 };
    const lstm_linear *linear = context;
    const float *weight = lstm_tensor_data(linear->parameters[WEIGHT].value);
    size_t inputs = linear->config.inputs, outputs = linear->config.outputs;
    size_t end = lstm_range_start(outputs, SIDE, thread + 1, threads);
    (void)team;
    for (size_t first = lstm_range_start(outputs, SIDE, thread, threads); first < end;
         first += SIDE) {
        size_t last = common_smaller(first + SIDE, end);
        for (size_t i = 0; i < inputs; i++)
            for (size_t o = first; o < last; o++)
                linear->transposed[i * outputs + o] = weight[o * inputs + i];
    }
}

static void transpose_weight(lstm_linear *linear)
{
    /* Elements per thread: about 5 us of work. */
    enum { GRAIN = 16384 };
    size_t elements = linear->config.inputs * linear->config.outputs;
    lstm_pool_run(transpose_outputs, linear, elements / GRAIN + 1);
}

/* y [rows, outputs] = x [rows, inputs] transposed [inputs, outputs] + bias */
static void multiply_forward(lstm_linear *linear)
{
    size_t outputs = linear->config.outputs;
    const float *bias = bias_of(linear);
    for (size_t row = 0; bias && row < linear->rows; row++)
        memcpy(linear->y + row * outputs, bias, outputs * sizeof(*bias));
    transpose_weight(linear);
    lstm_gemm(&(lstm_product){
        .rows = linear->rows,
        .columns = outputs,
        .depth = linear->config.inputs,
        .a = linear->x,
        .a_stride = linear->config.inputs,
        .a_k_stride = 1,
        .b = linear->transposed,
        .b_stride = outputs,
        .c = linear->y,
        .c_stride = outputs,
        .add = bias != NULL,
    });
}

lstm_status lstm_linear_forward(lstm_linear *linear, const lstm_tensor *x,
                                lstm_tensor *y)
{
    if (!linear)
        return lstm_fail_null("linear", "linear");
    if (!x)
        return lstm_fail_null("linear", "x");
    if (!y)
        return lstm_fail_null("linear", "y");
    lstm_status status = check_x(linear, x);
    if (status)
        return status;
    size_t shape[LSTM_MAX_RANK];
    memcpy(shape, x->shape, sizeof(shape));
    shape[x->rank - 1] = linear->config.outputs;
    status = lstm_tensor_expect(y, "linear", "y", x->rank, shape);
    size_t rows = lstm_tensor_count(x) / linear->config.inputs;
    if (!status)
        status = reserve(linear, rows);
    if (status)
        return status;
    linear->rank = x->rank;
    linear->rows = rows;
    memcpy(linear->shape, shape, sizeof(shape));
    lstm_tensor_gather(linear->x, x);
    multiply_forward(linear);
    lstm_tensor_scatter(y, linear->y);
    return LSTM_OK;
}

/* dx [rows, inputs] = dy [rows, outputs] W [outputs, inputs] */
static void multiply_dx(const lstm_linear *linear)
{
    lstm_gemm(&(lstm_product){
        .rows = linear->rows,
        .columns = linear->config.inputs,
        .depth = linear->config.outputs,
        .a = linear->y,
        .a_stride = linear->config.outputs,
        .a_k_stride = 1,
        .b = lstm_tensor_data(linear->parameters[WEIGHT].value),
        .b_stride = linear->config.inputs,
        .c = linear->dx,
        .c_stride = linear->config.inputs,
        .any_order = true,
    });
}

/* dW [outputs, inputs] += dy^T x */
static void add_weight_gradient(const lstm_linear *linear)
{
    lstm_gemm(&(lstm_product){
        .rows = linear->config.outputs,
        .columns = linear->config.inputs,
        .depth = linear->rows,
        .a = linear->y,
        .a_stride = 1,
        .a_k_stride = linear->config.outputs,
        .b = linear->x,
        .b_stride = linear->config.inputs,
        .c = lstm_tensor_data(linear->parameters[WEIGHT].grad),
        .c_stride = linear->config.inputs,
        .add = true,
        .parts = true,
        .any_order = true,
    });
}

/* db [outputs] += the sum of a few rows of dy, one chain for each output. */
static void add_rows(const float *dy, size_t rows, size_t outputs, float *db)
{
    enum { MOST = 64 };
    for (size_t start = 0; start < outputs; start += MOST) {
        float sum[MOST] = {0};
        size_t left = outputs - start, width = common_smaller(left, MOST);
        for (size_t row = 0; row < rows; row++)
            for (size_t o = 0; o < width; o++)
                sum[o] += dy[row * outputs + start + o];
        for (size_t o = 0; o < width; o++)
            db[start + o] += sum[o];
    }
}

/* db [outputs] += the rows of dy, in order. The rows are summed in parts, so that long
 * sums lose fewer digits. */
static void add_bias_gradient(const lstm_linear *linear)
{
    enum { PART_ROWS = 128 };
    size_t outputs = linear->config.outputs;
    float *db = lstm_tensor_data(linear->parameters[BIAS].grad);
    for (size_t row = 0; db && row < linear->rows; row += PART_ROWS) {
        size_t left = linear->rows - row;
        add_rows(linear->y + row * outputs, common_smaller(left, PART_ROWS), outputs,
                 db);
    }
}

lstm_status lstm_linear_backward(lstm_linear *linear, const lstm_tensor *dy,
                                 lstm_tensor *dx)
{
    if (!linear)
        return lstm_fail_null("linear", "linear");
    if (!dy)
        return lstm_fail_null("linear", "dy");
    if (!linear->rank)
        return lstm_fail(LSTM_INVALID_STATE, "linear: backward without a forward");
    lstm_status status =
        lstm_tensor_expect(dy, "linear", "dy", linear->rank, linear->shape);
    size_t shape[LSTM_MAX_RANK];
    memcpy(shape, linear->shape, sizeof(shape));
    shape[linear->rank - 1] = linear->config.inputs;
    if (!status && dx)
        status = lstm_tensor_expect(dx, "linear", "dx", linear->rank, shape);
    if (status)
        return status;
    lstm_tensor_gather(linear->y, dy);
    add_weight_gradient(linear);
    add_bias_gradient(linear);
    if (dx) {
        multiply_dx(linear);
        lstm_tensor_scatter(dx, linear->dx);
    }
    return LSTM_OK;
}
