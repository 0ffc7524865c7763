/*
 * A compiler option such as -ffast-math lets the compiler assume that there are no
 * infinities and no not-a-numbers, and makes the processor replace the smallest numbers
 * by zero in the whole process.
 */
#include <math.h>
#include <stdio.h>

#include "tests/verify/part.h"

/* Whether the bits under mask are as expected. Bits are compared because the compiler
 * of this file, too, may assume that all numbers are finite. */
static bool is_bits(float value, uint32_t mask, uint32_t expected)
{
    union {
        float value;
        uint32_t bits;
    } both = {value};
    return (both.bits & mask) == expected;
}

static bool is_nan(float value)
{
    return !is_bits(value, 0x7f800000u, 0) &&
           is_bits(value, 0x7f800000u, 0x7f800000u) && !is_bits(value, 0x007fffffu, 0);
}

static float bits(uint32_t bits)
{
    union {
        uint32_t bits;
        float value;
    } both = {bits};
    return both.value;
}

/* Runs a layer of one unit, whose gates are open and whose cell sees x, on one step. */
static float one_unit(float x)
{
    lstm_layer *layer;
    lstm_params *params;
    lstm_tensor *in, *out;
    const size_t shape[] = {1, 1, 1};
    part_must(lstm_layer_create(&layer, &(lstm_layer_config){.inputs = 1, .hidden = 1},
                                NULL));
    part_must(lstm_params_create(&params));
    part_must(lstm_params_add_layer(params, "lstm", layer));
    for (size_t i = 0; i < lstm_params_size(params); i++)
        part_must(lstm_tensor_fill(lstm_params_value(params, i), 1));
    part_must(lstm_tensor_create(&in, 3, shape));
    part_must(lstm_tensor_create(&out, 3, shape));
    *lstm_tensor_data(in) = x;
    part_must(lstm_layer_forward(layer, NULL, in, NULL, NULL, NULL, out, NULL, NULL));
    float result = *lstm_tensor_data(out);
    lstm_tensor_destroy(&out);
    lstm_tensor_destroy(&in);
    lstm_params_destroy(&params);
    lstm_layer_destroy(&layer);
    return result;
}

void part_arithmetic(void)
{
    const float infinity = bits(0x7f800000u), nan = bits(0x7fc00000u);
    volatile float small = bits(0x00000100u), half = 0.5f;
    volatile float product = small * half;
    bool subnormal = is_bits(product, 0x7fffffffu, 0x00000080u);
    part_line(subnormal, "the smallest numbers are kept", "2^-141 times 0.5 is %s",
              subnormal ? "2^-142" : "0: built with -ffast-math?");
    float of_nan = one_unit(nan), of_infinity = one_unit(infinity);
    float below = one_unit(-infinity);
    part_line(is_nan(of_nan), "not-a-number stays so", "a layer made %g of it%s",
              (double)of_nan, is_nan(of_nan) ? "" : ": built with -ffast-math?");
    float largest = tanhf(1);
    part_line(fabsf(of_infinity - largest) < 1e-6f && fabsf(below) < 1e-6f,
              "infinity saturates the gates", "a layer made %g and %g of +inf and -inf",
              (double)of_infinity, (double)below);
}
