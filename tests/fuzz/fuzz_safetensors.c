/* Model files: what opens is listed, and what can be read is read. A failure has one of
 * the documented statuses and a message of one line. */
#include <lstm/lstm.h>

#include "tests/fuzz/fuzz.h"

/* Most values of a tensor that is read, so that inputs take little time. */
enum { MOST_VALUES = 4096 };

static void check(lstm_status status)
{
    FUZZ_CHECK(status == LSTM_OK || status == LSTM_BAD_FILE ||
               status == LSTM_SHAPE_MISMATCH || status == LSTM_OUT_OF_MEMORY ||
               status == LSTM_INVALID_ARGUMENT || status == LSTM_UNSUPPORTED);
    if (status)
        fuzz_check_message(lstm_last_error());
}

static void read_tensor(lstm_file *file, const lstm_tensor_info *info)
{
    static const size_t scalar[] = {1};
    lstm_tensor *tensor;
    size_t count = 1;
    for (size_t i = 0; i < info->rank; i++)
        if (info->shape[i] == 0 || info->shape[i] > MOST_VALUES ||
            (count *= info->shape[i]) > MOST_VALUES)
            return;
    lstm_status status =
        lstm_tensor_create(&tensor, info->rank ? info->rank : 1,
                           info->rank ? info->shape : (const size_t *)scalar);
    check(status);
    if (status)
        return;
    check(lstm_file_read_tensor(file, info->name, tensor));
    lstm_tensor_destroy(&tensor);
}

static void read_tensors(lstm_file *file, size_t bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < lstm_file_tensor_count(file); i++) {
        lstm_tensor_info info;
        FUZZ_CHECK(lstm_file_tensor_info(file, i, &info) == LSTM_OK);
        sum += info.bytes;
        FUZZ_CHECK(sum <= bytes);
        read_tensor(file, &info);
    }
}

static void read_layers(lstm_file *file)
{
    lstm_layer_config config;
    const char *prefix;
    for (size_t i = 0; (prefix = lstm_file_layer_prefix(file, i)); i++) {
        lstm_layer *layer;
        lstm_linear *linear;
        lstm_status status = lstm_file_layer_config(file, prefix, &config);
        check(status);
        check(lstm_layer_read(&layer, file, prefix, NULL));
        FUZZ_CHECK(!layer || !status);
        lstm_layer_destroy(&layer);
        check(lstm_linear_read(&linear, file, prefix));
        lstm_linear_destroy(&linear);
    }
    check(lstm_file_layer_config(file, NULL, &config));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lstm_file *file;
    lstm_linear *linear;
    lstm_status status = lstm_file_open_bytes(&file, data, size);
    check(status);
    FUZZ_CHECK(!file == (status != LSTM_OK));
    if (!file)
        return 0;
    const char *key;
    for (size_t i = 0; (key = lstm_file_metadata_key(file, i)); i++)
        FUZZ_CHECK(lstm_file_metadata(file, key));
    read_tensors(file, size);
    read_layers(file);
    check(lstm_linear_read(&linear, file, "fc"));
    lstm_linear_destroy(&linear);
    lstm_file_destroy(&file);
    return 0;
}
