/*
 * Formats of values in files, and their conversion to float32. Conversions from
 * bfloat16 and float16 are exact; float64 is rounded to the nearest float32.
 */
#include <stdint.h>
#include <string.h>

#include "lib/lstm/io/safetensors.h"

_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "IEEE 754 formats");
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian, and are read without conversion"
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
    {"F32", 32, convert_f32}, {"F64", 64, convert_f64},
    {"F16", 16, convert_f16}, {"BF16", 16, convert_bf16},
    {"BOOL", 8, NULL},        {"U8", 8, NULL},
    {"I8", 8, NULL},          {"F8_E4M3", 8, NULL},
    {"F8_E5M2", 8, NULL},     {"F8_E8M0", 8, NULL},
    {"F4", 4, NULL},          {"F6_E2M3", 6, NULL},
    {"F6_E3M2", 6, NULL},     {"U16", 16, NULL},
    {"I16", 16, NULL},        {"U32", 32, NULL},
    {"I32", 32, NULL},        {"U64", 64, NULL},
    {"I64", 64, NULL},        {"C64", 64, NULL},
};

const lstm_dtype *lstm_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return &dtypes[i];
    return NULL;
}
