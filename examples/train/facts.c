#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/digits/shifts.h"
#include "examples/train/command.h"
#include "examples/train/facts.h"

/* A text in memory of its own, clean; NULL without memory. */
__attribute__((format(printf, 2, 3))) static char *text_of(train_facts *f,
                                                           const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text) {
        vsnprintf(text, (size_t)size + 1, format, arguments);
        message_clean(text, SIZE_MAX);
    } else
        f->failed = true;
    va_end(arguments);
    return text;
}

static void add(train_facts *f, const char *name, char *text, bool code)
{
    if (text)
        f->facts[f->count++] = (experiment_fact){name, text, code};
}

/* A count with commas, as on the rest of the page; text has [32]. */
static const char *with_commas(char *text, size_t count)
{
    if (count < 1000)
        snprintf(text, 32, "%zu", count);
    else {
        size_t length = strlen(with_commas(text, count / 1000));
        snprintf(text + length, 32 - length, ",%03zu", count % 1000);
    }
    return text;
}

static void add_set(train_facts *f, const char *name, const mnist_dataset *set)
{
    char count[32];
    if (set)
        add(f, name,
            text_of(f, "%s image%s of %zu \u00d7 %zu, %zu classes, %s",
                    with_commas(count, mnist_dataset_count(set)),
                    number_plural(mnist_dataset_count(set)), mnist_dataset_rows(set),
                    mnist_dataset_cols(set), mnist_dataset_classes(set),
                    mnist_dataset_origin(set)),
            false);
}

static void add_command(train_facts *f, const char *name, int count, char *const *words)
{
    char *command = command_join(count, words);
    f->failed |= !command;
    add(f, name, command ? text_of(f, "%s", command) : NULL, true);
    free(command);
}

/* The options of a run that is resumed or follows a recipe, of which its command line
 * has only a part. */
/* How images are evaluated, if not as they are. */
static void add_evaluation(train_facts *f, const train_options *o)
{
    if (o->tta)
        add(f, "Evaluation",
            text_of(f,
                    "mean of the probabilities over %zu places, at most a pixel away",
                    shifts_count(o->tta)),
            false);
}

static void add_options(train_facts *f)
{
    const char *pairs[2 * TRAIN_MAX_OPTIONS];
    size_t count = train_options_list(pairs);
    char *text = text_of(f, "%s", "");
    for (size_t i = 0; text && i < count; i++) {
        char *longer = text_of(f, "%s%s--%s%s%s", text, *text ? " " : "", pairs[2 * i],
                               *pairs[2 * i + 1] ? " " : "", pairs[2 * i + 1]);
        free(text);
        text = longer;
    }
    add(f, "Options of the whole run", text, true);
}

/* How the network reads; text has [100]. */
static const char *order_of(char *text, const classifier *network)
{
    static const char *const texts[] = {[READING_ROWS] = "row by row",
                                        [READING_COLUMNS] = "column by column",
                                        [READING_PIXELS] = "pixel by pixel",
                                        [READING_PERMUTED] =
                                            "pixel by pixel in a fixed random order"};
    size_t more = network->config.column_layers;
    if (network->config.order != READING_BOTH)
        return texts[network->config.order];
    snprintf(text, 100, "row by row, and column by column with %zu more layer%s", more,
             number_plural(more));
    return text;
}

static void add_network(train_facts *f, const train_state *trainer)
{
    static const char *const formats[] = {"float32", "float32, products in bfloat16",
                                          "int8, each row with a scale"};
    const lstm_layer_config *c = lstm_layer_get_config(trainer->network.lstm);
    const char *both = c->bidirectional ? ", in both directions" : "";
    char projection[60] = "", count[32], order[100];
    if (c->proj_size)
        snprintf(projection, sizeof(projection), ", projected to %zu",
                 (size_t)c->proj_size);
    size_t features = lstm_linear_get_config(trainer->network.fc)->inputs;
    f->network = text_of(f, "LSTM, %zu layer%s of %zu unit%s%s%s", (size_t)c->layers,
                         number_plural(c->layers), (size_t)c->hidden,
                         number_plural(c->hidden), projection, both);
    add(f, "Network",
        text_of(f,
                "%s; reads an image %s, %zu input%s a step; linear layer from "
                "%zu to %zu classes; %s parameters in %s",
                f->network ? f->network : "", order_of(order, &trainer->network),
                (size_t)c->inputs, number_plural(c->inputs), features, trainer->classes,
                with_commas(count, lstm_params_count(trainer->network.params)),
                formats[c->precision]),
        false);
}

