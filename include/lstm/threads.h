/**
 * @file
 * Threads and kernels.
 *
 * All objects share one pool of worker threads. Workers start when a call first needs
 * them, sleep when idle, and block all signals. Only one call at a time uses the pool.
 * A call that another thread makes at the same time runs on that thread alone.
 *
 * A thread that is cancelled inside a call that computes ends when the call has ended;
 * other threads go on. A thread MUST NOT leave a call in another way, for example by a
 * long jump out of a signal handler: the pool would stay with the abandoned call. Later
 * calls then run on their calling thread alone, and lstm_set_threads() waits forever. A
 * thread that is cancelled while it reads or writes a file leaves memory, and perhaps a
 * temporary file, behind.
 *
 * The library changes nothing in its process but the floating-point modes of its
 * workers. It starts no thread before a call needs it, and installs no signal handler.
 * Plain C loads OpenBLAS, which starts threads of its own, when a large product first
 * needs it.
 *
 * Results never depend on the number of threads: each output is computed by one thread,
 * in a fixed order. In the reproducible mode they do not depend on the processor
 * either.
 */
#ifndef LSTM_THREADS_H
#define LSTM_THREADS_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/export.h>
#include <lstm/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Maximum number of threads. */
#define LSTM_MAX_THREADS 64

/**
 * Sets the maximum number of threads of a call, including the calling thread.
 *
 * The default is the environment variable LSTM_NUM_THREADS if it is a number from 1 to
 * 64, else the number of processors that this process may use (affinity mask and cgroup
 * quota). The call ends workers that are no longer needed.
 *
 * @param threads 1 to LSTM_MAX_THREADS; 0 for the default
 * @retval LSTM_OK the number applies to calls that start from now on
 * @retval LSTM_INVALID_ARGUMENT threads is above LSTM_MAX_THREADS; nothing has changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_set_threads(size_t threads);

/**
 * Returns the maximum number of threads of a call, including the calling thread.
 *
 * @since 1.0
 */
LSTM_API
size_t lstm_threads(void);

/**
 * Returns the name of the kernels in use: "avx512bf16", "avx512", "avx2", "neon" or
 * "generic" (plain C).
 *
 * The first use of the library chooses the best kernels that it was built with and that
 * the processor and the operating system support. The environment variable LSTM_CPU
 * limits the choice: with LSTM_CPU=avx2 the library uses AVX2 or plain C, with
 * LSTM_CPU=generic plain C. "avx512bf16" is "avx512" with instructions for products of
 * bfloat16 and int8; the other kernels compute the same bits with other instructions.
 * On Intel's processors, where that for bfloat16 is slow, it is used, and named, only
 * with LSTM_CPU=avx512bf16.
 *
 * @return a string that is valid as long as the library
 * @since 1.0
 */
LSTM_API
const char *lstm_kernels_name(void);

/**
 * Turns the reproducible mode on or off: the same bits on every processor.
 *
 * In this mode training and inference give the same bits with all kernels (AVX-512,
 * AVX2, NEON and plain C) and with every BLAS. All kernels except plain C always do so:
 * the mode does not change their results. In this mode plain C emulates the fused
 * multiply-add, unless the processor has an instruction that the compiler may use, and
 * does not use OpenBLAS: a training step takes 16 times as long.
 *
 * The default is on if the environment variable LSTM_REPRODUCIBLE is 1, else off. The
 * mode can be changed at any time and applies to calls that start from now on. A call
 * that runs in another thread at that moment may compute partly in each mode.
 *
 * @param reproducible true to turn it on, false to turn it off
 * @since 1.0
 */
LSTM_API
void lstm_set_reproducible(bool reproducible);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
