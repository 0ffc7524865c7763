/* The fused cell and its gradient against double precision. */
#include "tests/support/blocks.h"

/* Absolute error of sigmoid and tanh: activation.h. */
static const double activation_error = 1.5e-7;

/* A value in double precision, and the error bound of a float32 result. */
typedef struct {
    double value, error;
} bounded;

/* One block of units: an input of segments of channels, and a state of units. */
typedef struct {
    row_range range;
    size_t segments, channels, units;
    bool no_h, no_c, evaluation, c_in_place;
} shape;

typedef struct {
    guarded x, h, weights, bias, c_before, c, h_out, gates, tanh_c;
} setting;

static size_t depth_of(const shape *s)
{
    return s->segments * s->channels + s->units;
}

/* Random values in the rows of the job, guard values in the others. */
static guarded block_of_numbers(row_range range, uint32_t *seed)
{
    guarded g = guarded_create(blocked_size(range, 1));
    for (size_t row = 0; row < range.rows; row++)
        for (size_t unit = 0; unit < LSTM_BLOCK; unit++)
            g.data[blocked_index(range, row, 0, LSTM_BLOCK, unit)] =
                seeded_number(seed);
    return g;
}

/* Position of the weight of a gate and unit at k; see kernels/pack.h. */
static size_t weight_index(const shape *s, size_t k, size_t gate, size_t unit)
{
    size_t lanes = lstm_kernels_get()->cell_units;
    size_t panel = unit / lanes * depth_of(s) * LSTM_GATES * lanes;
    return panel + (k * LSTM_GATES + gate) * lanes + unit % lanes;
}

/* The same weights for each layout of panels. */
static guarded packed_weights(const shape *s, uint32_t *seed)
{
    guarded g = guarded_create(depth_of(s) * LSTM_GATES * LSTM_BLOCK);
    for (size_t k = 0; k < depth_of(s); k++)
        for (size_t gate = 0; gate < LSTM_GATES; gate++)
            for (size_t unit = 0; unit < LSTM_BLOCK; unit++)
                g.data[weight_index(s, k, gate, unit)] = seeded_number(seed);
    return g;
}

static setting set(const shape *s)
{
    uint32_t seed = (uint32_t)(depth_of(s) * 131 + s->range.rows * 7 + s->segments);
    setting x = {
        .x = blocked_numbers(s->range, s->segments, s->channels, &seed),
        .h = blocked_numbers(s->range, 1, s->units, &seed),
        .weights = packed_weights(s, &seed),
        .bias = guarded_numbers(LSTM_GATES * LSTM_BLOCK, &seed),
        .c_before = block_of_numbers(s->range, &seed),
        .c = guarded_create(blocked_size(s->range, 1)),
        .h_out = guarded_create(blocked_size(s->range, 1)),
        .gates = guarded_create(LSTM_GATES * blocked_size(s->range, 1)),
        .tanh_c = guarded_create(blocked_size(s->range, 1)),
    };
    if (s->c_in_place)
        memcpy(x.c.data, x.c_before.data, x.c.count * sizeof(float));
    return x;
}