static void add_training(train_facts *f, const train_options *o,
                         const train_state *trainer)
{
    const lstm_layer_config *c = lstm_layer_get_config(trainer->network.lstm);
    char clip[60] = "", average[60] = "", shards[60] = "", memory[60] = "",
         clean[60] = "";
    const char *changes = o->augment.text;
    if (o->epochs == 0)
        return;
    if (o->ema > 0)
        snprintf(average, sizeof(average), ", average of the weights with decay %g",
                 o->ema);
    if (o->clip_norm > 0)
        snprintf(clip, sizeof(clip), ", gradients clipped to norm %g", o->clip_norm);
    if (o->shards > 1)
        snprintf(shards, sizeof(shards), " in %zu shards", (size_t)o->shards);
    if (o->chrono > 0)
        snprintf(memory, sizeof(memory), "; first biases to remember %zu steps",
                 (size_t)o->chrono);
    size_t last = train_options_clean(o);
    if (last > 0)
        snprintf(clean, sizeof(clean), " before the last %zu epoch%s", last,
                 number_plural(last));
    add(f, "Training",
        text_of(f,
                "Adam%s, learning rate %g, schedule %s; batches of %zu%s; at most %zu "
                "epochs; dropout %g, label smoothing %g, weight decay %g%s%s%s%s%s%s",
                o->decoupled ? "W" : "", o->lr,
                o->schedule.name ? o->schedule.name : "constant", trainer->full.count,
                shards, (size_t)o->epochs, c->dropout, o->label_smoothing,
                o->weight_decay, clip, average,
                changes ? "; training images changed by " : "", changes ? changes : "",
                clean, memory),
        false);
}

/* The name of the processor, as Linux has it. */
static void read_processor(char *name, size_t size)
{
    char line[300];
    FILE *file = fopen("/proc/cpuinfo", "re");
    snprintf(name, size, "processor not known");
    while (file && fgets(line, sizeof(line), file)) {
        const char *value = strstr(line, ": ");
        if (strncmp(line, "model name", 10) == 0 && value) {
            snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

static void add_machine(train_facts *f, const train_options *o)
{
    char processor[300];
    struct utsname system;
    char ranks[40] = "";
    if (o->ranks > 1)
        snprintf(ranks, sizeof(ranks), "%zu ranks of ", (size_t)o->ranks);
    read_processor(processor, sizeof(processor));
    bool known = uname(&system) == 0;
    add(f, "Machine",
        text_of(f, "%s, %s%zu thread%s, %s kernels, %s %s", processor, ranks,
                lstm_threads(), number_plural(lstm_threads()), lstm_kernels_name(),
                known ? system.sysname : "system",
                known ? system.machine : "not known"),
        false);
}

static void add_files(train_facts *f, const train_options *o)
{
    const struct {
        const char *name, *path;
    } files[] = {
        {"Model", o->epochs || o->save_given ? o->save : NULL},
        {"Loaded", o->load},
        {"Checkpoint", o->checkpoint},
        {"Log", o->log},
        {"TensorBoard", o->tensorboard},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i].path)
            add(f, files[i].name, text_of(f, "%s", files[i].path), true);
}

static void name_checkpoint(train_facts *f, const train_options *o)
{
    if (!o->checkpoint)
        return;
    char *quoted = calloc(1, COMMAND_ROOM(strlen(o->checkpoint)) + 1);
    if (quoted)
        command_add(quoted, o->checkpoint);
    f->failed |= !quoted;
    f->checkpoint = quoted ? text_of(f, "%s", quoted + 1) : NULL;
    free(quoted);
}

static void name_data(train_facts *f, const train_options *o, const train_data *data)
{
    char split[64];
    const char *name = train_options_dataset(o, split, sizeof(split));
    bool synthetic = mnist_dataset_is_synthetic(train_data_any(data));
    f->name = text_of(f, "%s",
                      synthetic                             ? "Synthetic digits"
                      : !name || strcmp(name, "mnist") == 0 ? "MNIST"
                                                            : name);
}

bool facts_collect(train_facts *f, const train_options *options,
                   const train_state *trainer, const train_data *data)
{
    *f = (train_facts){0};
    name_data(f, options, data);
    name_checkpoint(f, options);
    add_command(f, "Command", options->word_count, options->words);
    if (options->resume || options->recipe_given)
        add_options(f);
    add_set(f, "Training set", data->train);
    add_set(f, "Validation set", data->validation);
    add_set(f, "Test set", data->test);
    add_network(f, trainer);
    add_training(f, options, trainer);
    add_evaluation(f, options);
    add(f, "Seed", text_of(f, "%" PRIu64, trainer->seed), true);
    add_machine(f, options);
    add(f, "Program", text_of(f, "mnist-train with liblstm %s", lstm_version()), false);
    add_files(f, options);
    if (!f->failed)
        return true;
    facts_free(f);
    return false;
}

void facts_free(train_facts *f)
{
    for (size_t i = 0; i < f->count; i++)
        free((void *)(uintptr_t)f->facts[i].text);
    free(f->name);
    free(f->network);
    free(f->checkpoint);
    *f = (train_facts){0};
}
