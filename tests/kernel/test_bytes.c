/*
 * Kernels of int8 against scalar arithmetic as kernels/bytes.h defines it, bit for bit.
 */
#include <float.h>

#include <lstm/threads.h>

#include "lib/lstm/kernels/bytes.h"
#include "lib/lstm/kernels/pack.h"
#include "tests/support/blocks.h"
#include "tests/support/pairs.h"

static const lstm_kernels *kernels;

/* The definition ----------------------------------------------------------------------
 */

/* A row of weights: q and the scale. */
static float quantised(const float *row, size_t count, int *q)
{
    float most = 0;
    for (size_t k = 0; k < count; k++)
        most = fmaxf(most, fabsf(row[k]));
    float scale = float_of(bits_of(most / 127) & ~0x7fu);
    if (scale < FLT_MIN)
        scale = 0;
    for (size_t k = 0; k < count; k++)
        q[k] = scale > 0 ? (int)nearbyint((double)(row[k] / scale)) : 0;
    return scale;
}

/* sum + the products of a row of weights with segments of activations. */
static float chain(float sum, const float *row, const float *a, size_t segments,
                   size_t channels)
{
    enum { PART = 1024 };
    int *q = calloc(segments * channels, sizeof(*q));
    float scale = quantised(row, segments * channels, q);
    for (size_t s = 0; s < segments; s++)
        for (size_t c = 0; c < channels; c += PART) {
            size_t n = channels - c < PART ? channels - c : PART;
            const float *part = a + s * channels + c;
            int e = -100, one;
            int64_t exact = 0;
            bool finite = true;
            for (size_t k = 0; k < n; k++) {
                finite = finite && isfinite(part[k]);
                frexpf(part[k], &one);
                e = finite && part[k] != 0 && one > e ? one : e;
            }
            for (size_t k = 0; finite && k < n; k++)
                exact += (int64_t)nearbyint(ldexp((double)part[k], 14 - e)) *
                         q[s * channels + c + k];
            float product = finite ? ldexpf((float)exact, e - 14) : NAN;
            sum = fmaf(scale, product, sum);
        }
    free(q);
    return sum;
}

/* Weights -----------------------------------------------------------------------------
 */

/* Rows of weights of many kinds. */
static float weight_of(size_t row, uint32_t *seed)
{
    float x = seeded_number(seed);
    switch (row % 9) {
    case 0:
        return 0;
    case 1:
        return x * 0x1p-126f;
    case 2:
        return x * FLT_MAX / 4096;
    case 3:
        return x < 0 ? -1 : 1;
    case 4:
        return ldexpf(x, (int)(*seed >> 8 & 31) - 32);
    default:
        return x;
    }
}

static float *rows_of_weights(size_t rows, size_t count, uint32_t *seed)
{
    float *weights = malloc(rows * count * sizeof(*weights));
    for (size_t i = 0; i < rows * count; i++)
        weights[i] = weight_of(i / count, seed);
    return weights;
}

/* The product of q and its scale is exact, and quantising it again changes nothing. */
static void check_row(const float *row, size_t count)
{
    int *q = calloc(count, sizeof(*q));
    float *back = calloc(count, sizeof(*back));
    float scale = quantised(row, count, q);
    assert_same(lstm_byte_scale(row, count), scale);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(lstm_byte(row[k], scale), q[k]);
        assert_true(abs(q[k]) <= 127);
        back[k] = (float)q[k] * scale;
        assert_true((double)back[k] == (double)q[k] * (double)scale);
        if (scale > 0)
            assert_close(back[k], row[k], 0.501 * (double)scale);
    }
    assert_same(lstm_byte_scale(back, count), scale);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(lstm_byte(back[k], scale), q[k]);
    free(q);
    free(back);
}

