#ifndef LSTM_LAYER_H
#define LSTM_LAYER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum lstm_precision {
    LSTM_FLOAT32 = 0,
    LSTM_BFLOAT16 = 1,
    LSTM_INT8 = 2
} lstm_precision;
typedef struct lstm_layer_config {
    size_t inputs;
    size_t hidden;
    size_t layers;
    size_t proj_size;
    double dropout;
    bool no_bias;
    bool batch_first;
    bool bidirectional;
    lstm_precision precision;
    uint64_t reserved[8];
} lstm_layer_config;
typedef struct lstm_layer lstm_layer;
typedef struct lstm_tape lstm_tape;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_create(lstm_layer **out, const lstm_layer_config *config,
                              lstm_rng *rng);
LSTM_API
void lstm_layer_destroy(lstm_layer **layer);
LSTM_API
const lstm_layer_config *lstm_layer_get_config(const lstm_layer *layer);
LSTM_API
size_t lstm_layer_output_size(const lstm_layer *layer);
LSTM_API
lstm_status lstm_layer_set_training(lstm_layer *layer, bool training);
LSTM_API
lstm_status lstm_layer_pack(lstm_layer *layer);
LSTM_API
lstm_status lstm_layer_forward(lstm_layer *layer, lstm_tape *tape, const lstm_tensor *x,
                               const size_t *lengths, const lstm_tensor *h0,
                               const lstm_tensor *c0, lstm_tensor *out, lstm_tensor *hn,
                               lstm_tensor *cn);
LSTM_API
lstm_status lstm_layer_backward(lstm_layer *layer, lstm_tape *tape,
                                const lstm_tensor *dout, const lstm_tensor *dhn,
                                const lstm_tensor *dcn, lstm_tensor *dx,
                                lstm_tensor *dh0, lstm_tensor *dc0);
LSTM_API
lstm_status lstm_layer_gates(const lstm_layer *layer, const lstm_tape *tape,
                             size_t index, size_t direction, lstm_tensor *gates);
LSTM_API
size_t lstm_layer_workspace_size(const lstm_layer *layer, bool training, size_t batch,
                                 size_t steps);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_set_workspace(lstm_layer *layer, lstm_tape *tape, void *memory,
                                     size_t size);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
