#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/amp/export.h"
#include "examples/amp/files.h"
#include "examples/amp/network.h"
#include "examples/common/message.h"

/* Steps of a block of network_run(). */
enum { BLOCK = 4096 };

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

bool network_create(network *net, const amp_options *options, uint32_t rate,
                    lstm_rng *rng)
{
    const lstm_layer_config layer = {.inputs = 1, .hidden = (size_t)options->hidden};
    const lstm_linear_config head = {.inputs = layer.hidden, .outputs = 1};
    const lstm_adam_config adam = {.lr = options->lr};
    net->skip = !options->no_skip;
    net->rate = rate;
    return (lstm_layer_create(&net->layer, &layer, rng) == LSTM_OK &&
            lstm_linear_create(&net->head, &head, rng) == LSTM_OK &&
            lstm_params_create(&net->params) == LSTM_OK &&
            lstm_params_add_layer(net->params, "lstm", net->layer) == LSTM_OK &&
            lstm_params_add_linear(net->params, "fc", net->head) == LSTM_OK &&
            lstm_adam_create(&net->adam, net->params, &adam) == LSTM_OK) ||
           lstm_failed();
}

void network_destroy(network *net)
{
    lstm_adam_destroy(&net->adam);
    lstm_params_destroy(&net->params);
    lstm_linear_destroy(&net->head);
    lstm_layer_destroy(&net->layer);
}

/* Runs a block of at most BLOCK steps. */
static bool run_block(lstm_stream *stream, const float *x, float *y, size_t count)
{
    const size_t shape[] = {count, 1, 1};
    lstm_tensor *in = NULL, *out = NULL;
    bool done = lstm_tensor_create(&in, 3, shape) == LSTM_OK &&
                lstm_tensor_wrap(&out, y, 3, shape, NULL) == LSTM_OK;
    if (done) {
        memcpy(lstm_tensor_data(in), x, count * sizeof(*x));
        done = lstm_stream_step(stream, in, out) == LSTM_OK;
    }
    lstm_tensor_destroy(&in);
    lstm_tensor_destroy(&out);
    return done;
}

bool network_run(network *net, const float *x, float *y, size_t count)
{
    lstm_stream *stream = NULL;
    bool done = lstm_layer_set_training(net->layer, false) == LSTM_OK &&
                lstm_stream_create(&stream, net->layer, net->head, 1) == LSTM_OK;
    for (size_t start = 0; done && start < count; start += BLOCK) {
        size_t left = count - start < BLOCK ? count - start : BLOCK;
        done = run_block(stream, x + start, y + start, left);
    }
    for (size_t i = 0; done && net->skip && i < count; i++)
        y[i] += x[i];
    lstm_stream_destroy(&stream);
    done = done && lstm_layer_set_training(net->layer, true) == LSTM_OK;
    return done || lstm_failed();
}

static export_model describe(const network *net)
{
    return (export_model){.layer = net->layer,
                          .weight = files_parameter(net->params, "fc.weight"),
                          .bias = files_parameter(net->params, "fc.bias"),
                          .skip = net->skip,
                          .rate = net->rate};
}

bool network_may_write(const network *net, const amp_options *options)
{
    const export_model model = describe(net);
    return files_may_write(&model, options);
}

static bool save(const network *net, const char *path)
{
    char rate[24];
    const char *pairs[] = {"model.samplerate", rate, "model.output", "steps",
                           "model.skip",       "1"};
    const lstm_file_options options = {.metadata = pairs,
                                       .metadata_count = net->skip ? 3 : 2};
    snprintf(rate, sizeof(rate), "%" PRIu32, net->rate);
    return lstm_params_save(net->params, path, &options) == LSTM_OK || lstm_failed();
}

bool network_write(const network *net, const amp_options *options)
{
    const export_model model = describe(net);
    for (int i = 0; i < options->out_count; i++) {
        amp_format format;
        const char *path = options->outs[i];
        if (!amp_options_format(options, path, &format) ||
            !(format == AMP_SAFETENSORS ? save(net, path)
                                        : export_write(&model, format, path)))
            return false;
    }
    return true;
}