static void rows_are_quantised_once_and_for_all(void **state)
{
    (void)state;
    uint32_t seed = 3;
    enum { COUNT = 37 };
    for (size_t i = 0; i < 20000; i++) {
        float row[COUNT];
        for (size_t k = 0; k < COUNT; k++)
            row[k] = weight_of(i, &seed);
        check_row(row, 1 + i % COUNT);
    }
    const float special[][2] = {{FLT_MAX, -FLT_MAX},   {FLT_MIN, 1},
                                {127 * FLT_MIN, 0},    {126.9f * FLT_MIN, FLT_MIN},
                                {-1, 0.5f / 127},      {0x1p-149f, 0},
                                {nextafterf(1, 2), 1}, {127, 0.5f}};
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        check_row(special[i], 2);
    /* Half of a step: ties to even. */
    const float ties[] = {127, 0.5f, 1.5f, -2.5f};
    const int even[] = {127, 0, 2, -2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(lstm_byte(ties[i], lstm_byte_scale(ties, 4)), even[i]);
}

/* Products ----------------------------------------------------------------------------
 */

/* Changes activations so that they have all sizes. kind 0 leaves them as they are. */
static void scale_row(guarded *a, row_range range, size_t row, size_t segments,
                      size_t channels, size_t kind, uint32_t *seed)
{
    for (size_t s = 0; s < segments; s++)
        for (size_t c = 0; c < channels; c++) {
            float *x = &a->data[blocked_index(range, row, s, channels, c)];
            seeded_number(seed);
            switch (kind % 8) {
            case 1:
                *x = ldexpf(*x, -110);
                break;
            case 2:
                *x = ldexpf(*x, 60);
                break;
            case 3:
                *x = 0;
                break;
            case 4:
                *x = ldexpf(*x, (int)(*seed >> 8 & 15) - 12);
                break;
            case 5:
                *x = *x < 0 ? -1 : 1;
                break;
            case 6:
                if (c == channels / 2)
                    *x = *seed & 0x800 ? NAN : INFINITY;
                break;
            default:
                break;
            }
        }
}

/* A row of activations without blocks. */
static float *row_of(const guarded *a, row_range range, size_t row, size_t segments,
                     size_t channels)
{
    float *values = malloc(segments * channels * sizeof(*values));
    for (size_t s = 0; s < segments; s++)
        for (size_t c = 0; c < channels; c++)
            values[s * channels + c] =
                a->data[blocked_index(range, row, s, channels, c)];
    return values;
}

static guarded packed_memory(size_t depth, size_t columns)
{
    return guarded_create(depth * columns);
}

static void check_product(size_t rows, size_t segments, size_t channels, size_t blocks,
                          size_t columns)
{
    uint32_t seed = (uint32_t)(rows * 67 + segments * 17 + channels);
    row_range range = {0, rows, LSTM_GROUP_ROWS};
    size_t depth = lstm_packed_depth(kernels, segments, channels);
    guarded a = blocked_numbers(range, segments, channels, &seed);
    for (size_t row = 0; row < rows; row++)
        scale_row(&a, range, row, segments, channels, row + channels, &seed);
    float *weights = rows_of_weights(columns, segments * channels, &seed);
    guarded packed = packed_memory(depth, blocks * LSTM_BLOCK);
    guarded scales = guarded_create(blocks * LSTM_BLOCK);
    guarded out = guarded_create(blocked_size(range, blocks));
    const lstm_matrix matrix = {weights, segments, channels, 1, segments * channels,
                                1,       columns};
    lstm_pack_panel(kernels, &matrix, 0, blocks, (lstm_packed *)packed.data);
    lstm_pack_scales(&matrix, 0, blocks, scales.data);
    kernels->product(&(lstm_panel_product){
        .rows = rows,
        .stride = row_stride(range),
        .a = {a.data, segments, channels},
        .weights = packed_from(packed.data),
        .blocks = blocks,
        .scales = scales.data,
        .out = out.data,
    });
    for (size_t row = 0; row < rows; row++) {
        float *values = row_of(&a, range, row, segments, channels);
        for (size_t column = 0; column < columns; column++)
            assert_same(
                out.data[blocked_index(range, row, 0, blocks * LSTM_BLOCK, column)],
                chain(0, weights + column * segments * channels, values, segments,
                      channels));
        free(values);
    }
    assert_other_rows_untouched(&out, range);
    free(weights);
    guarded *all[] = {&a, &packed, &scales, &out};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static void products_are_exact_sums_of_integers(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows += 3)
        for (size_t channels = 1; channels <= 67; channels++)
            for (size_t blocks = 1; blocks <= kernels->product_blocks; blocks++)
                check_product(rows, 1 + channels % 3, channels, blocks,
                              blocks * LSTM_BLOCK - channels % LSTM_BLOCK);
    const size_t parts[] = {1023, 1024, 1025, 2048, 2049, 3077};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        check_product(8, 1 + i % 2, parts[i], 1, LSTM_BLOCK);
}

/* All weights and activations have the largest size: the sum just fits an int32. */
static void the_largest_sum_fits(void **state)
{
    (void)state;
    enum { COUNT = LSTM_BYTE_CHANNELS };
    guarded a = guarded_create(COUNT), packed = guarded_create(COUNT / 4 * LSTM_BLOCK);
    guarded scales = guarded_create(LSTM_BLOCK), out = guarded_create(LSTM_BLOCK);
    float weights[COUNT];
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < COUNT; i++) {
            a.data[i] = nextafterf(2, 0);
            weights[i] = (float)sign * 127;
        }
        const lstm_matrix matrix = {weights, 1, COUNT, 1, COUNT, 1, 1};
        lstm_pack_panel(kernels, &matrix, 0, 1, (lstm_packed *)packed.data);
        lstm_pack_scales(&matrix, 0, 1, scales.data);
        kernels->product(&(lstm_panel_product){.rows = 1,
                                               .stride = LSTM_BLOCK,
                                               .a = {a.data, 1, COUNT},
                                               .weights = packed_from(packed.data),
                                               .blocks = 1,
                                               .scales = scales.data,
                                               .out = out.data});
        assert_same(out.data[0], (float)sign * 127 * 2 * COUNT);
        assert_same(out.data[1], 0);
    }
    guarded *all[] = {&a, &packed, &scales, &out};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

