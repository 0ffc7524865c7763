/*
 * The linear layer: y = x W^T + b.
 *
 * Everything is computed on rows without gaps: x is gathered into one (which is also
 * the copy that backward needs), y and dx are scattered from one. The weight is turned
 * to [inputs, outputs] at each forward, so that products run along contiguous outputs.
 */
#include <math.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/nn/inference.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

enum { WEIGHT, BIAS, PARAMETERS };

struct lstm_linear {
    size_t inputs, outputs;
    lstm_parameter parameters[PARAMETERS];
    uint64_t version;
    /** The weight turned to [inputs, outputs]. */
    float *turned;
    /** Room for capacity rows of x, dx and y or dy; the three lie in one allocation. */
    float *x, *dx, *y;
    size_t capacity;
    /** Shape of the last x, the outputs in place of the inputs; rank 0 before one. */
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

/* torch.nn.Linear.reset_parameters(): kaiming_uniform_(weight, a=sqrt(5)), and the bias
 * within 1/sqrt(inputs), in the operations and the order of PyTorch. */
static lstm_status draw_parameters(lstm_linear *linear, lstm_rng *rng)
{
    double slope = sqrt(5.0), fan_in = sqrt((double)linear->inputs);
    float weight = (float)(sqrt(3.0) * (sqrt(2.0 / (1 + slope * slope)) / fan_in));
    float bias = (float)(1 / fan_in);
    const lstm_parameter *parameters = linear->parameters;
    lstm_status status =
        lstm_rng_uniform(rng, parameters[WEIGHT].value, -weight, weight);
    return status ? status : lstm_rng_uniform(rng, parameters[BIAS].value, -bias, bias);
}

lstm_status lstm_linear_create(lstm_linear **out, size_t inputs, size_t outputs,
                               lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("linear", "out");
    *out = NULL;
    if (inputs < 1 || outputs < 1)
        return lstm_fail(LSTM_INVALID_ARGUMENT, "linear: %s is 0, expected at least 1",
                         inputs < 1 ? "inputs" : "outputs");
    lstm_linear *linear = common_alloc(1, sizeof(*linear));
    if (!linear)
        return lstm_fail_memory("linear");
    linear->inputs = inputs;
    linear->outputs = outputs;
    lstm_status status =
        create_parameter(linear, WEIGHT, "weight", 2, (size_t[]){outputs, inputs});
    if (!status)
        status = create_parameter(linear, BIAS, "bias", 1, (size_t[]){outputs});
    if (!status) {
        linear->turned = common_alloc(inputs * outputs, sizeof(float));
        if (!linear->turned)
            status = lstm_fail_memory("linear");
    }
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
    for (size_t i = 0; i < PARAMETERS; i++) {
        lstm_tensor_destroy(&(*linear)->parameters[i].value);
        lstm_tensor_destroy(&(*linear)->parameters[i].grad);
    }
    common_free((*linear)->turned);
    common_free((*linear)->x);
    common_free(*linear);
    *linear = NULL;
}

lstm_parameter *lstm_linear_parameters(lstm_linear *linear, size_t *count)
{
    *count = PARAMETERS;
    return linear->parameters;
}

lstm_linear_view lstm_linear_look(const lstm_linear *linear)
{
    return (lstm_linear_view){linear->inputs, linear->outputs,
                              lstm_tensor_data(linear->parameters[WEIGHT].value),
                              lstm_tensor_data(linear->parameters[BIAS].value)};
}

/* Checks that x is [N, inputs] or [A, B, inputs]. */
static lstm_status check_x(const lstm_linear *linear, const lstm_tensor *x)
{
    char text[LSTM_SHAPE_TEXT];
    bool fits = (x->rank == 2 || x->rank == 3) && //
                x->shape[x->rank - 1] == linear->inputs;
    if (fits)
        return LSTM_OK;
    return lstm_fail(
        LSTM_SHAPE_MISMATCH, "linear: x is %s, expected [N, %zu] or [A, B, %zu]",
        lstm_shape_text(text, x->rank, x->shape), linear->inputs, linear->inputs);
}

/* Makes room for that many rows; on failure the room is as it was. */
static lstm_status reserve(lstm_linear *linear, size_t rows)
{
    if (rows <= linear->capacity)
        return LSTM_OK;
    size_t width, count;
    float *room = NULL;
    if (common_multiply(linear->inputs, 2, &width) &&
        common_add(width, linear->outputs, &width) &&
        common_multiply(rows, width, &count))
        room = common_alloc(count, sizeof(float));
    if (!room)
        return lstm_fail_memory("linear");
    common_free(linear->x);
    linear->x = room;
    linear->dx = linear->x + rows * linear->inputs;
    linear->y = linear->dx + rows * linear->inputs;
    linear->capacity = rows;
    linear->rank = 0;
    return LSTM_OK;
}

/* Turns the share's outputs, in squares whose lines stay in the first-level cache. */
static void turn_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    enum { SIDE = 16 };
    const lstm_linear *linear = work;
    const float *weight = lstm_tensor_data(linear->parameters[WEIGHT].value);
    size_t inputs = linear->inputs, outputs = linear->outputs;
    size_t end = lstm_share_start(outputs, SIDE, share + 1, shares);
    (void)team;
    for (size_t first = lstm_share_start(outputs, SIDE, share, shares); first < end;
         first += SIDE) {
        size_t last = first + SIDE < end ? first + SIDE : end;
        for (size_t i = 0; i < inputs; i++)
            for (size_t o = first; o < last; o++)
                linear->turned[i * outputs + o] = weight[o * inputs + i];
    }
}

