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
#define LSTM_RNG_STATE_SIZE 2512
typedef struct lstm_rng lstm_rng;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_rng_create(lstm_rng **out, uint64_t seed);
LSTM_API
void lstm_rng_destroy(lstm_rng **rng);
LSTM_API
uint64_t lstm_rng_next(lstm_rng *rng);
LSTM_API
lstm_status lstm_rng_uniform(lstm_rng *rng, lstm_tensor *tensor, float low, float high);
LSTM_API
lstm_status lstm_rng_normal(lstm_rng *rng, lstm_tensor *tensor, float mean, float std);
LSTM_API
lstm_status lstm_rng_permutation(lstm_rng *rng, int64_t *order, size_t count);
LSTM_API
lstm_status lstm_rng_get_state(const lstm_rng *rng, uint8_t *state);
LSTM_API
lstm_status lstm_rng_set_state(lstm_rng *rng, const uint8_t *state);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
