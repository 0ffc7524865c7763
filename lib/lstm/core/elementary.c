#include <stddef.h>
#include <string.h>

#include "lib/lstm/core/elementary.h"

/* log(2) in two parts: the first ends in 21 zero bits, so that its product with an
 * exponent is exact. */
static const double log2_high = 0x1.62e42feep-1, log2_low = 0x1.a39ef35793c76p-33;

/* 2^n for a normal result. */
static double two_to(int64_t n)
{
    uint64_t bits = (uint64_t)(n + 1023) << 52;
    double result;
    memcpy(&result, &bits, sizeof(result));
    return result;
}

/* exp(x) = 2^n exp(r) with |r| <= log(2) / 2. The series of exp(r) up to the 13th power
 * has a relative error of 2^-57. */
double lstm_exp(double x)
{
    const double magic = 0x1.8p52; /* its last bit is worth 1 */
    static const double terms[] = {1.0 / 2,        1.0 / 6,         1.0 / 24,
                                   1.0 / 120,      1.0 / 720,       1.0 / 5040,
                                   1.0 / 40320,    1.0 / 362880,    1.0 / 3628800,
                                   1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    if (x < -708)
        return 0;
    if (x != x)
        return x;
    double n = (x * 0x1.71547652b82fep0 + magic) - magic;
    double r = (x - n * log2_high) - n * log2_low;
    double series = 0;
    for (size_t k = sizeof(terms) / sizeof(terms[0]); k-- > 0;)
        series = series * r + terms[k];
    /* Adds the largest terms last. */
    return (1 + (r + r * r * series)) * two_to((int64_t)n);
}

/* log(2^n m) = n log(2) + log(m) with sqrt(1/2) < m <= sqrt(2). With s = (m - 1) /
 * (m + 1), log(m) = 2 (s + s^3 / 3 + s^5 / 5 + ...); to s^21 its error is 2^-58. */
double lstm_log(double x)
{
    const double root = 0x1.6a09e667f3bcdp0; /* sqrt(2) */
    uint64_t bits;
    if (!(x > 0))
        return x;
    memcpy(&bits, &x, sizeof(bits));
    double n = (double)((int64_t)(bits >> 52) - 1023), m = x / two_to((int64_t)n);
    if (m > root) {
        m /= 2;
        n += 1;
    }
    double s = (m - 1) / (m + 1), square = s * s, series = 0;
    for (int k = 21; k > 1; k -= 2)
        series = (series + 1.0 / k) * square;
    return n * log2_high + (2 * s + (2 * s * series + n * log2_low));
}

double lstm_power(double base, uint64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}
