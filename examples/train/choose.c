#include <string.h>

#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/train/choose.h"
#include "examples/train/paths.h"

/* Room for a message with the name of a file. */
enum { WHY = 4600 };

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

/* Number of classes of the network in a file; 0 if it has no linear layer. */
static size_t file_classes(const lstm_file *file)
{
    lstm_tensor_info info;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++)
        if (strcmp(info.name, "fc.weight") == 0 && info.rank == 2)
            return info.shape[0];
    return 0;
}

static bool check_classes(classifier_config *config, const lstm_file *file,
                          const char *path)
{
    size_t found = file_classes(file);
    if (found > 0 && found < config->classes)
        return message_error("%s: has %zu classes, expected %zu as in the data", path,
                             found, config->classes);
    if (found > config->classes)
        config->classes = found;
    return true;
}

/* Whether a file says how its network reads: those of mnist-train do. */
static bool names_order(const lstm_file *file)
{
    return lstm_file_metadata(file, READING_KEY) ||
           lstm_file_metadata(file, PATHS_RUN_KEY);
}

static bool check_order(classifier_config *config, const train_options *options,
                        const lstm_file *file, const char *path)
{
    char why[WHY];
    if (!reading_find(file, path, &config->order, why, sizeof(why)))
        return message_error("%s", why);
    if (options->read_given && names_order(file) && options->read != config->order)
        return message_error("--read is %s, expected %s as in %s",
                             reading_names[options->read], reading_names[config->order],
                             path);
    if (options->read_given)
        config->order = options->read;
    return true;
}

/* The network of a run reads from the first step to the last, and its linear layer the
 * output of the last one. The final states of two LSTMs are those. */
static bool check_keys(const classifier_config *config, lstm_file *file,
                       const char *path)
{
    static const char *const last[] = {"steps", "last", NULL};
    const bool both = config->layers.bidirectional;
    const rule rules[] = {{READING_KEY, NULL},
                          {"model.output", both ? last : rules_forward_outputs},
                          {"model.activation", rules_probabilities},
                          {"model.samplerate", NULL},
                          {NULL, NULL}};
    char why[WHY];
    return (rules_check_keys(file, path, rules, why, sizeof(why)) &&
            rules_check_tensors(file, path, "lstm", false, why, sizeof(why)) &&
            rules_check_tensors(file, path, READING_COLUMNS_PREFIX, false, why,
                                sizeof(why))) ||
           message_error("%s", why);
}

/* Names the keys that the files of the run will not have. */
static void name_lost(const lstm_file *file, const char *path,
                      const train_options *options)
{
    const char *key;
    bool saves = options->checkpoint || options->save_given ||
                 (options->epochs && options->save);
    for (size_t i = 0; saves && (key = lstm_file_metadata_key(file, i)); i++)
        if (rules_is_key(key) && strcmp(key, READING_KEY) != 0)
            message_warning("%s: metadata %s is '%s', which the files of this run do "
                            "not have",
                            path, key, lstm_file_metadata(file, key));
}

static bool read_columns(classifier_config *config, lstm_file *file)
{
    lstm_layer_config columns = {0};
    if (config->order != READING_BOTH)
        return true;
    if (lstm_file_layer_config(file, READING_COLUMNS_PREFIX, &columns) != LSTM_OK)
        return lstm_failed();
    config->column_layers = columns.layers;
    return true;
}

static bool read_file(classifier_config *config, const train_options *options,
                      const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    bool done = (lstm_file_layer_config(file, "lstm", &config->layers) == LSTM_OK ||
                 lstm_failed()) &&
                check_keys(config, file, path) && check_classes(config, file, path) &&
                check_order(config, options, file, path) && read_columns(config, file);
    if (done)
        name_lost(file, path, options);
    lstm_file_destroy(&file);
    return done;
}

/* What the command line gives, on top of a file. */
static void apply(classifier_config *config, const train_options *options)
{
    lstm_layer_config *layers = &config->layers;
    if (options->hidden_given)
        layers->hidden = options->hidden;
    if (options->layers_given)
        layers->layers = options->layers;
    if (options->column_layers_given)
        config->column_layers = options->column_layers;
    if (options->proj_given)
        layers->proj_size = options->proj;
    if (options->dropout_given)
        layers->dropout = options->dropout;
    if (options->precision_given)
        layers->precision = options->precision;
}

static bool check_columns(const classifier_config *config, const train_options *options)
{
    return !options->column_layers_given || config->order == READING_BOTH ||
           message_error("--column-layers needs --read both");
}

/* int8 tests and saves a model that is trained. */
static bool check_precision(const classifier_config *config, const char *file,
                            const train_options *options)
{
    if (config->layers.precision != LSTM_INT8 || (options->epochs == 0 && file))
        return true;
    if (options->precision_given || !file)
        return message_error("--precision int8 has no training: it needs --load and "
                             "--epochs 0");
    return message_error(
        "%s: the precision of the model is int8, which has no training: "
        "give --epochs 0 to test it, or --precision fp32",
        file);
}

bool choose_network(classifier_config *config, const train_options *options)
{
    const char *file = options->resume ? options->resume : options->load;
    config->order = options->read;
    config->column_layers = options->column_layers;
    config->layers = (lstm_layer_config){.hidden = options->hidden,
                                         .layers = options->layers,
                                         .proj_size = options->proj,
                                         .dropout = options->dropout,
                                         .precision = options->precision};
    if (file && !read_file(config, options, file))
        return false;
    if (file)
        apply(config, options);
    if (options->bidirectional)
        config->layers.bidirectional = true;
    return check_columns(config, options) && check_precision(config, file, options);
}
