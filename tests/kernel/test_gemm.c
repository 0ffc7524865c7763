/* Products against one chain per element in plain C, bit for bit. */
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/kernels.h"
#include "tests/support/test.h"

enum { GUARD = 64 };
static const float guard_value = -77.0f;

/* Any numbers of both signs, of sizes that make sums round. */
static float number(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return ((float)(*seed >> 8) - 8388608.0f) / 3000000.0f;
}

static float *numbers(size_t count, uint32_t *seed)
{
    float *values = malloc((count + 1) * sizeof(*values));
    for (size_t i = 0; i < count; i++)
        values[i] = number(seed);
    return values;
}

static float chain(const lstm_product *p, float start, size_t i, size_t j)
{
    float sum = p->add ? start : 0;
    for (size_t k = 0; k < p->depth; k++) {
        /* The product is rounded before it is added. */
        volatile float term =
            p->a[i * p->a_row + k * p->a_step] * p->b[k * p->b_row + j];
        sum += term;
    }
    return sum;
}

/* gap is what lies between the rows of b and c; a is turned or not. */
static void check(size_t rows, size_t columns, size_t depth, size_t gap, bool turned,
                  bool add)
{
    uint32_t seed = (uint32_t)(rows * 10007 + columns * 101 + depth);
    lstm_product p = {.rows = rows, .columns = columns, .depth = depth, .add = add};
    float *a = numbers(rows * depth, &seed);
    float *b = numbers(depth * (columns + gap), &seed);
    size_t size = rows * (columns + gap);
    float *start = numbers(size, &seed);
    float *c = malloc((size + 2 * GUARD) * sizeof(*c));
    for (size_t i = 0; i < size + 2 * GUARD; i++)
        c[i] = guard_value;
    memcpy(c + GUARD, start, size * sizeof(*c));
    p.a = a;
    p.a_row = turned ? 1 : depth;
    p.a_step = turned ? rows : 1;
    p.b = b;
    p.b_row = p.c_row = columns + gap;
    p.c = c + GUARD;
    lstm_kernels_get()->gemm(&p);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns + gap; j++) {
            float before = start[i * p.c_row + j], found = p.c[i * p.c_row + j];
            float expected = j < columns ? chain(&p, before, i, j) : before;
            assert_memory_equal(&found, &expected, sizeof(found));
        }
    for (size_t i = 0; i < GUARD; i++) {
        assert_true(c[i] == guard_value);
        assert_true(c[GUARD + size + i] == guard_value);
    }
    free(a);
    free(b);
    free(start);
    free(c);
}

static void every_width_is_one_chain_per_element(void **state)
{
    (void)state;
    for (size_t columns = 0; columns <= 67; columns++)
        check(5, columns, 7, columns % 3, columns % 2, columns % 5 < 2);
}

static void every_height_is_one_chain_per_element(void **state)
{
    (void)state;
    for (size_t rows = 0; rows <= 67; rows++)
        check(rows, 13, 6, rows % 3, rows % 2, rows % 5 < 2);
}

static void depths_beyond_a_piece_stay_one_chain(void **state)
{
    (void)state;
    static const size_t depths[] = {1, 2, 127, 128, 129, 255, 256, 257, 300};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
        for (int variant = 0; variant < 4; variant++)
            check(6, 50, depths[i], 1, variant & 1, variant & 2);
}

static void wide_products_walk_all_panels(void **state)
{
    (void)state;
    check(3, 200, 33, 5, false, false);
    check(9, 145, 20, 0, true, true);
}

static void padding_does_not_read_beyond_b(void **state)
{
    /* b ends where its memory ends: the address sanitizer and valgrind see it. */
    (void)state;
    check(1, 1, 1, 0, false, false);
    check(4, 17, 3, 0, false, true);
}

static void nan_stays_in_its_row_and_column(void **state)
{
    (void)state;
    float a[2 * 3] = {1, NAN, 2, 3, 4, 5}, b[3 * 2] = {1, 2, 3, 4, 5, INFINITY};
    float c[4];
    lstm_gemm(&(lstm_product){.rows = 2,
                              .columns = 2,
                              .depth = 3,
                              .a = a,
                              .a_row = 3,
                              .a_step = 1,
                              .b = b,
                              .b_row = 2,
                              .c = c,
                              .c_row = 2});
    assert_true(isnan(c[0]) && isnan(c[1]));
    assert_true(c[2] == 40 && c[3] == INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_width_is_one_chain_per_element),
        TEST(every_height_is_one_chain_per_element),
        TEST(depths_beyond_a_piece_stay_one_chain),
        TEST(wide_products_walk_all_panels),
        TEST(padding_does_not_read_beyond_b),
        TEST(nan_stays_in_its_row_and_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
