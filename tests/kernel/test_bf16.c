/*
 * Kernels of bfloat16 against scalar arithmetic, bit for bit, and against sums of the
 * rounded operands in double precision.
 */
#include "tests/support/blocks.h"
#include "tests/support/pairs.h"

/* The table of bfloat16, and the one for training if it is another one. FOR_TABLES runs
 * a statement with each table that has a kernel. */
static const lstm_kernels *tables[2], *kernels;
#define FOR_TABLES(kernel)                                                             \
    for (size_t table = 0; table < 2; table++)                                         \
        if ((kernels = tables[table]) && kernels->kernel)

/* Operands ---------------------------------------------------------------------------
 */

/* Rows of segments of channels as operands. Padding has values that would ruin a sum.
 * Groups have 16 rows; rows after the last one are unspecified. */
static guarded operands(size_t rows, size_t segments, size_t channels, uint32_t *seed)
{
    row_range range = {0, rows, LSTM_GROUP_ROWS};
    guarded g = blocked_numbers(range, segments, channels, seed);
    for (size_t block = 0; block < segments * lstm_blocks(channels); block++)
        kernels->round(rows, g.data + block * row_stride(range));
    return g;
}

/* Two wide values as a pair. */
static float paired(float first, float second)
{
    return lstm_pair(lstm_bf16(first), lstm_bf16(second));
}

/* Reads one row of a block of operands. */
static void load_row(const float *block, size_t row, float *to)
{
    if (kernels->wide)
        memcpy(to, block + row * LSTM_BLOCK, LSTM_BLOCK * sizeof(float));
    else
        lstm_pairs_load(block, row, to);
}

/* The pair of channels k of a row. */
static float pair_at(const guarded *g, size_t row, size_t segment, size_t channels,
                     size_t k)
{
    size_t block = segment * lstm_blocks(channels) + k * 2 / LSTM_BLOCK;
    if (kernels->wide) {
        const float *at =
            g->data + (block * LSTM_GROUP_ROWS + row) * LSTM_BLOCK + k * 2 % LSTM_BLOCK;
        return paired(at[0], at[1]);
    }
    return g->data[block * LSTM_GROUP_ROWS * LSTM_BLOCK + row / 2 * 2 * LSTM_BLOCK +
                   row % 2 * (LSTM_BLOCK / 2) + k % (LSTM_BLOCK / 2)];
}

/* A chain of dot(), and the same sum in double. They differ by at most one rounding of
 * each product, two per pair. */
typedef struct {
    float chain;
    double sum, size;
    size_t count;
} sum;

static void add(sum *s, float a, float b)
{
    s->chain = dot(s->chain, a, b);
    for (size_t which = 0; which < 2; which++) {
        double term = (double)half(a, which) * (double)half(b, which);
        s->sum += term;
        s->size += fabs(term);
    }
    s->count += 2;
}

static void check_sum(const sum *s, float found)
{
    assert_same(found, s->chain);
    assert_close(found, s->sum, (double)(s->count + 1) * unit_roundoff * s->size);
}

/* Packed weights, size elements for each position of k: pairs of the k of each segment.
 * The last k of an odd number is paired with zero. */
static guarded packed_pairs(size_t segments, size_t channels, size_t size,
                            uint32_t *seed)
{
    size_t each = (channels + 1) / 2;
    guarded g = guarded_create(segments * each * size);
    for (size_t i = 0; i < g.count; i++) {
        bool last = channels % 2 && i / size % each == each - 1;
        uint16_t first = lstm_bf16(seeded_number(seed));
        g.data[i] = lstm_pair(first, last ? 0 : lstm_bf16(seeded_number(seed)));
    }
    return g;
}

/* The same weights in the form of the table: two values of a pair are exchanged. */
static guarded packed_for_table(const guarded *pairs, size_t size)
{
    if (!kernels->wide) {
        guarded same = guarded_create(pairs->count);
        memcpy(same.data, pairs->data, pairs->count * sizeof(float));
        return same;
    }
    guarded g = guarded_create(2 * pairs->count);
    for (size_t i = 0; i < pairs->count; i++)
        for (size_t which = 0; which < 2; which++)
            g.data[(i / size * 2 + 1 - which) * size + i % size] =
                half(pairs->data[i], which);
    return g;
}

