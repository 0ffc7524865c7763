/*
 * The operations and their order are those of the library: lib/lstm/kernels/
 * stream_body.c for the sums, cell.h and activation.h for the cell, simd_generic.h for
 * the multiply-add without an instruction for it, core/denormals.h for the mode.
 *
 * A compiler that contracts a multiplication and an addition changes nothing. The only
 * products that are added outside a multiply-add are those of two floats in double,
 * which are exact.
 */
#include <stdarg.h>
#include <stdio.h>

#include "examples/embed/code.h"

/* Numbers of a line of the source. */
enum { COLUMNS = 4 };

const char code_checks[] =
    "#include <float.h>\n"
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "\n"
    "#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || FLT_MAX_EXP != 128\n"
    "#error \"float is not the 32-bit format of IEEE 754\"\n"
    "#endif\n"
    "#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16\n"
    "#error \"float is computed in a wider format: on x86 use -msse2 -mfpmath=sse\"\n"
    "#endif\n"
    "#ifdef __FAST_MATH__\n"
    "#error \"-ffast-math changes results\"\n"
    "#endif\n"
    "#if defined(__clang__) || !defined(__GNUC__)\n"
    "#pragma STDC FP_CONTRACT OFF\n"
    "#endif\n"
    "\n";

const char code_modes[] =
    "/* Denormal numbers are zeros where the processor can do that. The mode belongs\n"
    " * to the caller, so each step restores it. */\n"
    "#if defined(__arm__) && defined(__ARM_FP)\n"
    "typedef uint32_t @_mode;\n"
    "#define LSTM_READ_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"vmrs %0, fpscr\" : \"=r\"(mode) : : \"memory\")\n"
    "#define LSTM_WRITE_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"vmsr fpscr, %0\" : : \"r\"(mode) : \"memory\")\n"
    "#define LSTM_FLUSH ((uint32_t)1 << 24)\n"
    "#elif defined(__aarch64__)\n"
    "typedef uint64_t @_mode;\n"
    "#define LSTM_READ_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"mrs %0, fpcr\" : \"=r\"(mode) : : \"memory\")\n"
    "#define LSTM_WRITE_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"msr fpcr, %0\" : : \"r\"(mode) : \"memory\")\n"
    "#define LSTM_FLUSH ((uint64_t)1 << 24)\n"
    "#elif defined(__SSE__) && defined(__GNUC__)\n"
    "typedef uint32_t @_mode;\n"
    "#define LSTM_READ_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"stmxcsr %0\" : \"=m\"(mode) : : \"memory\")\n"
    "#define LSTM_WRITE_MODE(mode) \\\n"
    "    __asm__ __volatile__(\"ldmxcsr %0\" : : \"m\"(mode) : \"memory\")\n"
    "#define LSTM_FLUSH 0x8040u\n"
    "#else\n"
    "typedef uint32_t @_mode;\n"
    "#define LSTM_READ_MODE(mode) ((mode) = 0)\n"
    "#define LSTM_WRITE_MODE(mode) ((void)(mode))\n"
    "#define LSTM_FLUSH 0u\n"
    "#endif\n"
    "\n"
    "static @_mode @_denormals_off(void)\n"
    "{\n"
    "    @_mode before, flush;\n"
    "    LSTM_READ_MODE(before);\n"
    "    flush = before | LSTM_FLUSH;\n"
    "    LSTM_WRITE_MODE(flush);\n"
    "    return before;\n"
    "}\n"
    "\n"
    "static void @_denormals_restore(@_mode before)\n"
    "{\n"
    "    LSTM_WRITE_MODE(before);\n"
    "}\n"
    "\n"
    "#undef LSTM_READ_MODE\n"
    "#undef LSTM_WRITE_MODE\n"
    "#undef LSTM_FLUSH\n"
    "\n";

