#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/amp/export.h"
#include "examples/amp/files.h"
#include "examples/amp/saved.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/shell.h"

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

/* Whether a name is that of a model of another program. */
static bool is_foreign(const char *path)
{
    static const char *const ends[] = {".nam",   ".json", ".aidax", ".onnx",
                                       ".keras", ".h5",   ".hdf5"};
    const char *end = strrchr(path, '.');
    for (size_t i = 0; end && i < sizeof(ends) / sizeof(*ends); i++)
        if (strcmp(end, ends[i]) == 0)
            return true;
    return false;
}

static bool refuse_foreign(const char *path)
{
    char word[1000] = "";
    if (!shell_append_file(word, sizeof(word), path))
        strcpy(word, "FILE");
    return message_error("%s: is a model of another program; this makes one that is "
                         "read: python3 -m liblstm.convert %s model.safetensors",
                         path, word);
}

/* A number of the metadata, which keys_read() has checked; 0 without the key. */
static double number_of(const lstm_file *file, const char *key)
{
    const char *text = lstm_file_metadata(file, key);
    double number = 0;
    return text && number_real(text, &number) ? number : 0;
}

static bool read_keys(saved *s, const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    const char *function = lstm_file_metadata(file, "model.activation");
    s->rate = number_of(file, "model.samplerate");
    s->in_gain = number_of(file, "model.in_gain");
    s->out_gain = number_of(file, "model.out_gain");
    s->activation = function ? strdup(function) : NULL;
    bool done = !function || s->activation || message_error("out of memory");
    lstm_file_destroy(&file);
    return done;
}

bool saved_load(saved *s, const char *path)
{
    *s = (saved){0};
    if (access(path, R_OK) != 0)
        return message_error("%s: %s", path, message_reason(path));
    if (is_foreign(path))
        return refuse_foreign(path);
    if (!model_load(&s->model, path, NULL, NULL) || !read_keys(s, path))
        return false;
    if (s->model.inputs == 1 && s->model.outputs == 1 && !s->model.table)
        return true;
    return message_error("%s: has %zu inputs and %zu outputs%s, expected one of each",
                         path, s->model.inputs, s->model.outputs,
                         s->model.table ? " and an embedding" : "");
}

void saved_destroy(saved *s)
{
    model_destroy(&s->model);
    free(s->activation);
    *s = (saved){0};
}

/* Whether the formats of other programs have all that a model has. */
static bool check_network(const saved *s, const char *path)
{
    const lstm_layer_config *config = lstm_layer_get_config(s->model.layer);
    const model_keys *keys = &s->model.keys;
    if (config->proj_size || config->bidirectional || config->precision != LSTM_FLOAT32)
        return message_error("%s: the LSTM has a projection, two directions or "
                             "another precision than float32, which no format has",
                             path);
    if (!s->model.head)
        return message_error("%s: has no linear layer 'fc' after the LSTM, which the "
                             "formats have",
                             path);
    return (keys->mean == 0 && keys->deviation == 1 && !keys->differences) ||
           message_error("%s: has a scale or differences, which no format has", path);
}

/* Reads the first states; h and c become NULL if all are 0. */
static bool read_states(const saved *s, lstm_tensor **h, lstm_tensor **c)
{
    const lstm_layer_config *config = lstm_layer_get_config(s->model.layer);
    const size_t shape[] = {config->layers ? config->layers : 1, 1, config->hidden};
    bool zero = true;
    if (lstm_tensor_create(h, 3, shape) != LSTM_OK ||
        lstm_tensor_create(c, 3, shape) != LSTM_OK ||
        lstm_stream_get_state(s->model.stream, *h, *c) != LSTM_OK)
        return lstm_failed();
    for (size_t i = 0; i < lstm_tensor_count(*h); i++)
        zero = zero && lstm_tensor_data(*h)[i] == 0 && lstm_tensor_data(*c)[i] == 0;
    if (zero) {
        lstm_tensor_destroy(h);
        lstm_tensor_destroy(c);
    }
    return true;
}

static bool write_all(const export_model *net, const amp_options *options)
{
    amp_format format;
    for (int i = 0; i < options->out_count; i++) {
        if (!amp_options_format(options, options->outs[i], &format))
            return false;
        if (format == AMP_SAFETENSORS)
            return message_error(
                "%s: export writes the formats nam, aidax and guitarml",
                options->outs[i]);
    }
    if (!files_may_write(net, options))
        return false;
    for (int i = 0; i < options->out_count; i++)
        if (!amp_options_format(options, options->outs[i], &format) ||
            !export_write(net, format, options->outs[i]))
            return false;
    const lstm_layer_config *config = lstm_layer_get_config(net->layer);
    printf("%zu hidden units in %zu layers, %d files\n", config->hidden,
           config->layers ? config->layers : 1, options->out_count);
    return true;
}

static bool export_saved(const saved *s, const amp_options *options)
{
    lstm_tensor *h = NULL, *c = NULL;
    if (!check_network(s, options->first))
        return false;
    bool done = read_states(s, &h, &c);
    if (done) {
        const export_model net = {.layer = s->model.layer,
                                  .weight =
                                      files_parameter(s->model.params, "fc.weight"),
                                  .bias = files_parameter(s->model.params, "fc.bias"),
                                  .skip = s->model.keys.skip,
                                  .rate = s->rate,
                                  .in_gain = s->in_gain,
                                  .out_gain = s->out_gain,
                                  .activation = s->activation,
                                  .h = h ? lstm_tensor_data(h) : NULL,
                                  .c = c ? lstm_tensor_data(c) : NULL};
        done = write_all(&net, options);
    }
    lstm_tensor_destroy(&h);
    lstm_tensor_destroy(&c);
    return done;
}

bool saved_export(const amp_options *options)
{
    saved s;
    bool done = saved_load(&s, options->first) && export_saved(&s, options);
    saved_destroy(&s);
    return done;
}