static void unset(setting *x)
{
    guarded *all[] = {&x->x, &x->h,     &x->weights, &x->bias,  &x->c_before,
                      &x->c, &x->h_out, &x->gates,   &x->tanh_c};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static lstm_cell job_of(const shape *s, const setting *x)
{
    size_t first = s->range.first * LSTM_BLOCK;
    lstm_cell job = {
        .rows = s->range.rows,
        .stride = row_stride(s->range),
        .x = blocked_operand(&x->x, s->range, s->segments, s->channels),
        .h = blocked_operand(&x->h, s->range, 1, s->units),
        .weights = packed_from(x->weights.data),
        .bias = x->bias.data,
        .c_before = x->c_before.data + first,
        .c = x->c.data + first,
        .h_out = x->h_out.data + first,
        .gates = x->gates.data + first,
        .tanh_c = x->tanh_c.data + first,
        .gate_stride = blocked_size(s->range, 1),
    };
    if (s->no_h)
        job.h.data = NULL;
    if (s->no_c)
        job.c_before = NULL;
    if (s->c_in_place)
        job.c_before = job.c;
    if (s->evaluation)
        job.gates = job.tanh_c = NULL;
    return job;
}

/* The operand at k: the channels of the input, then those of h. */
static double input(const shape *s, const setting *x, size_t k, size_t row)
{
    size_t inputs = s->segments * s->channels;
    if (k < inputs)
        return (double)x->x.data[blocked_index(s->range, row, k / s->channels,
                                               s->channels, k % s->channels)];
    return s->no_h
               ? 0
               : (double)
                     x->h.data[blocked_index(s->range, row, 0, s->units, k - inputs)];
}

/* A gate. Its error is one rounding per term and one more, of the sum of absolute
 * values, times the maximum slope of the activation, plus the activation's error. */
static bounded gate_of(const shape *s, const setting *x, size_t gate, size_t row,
                       size_t unit)
{
    double sum = (double)x->bias.data[gate * LSTM_BLOCK + unit], size = fabs(sum);
    for (size_t k = 0; k < depth_of(s); k++) {
        double term = input(s, x, k, row) *
                      (double)x->weights.data[weight_index(s, k, gate, unit)];
        sum += term;
        size += fabs(term);
    }
    double error = (double)(depth_of(s) + 1) * unit_roundoff * size;
    if (gate == 2)
        return (bounded){tanh(sum), error + activation_error};
    return (bounded){1 / (1 + exp(-sum)), error / 4 + activation_error};
}

static bounded product_of(bounded a, bounded b)
{
    double value = a.value * b.value;
    double error =
        fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error;
    return (bounded){value, error + unit_roundoff * (fabs(value) + error)};
}

static void assert_bounded(float found, bounded expected)
{
    assert_close(found, expected.value, expected.error);
}

static void check_unit(const shape *s, const setting *x, size_t row, size_t unit)
{
    size_t at = blocked_index(s->range, row, 0, LSTM_BLOCK, unit);
    bounded gates[LSTM_GATES];
    for (size_t gate = 0; gate < LSTM_GATES; gate++)
        gates[gate] = gate_of(s, x, gate, row, unit);
    bounded before = {s->no_c ? 0 : (double)x->c_before.data[at], 0};
    bounded kept = product_of(gates[1], before);
    bounded c = product_of(gates[0], gates[2]);
    c.value += kept.value;
    c.error += kept.error;
    c.error += unit_roundoff * (fabs(c.value) + c.error);
    bounded t = {tanh(c.value), c.error + activation_error};
    assert_bounded(x->c.data[at], c);
    assert_bounded(x->h_out.data[at], product_of(gates[3], t));
    if (s->evaluation)
        return;
    for (size_t gate = 0; gate < LSTM_GATES; gate++)
        assert_bounded(x->gates.data[gate * blocked_size(s->range, 1) + at],
                       gates[gate]);
    assert_bounded(x->tanh_c.data[at], t);
}

static uint64_t run(const shape *s, uint64_t hash)
{
    setting x = set(s);
    lstm_cell job = job_of(s, &x);
    lstm_kernels_get()->cell(&job);
    for (size_t row = 0; row < s->range.rows; row++)
        for (size_t unit = 0; unit < LSTM_BLOCK; unit++)
            check_unit(s, &x, row, unit);
    const guarded *outputs[] = {&x.c, &x.h_out, &x.gates, &x.tanh_c};
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++) {
        assert_other_rows_untouched(outputs[i], s->range);
        hash = hash_floats(hash, outputs[i]->data, outputs[i]->count);
    }
    for (size_t i = 0; s->evaluation && i < x.gates.count; i++)
        assert_true(x.gates.data[i] == guard_value);
    unset(&x);
    return hash;
}

static void every_number_of_rows_and_channels_is_right(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (size_t channels = 1; channels <= 67; channels += rows % 4 + 1)
            run(&(shape){.range = {0, rows, rows},
                         .segments = 1,
                         .channels = channels,
                         .units = 68 - channels},
                hash_start);
}

static void two_directions_of_input_are_two_segments(void **state)
{
    (void)state;
    for (size_t channels = 1; channels <= 67; channels += 3)
        run(&(shape){.range = {0, 7, 7},
                     .segments = 2,
                     .channels = channels,
                     .units = 1 + channels % 33},
            hash_start);
}

static void other_rows_of_a_group_do_not_change(void **state)
{
    (void)state;
    for (size_t first = 0; first < LSTM_GROUP_ROWS; first++)
        for (size_t rows = 1; first + rows <= LSTM_GROUP_ROWS; rows++)
            run(&(shape){.range = {first, rows, LSTM_GROUP_ROWS},
                         .segments = 1,
                         .channels = 5,
                         .units = 18},
                hash_start);
}

/* Every combination of the options of a job. */
static uint64_t run_options(size_t rows, uint64_t hash)
{
    for (int options = 0; options < 16; options++)
        hash = run(&(shape){.range = {0, rows, rows},
                            .segments = 1,
                            .channels = 28,
                            .units = 20,
                            .no_h = options & 1,
                            .no_c = options & 2,
                            .evaluation = options & 4,
                            .c_in_place = (options & 8) && !(options & 2)},
                   hash);
    return hash;
}

static void initial_states_and_kept_gates_are_optional(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows += 3)
        run_options(rows, hash_start);
}

/* The gradient: its rows, and the arguments that are NULL. */
typedef struct {
    row_range range;
    bool no_c, no_dh, no_dy;
} gradient_shape;

typedef struct {
    guarded gates, tanh_c, c_before, dh, dy, dc;
} gradient_setting;