const char code_multiply_add[] =
    "static inline uint32_t @_bits(float x)\n"
    "{\n"
    "    union {\n"
    "        float value;\n"
    "        uint32_t bits;\n"
    "    } u;\n"
    "    u.value = x;\n"
    "    return u.bits;\n"
    "}\n"
    "\n"
    "static inline float @_float(uint32_t bits)\n"
    "{\n"
    "    union {\n"
    "        uint32_t bits;\n"
    "        float value;\n"
    "    } u;\n"
    "    u.bits = bits;\n"
    "    return u.value;\n"
    "}\n"
    "\n"
    "/* a b + c, rounded once. */\n"
    "#if defined(__FP_FAST_FMAF)\n"
    "static inline float @_fma(float a, float b, float c)\n"
    "{\n"
    "    return __builtin_fmaf(a, b, c);\n"
    "}\n"
    "#elif defined(__arm__) && defined(__ARM_FEATURE_FMA) && defined(__ARM_FP)\n"
    "static inline float @_fma(float a, float b, float c)\n"
    "{\n"
    "    __asm__(\"vfma.f32 %0, %1, %2\" : \"+t\"(c) : \"t\"(a), \"t\"(b));\n"
    "    return c;\n"
    "}\n"
    "#else\n"
    "/* The product is exact in double. Rounding the sum twice is wrong only if it is\n"
    " * half way between two floats, or the float is denormal. Then the sum is "
    "rounded\n"
    " * to odd first. */\n"
    "static float @_fma(float a, float b, float c)\n"
    "{\n"
    "    union {\n"
    "        double value;\n"
    "        uint64_t bits;\n"
    "    } sum;\n"
    "    double product = (double)a * (double)b, addend = (double)c, part, lost;\n"
    "    float rounded;\n"
    "    sum.value = product + addend;\n"
    "    rounded = (float)sum.value;\n"
    "    if ((sum.bits & 0x1fffffff) != 0x10000000 &&\n"
    "        (@_bits(rounded) & 0x7fffffff) > 0x00800000)\n"
    "        return rounded;\n"
    "    part = sum.value - product;\n"
    "    lost = (product - (sum.value - part)) + (addend - part);\n"
    "    if ((lost < 0 || lost > 0) && !(sum.bits & 1)) {\n"
    "        if ((lost > 0) == (sum.value > 0))\n"
    "            sum.bits++;\n"
    "        else\n"
    "            sum.bits--;\n"
    "    }\n"
    "    return (float)sum.value;\n"
    "}\n"
    "#endif\n"
    "\n";

const char code_activations[] =
    "/* x log2e is n + r, n a multiple of 1/8: sets s = 2^n and r. */\n"
    "static inline void @_reduce(float x, float log2e, float *s, float *r)\n"
    "{\n"
    "    static const uint32_t table[8] = {0x3f800000, 0x3f7b95c2, 0x3f7837f0,\n"
    "                                      0x3f75fed7, 0x3f7504f3, 0x3f75672a,\n"
    "                                      0x3f7744fd, 0x3f7ac0c7};\n"
    "    float shifted = @_fma(x, log2e, 1572864.0f);\n"
    "    uint32_t n = @_bits(shifted);\n"
    "    *r = @_fma(x, log2e, 1572864.0f - shifted);\n"
    "    *s = @_float(table[n & 7] + (n << 20));\n"
    "}\n"
    "\n"
    "/* (2^r - 1) / r. */\n"
    "static inline float @_polynomial(float r)\n"
    "{\n"
    "    float p = @_fma(r, 0x1.c6b39ep-5f, 0x1.ec0aa0p-3f);\n"
    "    return @_fma(p, r, 0x1.62e430p-1f);\n"
    "}\n"
    "\n"
    "/* 1 / (1 + 2^n 2^r) of -x; NaN gives NaN. */\n"
    "static float @_sigmoid(float x)\n"
    "{\n"
    "    float s, r;\n"
    "    x = 87.3365f < x ? 87.3365f : x;\n"
    "    x = -87.3365f > x ? -87.3365f : x;\n"
    "    @_reduce(x, -0x1.715476p+0f, &s, &r);\n"
    "    return 1.0f / @_fma(@_fma(@_polynomial(r), r, 1.0f), s, 1.0f);\n"
    "}\n"
    "\n"
    "/* m / (m + 2), m = 2^n 2^r - 1 of 2 |x|; NaN gives NaN. */\n"
    "static float @_tanh(float x)\n"
    "{\n"
    "    float s, r, m, size = @_float(@_bits(x) & 0x7fffffff);\n"
    "    size = 10.0f < size ? 10.0f : size;\n"
    "    @_reduce(size, 0x1.715476p+1f, &s, &r);\n"
    "    m = @_fma(s, @_polynomial(r) * r, s - 1.0f);\n"
    "    return @_float(@_bits(m / (m + 2.0f)) | (@_bits(x) & 0x80000000));\n"
    "}\n"
    "\n";

