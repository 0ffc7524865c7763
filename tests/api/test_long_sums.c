/*
 * Gradients that are sums of many terms, compared with double precision.
 *
 * One chain of float32 sums of 120,000 terms is 1e-5 of the largest element off. The
 * limit holds for every number of sequences and steps.
 */
#include <lstm/lstm.h>

#include "tests/support/draw.h"
#include "tests/support/test.h"

static const double limit = 3e-6;

/* A small cell of one layer: its arrays are [4H, I], [4H, H] and [4H]. */
enum { I = 2, H = 3, GATES = 4 * H, WIDTH = I + H };

typedef struct problem {
    size_t steps, batch;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_params *params;
    lstm_tensor *x, *out, *dout;
} problem;

static void fill(lstm_tensor *tensor, uint64_t *seed)
{
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        lstm_tensor_data(tensor)[i] = draw_float(seed);
}

static lstm_tensor *drawn(const problem *p, size_t channels, uint64_t *seed)
{
    lstm_tensor *tensor;
    size_t shape[] = {p->steps, p->batch, channels};
    assert_int_equal(lstm_tensor_create(&tensor, 3, shape), LSTM_OK);
    fill(tensor, seed);
    return tensor;
}

static problem create(size_t steps, size_t batch)
{
    problem p = {.steps = steps, .batch = batch};
    uint64_t seed = steps + batch;
    assert_int_equal(lstm_rng_create(&p.rng, 5), LSTM_OK);
    lstm_layer_config config = {.inputs = I, .hidden = H, .layers = 1};
    assert_int_equal(lstm_layer_create(&p.layer, &config, p.rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&p.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(p.params, "", p.layer), LSTM_OK);
    p.x = drawn(&p, I, &seed);
    p.out = drawn(&p, H, &seed);
    p.dout = drawn(&p, H, &seed);
    return p;
}

static void destroy(problem *p)
{
    lstm_tensor **tensors[] = {&p->x, &p->out, &p->dout};
    for (size_t i = 0; i < 3; i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_params_destroy(&p->params);
    lstm_layer_destroy(&p->layer);
    lstm_rng_destroy(&p->rng);
}

/* The values of one step of one sequence in double precision. */
typedef struct {
    double input[WIDTH], gate[GATES], c;
} moment;

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static const float *values_of(const problem *p, size_t parameter)
{
    return lstm_tensor_data(lstm_params_value(p->params, parameter));
}

static double weight(const problem *p, size_t gate, size_t k)
{
    return k < I ? (double)values_of(p, 0)[gate * I + k]
                 : (double)values_of(p, 1)[gate * H + k - I];
}

static void forward(const problem *p, size_t n, moment *at)
{
    const float *x = lstm_tensor_data(p->x);
    double h[H] = {0}, c[H] = {0};
    for (size_t t = 0; t < p->steps; t++) {
        for (size_t j = 0; j < H; j++) {
            moment *m = at + t * H + j;
            for (size_t k = 0; k < WIDTH; k++)
                m->input[k] = k < I ? (double)x[(t * p->batch + n) * I + k] : h[k - I];
            for (size_t q = 0; q < 4; q++) {
                size_t row = q * H + j;
                double sum =
                    (double)values_of(p, 2)[row] + (double)values_of(p, 3)[row];
                for (size_t k = 0; k < WIDTH; k++)
                    sum += weight(p, row, k) * m->input[k];
                m->gate[q] = q == 2 ? tanh(sum) : sigmoid(sum);
            }
        }
        for (size_t j = 0; j < H; j++) {
            const double *gate = at[t * H + j].gate;
            at[t * H + j].c = c[j] = gate[1] * c[j] + gate[0] * gate[2];
            h[j] = gate[3] * tanh(c[j]);
        }
    }
}

/* dw [4H, I + H] and db [4H] += the gradients of sequence n. */
static void backward(const problem *p, size_t n, const moment *at, double *dw,
                     double *db)
{
    const float *dout = lstm_tensor_data(p->dout);
    double dh[H] = {0}, dc[H] = {0};
    for (size_t t = p->steps; t-- > 0;) {
        double before[H] = {0};
        for (size_t j = 0; j < H; j++) {
            const moment *m = at + t * H + j;
            double i = m->gate[0], f = m->gate[1], g = m->gate[2], o = m->gate[3];
            double y = tanh(m->c), last = t ? at[(t - 1) * H + j].c : 0;
            double d = dh[j] + (double)dout[(t * p->batch + n) * H + j];
            double e = dc[j] + d * o * (1 - y * y);
            double gates[] = {e * g * i * (1 - i), e * last * f * (1 - f),
                              e * i * (1 - g * g), d * y * o * (1 - o)};
            dc[j] = e * f;
            for (size_t q = 0; q < 4; q++) {
                db[q * H + j] += gates[q];
                for (size_t k = 0; k < WIDTH; k++)
                    dw[(q * H + j) * WIDTH + k] += gates[q] * m->input[k];
                for (size_t k = 0; k < H; k++)
                    before[k] += gates[q] * weight(p, q * H + j, I + k);
            }
        }
        memcpy(dh, before, sizeof(dh));
    }
}

/* The largest difference is within the limit of the largest element. */
static void assert_near(const char *what, size_t count, const double *found,
                        const double *expected)
{
    double largest = 0, error = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
        error = fmax(error, fabs(found[i] - expected[i]));
    }
    print_message("# %s: error %.1e\n", what, error / largest);
    assert_true(error / largest <= limit);
}

static void assert_gradients(const problem *p, const double *dw, const double *db)
{
    double found[GATES * WIDTH], bias[GATES];
    const float *grad[3];
    for (size_t k = 0; k < 3; k++)
        grad[k] = lstm_tensor_data(lstm_params_grad(p->params, k));
    for (size_t row = 0; row < GATES; row++) {
        bias[row] = (double)grad[2][row];
        for (size_t k = 0; k < WIDTH; k++)
            found[row * WIDTH + k] =
                k < I ? (double)grad[0][row * I + k] : (double)grad[1][row * H + k - I];
    }
    assert_near("weights", GATES * WIDTH, found, dw);
    assert_near("bias", GATES, bias, db);
}

static void check(size_t steps, size_t batch)
{
    problem p = create(steps, batch);
    double dw[GATES * WIDTH] = {0}, db[GATES] = {0};
    moment *at = malloc(steps * H * sizeof(*at));
    for (size_t n = 0; n < batch; n++) {
        forward(&p, n, at);
        backward(&p, n, at, dw, db);
    }
    free(at);
    lstm_params_zero_grad(p.params);
    assert_int_equal(
        lstm_layer_forward(p.layer, NULL, p.x, NULL, NULL, NULL, p.out, NULL, NULL),
        LSTM_OK);
    assert_int_equal(
        lstm_layer_backward(p.layer, NULL, p.dout, NULL, NULL, NULL, NULL, NULL),
        LSTM_OK);
    assert_gradients(&p, dw, db);
    destroy(&p);
}

static void many_steps_are_summed_exactly(void **state)
{
    (void)state;
    check(952, 128);
}

static void many_sequences_are_summed_exactly(void **state)
{
    (void)state;
    check(3, 40000);
    check(1, 50001);
}

static lstm_tensor *matrix(size_t rows, size_t columns, uint64_t *seed)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 2, (size_t[]){rows, columns}),
                     LSTM_OK);
    fill(tensor, seed);
    return tensor;
}

