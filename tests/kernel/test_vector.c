/* Kernels over arrays: the Adam step, the norm, scaling. */
#include "tests/support/blocks.h"

enum { LONGEST = 67, OFFSETS = 3 };

/* Step 3 of Adam with an L2 penalty. */
static const lstm_adam_coefficients coupled = {
    .one_minus_beta1 = 0.1f,
    .beta2 = 0.999f,
    .one_minus_beta2 = 0.001f,
    .step_size = 0.0036900369f,
    .root_factor = 18.26657f,
    .eps = 1e-8f,
    .decay = 0.01f,
    .shrink = 1,
    .sign = 1,
};

/* The same with decoupled weight decay (AdamW), maximising. */
static lstm_adam_coefficients decoupled(void)
{
    lstm_adam_coefficients k = coupled;
    k.decay = 0;
    k.shrink = 0.99999f;
    k.sign = -1;
    return k;
}

typedef struct {
    guarded p, m, v, largest, g;
} moments;

static moments create_moments(size_t count)
{
    uint32_t seed = (uint32_t)count + 1;
    moments x = {guarded_numbers(count, &seed), guarded_numbers(count, &seed),
                 guarded_numbers(count, &seed), guarded_numbers(count, &seed),
                 guarded_numbers(count, &seed)};
    for (size_t i = 0; i < count; i++) {
        x.v.data[i] = fabsf(x.v.data[i]);
        x.largest.data[i] = fabsf(x.largest.data[i]);
    }
    return x;
}

static void destroy_moments(moments *x)
{
    guarded_destroy(&x->p);
    guarded_destroy(&x->m);
    guarded_destroy(&x->v);
    guarded_destroy(&x->largest);
    guarded_destroy(&x->g);
}

/* The formulas of vector_body.c. The moments are sums of three and two rounded terms.
 * The step is their quotient: its relative error is at most that of the root, half of
 * that of v, plus that of m. */
static void check_step(const moments *before, const moments *after, size_t i,
                       bool keep_largest, const lstm_adam_coefficients *k)
{
    enum { ROUNDINGS = 8 };
    double u = ROUNDINGS * unit_roundoff;
    double p = (double)before->p.data[i] * (double)k->shrink;
    double g = (double)k->sign * (double)before->g.data[i] + (double)k->decay * p;
    double m_before = (double)before->m.data[i], v_before = (double)before->v.data[i];
    double m = m_before + (double)k->one_minus_beta1 * (g - m_before);
    double v = (double)k->beta2 * v_before + (double)k->one_minus_beta2 * g * g;
    double m_error = u * (fabs(m_before) + fabs(g));
    assert_close(after->m.data[i], m, m_error);
    assert_close(after->v.data[i], v, u * v);
    double largest = (double)before->largest.data[i];
    if (keep_largest)
        v = largest = largest > v ? largest : v;
    assert_close(after->largest.data[i], largest, keep_largest ? u * largest : 0);
    double slope =
        (double)k->step_size / (sqrt(v) * (double)k->root_factor + (double)k->eps);
    assert_close(after->p.data[i], p - slope * m,
                 u * (fabs(p) + slope * fabs(m)) + slope * m_error);
    assert_true(after->g.data[i] == before->g.data[i]);
}

static uint64_t run_step(size_t count, size_t offset, bool keep_largest,
                         const lstm_adam_coefficients *k, uint64_t hash)
{
    moments before = create_moments(count + offset);
    moments after = create_moments(count + offset);
    lstm_kernels_get()->adam_step(
        count, after.p.data + offset, after.m.data + offset, after.v.data + offset,
        keep_largest ? after.largest.data + offset : NULL, after.g.data + offset, k);
    for (size_t i = 0; i < offset; i++)
        assert_true(after.p.data[i] == before.p.data[i]);
    for (size_t i = offset; i < count + offset; i++)
        check_step(&before, &after, i, keep_largest, k);
    hash = hash_floats(hash, after.p.data, count + offset);
    hash = hash_floats(hash, after.m.data, count + offset);
    hash = hash_floats(hash, after.v.data, count + offset);
    destroy_moments(&before);
    destroy_moments(&after);
    return hash;
}

static void adam_steps_arrays_of_every_length(void **state)
{
    (void)state;
    lstm_adam_coefficients other = decoupled();
    for (size_t count = 0; count <= LONGEST; count++)
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            run_step(count, offset, false, &coupled, hash_start);
            run_step(count, offset, true, &coupled, hash_start);
            run_step(count, offset, false, &other, hash_start);
        }
}

/* Sixteen chains of at most five additions, and a tree of four. All terms are positive,
 * so the error is relative. */
static void squares_are_summed_in_double(void **state)
{
    (void)state;
    for (size_t count = 0; count <= LONGEST; count++)
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            uint32_t seed = (uint32_t)(count + 1);
            guarded x = guarded_numbers(count + offset, &seed);
            double sum = 0;
            for (size_t i = offset; i < count + offset; i++)
                sum += (double)x.data[i] * (double)x.data[i];
            double found = lstm_kernels_get()->sum_squares(count, x.data + offset);
            assert_close(found, sum, (double)count * 0x1p-53 * sum);
            guarded_destroy(&x);
        }
}

static void squares_neither_overflow_nor_vanish(void **state)
{
    (void)state;
    float large[3] = {3e38f, 3e38f, 1}, small[2] = {1e-40f, 0};
    assert_true(lstm_kernels_get()->sum_squares(3, large) > 1.7e77);
    assert_true(lstm_kernels_get()->sum_squares(2, small) > 0);
}

static void scaling_multiplies_each_value_once(void **state)
{
    (void)state;
    const float factor = 0.7310586f;
    for (size_t count = 0; count <= LONGEST; count++)
        for (size_t offset = 0; offset < OFFSETS; offset++) {
            uint32_t seed = (uint32_t)(count + 1), again = seed;
            guarded x = guarded_numbers(count + offset, &seed);
            lstm_kernels_get()->scale(count, x.data + offset, factor);
            for (size_t i = 0; i < count + offset; i++) {
                float before = seeded_number(&again);
                assert_true(x.data[i] == (i < offset ? before : before * factor));
            }
            guarded_destroy(&x);
        }
}

static void all_sets_give_the_same_bits(void **state)
{
    (void)state;
    uint64_t hash = hash_start;
    lstm_adam_coefficients other = decoupled();
    for (size_t count = 0; count <= LONGEST; count++) {
        hash = run_step(count, 0, false, &coupled, hash);
        hash = run_step(count, 0, true, &other, hash);
        uint32_t seed = (uint32_t)(count + 1);
        guarded x = guarded_numbers(count, &seed);
        double sum = lstm_kernels_get()->sum_squares(count, x.data);
        float halves[2] = {(float)sum, (float)(sum - (double)(float)sum)};
        hash = hash_floats(hash, halves, 2);
        guarded_destroy(&x);
    }
    assert_hash(hash, 0x566df730b35f032du, 0x566df730b35f032du);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adam_steps_arrays_of_every_length),
        TEST(squares_are_summed_in_double),
        TEST(squares_neither_overflow_nor_vanish),
        TEST(scaling_multiplies_each_value_once),
        TEST(all_sets_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
