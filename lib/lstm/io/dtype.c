/*
 * Formats of numbers in files, and their way to float32. Every bfloat16 and float16 is
 * a float32; a float64 is rounded to the nearest one.
 */
#include <stdint.h>
#include <string.h>

#include "lib/lstm/io/format.h"

_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "IEEE 754 formats");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian, and are read as they lie in memory"
#endif

static void convert_f32(size_t count, const unsigned char *from, float *to)
{
    memcpy(to, from, count * sizeof(*to));
}

static void convert_f64(size_t count, const unsigned char *from, float *to)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, from + i * sizeof(value), sizeof(value));
        to[i] = (float)value;
    }
}

/* The upper half of a float32. */
static void convert_bf16(size_t count, const unsigned char *from, float *to)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, from + i * sizeof(half), sizeof(half));
        uint32_t bits = (uint32_t)half << 16;
        memcpy(&to[i], &bits, sizeof(bits));
    }
}

/* Sign, 5 bits of exponent biased by 15, 10 bits of fraction. */
static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 0x1f, fraction = half & 0x3ff;
    float value;
    if (exponent == 0) {
        /* Zero or denormal: the fraction counts units of 2^-24. */
        value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    /* Infinity and NaN keep the largest exponent, all others are biased by 127. */
    exponent = exponent == 0x1f ? 0xff : exponent + 127 - 15;
    uint32_t bits = sign | exponent << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void convert_f16(size_t count, const unsigned char *from, float *to)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, from + i * sizeof(half), sizeof(half));
        to[i] = from_half(half);
    }
}

static const lstm_dtype dtypes[] = {
    {"F32", 4, convert_f32},   {"F64", 8, convert_f64}, {"F16", 2, convert_f16},
    {"BF16", 2, convert_bf16}, {"BOOL", 1, NULL},       {"U8", 1, NULL},
    {"I8", 1, NULL},           {"F8_E4M3", 1, NULL},    {"F8_E5M2", 1, NULL},
    {"U16", 2, NULL},          {"I16", 2, NULL},        {"U32", 4, NULL},
    {"I32", 4, NULL},          {"U64", 8, NULL},        {"I64", 8, NULL},
};

const lstm_dtype *lstm_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}
