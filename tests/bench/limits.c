/*
 * The limits of the machine.
 *
 * Peak: twelve independent chains of multiply-adds in registers, more than the eight
 * that a latency of four cycles and two instructions per cycle require. Bandwidth:
 * loads of whole cache lines whose results are not used.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <lstm/threads.h>

#include "tests/bench/limits.h"

enum { CHAINS = 12, L1_BYTES = 16 << 10, L2_BYTES = LIMIT_BYTES };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Defines a peak loop with vectors of the given type; step(a, x, y) is a x + y. */
#define PEAK(name, flags, vector, splat, step, reg)                                    \
    flags static void name(size_t rounds, const float *memory)                         \
    {                                                                                  \
        (void)memory;                                                                  \
        vector acc[CHAINS], x = splat(1.0001f), y = splat(1e-9f);                      \
        UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = splat((float)i);              \
        for (size_t round = 0; round < rounds; round++) {                              \
            UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = step(acc[i], x, y);       \
            __asm__ volatile("" ::: "memory");                                         \
        }                                                                              \
        UNROLL for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : reg(acc[i]));  \
    }

/* Defines a loop that loads all of a buffer, eight vectors at a time. */
#define READ(name, flags, vector, load, bytes, reg)                                    \
    flags static void name(size_t rounds, const float *memory)                         \
    {                                                                                  \
        for (size_t round = 0; round < rounds; round++)                                \
            for (size_t at = 0; at < (bytes) / sizeof(float);                          \
                 at += 8 * sizeof(vector) / sizeof(float)) {                           \
                UNROLL for (size_t i = 0; i < 8; i++)                                  \
                {                                                                      \
                    vector x = load(memory + at + i * sizeof(vector) / sizeof(float)); \
                    __asm__ volatile("" : : reg(x));                                   \
                }                                                                      \
            }                                                                          \
    }

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
#include <immintrin.h>

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool only_avx2(void)
{
    return has_avx2() && !has_avx512();
}

static bool only_sse(void)
{
    return !has_avx2();
}

static bool has_bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

#define AVX512 __attribute__((target("avx512f")))
#define BF16   __attribute__((target("avx512f,avx512bf16")))
#define AVX2   __attribute__((target("avx2,fma")))
#define SSE

#define BF16_SPLAT(x)         _mm512_set1_ps(x)
#define BF16_STEP(acc, x, y)  _mm512_dpbf16_ps(acc, (__m512bh)(x), (__m512bh)(y))
#define PLAIN_STEP(acc, x, y) _mm_add_ps(_mm_mul_ps(acc, x), y)

PEAK(fma_512, AVX512, __m512, _mm512_set1_ps, _mm512_fmadd_ps, "v")
PEAK(fma_256, AVX2, __m256, _mm256_set1_ps, _mm256_fmadd_ps, "x")
PEAK(plain_128, SSE, __m128, _mm_set1_ps, PLAIN_STEP, "x")
PEAK(bf16_512, BF16, __m512, BF16_SPLAT, BF16_STEP, "v")
READ(read_l1_512, AVX512, __m512, _mm512_load_ps, L1_BYTES, "v")
READ(read_l2_512, AVX512, __m512, _mm512_load_ps, L2_BYTES, "v")
READ(read_l1_256, AVX2, __m256, _mm256_load_ps, L1_BYTES, "x")
READ(read_l2_256, AVX2, __m256, _mm256_load_ps, L2_BYTES, "x")
READ(read_l1_128, SSE, __m128, _mm_load_ps, L1_BYTES, "x")
READ(read_l2_128, SSE, __m128, _mm_load_ps, L2_BYTES, "x")

const limit limits[] = {
    {"fp32 512 bit fma", "GFLOP/s", has_avx512, fma_512, CHAINS * 16 * 2, 0},
    {"fp32 256 bit fma", "GFLOP/s", has_avx2, fma_256, CHAINS * 8 * 2, 0},
    {"fp32 128 bit mul, add", "GFLOP/s", always, plain_128, CHAINS * 4 * 2, 0},
    {"bf16 512 bit dp", "GFLOP/s", has_bf16, bf16_512, CHAINS * 32 * 2, 0},
    {"read L1", "GB/s", has_avx512, read_l1_512, L1_BYTES, L1_BYTES},
    {"read L2", "GB/s", has_avx512, read_l2_512, L2_BYTES, L2_BYTES},
    {"read L1", "GB/s", only_avx2, read_l1_256, L1_BYTES, L1_BYTES},
    {"read L2", "GB/s", only_avx2, read_l2_256, L2_BYTES, L2_BYTES},
    {"read L1", "GB/s", only_sse, read_l1_128, L1_BYTES, L1_BYTES},
    {"read L2", "GB/s", only_sse, read_l2_128, L2_BYTES, L2_BYTES},
    {0},
};

const limit *limit_of_kernels(const char *name, bool bf16)
{
    if (strcmp(name, "avx512bf16") == 0)
        return &limits[bf16 ? 3 : 0];
    if (strcmp(name, "avx512") == 0)
        return &limits[0];
    return strcmp(name, "avx2") == 0 ? &limits[1] : &limits[2];
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define NEON
#define FMA_STEP(acc, x, y) vfmaq_f32(y, acc, x)

PEAK(fma_128, NEON, float32x4_t, vdupq_n_f32, FMA_STEP, "w")
READ(read_l1, NEON, float32x4_t, vld1q_f32, L1_BYTES, "w")
READ(read_l2, NEON, float32x4_t, vld1q_f32, L2_BYTES, "w")

const limit limits[] = {
    {"fp32 128 bit fma", "GFLOP/s", always, fma_128, CHAINS * 4 * 2, 0},
    {"read L1", "GB/s", always, read_l1, L1_BYTES, L1_BYTES},
    {"read L2", "GB/s", always, read_l2, L2_BYTES, L2_BYTES},
    {0},
};

const limit *limit_of_kernels(const char *name, bool bf16)
{
    (void)name;
    (void)bf16;
    return &limits[0];
}

#else

#define SPLAT(x)              (x)
#define PLAIN_STEP(acc, x, y) ((acc) * (x) + (y))
#define LOAD(p)               (*(p))

PEAK(plain, , float, SPLAT, PLAIN_STEP, "r")
READ(read_l1, , float, LOAD, L1_BYTES, "r")
READ(read_l2, , float, LOAD, L2_BYTES, "r")

const limit limits[] = {
    {"fp32 mul, add", "GFLOP/s", always, plain, CHAINS * 2, 0},
    {"read L1", "GB/s", always, read_l1, L1_BYTES, L1_BYTES},
    {"read L2", "GB/s", always, read_l2, L2_BYTES, L2_BYTES},
    {0},
};

const limit *limit_of_kernels(const char *name, bool bf16)
{
    (void)name;
    (void)bf16;
    return &limits[0];
}

#endif

const char *machine_name(void)
{
    static char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "model name", 10) == 0)
            break;
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = '\0';
    char *name = strstr(line, ": ");
    return strncmp(line, "model name", 10) == 0 && name ? name + 2 : "unknown";
}

size_t machine_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set))
        return 1;
    size_t count = (size_t)CPU_COUNT(&set);
    return count < LSTM_MAX_THREADS ? count : LSTM_MAX_THREADS;
}
