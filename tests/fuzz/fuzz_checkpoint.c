/*
 * The metadata of a checkpoint: a valid file with the texts of the input. After a
 * failure nothing has changed. After a success the state that is saved is the state
 * that was read.
 *
 * Input: five texts with a byte 0 between them, for lstm.adam, lstm.adam.fc.weight,
 * lstm.rng, lstm.layer.lstm, lstm.crc32.fc.weight. The key of an empty text is missing.
 * The text of the generator is completed with zeros in front, so that inputs are short.
 */
#include <lstm/lstm.h>

#include "tests/fuzz/model_text.h"

enum {
    INPUTS = 1,
    HIDDEN = 1,
    GATES = 4,
    KEYS = 5,
    RNG = 2,
    /* Digits of the state of a generator. */
    RNG_TEXT = 5024,
};

typedef struct network {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_params *params;
    lstm_adam *adam;
} network;

static network create(void)
{
    network n;
    const lstm_layer_config layer = {.inputs = INPUTS, .hidden = HIDDEN};
    const lstm_linear_config linear = {.inputs = HIDDEN, .outputs = 1};
    FUZZ_CHECK(lstm_rng_create(&n.rng, 1) == LSTM_OK);
    FUZZ_CHECK(lstm_layer_create(&n.layer, &layer, n.rng) == LSTM_OK);
    FUZZ_CHECK(lstm_linear_create(&n.linear, &linear, n.rng) == LSTM_OK);
    FUZZ_CHECK(lstm_params_create(&n.params) == LSTM_OK);
    FUZZ_CHECK(lstm_params_add_layer(n.params, "lstm", n.layer) == LSTM_OK);
    FUZZ_CHECK(lstm_params_add_linear(n.params, "fc", n.linear) == LSTM_OK);
    FUZZ_CHECK(lstm_adam_create(&n.adam, n.params, NULL) == LSTM_OK);
    return n;
}

static void destroy(network *n)
{
    lstm_adam_destroy(&n->adam);
    lstm_params_destroy(&n->params);
    lstm_linear_destroy(&n->linear);
    lstm_layer_destroy(&n->layer);
    lstm_rng_destroy(&n->rng);
}

/* The parameters, and the moments of the optimiser with their prefixes. */
static void add_tensors(lstm_text *header, const char *prefix, size_t *bytes)
{
    fuzz_add_tensor(header, prefix, "lstm.weight_ih_l0", GATES * HIDDEN, INPUTS, bytes);
    fuzz_add_tensor(header, prefix, "lstm.weight_hh_l0", GATES * HIDDEN, HIDDEN, bytes);
    fuzz_add_tensor(header, prefix, "lstm.bias_ih_l0", GATES * HIDDEN, 0, bytes);
    fuzz_add_tensor(header, prefix, "lstm.bias_hh_l0", GATES * HIDDEN, 0, bytes);
    fuzz_add_tensor(header, prefix, "fc.weight", 1, HIDDEN, bytes);
    fuzz_add_tensor(header, prefix, "fc.bias", 1, 0, bytes);
}

static void add_text(lstm_text *header, size_t index, const char *text)
{
    char whole[RNG_TEXT + 1];
    size_t length = strlen(text);
    if (index == RNG && length < RNG_TEXT) {
        memset(whole, '0', RNG_TEXT - length);
        memcpy(whole + RNG_TEXT - length, text, length + 1);
        text = whole;
    }
    lstm_text_string(header, text);
}

static void add_metadata(lstm_text *header, fuzz_input *input)
{
    static const char *const keys[KEYS] = {"lstm.adam", "lstm.adam.fc.weight",
                                           "lstm.rng", "lstm.layer.lstm",
                                           "lstm.crc32.fc.weight"};
    lstm_text_add(header, "{\"__metadata__\":{\"note\":\"\"");
    for (size_t i = 0; i < KEYS; i++) {
        char *text = fuzz_text(input, 0);
        if (*text) {
            lstm_text_add(header, ",\"%s\":", keys[i]);
            add_text(header, i, text);
        }
        free(text);
    }
    lstm_text_add(header, "}");
}

/* Writes a file for the input; returns its size. */
static size_t write_file(fuzz_input *input, lstm_text *file)
{
    lstm_text header = {0};
    size_t bytes = 0;
    add_metadata(&header, input);
    add_tensors(&header, "", &bytes);
    add_tensors(&header, "__adam__.exp_avg.", &bytes);
    add_tensors(&header, "__adam__.exp_avg_sq.", &bytes);
    lstm_text_add(&header, "}");
    fuzz_write_file(file, &header, bytes, 0);
    lstm_text_destroy(&header);
    return file->size;
}

static void check_state(const network *n)
{
    double lr = lstm_adam_lr(n->adam);
    FUZZ_CHECK(lr >= 0 && lr <= 1e300);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static network n;
    if (!n.params)
        n = create();
    fuzz_input input = {data, size};
    lstm_text bytes = {0};
    lstm_file *file;
    size_t total = write_file(&input, &bytes);
    lstm_layer_config config;
    const lstm_file_options options = {.adam = n.adam, .rng = n.rng};
    double lr = lstm_adam_lr(n.adam);
    uint64_t steps = lstm_adam_steps(n.adam);
    lstm_status status = lstm_file_open_bytes(&file, bytes.data, total);
    if (!status) {
        status = lstm_file_layer_config(file, "lstm", &config);
        FUZZ_CHECK(status || (config.inputs == INPUTS && config.hidden == HIDDEN &&
                              config.dropout >= 0 && config.dropout <= 1));
        status = lstm_params_read(n.params, file, &options);
        if (status)
            FUZZ_CHECK(lr == lstm_adam_lr(n.adam) && steps == lstm_adam_steps(n.adam));
        check_state(&n);
    }
    if (status)
        fuzz_check_message(lstm_last_error());
    lstm_file_destroy(&file);
    lstm_text_destroy(&bytes);
    /* The generator and the optimiser start each input as new ones. */
    if (!status) {
        destroy(&n);
        n = (network){0};
    }
    return 0;
}
