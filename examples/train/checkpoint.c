#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/train/checkpoint.h"
#include "examples/train/paths.h"

/* The position of a run as one line of text. Floating-point values are hexadecimal,
 * which is exact. It is written in parts: snprintf() may allocate memory for more than
 * some ten values and, if it cannot, returns as if it had written everything. */
#define WRITE_RUN                                                                      \
    "seed %" PRIu64 " samples %zu batch %zu epoch %zu step %zu order %" PRIu64
#define WRITE_LOSS " loss %a of %zu last %a plateau %d %a %" PRIu64 " %" PRIu64
#define WRITE_BEST " completed %zu best %zu %zu %zu seconds %a"
#define POSITION_READ                                                                  \
    "seed %" SCNu64 " samples %zu batch %zu epoch %zu step %zu order %" SCNu64         \
    " loss %la of %zu last %a plateau %d %la %" SCNu64 " %" SCNu64                     \
    " completed %zu best %zu %zu %zu seconds %la"
enum { POSITION_FIELDS = 18, POSITION_SIZE = 600, MAX_EPOCHS = 1000000 };

static void write_position(const train_state *trainer, char *text)
{
    const lstm_plateau *levels = &trainer->schedule.levels;
    const train_best *best = &trainer->best;
    snprintf(text, POSITION_SIZE, WRITE_RUN, trainer->seed, trainer->samples,
             trainer->full.count, trainer->epoch, trainer->step, trainer->order);
    size_t length = strlen(text);
    snprintf(text + length, POSITION_SIZE - length, WRITE_LOSS, trainer->loss_sum,
             trainer->loss_count, (double)trainer->loss_last, levels->started,
             levels->best, levels->bad, levels->cooling);
    length += strlen(text + length);
    snprintf(text + length, POSITION_SIZE - length, WRITE_BEST, trainer->completed,
             best->epoch, best->correct, best->bad, trainer->seconds);
}

/* Adds a key with its value, if it has one. */
static void add_pair(const char **pairs, size_t *count, const char *key,
                     const char *value)
{
    if (!value || !*value)
        return;
    pairs[2 * *count] = key;
    pairs[2 * (*count)++ + 1] = value;
}

bool checkpoint_save(const train_state *trainer, const char *path)
{
    char position[POSITION_SIZE], run[PATHS_RUN_SIZE];
    const char *order = reading_text(trainer->network.config.order);
    const train_contents *contents = &trainer->contents;
    const char *pairs[10 + 2 * TRAIN_MAX_OPTIONS] = {
        CHECKPOINT_KEY,     position,       PATHS_RUN_KEY, run,
        CONTENTS_TRAIN_KEY, contents->train};
    size_t first = 3;
    add_pair(pairs, &first, CONTENTS_TEST_KEY, contents->test);
    add_pair(pairs, &first, READING_KEY, order);
    write_position(trainer, position);
    snprintf(run, sizeof(run), "%016" PRIx64, train_options_run(trainer->seed));
    const lstm_file_options options = {
        .adam = trainer->adam,
        .rng = trainer->rng,
        .metadata = pairs,
        .metadata_count = first + train_options_list(pairs + 2 * first),
    };
    lstm_status status = lstm_params_save(trainer->stored, path, &options);
    if (status == LSTM_INVALID_ARGUMENT)
        return message_error("%s: cannot store the options of the run: %s", path,
                             lstm_last_error());
    return status == LSTM_OK || message_error("%s", lstm_last_error());
}

/* Restores the order of the epoch and the position of the loader in it. */
static bool restore_loader(train_state *trainer)
{
    if (trainer->epoch == 0)
        return true;
    size_t position = trainer->step * trainer->full.count;
    if (mnist_loader_start(trainer->train, trainer->order) == MNIST_OK &&
        mnist_loader_restore(
            trainer->train, mnist_loader_order(trainer->train),
            position < trainer->samples ? position : trainer->samples) == MNIST_OK)
        return true;
    return message_error("%s", mnist_last_error());
}

/* Reads the parameters, the optimiser, the generator, and the position as text. */
static bool read_file(train_state *trainer, lstm_file *file, char *position)
{
    const lstm_file_options options = {.adam = trainer->adam, .rng = trainer->rng};
    const char *text = lstm_file_metadata(file, CHECKPOINT_KEY);
    snprintf(position, POSITION_SIZE, "%s", text ? text : "");
    return lstm_params_read(trainer->stored, file, &options) == LSTM_OK ||
           message_error("%s", lstm_last_error());
}

static bool read_path(train_state *trainer, const char *path, char *position,
                      train_contents *contents)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    bool done =
        read_file(trainer, file, position) && contents_read(contents, file, path);
    lstm_file_destroy(&file);
    return done;
}

bool checkpoint_load(train_state *trainer, const char *path)
{
    char position[POSITION_SIZE];
    size_t samples = 0, batch = 0;
    int started = 0;
    lstm_plateau *levels = &trainer->schedule.levels;
    train_best *best = &trainer->best;
    train_contents before;
    if (!read_path(trainer, path, position, &before))
        return false;
    int end = 0;
    if (sscanf(position, POSITION_READ "%n", &trainer->seed, &samples, &batch,
               &trainer->epoch, &trainer->step, &trainer->order, &trainer->loss_sum,
               &trainer->loss_count, &trainer->loss_last, &started, &levels->best,
               &levels->bad, &levels->cooling, &trainer->completed, &best->epoch,
               &best->correct, &best->bad, &trainer->seconds,
               &end) != POSITION_FIELDS ||
        position[end] != '\0' || !isfinite(trainer->loss_sum) ||
        !(trainer->seconds >= 0 && isfinite(trainer->seconds)) ||
        trainer->epoch > MAX_EPOCHS || trainer->completed > trainer->epoch ||
        best->epoch > trainer->epoch)
        return message_error("%s: metadata " CHECKPOINT_KEY " is damaged", path);
    if (samples != trainer->samples || batch != trainer->full.count)
        return message_error("%s: checkpoint has %zu images in batches of %zu, "
                             "expected %zu in batches of %zu",
                             path, samples, batch, trainer->samples,
                             trainer->full.count);
    if (!contents_check(&trainer->contents, &before, trainer->data, path))
        return false;
    if (trainer->step > mnist_loader_batches(trainer->train))
        return message_error("%s: step is %zu, expected at most %zu", path,
                             trainer->step, mnist_loader_batches(trainer->train));
    levels->started = started;
    levels->lr = lstm_adam_lr(trainer->adam);
    return restore_loader(trainer);
}
