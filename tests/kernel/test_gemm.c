/* Products against one chain per element in plain C, bit for bit, and against OpenBLAS.
 */
#include "tests/support/blocks.h"

#include <lstm/threads.h>

#if LSTM_HAVE_OPENBLAS
#include <cblas.h>
#endif

static float *numbers(size_t count, uint32_t *seed)
{
    float *values = malloc((count + 1) * sizeof(*values));
    for (size_t i = 0; i < count; i++)
        values[i] = seeded_number(seed);
    return values;
}

static float chain(const lstm_product *p, float start, size_t i, size_t j)
{
    const bool fuses = kernels_fuse();
    enum { PART_DEPTH = 128 };
    float sum = p->add && !p->parts ? start : 0, before = p->add ? start : 0;
    for (size_t k = 0; k < p->depth; k++) {
        if (p->parts && k > 0 && k % PART_DEPTH == 0) {
            before += sum;
            sum = 0;
        }
        float a = p->a[i * p->a_stride + k * p->a_k_stride],
              b = p->b[k * p->b_stride + j];
        /* Plain C rounds the product before it is added. */
        volatile float term = a * b;
        sum = fuses ? fmaf(a, b, sum) : sum + term;
    }
    return p->parts ? before + sum : sum;
}

/* gap is the number of unused elements between the rows of b and of c. */
static void check_sums(size_t rows, size_t columns, size_t depth, size_t gap,
                       bool transposed, bool add, bool parts)
{
    uint32_t seed = (uint32_t)(rows * 10007 + columns * 101 + depth);
    lstm_product p = {
        .rows = rows, .columns = columns, .depth = depth, .add = add, .parts = parts};
    float *a = numbers(rows * depth, &seed);
    float *b = numbers(depth * (columns + gap), &seed);
    size_t size = rows * (columns + gap);
    float *start = numbers(size, &seed);
    float *c = malloc((size + 2 * GUARD) * sizeof(*c));
    for (size_t i = 0; i < size + 2 * GUARD; i++)
        c[i] = guard_value;
    memcpy(c + GUARD, start, size * sizeof(*c));
    p.a = a;
    p.a_stride = transposed ? 1 : depth;
    p.a_k_stride = transposed ? rows : 1;
    p.b = b;
    p.b_stride = p.c_stride = columns + gap;
    p.c = c + GUARD;
    lstm_kernels_get()->gemm(&p);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns + gap; j++) {
            float before = start[i * p.c_stride + j], found = p.c[i * p.c_stride + j];
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

static void check(size_t rows, size_t columns, size_t depth, size_t gap,
                  bool transposed, bool add)
{
    check_sums(rows, columns, depth, gap, transposed, add, false);
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

static void depths_of_several_parts_are_one_chain(void **state)
{
    (void)state;
    static const size_t depths[] = {1, 2, 127, 128, 129, 255, 256, 257, 300};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
        for (int variant = 0; variant < 4; variant++)
            check(6, 50, depths[i], 1, variant & 1, variant & 2);
}

static void parts_are_chains_of_their_own(void **state)
{
    (void)state;
    static const size_t depths[] = {1, 127, 128, 129, 256, 257, 600};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
        for (int variant = 0; variant < 4; variant++)
            for (size_t columns = 1; columns <= 50; columns += 7)
                check_sums(11, columns, depths[i], 1, variant & 1, variant & 2, true);
}

static void wide_products_use_all_panels(void **state)
{
    (void)state;
    check(3, 200, 33, 5, false, false);
    check(9, 145, 20, 0, true, true);
}

static void padding_does_not_read_beyond_b(void **state)
{
    /* The address sanitizer and valgrind report reads past the end of b. */
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
                              .a_stride = 3,
                              .a_k_stride = 1,
                              .b = b,
                              .b_stride = 2,
                              .c = c,
                              .c_stride = 2});
    assert_true(isnan(c[0]) && isnan(c[1]));
    assert_true(c[2] == 40 && c[3] == INFINITY);
}

/* Shapes of linear layers: forward, gradients, few and many columns, and sizes around
 * the tiles that OpenBLAS computes. */
static const lstm_product large[] = {
    {.rows = 64, .columns = 10, .depth = 300},
    {.rows = 63, .columns = 129, .depth = 65},
    {.rows = 200, .columns = 70, .depth = 64},
    {.rows = 5, .columns = 1000, .depth = 128},
    {.rows = 130, .columns = 257, .depth = 190},
    {.rows = 1, .columns = 100, .depth = 1100},
};
enum { LARGE = sizeof(large) / sizeof(large[0]) };

