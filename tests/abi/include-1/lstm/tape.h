#ifndef LSTM_TAPE_H
#define LSTM_TAPE_H
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
LSTM_API
LSTM_NODISCARD
lstm_status lstm_tape_create(lstm_tape **out, lstm_layer *layer, lstm_rng *rng);
LSTM_API
void lstm_tape_destroy(lstm_tape **tape);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
