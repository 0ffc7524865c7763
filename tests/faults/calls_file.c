/* Files of liblstm, and libmnist. */
#include "tests/faults/calls.h"

#define MUST(call) assert_int_equal(call, 0)

static uint64_t length(const char *string)
{
    return string ? strlen(string) : 0;
}

/* A training in progress. */
static lstm_file_options training(world *w)
{
    return (lstm_file_options){.adam = w->adam, .rng = w->rng};
}

STATUS(lstm_file_open, lstm_file_open(&w->new_file, test_path("model")))
STATUS(lstm_file_open_bytes, lstm_file_open_bytes(&w->new_file, w->bytes, w->size))
VOID(lstm_file_destroy, lstm_file_destroy(&w->new_file))
VALUE(lstm_file_tensor_count, lstm_file_tensor_count(w->file))
VALUE(lstm_file_metadata_key, length(lstm_file_metadata_key(w->file, 0)))
VALUE(lstm_file_metadata, length(lstm_file_metadata(w->file, "note")))
VALUE(lstm_file_layer_prefix, length(lstm_file_layer_prefix(w->file, 0)))
STATUS(lstm_file_read_tensor, lstm_file_read_tensor(w->file, "fc.weight", w->weight))
STATUS(lstm_layer_load,
       lstm_layer_load(&w->new_layer, test_path("model"), NULL, w->rng))
STATUS(lstm_layer_read, lstm_layer_read(&w->new_layer, w->file, "lstm", w->rng))
STATUS(lstm_linear_load, lstm_linear_load(&w->new_linear, test_path("model"), "fc"))
STATUS(lstm_linear_read, lstm_linear_read(&w->new_linear, w->file, "fc"))

static int call_lstm_file_tensor_info(world *w)
{
    lstm_tensor_info info;
    int status = (int)lstm_file_tensor_info(w->file, 1, &info);
    w->result = info.bytes;
    return status;
}

static int call_lstm_file_layer_config(world *w)
{
    lstm_layer_config config = {0};
    int status = (int)lstm_file_layer_config(w->file, NULL, &config);
    w->result = config.hidden + (uint64_t)(config.dropout * 1e6);
    return status;
}

static int call_lstm_params_save(world *w)
{
    static const char *const pairs[] = {"lstm.", "a.rnn.", "key", "value"};
    lstm_file_options options = training(w);
    options.rename = pairs;
    options.rename_count = 1;
    options.metadata = pairs + 2;
    options.metadata_count = 1;
    return (int)lstm_params_save(w->params, test_path("model"), &options);
}

static int call_lstm_params_load(world *w)
{
    lstm_file_options options = training(w);
    return (int)lstm_params_load(w->params, test_path("model"), &options);
}

static int call_lstm_params_read(world *w)
{
    lstm_file_options options = training(w);
    return (int)lstm_params_read(w->params, w->file, &options);
}

static void have_file(world *w)
{
    MUST(call_lstm_file_open(w));
}

const world_call world_file_calls[] = {
    NEW(lstm_file_open, new_file),
    NEW(lstm_file_open_bytes, new_file),
    AFTER(lstm_file_destroy, have_file),
    CALL(lstm_file_tensor_count),
    CALL(lstm_file_tensor_info),
    CALL(lstm_file_metadata_key),
    CALL(lstm_file_metadata),
    CALL(lstm_file_layer_prefix),
    CALL(lstm_file_layer_config),
    CALL(lstm_file_read_tensor),
    NEW(lstm_layer_load, new_layer),
    NEW(lstm_layer_read, new_layer),
    NEW(lstm_linear_load, new_linear),
    NEW(lstm_linear_read, new_linear),
    AFTER(lstm_params_save, world_train),
    AFTER(lstm_params_load, world_train),
    AFTER(lstm_params_read, world_train),
};
const size_t world_file_count = sizeof(world_file_calls) / sizeof(world_file_calls[0]);