/* One of the large products; a is transposed when index is odd. */
static lstm_product create_large(size_t index, bool add)
{
    lstm_product p = large[index];
    uint32_t seed = (uint32_t)index + 1;
    bool transposed = index % 2;
    p.a = numbers(p.rows * p.depth, &seed);
    p.b = numbers(p.depth * p.columns, &seed);
    p.c = numbers(p.rows * p.columns, &seed);
    p.a_stride = transposed ? 1 : p.depth;
    p.a_k_stride = transposed ? p.rows : 1;
    p.b_stride = p.c_stride = p.columns;
    p.add = add;
    p.any_order = true;
    return p;
}

static void destroy_large(const lstm_product *p)
{
    free((void *)p->a);
    free((void *)p->b);
    free(p->c);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    static const size_t threads[] = {2, 3, 4, 5, 7, 8, 16};
    for (size_t i = 0; i < LARGE; i++) {
        lstm_product one = create_large(i, true);
        assert_int_equal(lstm_set_threads(1), LSTM_OK);
        lstm_gemm(&one);
        for (size_t j = 0; j < sizeof(threads) / sizeof(threads[0]); j++) {
            lstm_product p = create_large(i, true);
            assert_int_equal(lstm_set_threads(threads[j]), LSTM_OK);
            lstm_gemm(&p);
            assert_memory_equal(p.c, one.c, p.rows * p.columns * sizeof(float));
            destroy_large(&p);
        }
        destroy_large(&one);
    }
    lstm_set_threads(0);
}

static void the_reproducible_mode_is_one_chain_in_every_set(void **state)
{
    (void)state;
    lstm_set_reproducible(true);
    lstm_product p = create_large(4, true), before = create_large(4, true);
    lstm_gemm(&p);
    assert_true(kernels_fuse());
    for (size_t i = 0; i < p.rows; i++)
        for (size_t j = 0; j < p.columns; j++) {
            float expected = chain(&before, before.c[i * p.c_stride + j], i, j);
            assert_memory_equal(&p.c[i * p.c_stride + j], &expected, sizeof(expected));
        }
    lstm_set_reproducible(false);
    destroy_large(&p);
    destroy_large(&before);
}

#if LSTM_HAVE_OPENBLAS
/* Both round each of the depth additions once or twice, in any order. */
static void openblas_agrees_and_keeps_its_settings(void **state)
{
    (void)state;
    int threads = openblas_get_num_threads();
    for (size_t i = 0; i < 2 * LARGE; i++) {
        lstm_product p = create_large(i / 2, i % 2), other = create_large(i / 2, i % 2);
        bool transposed = p.a_k_stride != 1;
        lstm_gemm(&p);
        cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    (int)p.rows, (int)p.columns, (int)p.depth, 1, other.a,
                    (int)(transposed   ? p.a_k_stride
                          : p.rows > 1 ? p.a_stride
                                       : p.depth),
                    other.b, (int)p.b_stride, p.add, other.c, (int)p.c_stride);
        for (size_t k = 0; k < p.rows * p.columns; k++) {
            double size = 1;
            for (size_t d = 0; d < p.depth; d++)
                size +=
                    fabs((double)p.a[k / p.columns * p.a_stride + d * p.a_k_stride] *
                         (double)p.b[d * p.b_stride + k % p.columns]);
            assert_close(p.c[k], other.c[k],
                         2 * (double)(p.depth + 1) * unit_roundoff * size);
        }
        destroy_large(&p);
        destroy_large(&other);
    }
    assert_int_equal(openblas_get_num_threads(), threads);
}

/* With several threads OpenBLAS sums in another order. The tiles are so small that it
 * uses one. */
static void threads_of_openblas_change_no_bit(void **state)
{
    (void)state;
    int threads = openblas_get_num_threads();
    for (size_t i = 0; i < LARGE; i++) {
        lstm_product one = create_large(i, true), many = create_large(i, true);
        openblas_set_num_threads(1);
        lstm_gemm(&one);
        openblas_set_num_threads(4);
        lstm_gemm(&many);
        assert_memory_equal(one.c, many.c, one.rows * one.columns * sizeof(float));
        destroy_large(&one);
        destroy_large(&many);
    }
    openblas_set_num_threads(threads);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_width_is_one_chain_per_element),
        TEST(every_height_is_one_chain_per_element),
        TEST(depths_of_several_parts_are_one_chain),
        TEST(parts_are_chains_of_their_own),
        TEST(wide_products_use_all_panels),
        TEST(padding_does_not_read_beyond_b),
        TEST(nan_stays_in_its_row_and_column),
        TEST(threads_change_no_bit),
        TEST(the_reproducible_mode_is_one_chain_in_every_set),
#if LSTM_HAVE_OPENBLAS
        TEST(openblas_agrees_and_keeps_its_settings),
        TEST(threads_of_openblas_change_no_bit),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
