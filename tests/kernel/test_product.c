/* Rows times packed weights against sums in double precision. */
#include "tests/support/blocks.h"

/* One product: an operand of segments of channels, and a panel of blocks. */
typedef struct {
    row_range range;
    size_t segments, channels, blocks;
    bool accumulate, parts;
} shape;

static size_t depth_of(const shape *s)
{
    return s->segments * s->channels;
}

/* Compares one element. Each of the depth additions rounds once or, unfused, twice: the
 * error is at most depth + 1 roundings of the sum of absolute values. */
static void check_element(const shape *s, const guarded *a, const guarded *weights,
                          const float *before, const guarded *out, size_t row,
                          size_t column)
{
    size_t at = blocked_index(s->range, row, 0, s->blocks * LSTM_BLOCK, column);
    double sum = s->accumulate ? (double)before[at] : 0, size = fabs(sum);
    for (size_t k = 0; k < depth_of(s); k++) {
        size_t from =
            blocked_index(s->range, row, k / s->channels, s->channels, k % s->channels);
        double term = (double)a->data[from] *
                      (double)weights->data[k * s->blocks * LSTM_BLOCK + column];
        sum += term;
        size += fabs(term);
    }
    assert_close(out->data[at], sum, (double)(depth_of(s) + 1) * unit_roundoff * size);
}

/* Fills the rows of the job; other rows keep the guard value. */
static void fill_rows(const shape *s, guarded *out, uint32_t *seed)
{
    for (size_t row = 0; row < s->range.rows; row++)
        for (size_t column = 0; column < s->blocks * LSTM_BLOCK; column++)
            out->data[blocked_index(s->range, row, 0, s->blocks * LSTM_BLOCK, column)] =
                seeded_number(seed);
}

static uint64_t run(const shape *s, uint64_t hash)
{
    uint32_t seed = (uint32_t)(depth_of(s) * 131 + s->range.rows * 7 + s->blocks);
    guarded a = blocked_numbers(s->range, s->segments, s->channels, &seed);
    guarded weights = guarded_numbers(depth_of(s) * s->blocks * LSTM_BLOCK, &seed);
    guarded out = guarded_create(blocked_size(s->range, s->blocks));
    fill_rows(s, &out, &seed);
    float *before = malloc(out.count * sizeof(float));
    memcpy(before, out.data, out.count * sizeof(float));
    const size_t lines = 5;
    lstm_prefetch prefetch = {weights.data, lines};
    lstm_kernels_get()->product(&(lstm_panel_product){
        .rows = s->range.rows,
        .stride = row_stride(s->range),
        .a = blocked_operand(&a, s->range, s->segments, s->channels),
        .weights = packed_from(weights.data),
        .blocks = s->blocks,
        .out = out.data + s->range.first * LSTM_BLOCK,
        .accumulate = s->accumulate,
        .parts = s->parts,
        .prefetch = s->accumulate ? &prefetch : NULL,
    });
    assert_ptr_equal(prefetch.address,
                     weights.data + (lines - prefetch.lines) * LSTM_BLOCK);
    if (s->accumulate && s->channels >= LSTM_BLOCK)
        assert_in_range(prefetch.lines, 0, lines - 1);
    for (size_t row = 0; row < s->range.rows; row++)
        for (size_t column = 0; column < s->blocks * LSTM_BLOCK; column++)
            check_element(s, &a, &weights, before, &out, row, column);
    assert_other_rows_untouched(&out, s->range);
    hash = hash_floats(hash, out.data, out.count);
    free(before);
    guarded_destroy(&a);
    guarded_destroy(&weights);
    guarded_destroy(&out);
    return hash;
}

/* The first term is 2^24, the last two are 1: in one chain their sum is 2^24, but in a
 * part of their own it is 2. */
static void check_exact_parts(size_t segments, size_t channels)
{
    row_range range = {0, 1, 1};
    uint32_t seed = 1;
    size_t depth = segments * channels;
    guarded a = blocked_numbers(range, segments, channels, &seed);
    guarded weights = guarded_numbers(depth * LSTM_BLOCK, &seed);
    guarded out = guarded_create(blocked_size(range, 1));
    for (size_t k = 0; k < depth; k++) {
        a.data[blocked_index(range, 0, k / channels, channels, k % channels)] =
            k == 0 ? 0x1p24f : k + 2 >= depth;
        for (size_t column = 0; column < LSTM_BLOCK; column++)
            weights.data[k * LSTM_BLOCK + column] = 1;
    }
    for (int parts = 0; parts < 2; parts++) {
        lstm_kernels_get()->product(&(lstm_panel_product){
            .rows = 1,
            .stride = row_stride(range),
            .a = blocked_operand(&a, range, segments, channels),
            .weights = packed_from(weights.data),
            .blocks = 1,
            .out = out.data,
            .parts = parts,
        });
        for (size_t column = 0; column < LSTM_BLOCK; column++)
            assert_true(out.data[column] == 0x1p24f + (parts ? 2 : 0));
    }
    guarded_destroy(&a);
    guarded_destroy(&weights);
    guarded_destroy(&out);
}

static void every_number_of_rows_and_channels_is_right(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (size_t channels = 1; channels <= 67; channels++)
            for (size_t blocks = 1; blocks <= lstm_kernels_get()->product_blocks;
                 blocks++)
                run(&(shape){{0, rows, rows}, 1, channels, blocks, channels % 2, false},
                    hash_start);
}

static void segments_start_new_blocks(void **state)
{
    (void)state;
    for (size_t segments = 2; segments <= LSTM_GATES; segments++)
        for (size_t channels = 1; channels <= 67; channels += 3)
            run(&(shape){{0, 5, 5}, segments, channels, 1, false, false}, hash_start);
}

static void parts_are_chains_of_their_own(void **state)
{
    (void)state;
    static const size_t channels[] = {1, 17, 32, 255, 256, 257, 290, 600};
    for (size_t segments = 1; segments <= LSTM_GATES; segments++)
        for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++)
            for (size_t blocks = 1; blocks <= lstm_kernels_get()->product_blocks;
                 blocks++)
                run(&(shape){{0, 1 + i * 2, LSTM_GROUP_ROWS},
                             segments,
                             channels[i],
                             blocks,
                             i % 2,
                             true},
                    hash_start);
    check_exact_parts(2, 2);
    check_exact_parts(1, LSTM_PART_CHANNELS + 2);
}

static void other_rows_of_a_group_do_not_change(void **state)
{
    (void)state;
    for (size_t first = 0; first < LSTM_GROUP_ROWS; first++)
        for (size_t rows = 1; first + rows <= LSTM_GROUP_ROWS; rows++)
            run(&(shape){{first, rows, LSTM_GROUP_ROWS},
                         1,
                         20,
                         lstm_kernels_get()->product_blocks,
                         rows % 2,
                         false},
                hash_start);
}

static void all_sets_give_the_same_bits(void **state)
{
    (void)state;
    uint64_t hash = hash_start;
    for (size_t rows = 1; rows <= LSTM_GROUP_ROWS; rows++)
        for (size_t channels = 1; channels <= 67; channels += 6)
            hash = run(
                &(shape){
                    {0, rows, rows}, 1 + rows % 4, channels, 1, channels % 2, false},
                hash);
    assert_hash(hash, 0x567ad36606a5bc71u, 0x6b72e2dd9922a6b2u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_number_of_rows_and_channels_is_right),
        TEST(segments_start_new_blocks),
        TEST(parts_are_chains_of_their_own),
        TEST(other_rows_of_a_group_do_not_change),
        TEST(all_sets_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
