#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ending.h"

/* Parameters of one direction of a layer; biases and w_hr are NULL if absent. */
typedef struct cell {
    size_t inputs, hidden, state;
    const double *w_ih, *w_hh, *b_ih, *b_hh, *w_hr;
    /** Destination of the gates of a sequence, and stride of its steps; NULL for none.
     */
    double *gates;
    size_t gate_step;
} cell;

size_t reference_state_size(const reference_lstm *net)
{
    return net->projection ? net->projection : net->hidden;
}

static size_t layer_inputs(const reference_lstm *net, size_t layer)
{
    return layer == 0 ? net->inputs : net->directions * reference_state_size(net);
}

size_t reference_cell_parameters(const reference_lstm *net, size_t layer)
{
    size_t columns = layer_inputs(net, layer) + reference_state_size(net);
    size_t biases = net->bias ? 2 : 0;
    return 4 * net->hidden * (columns + biases) + net->projection * net->hidden;
}

size_t reference_parameters(const reference_lstm *net)
{
    size_t count = 0;
    for (size_t layer = 0; layer < net->layers; layer++)
        count += net->directions * reference_cell_parameters(net, layer);
    return count;
}

static cell cell_of(const reference_lstm *net, size_t layer, size_t direction)
{
    cell c = {layer_inputs(net, layer),
              net->hidden,
              reference_state_size(net),
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              NULL,
              0};
    const double *p = net->parameters;
    for (size_t below = 0; below < layer; below++)
        p += net->directions * reference_cell_parameters(net, below);
    p += direction * reference_cell_parameters(net, layer);
    c.w_ih = p;
    c.w_hh = p += 4 * c.hidden * c.inputs;
    p += 4 * c.hidden * c.state;
    if (net->bias) {
        c.b_ih = p;
        c.b_hh = p += 4 * c.hidden;
        p += 4 * c.hidden;
    }
    c.w_hr = net->projection ? p : NULL;
    return c;
}

static double dot(const double *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Row of the pre-activations: w_ih x + b_ih + w_hh h + b_hh. */
static double gate(const cell *c, size_t row, const double *x, const double *h)
{
    double sum = dot(c->w_ih + row * c->inputs, x, c->inputs) +
                 dot(c->w_hh + row * c->state, h, c->state);
    return c->b_ih ? sum + c->b_ih[row] + c->b_hh[row] : sum;
}

/* Computes one step of one sequence; updates h, [S], and cell_state, [H]. */
static void step(const cell *c, const double *x, double *h, double *cell_state,
                 double *full, double *gates)
{
    for (size_t k = 0; k < c->hidden; k++) {
        double i = sigmoid(gate(c, k, x, h));
        double f = sigmoid(gate(c, c->hidden + k, x, h));
        double g = tanh(gate(c, 2 * c->hidden + k, x, h));
        double o = sigmoid(gate(c, 3 * c->hidden + k, x, h));
        cell_state[k] = f * cell_state[k] + i * g;
        full[k] = o * tanh(cell_state[k]);
        const double all[] = {i, f, g, o};
        for (size_t q = 0; gates && q < 4; q++)
            gates[q * c->hidden + k] = all[q];
    }
    for (size_t k = 0; k < c->state; k++)
        h[k] = c->w_hr ? dot(c->w_hr + k * c->hidden, full, c->hidden) : full[k];
}

/* Computes one sequence in one direction; writes h of each step to y with stride
 * y_step.
 */
static void run_sequence(const cell *c, size_t length, bool reverse, const double *x,
                         size_t x_step, double *y, size_t y_step, double *h,
                         double *cell_state)
{
    double *full = ending_unless(malloc(c->hidden * sizeof(double)));
    for (size_t k = 0; k < length; k++) {
        size_t t = reverse ? length - 1 - k : k;
        step(c, x + t * x_step, h, cell_state, full,
             c->gates ? c->gates + t * c->gate_step : NULL);
        memcpy(y + t * y_step, h, c->state * sizeof(double));
    }
    free(full);
}

/* Computes a layer: x, [T, N, inputs], to y, [T, N, D*S], which MUST be zero. */
static void run_layer(const reference_lstm *net, const reference_input *input,
                      size_t layer, const double *x, double *y, double *hn, double *cn)
{
    size_t batch = input->batch, state = reference_state_size(net);
    size_t width = net->directions * state;
    for (size_t direction = 0; direction < net->directions; direction++) {
        cell c = cell_of(net, layer, direction);
        for (size_t n = 0; n < batch; n++) {
            size_t row = (layer * net->directions + direction) * batch + n;
            size_t length = input->lengths ? input->lengths[n] : input->steps;
            size_t block = layer * net->directions + direction;
            if (input->gates)
                c.gates =
                    input->gates + (block * input->steps * batch + n) * 4 * net->hidden;
            c.gate_step = batch * 4 * net->hidden;
            run_sequence(&c, length, direction == 1, x + n * c.inputs, batch * c.inputs,
                         y + n * width + direction * state, batch * width,
                         hn + row * state, cn + row * net->hidden);
        }
    }
}

static void start_state(double *to, const double *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from ? from[i] : 0;
}

void reference_forward(const reference_lstm *net, const reference_input *input,
                       double *out, double *hn, double *cn)
{
    size_t rows = net->layers * net->directions * input->batch;
    size_t width = net->directions * reference_state_size(net);
    size_t count = input->steps * input->batch * width;
    double *below = ending_unless(malloc(count * sizeof(double)));
    start_state(hn, input->h0, rows * reference_state_size(net));
    start_state(cn, input->c0, rows * net->hidden);
    for (size_t layer = 0; layer < net->layers; layer++) {
        memset(out, 0, count * sizeof(double));
        run_layer(net, input, layer, layer == 0 ? input->x : below, out, hn, cn);
        if (layer + 1 == net->layers)
            break;
        const double *mask = input->masks ? input->masks + layer * count : NULL;
        for (size_t i = 0; i < count; i++)
            below[i] = mask ? out[i] * mask[i] : out[i];
    }
    free(below);
}

/* Sequences in the order of packed data: longest first. Equal lengths keep their order,
 * as in PyTorch for up to 16 sequences. */
static void packed_order(const reference_input *input, size_t *order)
{
    size_t count = 0;
    for (size_t length = input->steps; length > 0; length--)
        for (size_t n = 0; n < input->batch; n++)
            if ((input->lengths ? input->lengths[n] : input->steps) == length)
                order[count++] = n;
}

static double draw_factor(double probability, reference_draw draw, void *generator)
{
    if (probability == 1)
        return 0;
    double unit = (double)(draw(generator) & ((UINT64_C(1) << 53) - 1)) * 0x1p-53;
    return unit < 1 - probability ? 1 / (1 - probability) : 0;
}

void reference_masks(const reference_lstm *net, const reference_input *input,
                     double probability, reference_draw draw, void *generator,
                     double *masks)
{
    size_t width = net->directions * reference_state_size(net);
    size_t count = input->steps * input->batch * width;
    size_t *order = ending_unless(malloc(input->batch * sizeof(*order)));
    packed_order(input, order);
    memset(masks, 0, (net->layers - 1) * count * sizeof(double));
    for (size_t row = 0; row < (net->layers - 1) * input->steps; row++)
        for (size_t k = 0; k < input->batch; k++) {
            size_t n = order[k];
            if (input->lengths && input->lengths[n] <= row % input->steps)
                continue;
            for (size_t i = 0; i < width; i++)
                masks[(row * input->batch + n) * width + i] =
                    draw_factor(probability, draw, generator);
        }
    free(order);
}