/* The gates i, f and o are between 0 and 1. */
static gradient_setting set_gradient(const gradient_shape *s)
{
    uint32_t seed = (uint32_t)(s->range.rows * 7 + s->range.first);
    gradient_setting x = {
        .gates = guarded_create(LSTM_GATES * blocked_size(s->range, 1)),
        .tanh_c = block_of_numbers(s->range, &seed),
        .c_before = block_of_numbers(s->range, &seed),
        .dh = block_of_numbers(s->range, &seed),
        .dy = block_of_numbers(s->range, &seed),
        .dc = block_of_numbers(s->range, &seed),
    };
    for (size_t i = 0; i < x.gates.count; i++) {
        size_t gate = i / blocked_size(s->range, 1);
        size_t row = i % row_stride(s->range) / LSTM_BLOCK;
        if (row < s->range.first || row >= s->range.first + s->range.rows)
            continue;
        float number = seeded_number(&seed);
        x.gates.data[i] = gate == 2 ? number : (number + 1) / 2;
    }
    return x;
}

/* The formulas of kernels.h. Each result has at most ten rounded operations on terms of
 * this size; all other factors are at most 1. */
static void check_gradient(const gradient_shape *s, const gradient_setting *before,
                           const gradient_setting *found, size_t at)
{
    enum { ROUNDINGS = 10 };
    size_t gate_stride = blocked_size(s->range, 1);
    double i = (double)before->gates.data[at];
    double f = (double)before->gates.data[gate_stride + at];
    double g = (double)before->gates.data[2 * gate_stride + at];
    double o = (double)before->gates.data[3 * gate_stride + at];
    double t = (double)before->tanh_c.data[at], dc = (double)before->dc.data[at];
    double c = s->no_c ? 0 : (double)before->c_before.data[at];
    double dh = s->no_dh ? 0 : (double)before->dh.data[at];
    double dy = s->no_dy ? 0 : (double)before->dy.data[at];
    double of_h = fabs(dh) + fabs(dy), of_c = fabs(dc) + of_h;
    double roundings = ROUNDINGS * unit_roundoff;
    dh += dy;
    dc += dh * o * (1 - t * t);
    const float *d = found->gates.data + at;
    assert_close(d[0], dc * g * i * (1 - i), roundings * of_c);
    assert_close(d[gate_stride], dc * c * f * (1 - f), roundings * of_c);
    assert_close(d[2 * gate_stride], dc * i * (1 - g * g), roundings * of_c);
    assert_close(d[3 * gate_stride], dh * t * o * (1 - o), roundings * of_h);
    assert_close(found->dc.data[at], dc * f, roundings * of_c);
}

static void unset_gradient(gradient_setting *x)
{
    guarded *all[] = {&x->gates, &x->tanh_c, &x->c_before, &x->dh, &x->dy, &x->dc};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static uint64_t run_gradient(const gradient_shape *s, uint64_t hash)
{
    gradient_setting before = set_gradient(s), x = set_gradient(s);
    size_t first = s->range.first * LSTM_BLOCK;
    lstm_kernels_get()->cell_gradient(&(lstm_cell_gradient){
        .rows = s->range.rows,
        .stride = row_stride(s->range),
        .gates = x.gates.data + first,
        .gate_stride = blocked_size(s->range, 1),
        .tanh_c = x.tanh_c.data + first,
        .c_before = s->no_c ? NULL : x.c_before.data + first,
        .dh = s->no_dh ? NULL : x.dh.data + first,
        .dy = s->no_dy ? NULL : x.dy.data + first,
        .dc = x.dc.data + first,
    });
    for (size_t row = 0; row < s->range.rows; row++)
        for (size_t unit = 0; unit < LSTM_BLOCK; unit++)
            check_gradient(s, &before, &x,
                           blocked_index(s->range, row, 0, LSTM_BLOCK, unit));
    assert_other_rows_untouched(&x.gates, s->range);
    assert_other_rows_untouched(&x.dc, s->range);
    hash = hash_floats(hash, x.gates.data, x.gates.count);
    hash = hash_floats(hash, x.dc.data, x.dc.count);
    unset_gradient(&before);
    unset_gradient(&x);
    return hash;
}

static uint64_t run_gradients(uint64_t hash)
{
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (int options = 0; options < 8; options++)
            hash = run_gradient(
                &(gradient_shape){
                    {0, rows, rows}, options & 1, options & 2, options & 4},
                hash);
    return hash;
}

static void gradients_with_optional_arguments_are_right(void **state)
{
    (void)state;
    run_gradients(hash_start);
}

static void gradients_do_not_change_other_rows(void **state)
{
    (void)state;
    for (size_t first = 0; first < LSTM_GROUP_ROWS; first++)
        run_gradient(&(gradient_shape){.range = {first, 1, LSTM_GROUP_ROWS}},
                     hash_start);
}

static void all_sets_give_the_same_bits(void **state)
{
    (void)state;
    uint64_t hash = hash_start;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        hash = run_options(rows, hash);
    assert_hash(run_gradients(hash), 0x3815e2688e1fcfbcu, 0xb6d2fe41e127583du);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_number_of_rows_and_channels_is_right),
        TEST(two_directions_of_input_are_two_segments),
        TEST(other_rows_of_a_group_do_not_change),
        TEST(initial_states_and_kept_gates_are_optional),
        TEST(gradients_with_optional_arguments_are_right),
        TEST(gradients_do_not_change_other_rows),
        TEST(all_sets_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