/* Cells -------------------------------------------------------------------------------
 */

/* A layer of weights, packed. */
typedef struct {
    size_t inputs, hidden, blocks, depth;
    float *weight_ih, *weight_hh;
    guarded panels, bias, x_scales, h_scales;
} layer;

static layer layer_create(size_t inputs, size_t hidden, uint32_t *seed)
{
    layer l = {.inputs = inputs, .hidden = hidden, .blocks = lstm_blocks(hidden)};
    l.depth =
        lstm_packed_depth(kernels, 1, inputs) + lstm_packed_depth(kernels, 1, hidden);
    size_t line = LSTM_GATES * LSTM_BLOCK, units = kernels->cell_units;
    l.weight_ih = rows_of_weights(LSTM_GATES * hidden, inputs, seed);
    l.weight_hh = rows_of_weights(LSTM_GATES * hidden, hidden, seed);
    l.panels = guarded_create(l.blocks * l.depth * line);
    l.bias = guarded_numbers(l.blocks * line, seed);
    l.x_scales = guarded_create(l.blocks * line);
    l.h_scales = guarded_create(l.blocks * line);
    const lstm_gate_matrix ih = {l.weight_ih, hidden, 1, inputs};
    const lstm_gate_matrix hh = {l.weight_hh, hidden, 1, hidden};
    lstm_packed *to = (lstm_packed *)l.panels.data;
    for (size_t unit = 0; unit < l.blocks * LSTM_BLOCK; unit += units) {
        lstm_pack_gates(kernels, &ih, unit, to);
        lstm_pack_gates(kernels, &hh, unit,
                        to +
                            lstm_packed_depth(kernels, 1, inputs) * LSTM_GATES * units);
        to += l.depth * LSTM_GATES * units;
    }
    for (size_t block = 0; block < l.blocks; block++) {
        lstm_pack_gate_scales(&ih, block, l.x_scales.data + block * line);
        lstm_pack_gate_scales(&hh, block, l.h_scales.data + block * line);
    }
    return l;
}

static void layer_destroy(layer *l)
{
    guarded *all[] = {&l->panels, &l->bias, &l->x_scales, &l->h_scales};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
    free(l->weight_ih);
    free(l->weight_hh);
}

/* c and h of a unit by the definition, with the activations of the kernels. */
static void expect_unit(const layer *l, size_t unit, const float *x, const float *h,
                        const float *before, float c, float out)
{
    float gates[LSTM_GATES], expected, t;
    const lstm_kernels *exact = lstm_kernels_get();
    for (size_t gate = 0; gate < LSTM_GATES; gate++) {
        size_t row = gate * l->hidden + unit;
        float sum = l->bias.data[(unit / LSTM_BLOCK * LSTM_GATES + gate) * LSTM_BLOCK +
                                 unit % LSTM_BLOCK];
        sum = chain(sum, l->weight_ih + row * l->inputs, x, 1, l->inputs);
        if (h)
            sum = chain(sum, l->weight_hh + row * l->hidden, h, 1, l->hidden);
        (gate == 2 ? exact->tanh : exact->sigmoid)(1, &sum, &gates[gate]);
    }
    expected = gates[0] * gates[2];
    if (before)
        expected = fmaf(gates[1], before[unit], expected);
    assert_same(c, expected);
    exact->tanh(1, &c, &t);
    assert_same(out, gates[3] * t);
}

