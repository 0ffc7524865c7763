/* Weight and bias gradients against sums in double precision. */
#include "tests/support/blocks.h"

enum { STEPS = 4, ROWS = 37 };

/* One tile: rows at the first step, and less fewer at each next step. */
typedef struct {
    size_t steps, rows, less, blocks;
    bool first;
} shape;

/* Blocks of a step of a and of b, and the blocks of the tile. */
enum { A_BLOCKS = 3, A_BLOCK = 1, B_BLOCKS = 5, B_BLOCK = 1 };

typedef struct {
    size_t rows[STEPS];
    lstm_outer job;
    guarded a, b, tile;
} setting;

static setting set(const shape *s)
{
    uint32_t seed = (uint32_t)(s->rows * 131 + s->blocks * 7 + s->less);
    setting x;
    size_t group_rows = s->rows < LSTM_GROUP_ROWS ? s->rows : LSTM_GROUP_ROWS;
    size_t groups = (s->rows + group_rows - 1) / group_rows;
    size_t stride = group_rows * LSTM_BLOCK;
    for (size_t step = 0; step < s->steps; step++)
        x.rows[step] = s->rows > step * s->less ? s->rows - step * s->less : 1;
    x.a = guarded_numbers(s->steps * groups * A_BLOCKS * stride, &seed);
    x.b = guarded_numbers(s->steps * groups * B_BLOCKS * stride, &seed);
    x.tile = guarded_numbers(LSTM_BLOCK * s->blocks * LSTM_BLOCK, &seed);
    x.job = (lstm_outer){
        .steps = s->steps,
        .group_rows = group_rows,
        .stride = stride,
        .a = x.a.data + A_BLOCK * stride,
        .b = x.b.data + B_BLOCK * stride,
        .a_step_stride = groups * A_BLOCKS * stride,
        .a_group_stride = A_BLOCKS * stride,
        .b_step_stride = groups * B_BLOCKS * stride,
        .b_group_stride = B_BLOCKS * stride,
        .tile_rows = LSTM_BLOCK,
        .blocks = s->blocks,
        .tile = x.tile.data,
        .first = s->first,
        .prefetch = stride,
    };
    return x;
}

static void unset(setting *x)
{
    guarded_destroy(&x->a);
    guarded_destroy(&x->b);
    guarded_destroy(&x->tile);
}

/* An element at a step: the layout is groups, blocks, rows, channels. */
static double element(const lstm_outer *job, const float *data, size_t to_step,
                      size_t to_group, size_t step, size_t row, size_t column)
{
    return (double)data[step * to_step + row / job->group_rows * to_group +
                        column / LSTM_BLOCK * job->stride +
                        row % job->group_rows * LSTM_BLOCK + column % LSTM_BLOCK];
}

/* n additions round once or, unfused, twice: the error is at most n + 1 roundings of
 * the sum of absolute values. Without outer it is the sum of a alone. */
static void check_sum(const setting *x, size_t gate, size_t column, bool outer,
                      double start, float found)
{
    const lstm_outer *job = &x->job;
    double sum = start, size = fabs(start);
    size_t count = 1;
    for (size_t step = 0; step < job->steps; step++)
        for (size_t row = 0; row < x->rows[step]; row++, count++) {
            double term = element(job, job->a, job->a_step_stride, job->a_group_stride,
                                  step, row, gate);
            if (outer)
                term *= element(job, job->b, job->b_step_stride, job->b_group_stride,
                                step, row, column);
            sum += term;
            size += fabs(term);
        }
    assert_close(found, sum, (double)(count + 1) * unit_roundoff * size);
}

static uint64_t run(const shape *s, uint64_t hash)
{
    setting x = set(s);
    x.job.rows = x.rows;
    float before[LSTM_BLOCK * LSTM_BLOCK * 16];
    assert_true(x.tile.count <= sizeof(before) / sizeof(before[0]));
    memcpy(before, x.tile.data, x.tile.count * sizeof(float));
    if (s->first)
        for (size_t i = 0; i < x.tile.count; i++)
            x.tile.data[i] = NAN;
    lstm_kernels_get()->outer(&x.job);
    size_t columns = s->blocks * LSTM_BLOCK;
    for (size_t i = 0; i < x.tile.count; i++)
        check_sum(&x, i / columns, i % columns, true, s->first ? 0 : (double)before[i],
                  x.tile.data[i]);
    hash = hash_floats(hash, x.tile.data, x.tile.count);

    guarded sums = guarded_create(LSTM_BLOCK);
    for (size_t gate = 0; gate < LSTM_BLOCK; gate++)
        sums.data[gate] = s->first ? NAN : (float)gate;
    lstm_kernels_get()->outer_bias(&x.job, sums.data);
    for (size_t gate = 0; gate < LSTM_BLOCK; gate++)
        check_sum(&x, gate, 0, false, s->first ? 0 : (double)gate, sums.data[gate]);
    hash = hash_floats(hash, sums.data, sums.count);
    guarded_destroy(&sums);
    unset(&x);
    return hash;
}

static void every_number_of_rows_is_right(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= ROWS; rows++)
        for (size_t blocks = 1; blocks <= lstm_kernels_get()->outer_blocks; blocks++)
            run(&(shape){STEPS, rows, 0, blocks, rows % 2}, hash_start);
}

static void rows_of_ended_sequences_are_skipped(void **state)
{
    (void)state;
    for (size_t less = 1; less <= 17; less++)
        run(&(shape){STEPS, ROWS, less, 1, less % 2}, hash_start);
}

static void tiles_of_fewer_rows_are_right(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= LSTM_BLOCK; rows++) {
        setting x = set(&(shape){STEPS, ROWS, 0, 1, true});
        x.job.rows = x.rows;
        x.job.tile_rows = rows;
        lstm_kernels_get()->outer(&x.job);
        for (size_t i = 0; i < rows * LSTM_BLOCK; i++)
            check_sum(&x, i / LSTM_BLOCK, i % LSTM_BLOCK, true, 0, x.tile.data[i]);
        unset(&x);
    }
}

static void one_step_is_right(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= ROWS; rows += 5)
        run(&(shape){1, rows, 0, 1, true}, hash_start);
}

static void all_sets_give_the_same_bits(void **state)
{
    (void)state;
    uint64_t hash = hash_start;
    for (size_t rows = 1; rows <= ROWS; rows++)
        hash = run(&(shape){STEPS, rows, rows % 3, 1, rows % 2}, hash);
    assert_hash(hash, 0x6c75592e79dab1a7u, 0x1cb6d73b4248223du);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_number_of_rows_is_right), TEST(rows_of_ended_sequences_are_skipped),
        TEST(tiles_of_fewer_rows_are_right), TEST(one_step_is_right),
        TEST(all_sets_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