static void turn_weight(lstm_linear *linear)
{
    /* Elements that are worth a thread: some 5 us. */
    enum { GRAIN = 16384 };
    lstm_pool_run(turn_share, linear, linear->inputs * linear->outputs / GRAIN + 1);
}

/* y [rows, outputs] = x [rows, inputs] turned [inputs, outputs] + bias */
static void multiply_forward(lstm_linear *linear)
{
    size_t outputs = linear->outputs;
    const float *bias = lstm_tensor_data(linear->parameters[BIAS].value);
    for (size_t row = 0; row < linear->rows; row++)
        memcpy(linear->y + row * outputs, bias, outputs * sizeof(*bias));
    turn_weight(linear);
    lstm_gemm(&(lstm_product){
        .rows = linear->rows,
        .columns = outputs,
        .depth = linear->inputs,
        .a = linear->x,
        .a_row = linear->inputs,
        .a_step = 1,
        .b = linear->turned,
        .b_row = outputs,
        .c = linear->y,
        .c_row = outputs,
        .add = true,
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
    shape[x->rank - 1] = linear->outputs;
    status = lstm_tensor_expect(y, "linear", "y", x->rank, shape);
    size_t rows = lstm_tensor_count(x) / linear->inputs;
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
        .columns = linear->inputs,
        .depth = linear->outputs,
        .a = linear->y,
        .a_row = linear->outputs,
        .a_step = 1,
        .b = lstm_tensor_data(linear->parameters[WEIGHT].value),
        .b_row = linear->inputs,
        .c = linear->dx,
        .c_row = linear->inputs,
        .any_order = true,
    });
}

/* dW [outputs, inputs] += dy^T x; db [outputs] += the rows of dy, first to last. */
static void add_gradients(const lstm_linear *linear)
{
    lstm_gemm(&(lstm_product){
        .rows = linear->outputs,
        .columns = linear->inputs,
        .depth = linear->rows,
        .a = linear->y,
        .a_row = 1,
        .a_step = linear->outputs,
        .b = linear->x,
        .b_row = linear->inputs,
        .c = lstm_tensor_data(linear->parameters[WEIGHT].grad),
        .c_row = linear->inputs,
        .add = true,
        .any_order = true,
    });
    float *db = lstm_tensor_data(linear->parameters[BIAS].grad);
    for (size_t row = 0; row < linear->rows; row++)
        for (size_t o = 0; o < linear->outputs; o++)
            db[o] += linear->y[row * linear->outputs + o];
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
    shape[linear->rank - 1] = linear->inputs;
    if (!status && dx)
        status = lstm_tensor_expect(dx, "linear", "dx", linear->rank, shape);
    if (status)
        return status;
    lstm_tensor_gather(linear->y, dy);
    add_gradients(linear);
    if (dx) {
        multiply_dx(linear);
        lstm_tensor_scatter(dx, linear->dx);
    }
    return LSTM_OK;
}
