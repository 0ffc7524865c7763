#ifndef LSTM_FILE_H
#define LSTM_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/adam.h>
#include <lstm/export.h>
#include <lstm/layer.h>
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/rng.h>
#include <lstm/status.h>
#include <lstm/tensor.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef struct lstm_file lstm_file;
typedef struct lstm_tensor_info {
    const char *name;
    const char *dtype;
    size_t rank;
    const size_t *shape;
    uint64_t bytes;
    uint64_t reserved[8];
} lstm_tensor_info;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_open(lstm_file **out, const char *path);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_open_bytes(lstm_file **out, const void *bytes, size_t size);
LSTM_API
void lstm_file_destroy(lstm_file **file);
LSTM_API
size_t lstm_file_tensor_count(const lstm_file *file);
LSTM_API
lstm_status lstm_file_tensor_info(const lstm_file *file, size_t index,
                                  lstm_tensor_info *info);
LSTM_API
const char *lstm_file_metadata_key(const lstm_file *file, size_t index);
LSTM_API
const char *lstm_file_metadata(const lstm_file *file, const char *key);
LSTM_API
const char *lstm_file_layer_prefix(const lstm_file *file, size_t index);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_layer_config(lstm_file *file, const char *prefix,
                                   lstm_layer_config *config);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_file_read_tensor(lstm_file *file, const char *name, lstm_tensor *to);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_load(lstm_layer **out, const char *path, const char *prefix,
                            lstm_rng *rng);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_layer_read(lstm_layer **out, lstm_file *file, const char *prefix,
                            lstm_rng *rng);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_load(lstm_linear **out, const char *path, const char *prefix);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_linear_read(lstm_linear **out, lstm_file *file, const char *prefix);
typedef struct lstm_file_options {
    const char *const *rename;
    size_t rename_count;
    bool allow_surplus;
    lstm_adam *adam;
    lstm_rng *rng;
    const char *const *metadata;
    size_t metadata_count;
    size_t *converted;
    uint64_t reserved[8];
} lstm_file_options;
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_save(const lstm_params *params, const char *path,
                             const lstm_file_options *options);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_load(lstm_params *params, const char *path,
                             const lstm_file_options *options);
LSTM_API
LSTM_NODISCARD
lstm_status lstm_params_read(lstm_params *params, lstm_file *file,
                             const lstm_file_options *options);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
