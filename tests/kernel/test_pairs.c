/*
 * Arithmetic of pairs of bfloat16 against the scalar arithmetic of
 * tests/support/pairs.h, bit for bit. All sets are compared with the same reference, so
 * emulation gives the bits of the instruction.
 */
#include "lib/lstm/core/denormals.h"
#include "tests/support/blocks.h"
#include "tests/support/pairs.h"

static const lstm_kernels *kernels;

/* One product of a pair with a row of pairs: one instruction, or two products of wide
 * values. */
static void check_dot_of_table(const float *sums, float a, const float *line)
{
    _Alignas(64) float x[2 * LSTM_BLOCK] = {a}, out[LSTM_BLOCK], both[2][LSTM_BLOCK];
    memcpy(out, sums, sizeof(out));
    memcpy(both, line, LSTM_BLOCK * sizeof(float));
    for (size_t which = 0; kernels->wide && which < 2; which++) {
        x[which] = half(a, which);
        for (size_t i = 0; i < LSTM_BLOCK; i++)
            both[1 - which][i] = half(line[i], which);
    }
    uint64_t mode = lstm_denormals_off();
    kernels->product(&(lstm_panel_product){.rows = 1,
                                           .stride = 2 * LSTM_BLOCK,
                                           .a = {x, 1, 2},
                                           .weights = packed_from(both[0]),
                                           .blocks = 1,
                                           .out = out,
                                           .accumulate = true});
    lstm_denormals_restore(mode);
    for (size_t i = 0; i < LSTM_BLOCK; i++)
        assert_same(out[i], dot(sums[i], a, line[i]));
}

static void check_dot(const float *sums, float a, const float *line)
{
    kernels = lstm_bf16_kernels_get();
    check_dot_of_table(sums, a, line);
    if ((kernels = kernels->training))
        check_dot_of_table(sums, a, line);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static uint32_t any_bits(uint32_t *seed)
{
    uint32_t high = next(seed);
    return high << 16 | next(seed);
}

static void products_of_pairs_round_and_flush_as_the_instruction_does(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < 200000; i++) {
        /* All exponents, exponents near that of 1, and exponents of denormal results.
         */
        uint32_t lows[] = {0, 120, 55}, spans[] = {256, 16, 16};
        uint32_t low = lows[i % 3], span = spans[i % 3];
        _Alignas(64) float sums[LSTM_BLOCK], line[LSTM_BLOCK + 1];
        for (size_t lane = 0; lane <= LSTM_BLOCK; lane++) {
            uint32_t first = (low + next(&seed) % span) << 7;
            uint32_t second = (low + next(&seed) % span) << 23;
            line[lane] = float_of((any_bits(&seed) & 0x807f807fu) | first | second);
            uint32_t size = i % 3 == 2 ? next(&seed) % 32 : low + next(&seed) % span;
            if (lane < LSTM_BLOCK)
                sums[lane] = float_of((any_bits(&seed) & 0x807fffffu) | size << 23);
        }
        check_dot(sums, line[LSTM_BLOCK], line);
    }
}

/* Sums of one of the smallest normal numbers and up to 255 times 2^-152 to 2^-158. They
 * include all roundings to 2^-126 and to the values just below. */
static void results_at_the_smallest_normal_number_are_right(void **state)
{
    (void)state;
    enum { LAST = 4, FACTORS = 256, LEAST = 152, MOST = 158 };
    for (size_t i = 0; i < (size_t)2 * LAST * (MOST - LEAST + 1) * FACTORS; i++) {
        size_t factor = i % FACTORS, last = i / FACTORS % LAST;
        size_t power = LEAST + i / FACTORS / LAST % (MOST - LEAST + 1);
        bool negative = i / FACTORS / LAST / (MOST - LEAST + 1);
        uint16_t a = lstm_bf16(ldexpf((float)factor, -76));
        uint16_t b = lstm_bf16(ldexpf(negative ? 1 : -1, 76 - (int)power));
        _Alignas(64) float sums[LSTM_BLOCK], line[LSTM_BLOCK];
        for (size_t lane = 0; lane < LSTM_BLOCK; lane++) {
            float sum = 0x1p-126f * (1 + (float)last * 0x1p-23f);
            sums[lane] = negative ? -sum : sum;
            line[lane] = lane % 2 ? lstm_pair(0, b) : lstm_pair(b, 0);
        }
        check_dot(sums, lstm_pair(a, a), line);
    }
}

static void special_values_of_pairs_are_right(void **state)
{
    (void)state;
    static const uint16_t halves[] = {0x0000, 0x8000, 0x0001, 0x807f, 0x0080, 0x8080,
                                      0x3f80, 0xbf81, 0x1fff, 0x2000, 0x7f7f, 0xff7f,
                                      0x7f80, 0xff80, 0x7fc0, 0x3eaa};
    static const uint32_t starts[] = {0,          0x80000000, 1,          0x807fffff,
                                      0x00800000, 0x80800001, 0x3f800000, 0x7f7fffff,
                                      0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000};
    enum { HALVES = 16, STARTS = 12 };
    for (size_t a = 0; a < HALVES * HALVES; a++)
        for (size_t b = 0; b < HALVES * HALVES; b += LSTM_BLOCK)
            for (size_t s = 0; s < STARTS; s++) {
                _Alignas(64) float sums[LSTM_BLOCK], line[LSTM_BLOCK];
                for (size_t i = 0; i < LSTM_BLOCK; i++) {
                    sums[i] = float_of(starts[s]);
                    line[i] =
                        lstm_pair(halves[(b + i) / HALVES], halves[(b + i) % HALVES]);
                }
                check_dot(sums, lstm_pair(halves[a / HALVES], halves[a % HALVES]),
                          line);
            }
}