/* sums [outputs, inputs] = dy^T x in double precision; x NULL is a column of ones. */
static void sum_products(size_t rows, size_t outputs, size_t inputs, const float *dy,
                         const float *x, double *sums)
{
    memset(sums, 0, outputs * inputs * sizeof(*sums));
    for (size_t row = 0; row < rows; row++)
        for (size_t o = 0; o < outputs; o++)
            for (size_t i = 0; i < inputs; i++)
                sums[o * inputs + i] += (double)dy[row * outputs + o] *
                                        (x ? (double)x[row * inputs + i] : 1);
}

static void assert_sums(const char *what, const lstm_tensor *found, const double *sums)
{
    double values[64];
    for (size_t i = 0; i < lstm_tensor_count(found); i++)
        values[i] = (double)lstm_tensor_data(found)[i];
    assert_near(what, lstm_tensor_count(found), values, sums);
}

static void rows_of_a_linear_layer_are_summed_exactly(void **state)
{
    (void)state;
    enum { ROWS = 120000, INPUTS = 7, OUTPUTS = 5 };
    uint64_t seed = 3;
    double sums[OUTPUTS * INPUTS];
    lstm_linear *linear;
    lstm_params *params;
    lstm_tensor *x = matrix(ROWS, INPUTS, &seed), *y = matrix(ROWS, OUTPUTS, &seed);
    lstm_tensor *dy = matrix(ROWS, OUTPUTS, &seed);
    lstm_linear_config config = {.inputs = INPUTS, .outputs = OUTPUTS};
    assert_int_equal(lstm_linear_create(&linear, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(params, "", linear), LSTM_OK);
    lstm_params_zero_grad(params);
    assert_int_equal(lstm_linear_forward(linear, x, y), LSTM_OK);
    assert_int_equal(lstm_linear_backward(linear, dy, NULL), LSTM_OK);
    const float *values = lstm_tensor_data(dy);
    sum_products(ROWS, OUTPUTS, INPUTS, values, lstm_tensor_data(x), sums);
    assert_sums("linear weight", lstm_params_grad(params, 0), sums);
    sum_products(ROWS, OUTPUTS, 1, values, NULL, sums);
    assert_sums("linear bias", lstm_params_grad(params, 1), sums);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&linear);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
    lstm_tensor_destroy(&dy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_steps_are_summed_exactly),
        TEST(many_sequences_are_summed_exactly),
        TEST(rows_of_a_linear_layer_are_summed_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
