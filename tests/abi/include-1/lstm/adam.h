#ifndef LSTM_ADAM_H
#define LSTM_ADAM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/params.h>
#include <lstm/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_adam_config {
    double lr;
    double beta1;
    double beta2;
    double eps;
    double weight_decay;
    bool decoupled;
    bool amsgrad;
    bool maximize;
    bool check_finite;
    uint64_t reserved[8];
} lstm_adam_config;
typedef struct lstm_adam lstm_adam;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_adam_create(lstm_adam **out, lstm_params *params,
                             const lstm_adam_config *config);
LSTM_API
void lstm_adam_destroy(lstm_adam **adam);
LSTM_API
lstm_status lstm_adam_step(lstm_adam *adam);
LSTM_API
lstm_status lstm_adam_set_lr(lstm_adam *adam, double lr);
LSTM_API
lstm_status lstm_adam_set_parameter(lstm_adam *adam, size_t index, double lr_factor,
                                    double weight_decay);
LSTM_API
double lstm_adam_lr(const lstm_adam *adam);
LSTM_API
uint64_t lstm_adam_steps(const lstm_adam *adam);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
