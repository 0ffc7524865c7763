/*
 * Chooses the set of kernels: the best that the processor has, that the operating
 * system saves the registers of (which __builtin_cpu_supports() looks at through
 * XGETBV), and that LSTM_CPU allows. In the reproducible mode plain C has its exact
 * form, which reads the same panels, so the mode may change between any two calls.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "lib/lstm/kernels/kernels.h"

extern const lstm_kernels lstm_kernels_generic;
extern const lstm_kernels lstm_kernels_exact;
extern const lstm_kernels lstm_kernels_avx2;
extern const lstm_kernels lstm_kernels_avx512;
extern const lstm_kernels lstm_kernels_neon;
extern const lstm_kernels lstm_bf16_kernels_exact;
extern const lstm_kernels lstm_bf16_kernels_avx2;
extern const lstm_kernels lstm_bf16_kernels_avx512;
extern const lstm_kernels lstm_bf16_kernels_avx512bf16;
extern const lstm_kernels lstm_bf16_kernels_neon;

#if LSTM_KERNELS_X86
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static int has_avx512bf16(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

#if LSTM_KERNELS_NEON
static int has_neon(void)
{
    return 1;
}
#endif

static int has_generic(void)
{
    return 1;
}

/* Best first. AVX512_BF16 has an instruction for pairs, and nothing else of its own. */
static const struct {
    const char *name;
    const lstm_kernels *kernels, *bf16;
    int (*available)(void);
} sets[] = {
#if LSTM_KERNELS_X86
    {"avx512bf16", &lstm_kernels_avx512, &lstm_bf16_kernels_avx512bf16, has_avx512bf16},
    {"avx512", &lstm_kernels_avx512, &lstm_bf16_kernels_avx512, has_avx512},
    {"avx2", &lstm_kernels_avx2, &lstm_bf16_kernels_avx2, has_avx2},
#endif
#if LSTM_KERNELS_NEON
    {"neon", &lstm_kernels_neon, &lstm_bf16_kernels_neon, has_neon},
#endif
    {"generic", &lstm_kernels_generic, &lstm_bf16_kernels_exact, has_generic},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const lstm_kernels *_Atomic chosen;
static const lstm_kernels *bf16;

/* A name that LSTM_CPU has and that is no set's own limits nothing. */
static size_t first_allowed(void)
{
    const char *limit = getenv("LSTM_CPU");
    for (size_t i = 0; limit && i < sizeof(sets) / sizeof(sets[0]); i++)
        if (strcmp(limit, sets[i].name) == 0)
            return i;
    return 0;
}

/* The set in its plain or its exact form. */
static const lstm_kernels *form(const lstm_kernels *set, bool reproducible)
{
    if (set != &lstm_kernels_generic && set != &lstm_kernels_exact)
        return set;
    return reproducible ? &lstm_kernels_exact : &lstm_kernels_generic;
}

static void choose(void)
{
    size_t i = first_allowed();
    while (!sets[i].available())
        i++;
    const char *text = getenv("LSTM_REPRODUCIBLE");
    atomic_store(&chosen, form(sets[i].kernels, text && strcmp(text, "1") == 0));
    bf16 = sets[i].bf16;
}

const lstm_kernels *lstm_kernels_get(void)
{
    pthread_once(&once, choose);
    return atomic_load_explicit(&chosen, memory_order_relaxed);
}

void lstm_set_reproducible(bool reproducible)
{
    atomic_store(&chosen, form(lstm_kernels_get(), reproducible));
}

const lstm_kernels *lstm_bf16_kernels_get(void)
{
    pthread_once(&once, choose);
    return bf16;
}

const char *lstm_kernels_name(void)
{
    return lstm_bf16_kernels_get()->name;
}