/* Product ---------------------------------------------------------------------------
 */

static void check_product(size_t rows, size_t segments, size_t channels, size_t blocks)
{
    uint32_t seed = (uint32_t)(rows * 67 + segments * 17 + channels);
    size_t columns = blocks * LSTM_BLOCK, each = (channels + 1) / 2;
    row_range range = {0, rows, LSTM_GROUP_ROWS};
    guarded a = operands(rows, segments, channels, &seed);
    guarded weights = packed_pairs(segments, channels, columns, &seed);
    guarded packed = packed_for_table(&weights, columns);
    guarded out = guarded_create(blocked_size(range, blocks));
    kernels->product(&(lstm_panel_product){
        .rows = rows,
        .stride = row_stride(range),
        .a = {a.data, segments, channels},
        .weights = packed_from(packed.data),
        .blocks = blocks,
        .out = out.data,
    });
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            sum s = {0};
            for (size_t k = 0; k < segments * each; k++)
                add(&s, pair_at(&a, row, k / each, channels, k % each),
                    weights.data[k * columns + column]);
            check_sum(&s, out.data[blocked_index(range, row, 0, columns, column)]);
        }
    assert_other_rows_untouched(&out, range);
    guarded_destroy(&a);
    guarded_destroy(&weights);
    guarded_destroy(&packed);
    guarded_destroy(&out);
}

static void products_are_chains_over_pairs(void **state)
{
    (void)state;
    FOR_TABLES(product)
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (size_t channels = 1; channels <= 67; channels += 1 + rows % 3)
            for (size_t blocks = 1; blocks <= kernels->product_blocks; blocks++)
                check_product(rows, 1 + channels % 4, channels, blocks);
}

/* Weight gradients ------------------------------------------------------------------
 */

enum { STEPS = 3, A_BLOCKS = 2, B_BLOCKS = 3 };

/* The pair of rows 2 p, 2 p + 1 of a channel. */
static float rows_at(const float *step, size_t blocks, size_t p, size_t channel)
{
    enum { PAIRS = LSTM_GROUP_ROWS / 2 };
    size_t stride = LSTM_GROUP_ROWS * LSTM_BLOCK;
    const float *at = step + (p / PAIRS * blocks + channel / LSTM_BLOCK) * stride +
                      p % PAIRS * 2 * LSTM_BLOCK + channel % LSTM_BLOCK;
    return kernels->wide ? paired(at[0], at[LSTM_BLOCK]) : at[LSTM_BLOCK];
}

/* Steps of groups of blocks as operands. rows are active, the others are NaN. */
static guarded steps_of_operands(const size_t *rows, size_t groups, size_t blocks,
                                 uint32_t *seed)
{
    size_t stride = LSTM_GROUP_ROWS * LSTM_BLOCK;
    guarded g = guarded_create(STEPS * groups * blocks * stride);
    for (size_t i = 0; i < g.count; i++) {
        size_t step = i / (groups * blocks * stride);
        size_t row = i / (blocks * stride) % groups * LSTM_GROUP_ROWS +
                     i / LSTM_BLOCK % LSTM_GROUP_ROWS;
        g.data[i] = row < rows[step] ? seeded_number(seed) : NAN;
    }
    for (size_t i = 0; i < STEPS * groups * blocks; i++) {
        size_t first = i / blocks % groups * LSTM_GROUP_ROWS;
        size_t left = rows[i / (groups * blocks)];
        left = left > first ? left - first : 0;
        kernels->round(left < LSTM_GROUP_ROWS ? left : LSTM_GROUP_ROWS,
                       g.data + i * stride);
    }
    return g;
}

