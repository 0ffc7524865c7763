/*
 * Chooses the best set of kernels that the build has, that the processor and the
 * operating system support, and that LSTM_CPU allows. __builtin_cpu_supports() checks
 * with XGETBV that the operating system saves the registers. In the reproducible mode
 * the exact form of plain C replaces plain C. It reads the same panels, so the mode may
 * change between any two calls.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "lib/lstm/kernels/kernels.h"

extern const lstm_kernels lstm_kernels_generic;
extern const lstm_kernels lstm_kernels_exact;
extern const lstm_kernels lstm_bf16_kernels_exact;
extern const lstm_kernels lstm_int8_kernels_exact;

static int always(void)
{
    return 1;
}

/* A set: its name, whether the processor supports it, and its tables of float32,
 * bfloat16 and int8. */
typedef struct {
    const char *name;
    int (*available)(void);
    const lstm_kernels *kernels, *bf16, *int8;
} kernel_set;

#if LSTM_KERNELS_AVX2
extern const lstm_kernels lstm_kernels_avx2;
extern const lstm_kernels lstm_bf16_kernels_avx2;
extern const lstm_kernels lstm_int8_kernels_avx2;
#define AVX2 &lstm_kernels_avx2, &lstm_bf16_kernels_avx2, &lstm_int8_kernels_avx2
#else
#define AVX2 NULL, NULL, NULL
#endif

#if LSTM_KERNELS_AVX512
extern const lstm_kernels lstm_kernels_avx512;
extern const lstm_kernels lstm_bf16_kernels_avx512;
extern const lstm_kernels lstm_int8_kernels_avx512;
#define AVX512                                                                         \
    &lstm_kernels_avx512, &lstm_bf16_kernels_avx512, &lstm_int8_kernels_avx512
#else
#define AVX512 NULL, NULL, NULL
#endif

#if LSTM_KERNELS_AVX512BF16
extern const lstm_kernels lstm_bf16_kernels_avx512bf16;
extern const lstm_kernels lstm_int8_kernels_avx512bf16;
#define AVX512BF16                                                                     \
    &lstm_kernels_avx512, &lstm_bf16_kernels_avx512bf16, &lstm_int8_kernels_avx512bf16
#else
#define AVX512BF16 NULL, NULL, NULL
#endif

#if LSTM_KERNELS_NEON
extern const lstm_kernels lstm_kernels_neon;
extern const lstm_kernels lstm_bf16_kernels_neon;
extern const lstm_kernels lstm_int8_kernels_neon;
#define NEON &lstm_kernels_neon, &lstm_bf16_kernels_neon, &lstm_int8_kernels_neon
#else
#define NEON NULL, NULL, NULL
#endif

#if defined(__x86_64__)
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static int has_avx512bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16") &&
           __builtin_cpu_supports("avx512vnni");
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

/* The sets of this architecture, best first; NULL for tables that the build does not
 * have. AVX512_BF16 and the AVX512_VNNI of the same processors add an instruction for
 * pairs and one for quads to AVX-512, and nothing else. */
static const kernel_set sets[] = {
#if defined(__x86_64__)
    {"avx512bf16", has_avx512bf16, AVX512BF16},
    {"avx512", has_avx512, AVX512},
    {"avx2", has_avx2, AVX2},
#elif defined(__aarch64__)
    {"neon", always, NEON},
#endif
    {"generic", always, &lstm_kernels_generic, &lstm_bf16_kernels_exact,
     &lstm_int8_kernels_exact},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const lstm_kernels *_Atomic chosen;
static const lstm_kernels *bf16, *int8;

/* Index of the best set that LSTM_CPU allows. An unknown name is ignored. */
static size_t first_allowed(void)
{
    const char *limit = getenv("LSTM_CPU");
    for (size_t i = 0; limit && i < sizeof(sets) / sizeof(sets[0]); i++)
        if (strcmp(limit, sets[i].name) == 0)
            return i;
    return 0;
}

/* Whether the processor takes longer for the instruction of AVX512_BF16 than for what
 * it replaces. Intel's Sapphire Rapids starts one in 2 cycles, and 4 multiply-adds: a
 * training step of the experiment takes 1.2 times as long. */
static bool is_slow_with_pairs(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_is("intel");
#else
    return false;
#endif
}

/* The form of a set in this mode. Only plain C has two forms. */
static const lstm_kernels *form(const lstm_kernels *set, bool reproducible)
{
    if (set != &lstm_kernels_generic && set != &lstm_kernels_exact)
        return set;
    return reproducible ? &lstm_kernels_exact : &lstm_kernels_generic;
}

/* The table of bfloat16 of a set. LSTM_CPU can ask for one that is slow. */
static const lstm_kernels *bf16_of(size_t i)
{
    bool adds = i + 1 < sizeof(sets) / sizeof(sets[0]) &&
                sets[i].kernels == sets[i + 1].kernels;
    return adds && !getenv("LSTM_CPU") && is_slow_with_pairs() ? sets[i + 1].bf16
                                                               : sets[i].bf16;
}

static void choose(void)
{
    size_t i = first_allowed();
    while (!sets[i].kernels || !sets[i].available())
        i++;
    const char *text = getenv("LSTM_REPRODUCIBLE");
    bf16 = bf16_of(i);
    int8 = sets[i].int8;
    atomic_store(&chosen, form(sets[i].kernels, text && strcmp(text, "1") == 0));
}

/* Without a call of another library once a set is chosen: a step of a small stream
 * takes 60 ns. */
const lstm_kernels *lstm_kernels_get(void)
{
    const lstm_kernels *found = atomic_load_explicit(&chosen, memory_order_acquire);
    if (found)
        return found;
    pthread_once(&once, choose);
    return atomic_load_explicit(&chosen, memory_order_relaxed);
}

void lstm_set_reproducible(bool reproducible)
{
    atomic_store(&chosen, form(lstm_kernels_get(), reproducible));
}

const lstm_kernels *lstm_bf16_kernels_get(void)
{
    lstm_kernels_get();
    return bf16;
}

const lstm_kernels *lstm_int8_kernels_get(void)
{
    lstm_kernels_get();
    return int8;
}

const char *lstm_kernels_name(void)
{
    return lstm_bf16_kernels_get()->name;
}
