/*
 * Normally distributed numbers: Tensor.normal_() of PyTorch's CPU path.
 *
 * For 16 elements or more, PyTorch fills the tensor with uniform float32 numbers and
 * transforms chunks of 16 (Box and Muller, 1958): u of the first half and v of the
 * second half give
 *
 *     sqrt(-2 log(1 - u)) cos(2 pi v)  and  sqrt(-2 log(1 - u)) sin(2 pi v)
 *
 * in the positions of u and v. When the size is not a multiple of 16, the last 16
 * elements are drawn again. For a smaller tensor the numbers are drawn one by one in
 * double: every second one is a sine that the generator has kept.
 *
 * Logarithm, sine and cosine are computed here in double, so that all machines compute
 * the same bits.
 */
#include <math.h>
#include <string.h>

#include "lib/lstm/core/elementary.h"
#include "lib/lstm/core/rng.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

enum { CHUNK = 16, HALF = CHUNK / 2 };

static const double pi = 3.14159265358979323846;

/* Sine and cosine with an error below 2^-52 for 0 <= x <= 2 pi. x = q pi/2 + r with |r|
 * <= pi/4, where the series of sine and cosine to r^18 are exact to 2^-58. */
static void sine_cosine(double x, double *sine, double *cosine)
{
    /* pi/2 in two parts: products of the first with q are exact. */
    const double high = 0x1.921fb54400000p0, low = 0x1.0b4611a626331p-34;
    int q = (int)(x * (2 / pi) + 0.5);
    double r = (x - q * high) - q * low, square = r * r, s = 0, c = 0;
    for (int k = 18; k > 1; k -= 2) {
        c = (1 - c) * square / (k * (k - 1));
        s = (1 - s) * square / (k * (k + 1));
    }
    s = r - r * s;
    c = 1 - c;
    *sine = q & 1 ? c : s;
    *cosine = q & 1 ? s : c;
    if (q == 2 || q == 3)
        *sine = -*sine;
    if (q == 1 || q == 2)
        *cosine = -*cosine;
}

/* Writes count numbers to a tensor from position start on, in row-major order. */
static void store(lstm_tensor *tensor, size_t start, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tensor->data[lstm_tensor_offset(tensor, tensor->rank, start + i)] = values[i];
}

/* Draws 16 numbers. Every operation is in float32, as in PyTorch. */
static void draw_chunk(lstm_rng *rng, float *values, float mean, float std)
{
    for (size_t i = 0; i < CHUNK; i++)
        values[i] = lstm_rng_unit(rng);
    for (size_t i = 0; i < HALF; i++) {
        double sine, cosine;
        float logarithm = (float)lstm_log((double)(1 - values[i]));
        float radius = sqrtf(-2 * logarithm);
        sine_cosine((double)((float)(2 * pi) * values[i + HALF]), &sine, &cosine);
        values[i] = fmaf(radius * (float)cosine, std, mean);
        values[i + HALF] = fmaf(radius * (float)sine, std, mean);
    }
}

static void fill_chunks(lstm_rng *rng, lstm_tensor *tensor, float mean, float std)
{
    float values[CHUNK];
    size_t count = lstm_tensor_count(tensor), rest = count % CHUNK;
    for (size_t start = 0; start < count - rest; start += CHUNK) {
        draw_chunk(rng, values, mean, std);
        store(tensor, start, values, CHUNK);
    }
    if (rest == 0)
        return;
    for (size_t i = 0; i < rest; i++)
        lstm_rng_unit(rng);
    draw_chunk(rng, values, mean, std);
    store(tensor, count - CHUNK, values, CHUNK);
}

/* Draws x of [0, 1) as PyTorch does for double: the low 53 bits of two words. */
static double draw_double(lstm_rng *rng)
{
    return (double)(lstm_rng_next(rng) & 0x1fffffffffffffu) * 0x1p-53;
}

static double draw_one(lstm_rng *rng)
{
    if (rng->has_normal) {
        rng->has_normal = false;
        return rng->normal;
    }
    double sine, cosine, angle = 2 * pi * draw_double(rng);
    /* 1 - u is exact. */
    double radius = sqrt(-2 * lstm_log(1 - draw_double(rng)));
    sine_cosine(angle, &sine, &cosine);
    rng->normal = radius * sine;
    rng->has_normal = true;
    return radius * cosine;
}

lstm_status lstm_rng_normal(lstm_rng *rng, lstm_tensor *tensor, float mean, float std)
{
    if (!rng)
        return lstm_fail_null("rng", "rng");
    if (!tensor)
        return lstm_fail_null("rng", "tensor");
    if (!isfinite(mean) || !isfinite(std) || std < 0)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: mean is %g and std is %g, expected finite and std at "
                         "least 0",
                         (double)mean, (double)std);
    size_t count = lstm_tensor_count(tensor);
    if (count >= CHUNK)
        fill_chunks(rng, tensor, mean, std);
    for (size_t i = 0; count < CHUNK && i < count; i++) {
        float value = (float)(draw_one(rng) * (double)std + (double)mean);
        store(tensor, i, &value, 1);
    }
    return LSTM_OK;
}
