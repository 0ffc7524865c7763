/**
 * @file
 * Random numbers: the streams of PyTorch's CPU generator.
 *
 * The generator is mt19937 (Matsumoto and Nishimura, 1998), used as PyTorch uses it on
 * the CPU: a seed gives PyTorch's initial weights, dropout masks and sample order, bit
 * for bit. There is no global generator; calls that draw numbers take a handle.
 */
#ifndef LSTM_RNG_H
#define LSTM_RNG_H

#include <stddef.h>
#include <stdint.h>

#include <lstm/export.h>
#include <lstm/status.h>
#include <lstm/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** Size in bytes of the state of a generator. */
#define LSTM_RNG_STATE_SIZE 2512

/** A random generator. */
typedef struct lstm_rng lstm_rng;

/**
 * Creates a generator in the state after torch.manual_seed(seed).
 *
 * @param[out] out the generator, freed with lstm_rng_destroy(); NULL on failure
 * @param seed any value; only its low 32 bits are used, as in PyTorch
 * @retval LSTM_OK the generator was created
 * @retval LSTM_INVALID_ARGUMENT out is NULL
 * @retval LSTM_OUT_OF_MEMORY not enough memory
 * @since 1.0
 */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_rng_create(lstm_rng **out, uint64_t seed);

/**
 * Frees a generator and writes NULL to the handle.
 *
 * @param rng address of the handle; NULL, or the address of NULL, does nothing
 * @since 1.0
 */
LSTM_API
void lstm_rng_destroy(lstm_rng **rng);

/**
 * Draws 64 bits: two words of the generator, the first in the high half.
 *
 * torch.empty((), dtype=torch.int64).random_() draws the same bits. Data loaders use
 * such a number as the seed of an epoch.
 *
 * @param rng a generator
 * @return 64 random bits; 0 for NULL
 * @since 1.0
 */
LSTM_API
uint64_t lstm_rng_next(lstm_rng *rng);

/**
 * Fills a tensor with numbers uniform in [low, high), as Tensor.uniform_() does.
 *
 * Each element uses one word of the generator, in row-major order of the tensor. Its
 * value is fma(x, high - low, low) in float32 with x = (word mod 2^24) / 2^24. This can
 * round up to high.
 *
 * @param rng a generator
 * @param[out] tensor any shape
 * @param low finite, at most high
 * @param high finite
 * @retval LSTM_OK the tensor was filled
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, the range is not finite, or high is
 *         below low; nothing was drawn
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_uniform(lstm_rng *rng, lstm_tensor *tensor, float low, float high);

/**
 * Fills a tensor with normally distributed numbers, as Tensor.normal_() does.
 *
 * The method is that of Box and Muller. For 16 elements or more it computes in float32:
 * two words of the generator give two numbers, and a size that is not a multiple of 16
 * draws 16 more numbers. For a smaller tensor it computes in double: four words give
 * two numbers, and the generator keeps the second one for the next call. A number
 * differs from PyTorch's (on CPUs with AVX2) by at most 4e-7 of its deviation from the
 * mean, plus one rounding. The state of the generator is the same afterwards. For a
 * tensor with strides PyTorch draws in another order; here strides make no difference.
 *
 * @param rng a generator
 * @param[out] tensor any shape
 * @param mean finite
 * @param std standard deviation, finite, at least 0
 * @retval LSTM_OK the tensor was filled
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, mean or std is not finite, or std is
 *         below 0; nothing was drawn
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_normal(lstm_rng *rng, lstm_tensor *tensor, float mean, float std);

/**
 * Draws a permutation of 0 to count - 1, as torch.randperm(count) does.
 *
 * @param rng a generator
 * @param[out] order [count]
 * @param count below (2^32 - 1) / 20 = 214,748,364; for larger counts PyTorch uses
 *        another algorithm
 * @retval LSTM_OK order was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL or count is too large; nothing was
 *         drawn
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_permutation(lstm_rng *rng, int64_t *order, size_t count);

/**
 * Writes the state of a generator, to continue from it later.
 *
 * @param rng a generator
 * @param[out] state [LSTM_RNG_STATE_SIZE] bytes, in the same format on all machines
 * @retval LSTM_OK state was written
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_get_state(const lstm_rng *rng, uint8_t *state);

/**
 * Sets a generator to a state that lstm_rng_get_state() wrote.
 *
 * @param rng a generator
 * @param state [LSTM_RNG_STATE_SIZE] bytes
 * @retval LSTM_OK the state was set
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the bytes are not a valid state;
 *         the generator is unchanged
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_set_state(lstm_rng *rng, const uint8_t *state);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