const char code_layer[] =
    "/* Adds the products of x with the weights of the four gates of a unit to their\n"
    " * sums; returns what follows the weights. */\n"
    "static const float *@_multiply(float *sums, const float *x, size_t count,\n"
    "                               const float *weights)\n"
    "{\n"
    "    float i = sums[0], f = sums[1], g = sums[2], o = sums[3];\n"
    "    size_t k;\n"
    "    for (k = 0; k < count; k++, weights += 4) {\n"
    "        float value = x[k];\n"
    "        i = @_fma(value, weights[0], i);\n"
    "        f = @_fma(value, weights[1], f);\n"
    "        g = @_fma(value, weights[2], g);\n"
    "        o = @_fma(value, weights[3], o);\n"
    "    }\n"
    "    sums[0] = i;\n"
    "    sums[1] = f;\n"
    "    sums[2] = g;\n"
    "    sums[3] = o;\n"
    "    return weights;\n"
    "}\n"
    "\n"
    "/* Computes c and o tanh(c) of all units of a layer. For each unit there are "
    "four\n"
    " * biases, then the weights of x, then those of h, four for each value. */\n"
    "static void @_cell(@_state *state, const float *h, float *c, const float *x,\n"
    "                   size_t inputs, const float *weights)\n"
    "{\n"
    "    size_t unit;\n"
    "    for (unit = 0; unit < @_hidden; unit++) {\n"
    "        float sums[4], new_c;\n"
    "        sums[0] = weights[0];\n"
    "        sums[1] = weights[1];\n"
    "        sums[2] = weights[2];\n"
    "        sums[3] = weights[3];\n"
    "        weights = @_multiply(sums, x, inputs, weights + 4);\n"
    "        if (state->begun)\n"
    "            @_multiply(sums, h, @_size, weights);\n"
    "        weights += 4 * @_size;\n"
    "        new_c = @_sigmoid(sums[0]) * @_tanh(sums[2]);\n"
    "        if (state->begun)\n"
    "            new_c = @_fma(@_sigmoid(sums[1]), c[unit], new_c);\n"
    "        c[unit] = new_c;\n"
    "        state->next[unit] = @_sigmoid(sums[3]) * @_tanh(new_c);\n"
    "    }\n"
    "}\n"
    "\n";

const char code_copy[] =
    "/* One step of a layer; returns its h. */\n"
    "static const float *@_layer(@_state *state, size_t layer, const float *x,\n"
    "                            size_t inputs, const float *weights)\n"
    "{\n"
    "    float *h = state->h + layer * @_size;\n"
    "    size_t unit;\n"
    "    @_cell(state, h, state->c + layer * @_hidden, x, inputs, weights);\n"
    "    for (unit = 0; unit < @_hidden; unit++)\n"
    "        h[unit] = state->next[unit];\n"
    "    return h;\n"
    "}\n"
    "\n";

const char code_project[] =
    "/* One step of a layer, with its projection; returns its h. */\n"
    "static const float *@_layer(@_state *state, size_t layer, const float *x,\n"
    "                            size_t inputs, const float *weights,\n"
    "                            const float *projection)\n"
    "{\n"
    "    float *h = state->h + layer * @_size;\n"
    "    size_t row, unit;\n"
    "    @_cell(state, h, state->c + layer * @_hidden, x, inputs, weights);\n"
    "    for (row = 0; row < @_size; row++) {\n"
    "        float sum = 0;\n"
    "        for (unit = 0; unit < @_hidden; unit++)\n"
    "            sum = @_fma(state->next[unit], *projection++, sum);\n"
    "        h[row] = sum;\n"
    "    }\n"
    "    return h;\n"
    "}\n"
    "\n";

const char code_linear[] =
    "/* The linear layer. For each output there is the bias, then the weights. */\n"
    "static void @_linear(const float *h, float *out)\n"
    "{\n"
    "    const float *weights = @_head;\n"
    "    size_t output, k;\n"
    "    for (output = 0; output < @_outputs; output++) {\n"
    "        float sum = *weights++;\n"
    "        for (k = 0; k < @_size; k++)\n"
    "            sum = @_fma(h[k], *weights++, sum);\n"
    "        out[output] = sum;\n"
    "    }\n"
    "}\n"
    "\n";

const char code_reset[] = "void @_reset(@_state *state)\n"
                          "{\n"
                          "    size_t i;\n"
                          "    for (i = 0; i < @_layers * @_size; i++)\n"
                          "        state->h[i] = 0;\n"
                          "    for (i = 0; i < @_layers * @_hidden; i++)\n"
                          "        state->c[i] = 0;\n"
                          "    state->begun = 0;\n"
                          "}\n"
                          "\n";

void code_print(const char *part, const char *name)
{
    for (; *part && !ferror(stdout); part++)
        if (*part == '@')
            fputs(name, stdout);
        else
            putchar(*part);
}

void code_write(const char *format, ...)
{
    va_list arguments;
    if (ferror(stdout))
        return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

void code_number(size_t i, float value)
{
    code_write("%s%af,", i % COLUMNS ? " " : "\n    ", (double)value);
}
