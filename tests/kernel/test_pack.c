/* Packing of weights, for the tables of the set, against its definition. */
#include "lib/lstm/kernels/pack.h"
#include "tests/support/blocks.h"
#include "tests/support/pairs.h"

/* Of float32, of bfloat16, and of bfloat16 for training where it is another one. */
static const lstm_kernels *tables[3];
static size_t table_count;

/* The value of a row of segments of channels at a position of k: one channel, or a
 * pair, whose second value after an odd number of channels is zero. Two wide values are
 * exchanged. stride is the stride of channels. */
static float packed_value(const lstm_kernels *kernels, const float *row, size_t stride,
                          size_t channels, size_t k)
{
    size_t depth = lstm_packed_depth(kernels, 1, channels);
    size_t channel = k % depth * kernels->k_pack;
    const float *at = row + (k / depth * channels + channel) * stride;
    if (kernels->wide) {
        channel ^= 1;
        at = row + (k / depth * channels + channel) * stride;
        return channel < channels ? lstm_bf16_float(lstm_bf16(*at)) : 0;
    }
    if (kernels->k_pack == 1)
        return *at;
    return lstm_pair(lstm_bf16(at[0]),
                     channel + 1 < channels ? lstm_bf16(at[stride]) : 0);
}

/* Gates ------------------------------------------------------------------------------
 */

static void check_gates(const lstm_kernels *kernels, size_t hidden, size_t segments,
                        size_t channels)
{
    uint32_t seed = (uint32_t)(hidden * 131 + channels);
    size_t units = kernels->cell_units, row = segments * channels;
    size_t depth = lstm_packed_depth(kernels, segments, channels);
    guarded weights = guarded_numbers(LSTM_GATES * hidden * row, &seed);
    const lstm_gate_matrix from = {weights.data, hidden, segments, channels};
    for (size_t unit = 0; unit < lstm_blocks(hidden) * LSTM_BLOCK; unit += units) {
        guarded to = guarded_create(depth * LSTM_GATES * units);
        lstm_pack_gates(kernels, &from, unit, (lstm_packed *)to.data);
        for (size_t i = 0; i < to.count; i++) {
            size_t lane = unit + i % units, gate = i / units % LSTM_GATES;
            const float *values = weights.data + (gate * hidden + lane) * row;
            assert_same(to.data[i], lane < hidden
                                        ? packed_value(kernels, values, 1, channels,
                                                       i / units / LSTM_GATES)
                                        : 0);
        }
        guarded_destroy(&to);
    }
    guarded_destroy(&weights);
}

static void gates_of_all_sizes_are_packed(void **state)
{
    (void)state;
    for (size_t table = 0; table < table_count; table++)
        for (size_t hidden = 1; hidden <= 35; hidden++)
            for (size_t channels = 1; channels <= 19; channels++)
                check_gates(tables[table], hidden, 1 + channels % 2, channels);
}

static void gates_of_many_channels_are_packed(void **state)
{
    (void)state;
    for (size_t table = 0; table < table_count; table++)
        for (size_t channels = 126; channels <= 131; channels++) {
            check_gates(tables[table], 5, 1, channels);
            check_gates(tables[table], 17, 2, channels);
        }
}

static void biases_are_added_and_padded(void **state)
{
    (void)state;
    enum { HIDDEN = 21, BLOCKS = 2 };
    uint32_t seed = 1;
    guarded ih = guarded_numbers(LSTM_GATES * HIDDEN, &seed);
    guarded hh = guarded_numbers(LSTM_GATES * HIDDEN, &seed);
    for (size_t block = 0; block < BLOCKS; block++)
        for (int none = 0; none < 2; none++) {
            guarded to = guarded_create(LSTM_GATES * LSTM_BLOCK);
            lstm_pack_bias(none ? NULL : ih.data, none ? NULL : hh.data, HIDDEN, block,
                           to.data);
            for (size_t i = 0; i < to.count; i++) {
                size_t unit = block * LSTM_BLOCK + i % LSTM_BLOCK;
                size_t row = i / LSTM_BLOCK * HIDDEN + unit;
                assert_same(to.data[i],
                            none || unit >= HIDDEN ? 0 : ih.data[row] + hh.data[row]);
            }
            guarded_destroy(&to);
        }
    guarded_destroy(&ih);
    guarded_destroy(&hh);
}

/* Products ---------------------------------------------------------------------------
 */

/* One panel of blocks from block on. */
static void check_panel(const lstm_kernels *kernels, const lstm_matrix *from,
                        size_t block, size_t blocks)
{
    size_t width = blocks * LSTM_BLOCK, each = lstm_blocks(from->channels);
    size_t depth = lstm_packed_depth(kernels, from->k_segments, from->k_channels);
    guarded to = guarded_create(depth * width);
    lstm_pack_panel(kernels, from, block, blocks, (lstm_packed *)to.data);
    for (size_t i = 0; i < to.count; i++) {
        size_t at = block + i % width / LSTM_BLOCK;
        size_t channel = at % each * LSTM_BLOCK + i % LSTM_BLOCK;
        const float *column =
            from->data + (at / each * from->channels + channel) * from->column_stride;
        assert_same(to.data[i], channel < from->channels
                                    ? packed_value(kernels, column, from->k_stride,
                                                   from->k_channels, i / width)
                                    : 0);
    }
    guarded_destroy(&to);
}

/* A matrix, or its transpose. */
static void check_matrix(const lstm_kernels *kernels, size_t k_segments,
                         size_t k_channels, size_t segments, size_t channels,
                         bool transposed)
{
    uint32_t seed = (uint32_t)(k_channels * 131 + channels);
    size_t depth = k_segments * k_channels, columns = segments * channels;
    guarded values = guarded_numbers(depth * columns, &seed);
    const lstm_matrix from = {
        .data = values.data,
        .k_segments = k_segments,
        .k_channels = k_channels,
        .k_stride = transposed ? 1 : columns,
        .column_stride = transposed ? depth : 1,
        .segments = segments,
        .channels = channels,
    };
    size_t total = segments * lstm_blocks(channels), unit = kernels->product_blocks;
    for (size_t block = 0; block < total; block += unit)
        check_panel(kernels, &from, block, total - block < unit ? total - block : unit);
    guarded_destroy(&values);
}

static void panels_of_all_sizes_are_packed(void **state)
{
    (void)state;
    for (size_t table = 0; table < table_count; table++)
        for (size_t k = 1; k <= 9; k++)
            for (size_t channels = 1; channels <= 67; channels += 1 + k % 3)
                for (int transposed = 0; transposed < 2; transposed++)
                    check_matrix(tables[table], 1 + k % 4, k, 1 + channels % 2,
                                 channels, transposed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gates_of_all_sizes_are_packed),
        TEST(gates_of_many_channels_are_packed),
        TEST(biases_are_added_and_padded),
        TEST(panels_of_all_sizes_are_packed),
    };
    tables[0] = lstm_kernels_get();
    tables[1] = lstm_bf16_kernels_get();
    tables[2] = tables[1]->training;
    table_count = tables[2] ? 3 : 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
