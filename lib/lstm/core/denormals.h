/**
 * @file
 * The floating-point mode of a thread: denormal numbers on or off.
 *
 * States and gradients that decay become denormal numbers. Many processors compute a
 * hundred times slower with them. When they are off, values below 2^-126 are zeros. The
 * mode belongs to the caller's thread, so each call restores it.
 */
#ifndef LSTM_CORE_DENORMALS_H
#define LSTM_CORE_DENORMALS_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* Results are flushed to zero, and on x86 operands are taken for zeros. Writing the
 * mode costs as much as some 30 multiply-adds, so it is written only if it changes. */
#if defined(__x86_64__)
static const uint64_t lstm_denormals_bits = 1u << 15 | 1u << 6;
#elif defined(__aarch64__)
static const uint64_t lstm_denormals_bits = (uint64_t)1 << 24;
#endif

/** The mode of this thread: denormal numbers and rounding. */
static inline uint64_t lstm_float_mode(void)
{
#if defined(__x86_64__)
    return _mm_getcsr();
#elif defined(__aarch64__)
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
#else
    return 0;
#endif
}

/** Turns denormal numbers off; returns the previous mode. */
static inline uint64_t lstm_denormals_off(void)
{
    uint64_t mode = lstm_float_mode();
#if defined(__x86_64__)
    if ((mode & lstm_denormals_bits) != lstm_denormals_bits)
        _mm_setcsr((unsigned)(mode | lstm_denormals_bits));
#elif defined(__aarch64__)
    if ((mode & lstm_denormals_bits) != lstm_denormals_bits)
        __asm__ volatile("msr fpcr, %0" ::"r"(mode | lstm_denormals_bits));
#endif
    return mode;
}

/** Restores a mode. */
static inline void lstm_denormals_restore(uint64_t mode)
{
#if defined(__x86_64__)
    if (mode != lstm_float_mode())
        _mm_setcsr((unsigned)mode);
#elif defined(__aarch64__)
    if (mode != lstm_float_mode())
        __asm__ volatile("msr fpcr, %0" ::"r"(mode));
#else
    (void)mode;
#endif
}

#endif
