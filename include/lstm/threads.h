/**
 * @file
 * Threads and kernels: how the library uses the machine.
 *
 * All objects share one pool of threads. Results never depend on its size, nor on how
 * many threads of the caller use the library at once: every output element is one chain
 * of operations in a fixed order, and threads own outputs. In the reproducible mode
 * they do not depend on the processor either.
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

/** Largest number of threads that the pool can have. */
#define LSTM_MAX_THREADS 64

/**
 * Sets how many threads a call may use, the calling one included.
 *
 * Before the first call the number is LSTM_NUM_THREADS from the environment when that
 * is a number from 1 to 64, else the processors that this process may use (affinity
 * mask and cgroup quota). Threads are started when first needed; surplus ones end.
 *
 * @param threads 1 to LSTM_MAX_THREADS; 0 goes back to the default
 * @retval LSTM_OK the number holds for the calls that start from now on
 * @retval LSTM_INVALID_ARGUMENT threads is over LSTM_MAX_THREADS; nothing changed
 * @since 1.0
 */
LSTM_API
lstm_status lstm_set_threads(size_t threads);

/**
 * How many threads a call may use, the calling one included.
 *
 * @since 1.0
 */
LSTM_API
size_t lstm_threads(void);

/**
 * Name of the set of kernels in use: "avx512bf16", "avx512", "avx2", "neon" or
 * "generic".
 *
 * The best set that the processor and the operating system support is chosen when the
 * library is first used. The environment variable LSTM_CPU limits the choice: with
 * LSTM_CPU=avx2 nothing above AVX2 is used, with LSTM_CPU=generic only plain C.
 * "avx512bf16" is "avx512" with an instruction for products of bfloat16 numbers, which
 * the other sets compute with the same bits from float32 arithmetic.
 *
 * @return a string that lives as long as the library
 * @since 1.0
 */
LSTM_API
const char *lstm_kernels_name(void);

/**
 * Turns the reproducible mode on or off: the same bits on every processor.
 *
 * In this mode training and inference give the same bits with every set of kernels,
 * AVX-512, AVX2, NEON and plain C, whatever BLAS the library was built with. The vector
 * sets do so anyway: with them the mode changes nothing and costs nothing. Plain C
 * fuses multiply and add in software then and does not use OpenBLAS: a training step
 * takes 16 times as long, or hardly longer where the compiler has an instruction
 * that fuses.
 *
 * Before the first call the mode is on when LSTM_REPRODUCIBLE is 1 in the environment,
 * else off. It may be changed at any time and holds for the calls that start from now
 * on; a call that another thread is in at that moment may compute partly in each mode.
 *
 * @param reproducible whether to turn it on
 * @since 1.0
 */
LSTM_API
void lstm_set_reproducible(bool reproducible);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
