#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/digits/shifts.h"
#include "examples/train/command.h"
#include "examples/train/hparams.h"

/* Fields of Summary.Value, SummaryMetadata, its PluginData, and of TensorProto. */
enum { TAG = 1, TENSOR = 8, METADATA };
enum { PLUGIN_DATA = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT };
enum { DTYPE = 1, SHAPE, TEXT_VALUE = 8, DTYPE_TEXT = 7, SHAPE_DIM = 2, DIM_SIZE = 1 };
/* Of HParamsPluginData, SessionStartInfo, an entry of a map, and protobuf.Value. */
enum { START_INFO = 3, HPARAMS = 1, KEY = 1, MAP_VALUE, NUMBER = 2, STRING, BOOL };

static void add_entry(protobuf *info, const char *name, protobuf *value)
{
    protobuf entry = {0};
    protobuf_text(&entry, KEY, name);
    protobuf_message(&entry, MAP_VALUE, value);
    protobuf_message(info, HPARAMS, &entry);
}

static void add_number(protobuf *info, const char *name, double number)
{
    protobuf value = {0};
    protobuf_double(&value, NUMBER, number);
    add_entry(info, name, &value);
}

static void add_text(protobuf *info, const char *name, const char *text)
{
    protobuf value = {0};
    protobuf_text(&value, STRING, text);
    add_entry(info, name, &value);
}

static void add_bool(protobuf *info, const char *name, bool is)
{
    protobuf value = {0};
    protobuf_integer(&value, BOOL, is);
    add_entry(info, name, &value);
}

static void add_options(protobuf *info, const train_options *options,
                        const train_state *trainer)
{
    static const char *const precisions[] = {"fp32", "bf16", "int8"};
    const lstm_layer_config *config = lstm_layer_get_config(trainer->network.lstm);
    char seed[24];
    /* A number of a protobuf is a double, which has not all seeds. */
    snprintf(seed, sizeof(seed), "%" PRIu64, trainer->seed);
    add_number(info, "hidden", (double)config->hidden);
    add_number(info, "layers", (double)config->layers);
    add_number(info, "proj", (double)config->proj_size);
    add_text(info, "read", reading_names[trainer->network.config.order]);
    if (trainer->network.columns)
        add_number(info, "column_layers",
                   (double)trainer->network.config.column_layers);
    add_number(info, "chrono", (double)options->chrono);
    add_bool(info, "bidirectional", config->bidirectional);
    add_number(info, "dropout", config->dropout);
    add_number(info, "batch_size", (double)options->batch_size);
    add_number(info, "shards", (double)options->shards);
    add_number(info, "lr", options->lr);
    add_text(info, "schedule",
             options->schedule.name ? options->schedule.name : "constant");
    add_number(info, "weight_decay", options->weight_decay);
    add_bool(info, "decoupled", options->decoupled);
    add_number(info, "ema", options->ema);
    add_number(info, "clip_norm", options->clip_norm);
    add_number(info, "label_smoothing", options->label_smoothing);
    add_text(info, "augment", options->augment.text ? options->augment.text : "none");
    add_number(info, "clean_epochs", (double)train_options_clean(options));
    add_number(info, "tta", (double)shifts_count(options->tta));
    add_text(info, "precision", precisions[config->precision]);
    add_text(info, "seed", seed);
}

/* A value with the data of a plugin, which may be empty. */
static void add_value(protobuf *summary, unsigned field, const char *tag,
                      const char *plugin, protobuf *content, protobuf *tensor)
{
    protobuf data = {0}, metadata = {0}, value = {0};
    protobuf_text(&data, PLUGIN_NAME, plugin);
    if (content)
        protobuf_message(&data, PLUGIN_CONTENT, content);
    protobuf_message(&metadata, PLUGIN_DATA, &data);
    protobuf_text(&value, TAG, tag);
    if (tensor)
        protobuf_message(&value, TENSOR, tensor);
    protobuf_message(&value, METADATA, &metadata);
    protobuf_message(summary, field, &value);
}

/* Markdown: four blanks begin a line of code. */
static char *describe(const train_options *options, const train_state *trainer)
{
    static const char form[] =
        "    %s\n\nseed %" PRIu64 ", %zu training image%s, %zu parameters, %s kernels";
    char *command = command_join(options->word_count, options->words);
    size_t size = (command ? strlen(command) : 0) + sizeof(form) + 100;
    char *text = command ? malloc(size) : NULL;
    if (text) {
        message_clean(command, SIZE_MAX);
        snprintf(text, size, form, command, trainer->seed, trainer->samples,
                 number_plural(trainer->samples),
                 lstm_params_count(trainer->network.params), lstm_kernels_name());
    }
    free(command);
    return text;
}

static void add_description(protobuf *summary, unsigned field, const char *text)
{
    protobuf dim = {0}, shape = {0}, tensor = {0};
    protobuf_integer(&dim, DIM_SIZE, 1);
    protobuf_message(&shape, SHAPE_DIM, &dim);
    protobuf_integer(&tensor, DTYPE, DTYPE_TEXT);
    protobuf_message(&tensor, SHAPE, &shape);
    protobuf_text(&tensor, TEXT_VALUE, text);
    add_value(summary, field, "run/text_summary", "text", NULL, &tensor);
}

void hparams_add(protobuf *summary, unsigned field, const train_options *options,
                 const train_state *trainer)
{
    protobuf info = {0}, data = {0};
    char *text = describe(options, trainer);
    summary->failed |= !text;
    if (text)
        add_description(summary, field, text);
    free(text);
    add_options(&info, options, trainer);
    protobuf_message(&data, START_INFO, &info);
    add_value(summary, field, "_hparams_/session_start_info", "hparams", &data, NULL);
}
