/**
 * @file
 * Random numbers with PyTorch's streams.
 *
 * mt19937 (Matsumoto and Nishimura, 1998) read the way PyTorch's CPU generator is read,
 * so that a seed gives PyTorch's initial weights, dropout masks and sample order, bit
 * for bit. There is no global generator: everything random takes a handle.
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

/** Number of bytes that lstm_rng_get_state() writes. */
#define LSTM_RNG_STATE_SIZE 2504

/** A random generator. */
typedef struct lstm_rng lstm_rng;

/**
 * Creates a generator, as torch.manual_seed(seed) leaves PyTorch's.
 *
 * @param[out] out the generator, freed with lstm_rng_destroy(); NULL on failure
 * @param seed any value; its low 32 bits count, as in PyTorch
 * @retval LSTM_OK created
 * @retval LSTM_INVALID_ARGUMENT out is NULL
 * @retval LSTM_OUT_OF_MEMORY no memory
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
 * What torch.empty((), dtype=torch.int64).random_() draws; the seed of a data loader's
 * epoch is one of these.
 *
 * @param rng a generator; NULL gives 0
 * @since 1.0
 */
LSTM_API
uint64_t lstm_rng_next(lstm_rng *rng);

/**
 * Fills a tensor with numbers uniform in [low, high), as Tensor.uniform_() does.
 *
 * One word of the generator per element, in row-major order of the tensor:
 * x = (word mod 2^24) / 2^24, then fma(x, high - low, low) in float32, whose rounding
 * can reach high.
 *
 * @param rng a generator
 * @param[out] tensor any shape
 * @param low finite, at most high
 * @param high finite
 * @retval LSTM_OK filled
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the range is not finite or high
 *         is below low; nothing was drawn
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_uniform(lstm_rng *rng, lstm_tensor *tensor, float low, float high);

/**
 * Draws a permutation of 0 to count - 1, as torch.randperm(count) does.
 *
 * @param rng a generator
 * @param[out] order [count]
 * @param count below (2^32 - 1) / 20 = 214,748,364, where PyTorch takes another way
 * @retval LSTM_OK drawn
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL or count is too large; nothing was
 * drawn
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_permutation(lstm_rng *rng, int64_t *order, size_t count);

/**
 * Writes the state of a generator, to go on from it later.
 *
 * @param rng a generator
 * @param[out] state [LSTM_RNG_STATE_SIZE] bytes, the same on every machine
 * @retval LSTM_OK written
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
 * @retval LSTM_OK set
 * @retval LSTM_INVALID_ARGUMENT a pointer is NULL, or the bytes are no state of a
 *         generator; the generator is as it was
 * @since 1.0
 */
LSTM_API
lstm_status lstm_rng_set_state(lstm_rng *rng, const uint8_t *state);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