static void check_outer(size_t most, size_t less, size_t blocks, bool first)
{
    uint32_t seed = (uint32_t)(most * 5 + less);
    size_t stride = LSTM_GROUP_ROWS * LSTM_BLOCK, columns = blocks * LSTM_BLOCK;
    size_t groups = (most + LSTM_GROUP_ROWS - 1) / LSTM_GROUP_ROWS, rows[STEPS];
    for (size_t step = 0; step < STEPS; step++)
        rows[step] = most > step * less ? most - step * less : 1;
    guarded a = steps_of_operands(rows, groups, A_BLOCKS, &seed);
    guarded b = steps_of_operands(rows, groups, B_BLOCKS, &seed);
    guarded tile = guarded_numbers(LSTM_BLOCK * columns, &seed);
    guarded before = guarded_create(tile.count), sums = guarded_create(LSTM_BLOCK);
    for (size_t i = 0; i < LSTM_BLOCK; i++)
        sums.data[i] = first ? NAN : 3;
    memcpy(before.data, tile.data, tile.count * sizeof(float));
    lstm_outer job = {
        .steps = STEPS,
        .rows = rows,
        .group_rows = LSTM_GROUP_ROWS,
        .stride = stride,
        .a = a.data + stride,
        .b = b.data + stride,
        .a_step_stride = groups * A_BLOCKS * stride,
        .a_group_stride = A_BLOCKS * stride,
        .b_step_stride = groups * B_BLOCKS * stride,
        .b_group_stride = B_BLOCKS * stride,
        .tile_rows = LSTM_BLOCK,
        .blocks = blocks,
        .tile = tile.data,
        .first = first,
    };
    kernels->outer(&job);
    kernels->outer_bias(&job, sums.data);
    for (size_t i = 0; i < tile.count; i++) {
        float start = first ? 0 : before.data[i];
        sum s = {start, (double)start, fabs((double)start), 0};
        for (size_t step = 0; step < STEPS; step++)
            for (size_t p = 0; 2 * p < rows[step]; p++)
                add(&s,
                    rows_at(job.a + step * job.a_step_stride, A_BLOCKS, p, i / columns),
                    rows_at(job.b + step * job.b_step_stride, B_BLOCKS, p,
                            i % columns));
        check_sum(&s, tile.data[i]);
    }
    for (size_t gate = 0; gate < LSTM_BLOCK; gate++) {
        sum s = {0, first ? 0 : 3, first ? 0 : 3, 0};
        for (size_t step = 0; step < STEPS; step++)
            for (size_t p = 0; 2 * p < rows[step]; p++)
                add(&s, rows_at(job.a + step * job.a_step_stride, A_BLOCKS, p, gate),
                    lstm_pair(0x3f80, 0x3f80));
        assert_close(sums.data[gate], s.sum,
                     (double)(s.count + 4) * unit_roundoff * s.size);
    }
    guarded *all[] = {&a, &b, &tile, &before, &sums};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static void weight_gradients_are_chains_over_pairs_of_rows(void **state)
{
    (void)state;
    FOR_TABLES(outer)
    for (size_t rows = 1; rows <= 37; rows++)
        for (size_t blocks = 1; blocks <= kernels->outer_blocks; blocks++)
            check_outer(rows, rows % 5, blocks, rows % 2);
}

/* Cell ------------------------------------------------------------------------------
 */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

enum { SEGMENTS = 2, UNITS = 13 };

typedef struct {
    size_t rows, channels;
    guarded x, h, weights, bias, before, c, h_out, gates, tanh_c;
} cell_setting;

/* The weights of a panel, as packed for the set. */
static float cell_weight(const cell_setting *s, size_t k, size_t gate, size_t unit)
{
    size_t lanes = kernels->cell_units;
    size_t depth = SEGMENTS * ((s->channels + 1) / 2) + (UNITS + 1) / 2;
    return s->weights.data[unit / lanes * depth * LSTM_GATES * lanes +
                           (k * LSTM_GATES + gate) * lanes + unit % lanes];
}

static void check_gates(const cell_setting *s, size_t row, size_t unit)
{
    size_t each = (s->channels + 1) / 2, at = row * LSTM_BLOCK + unit;
    float gates[LSTM_GATES];
    for (size_t gate = 0; gate < LSTM_GATES; gate++) {
        sum z = {s->bias.data[gate * LSTM_BLOCK + unit], 0, 0, 0};
        for (size_t k = 0; k < SEGMENTS * each; k++)
            add(&z, pair_at(&s->x, row, k / each, s->channels, k % each),
                cell_weight(s, k, gate, unit));
        for (size_t k = 0; k < (UNITS + 1) / 2; k++)
            add(&z, pair_at(&s->h, row, 0, UNITS, k),
                cell_weight(s, SEGMENTS * each + k, gate, unit));
        gates[gate] = s->gates.data[gate * LSTM_GROUP_ROWS * LSTM_BLOCK + at];
        double exact = gate == 2 ? tanh((double)z.chain) : sigmoid((double)z.chain);
        assert_close(gates[gate], exact, 1.5e-7);
    }
    double c = (double)gates[1] * (double)s->before.data[at] +
               (double)gates[0] * (double)gates[2];
    float row_of_h[LSTM_BLOCK], t = s->tanh_c.data[at];
    assert_close(s->c.data[at], c, 4 * unit_roundoff);
    assert_close(t, tanh((double)s->c.data[at]), 1.5e-7);
    load_row(s->h_out.data, row, row_of_h);
    assert_same(row_of_h[unit], lstm_bf16_float(lstm_bf16(gates[3] * t)));
    uint16_t bits =
        (uint16_t)(bits_of(rows_at(s->h_out.data, 1, row / 2, unit)) >> 16 * (row % 2));
    assert_same(lstm_bf16_float(bits), row_of_h[unit]);
}

static void check_cell(size_t rows, size_t channels)
{
    uint32_t seed = (uint32_t)(rows * 67 + channels);
    size_t stride = LSTM_GROUP_ROWS * LSTM_BLOCK;
    size_t depth = SEGMENTS * ((channels + 1) / 2) + (UNITS + 1) / 2;
    cell_setting s = {
        .rows = rows,
        .channels = channels,
        .x = operands(rows, SEGMENTS, channels, &seed),
        .h = operands(rows, 1, UNITS, &seed),
        .weights = guarded_create(depth * LSTM_GATES * LSTM_BLOCK),
        .bias = guarded_numbers(LSTM_GATES * LSTM_BLOCK, &seed),
        .before = guarded_numbers(stride, &seed),
        .c = guarded_create(stride),
        .h_out = guarded_create(stride),
        .gates = guarded_create(LSTM_GATES * stride),
        .tanh_c = guarded_create(stride),
    };
    for (size_t i = 0; i < s.weights.count; i++) {
        /* The second k after an odd number of channels is zero. */
        size_t k = i / (LSTM_GATES * kernels->cell_units) % depth;
        size_t each = (channels + 1) / 2;
        bool odd = k < SEGMENTS * each ? channels % 2 && k % each == each - 1
                                       : UNITS % 2 && k == depth - 1;
        s.weights.data[i] = lstm_pair(lstm_bf16(seeded_number(&seed)),
                                      odd ? 0 : lstm_bf16(seeded_number(&seed)));
    }
    guarded packed = packed_for_table(&s.weights, LSTM_GATES * kernels->cell_units);
    kernels->cell(&(lstm_cell){
        .rows = rows,
        .stride = stride,
        .x = {s.x.data, SEGMENTS, channels},
        .h = {s.h.data, 1, UNITS},
        .weights = packed_from(packed.data),
        .bias = s.bias.data,
        .c_before = s.before.data,
        .c = s.c.data,
        .h_out = s.h_out.data,
        .gates = s.gates.data,
        .tanh_c = s.tanh_c.data,
        .gate_stride = stride,
    });
    for (size_t row = 0; row < rows; row++)
        for (size_t unit = 0; unit < LSTM_BLOCK; unit++)
            check_gates(&s, row, unit);
    for (size_t i = 0; rows % 2 && i < LSTM_BLOCK; i++)
        assert_int_equal(bits_of(rows_at(s.h_out.data, 1, rows / 2, i)) >> 16, 0);
    guarded *all[] = {&s.x, &s.h,     &s.weights, &s.bias,   &s.before,
                      &s.c, &s.h_out, &s.gates,   &s.tanh_c, &packed};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static void cells_add_pairs_and_round_their_output(void **state)
{
    (void)state;
    FOR_TABLES(cell)
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (size_t channels = 1; channels <= 35; channels += 2 + rows % 2)
            check_cell(rows, channels);
}

/* Half a unit in the last place of a bfloat16, plus the errors of float32. */
static void check_rounded(float found, double exact)
{
    assert_close(found, exact, (0x1p-8 + 0x1p-20) * fabs(exact) + 0x1p-24);
}

static void check_gradient(size_t rows)
{
    uint32_t seed = (uint32_t)rows;
    size_t stride = LSTM_GROUP_ROWS * LSTM_BLOCK;
    guarded gates = guarded_numbers(LSTM_GATES * stride, &seed);
    guarded tanh_c = guarded_numbers(stride, &seed);
    guarded before = guarded_numbers(stride, &seed),
            dh = guarded_numbers(stride, &seed);
    guarded dy = guarded_numbers(stride, &seed), dc = guarded_numbers(stride, &seed);
    guarded was = guarded_create(gates.count), dc_was = guarded_create(stride);
    memcpy(was.data, gates.data, gates.count * sizeof(float));
    memcpy(dc_was.data, dc.data, dc.count * sizeof(float));
    kernels->cell_gradient(&(lstm_cell_gradient){.rows = rows,
                                                 .stride = stride,
                                                 .gates = gates.data,
                                                 .gate_stride = stride,
                                                 .tanh_c = tanh_c.data,
                                                 .c_before = before.data,
                                                 .dh = dh.data,
                                                 .dy = dy.data,
                                                 .dc = dc.data});
    for (size_t at = 0; at < rows * LSTM_BLOCK; at++) {
        double i = (double)was.data[at], f = (double)was.data[stride + at];
        double g = (double)was.data[2 * stride + at];
        double o = (double)was.data[3 * stride + at], t = (double)tanh_c.data[at];
        double dh_at = (double)(dh.data[at] + dy.data[at]);
        double dc_at = (double)dc_was.data[at] + dh_at * o * (1 - t * t);
        double exact[] = {dc_at * g * i * (1 - i),
                          dc_at * (double)before.data[at] * f * (1 - f),
                          dc_at * i * (1 - g * g), dh_at * t * o * (1 - o)};
        for (size_t q = 0; q < LSTM_GATES; q++) {
            float row[LSTM_BLOCK];
            load_row(gates.data + q * stride, at / LSTM_BLOCK, row);
            check_rounded(row[at % LSTM_BLOCK], exact[q]);
            float pair = rows_at(gates.data + q * stride, 1, at / LSTM_BLOCK / 2,
                                 at % LSTM_BLOCK);
            assert_same(half(pair, at / LSTM_BLOCK % 2), row[at % LSTM_BLOCK]);
            if (rows % 2 && at / LSTM_BLOCK == rows - 1)
                assert_same(half(pair, 1), 0);
        }
        assert_close(dc.data[at], dc_at * f, 8 * unit_roundoff * 4);
    }
    guarded *all[] = {&gates, &tanh_c, &before, &dh, &dy, &dc, &was, &dc_was};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        guarded_destroy(all[i]);
}

static void gradients_of_gates_are_rounded_in_place(void **state)
{
    (void)state;
    FOR_TABLES(cell_gradient)
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        check_gradient(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(products_are_chains_over_pairs),
        TEST(weight_gradients_are_chains_over_pairs_of_rows),
        TEST(cells_add_pairs_and_round_their_output),
        TEST(gradients_of_gates_are_rounded_in_place),
    };
    tables[0] = lstm_bf16_kernels_get();
    tables[1] = tables[0]->training;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