static void check_cells(size_t inputs, size_t hidden, bool states)
{
    uint32_t seed = (uint32_t)(inputs * 131 + hidden);
    enum { ROWS = 5 };
    layer l = layer_create(inputs, hidden, &seed);
    row_range range = {0, ROWS, ROWS};
    size_t stride = row_stride(range), line = LSTM_GATES * LSTM_BLOCK;
    guarded x = blocked_numbers(range, 1, inputs, &seed);
    guarded h = blocked_numbers(range, 1, hidden, &seed);
    guarded before = blocked_numbers(range, 1, hidden, &seed);
    guarded c = guarded_create(h.count), out = guarded_create(h.count);
    for (size_t row = 0; row < ROWS; row++)
        scale_row(&x, range, row, 1, inputs, row % 6, &seed);
    for (size_t block = 0; block < l.blocks; block++)
        kernels->cell(&(lstm_cell){
            .rows = ROWS,
            .stride = stride,
            .x = {x.data, 1, inputs},
            .h = {states ? h.data : NULL, 1, hidden},
            .weights = packed_from(l.panels.data + block * l.depth * line),
            .bias = l.bias.data + block * line,
            .x_scales = l.x_scales.data + block * line,
            .h_scales = l.h_scales.data + block * line,
            .c_before = states ? before.data + block * stride : NULL,
            .c = c.data + block * stride,
            .h_out = out.data + block * stride,
        });
    for (size_t row = 0; row < ROWS; row++) {
        float *xs = row_of(&x, range, row, 1, inputs);
        float *hs = row_of(&h, range, row, 1, hidden);
        float *cs = row_of(&before, range, row, 1, hidden);
        guarded sums = guarded_create(l.blocks * line);
        guarded c_row = guarded_create(l.blocks * LSTM_BLOCK);
        guarded h_row = guarded_create(l.blocks * LSTM_BLOCK);
        guarded c_in = guarded_create(l.blocks * LSTM_BLOCK);
        memcpy(c_in.data, cs, hidden * sizeof(float));
        lstm_cell_row job = {.inputs = inputs,
                             .state = hidden,
                             .units = hidden,
                             .x = xs,
                             .h = states ? hs : NULL,
                             .weights = packed_from(l.panels.data),
                             .bias = l.bias.data,
                             .x_scales = l.x_scales.data,
                             .h_scales = l.h_scales.data,
                             .c_before = states ? c_in.data : NULL,
                             .c = c_row.data,
                             .h_out = h_row.data};
        for (int first = 0; first < 2; first++) {
            kernels->cell_row(&job);
            for (size_t unit = 0; unit < hidden; unit++) {
                size_t at = blocked_index(range, row, 0, hidden, unit);
                assert_same(c_row.data[unit], c.data[at]);
                assert_same(h_row.data[unit], out.data[at]);
                if (first == 0)
                    expect_unit(&l, unit, xs, states ? hs : NULL, states ? cs : NULL,
                                c.data[at], out.data[at]);
            }
            /* Again, with the products of x computed before. */
            kernels->cell_inputs(&(lstm_cell_inputs){.steps = 1,
                                                     .inputs = inputs,
                                                     .state = hidden,
                                                     .units = hidden,
                                                     .x = xs,
                                                     .weights = job.weights,
                                                     .bias = l.bias.data,
                                                     .x_scales = l.x_scales.data,
                                                     .sums = sums.data});
            job.sums = sums.data;
            job.x = NULL;
        }
        guarded *all[] = {&sums, &c_row, &h_row, &c_in};
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
            guarded_destroy(all[i]);
        free(xs);
        free(hs);
        free(cs);
    }
    guarded *all[] = {&x, &h, &before, &c, &out};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
    layer_destroy(&l);
}

static void cells_of_rows_and_of_one_row_are_the_definition(void **state)
{
    (void)state;
    for (size_t hidden = 1; hidden <= 67; hidden += 1 + hidden / 20)
        check_cells(1 + hidden * 7 % 37, hidden, hidden % 3 > 0);
    /* Parts of a row that are kept, and that are too many. */
    check_cells(2050, 3, true);
    check_cells(1030, 17, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_are_quantised_once_and_for_all),
        TEST(products_are_exact_sums_of_integers),
        TEST(the_largest_sum_fits),
        TEST(cells_of_rows_and_of_one_row_are_the_definition),
    };
    /* Plain C then has the activations of all other sets. */
    lstm_set_reproducible(true);
    kernels = lstm_int8_kernels_get();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