/* The definition: the neighbour at the smaller distance. */
static uint16_t nearest(float x)
{
    uint16_t below = (uint16_t)(bits_of(x) >> 16);
    if (isnan(x))
        return 0x7fc0;
    if (isinf(x))
        return below;
    double low = (double)lstm_bf16_float(below), distance = fabs((double)x - low);
    /* Above the largest number, infinity takes the position of the next one. */
    double above = low + copysign(ldexp(1, ilogb(low) - 7), low);
    double other = fabs(above - (double)x);
    return (uint16_t)(below + (other < distance || (other == distance && below % 2)));
}

static void check_rounding(const float *rows)
{
    _Alignas(64) float block[2 * LSTM_BLOCK], back[2][LSTM_BLOCK];
    memcpy(block, rows, sizeof(block));
    kernels->round(2, block);
    for (size_t row = 0; row < 2; row++)
        if (kernels->wide)
            memcpy(back[row], block + row * LSTM_BLOCK, sizeof(back[row]));
        else
            lstm_pairs_load(block, row, back[row]);
    for (size_t i = 0; i < LSTM_BLOCK; i++)
        for (size_t row = 0; row < 2; row++) {
            float x = rows[row * LSTM_BLOCK + i];
            if (!kernels->wide)
                assert_same(half(block[LSTM_BLOCK + i], row), back[row][i]);
            if (bits_of(x) & 0x7f800000u)
                assert_same(back[row][i], lstm_bf16_float(nearest(x)));
            else
                assert_same(back[row][i], flushed(x));
            assert_same(back[row][i], lstm_bf16_float(lstm_bf16(x)));
        }
}

static void rounding_is_to_the_nearest_with_denormals_as_zeros(void **state)
{
    (void)state;
    uint32_t seed = 2;
    _Alignas(64) float rows[2 * LSTM_BLOCK];
    for (uint32_t high = 0; high < 0x10000; high += 2) {
        for (size_t i = 0; i < 2 * LSTM_BLOCK; i++) {
            /* Ties, their neighbours, and random bits. */
            uint32_t lows[] = {0,      1,      0x7fff,      0x8000,
                               0x8001, 0xffff, next(&seed), next(&seed)};
            rows[i] = float_of((high + i % 2) << 16 | lows[i / 2 % 8]);
        }
        kernels = lstm_bf16_kernels_get();
        check_rounding(rows);
        if ((kernels = kernels->training))
            check_rounding(rows);
    }
}

static void an_odd_last_row_is_paired_with_zeros(void **state)
{
    (void)state;
    _Alignas(64) float block[4 * LSTM_BLOCK], row[LSTM_BLOCK];
    for (size_t i = 0; i < 4 * LSTM_BLOCK; i++)
        block[i] = NAN;
    for (size_t i = 0; i < 3 * LSTM_BLOCK; i++)
        block[i] = 1;
    lstm_bf16_kernels_get()->round(3, block);
    for (size_t i = 0; i < LSTM_BLOCK; i++) {
        assert_same(block[LSTM_BLOCK + i], lstm_pair(0x3f80, 0x3f80));
        assert_same(block[3 * LSTM_BLOCK + i], lstm_pair(0x3f80, 0));
    }
    for (size_t i = 0; i < LSTM_BLOCK; i++)
        row[i] = 2;
    lstm_pairs_store(block, 0, row);
    assert_same(block[LSTM_BLOCK], lstm_pair(0x4000, 0));
    lstm_pairs_store(block, 1, row);
    assert_same(block[LSTM_BLOCK], lstm_pair(0x4000, 0x4000));
}

static void an_odd_last_row_of_wide_values_precedes_zeros(void **state)
{
    (void)state;
    _Alignas(64) float block[4 * LSTM_BLOCK];
    kernels = lstm_bf16_kernels_get()->training;
    for (size_t i = 0; i < 4 * LSTM_BLOCK; i++)
        block[i] = i < 3 * LSTM_BLOCK ? 1.0f + 0x1p-20f : NAN;
    if (kernels)
        kernels->round(3, block);
    for (size_t i = 0; kernels && i < 4 * LSTM_BLOCK; i++)
        assert_same(block[i], i < 3 * LSTM_BLOCK ? 1 : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(products_of_pairs_round_and_flush_as_the_instruction_does),
        TEST(results_at_the_smallest_normal_number_are_right),
        TEST(special_values_of_pairs_are_right),
        TEST(rounding_is_to_the_nearest_with_denormals_as_zeros),
        TEST(an_odd_last_row_is_paired_with_zeros),
        TEST(an_odd_last_row_of_wide_values_precedes_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
