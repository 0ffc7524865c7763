#include <inttypes.h>
#include <stdio.h>

#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/train/checkpoint.h"
#include "examples/train/paths.h"
#include "examples/train/position.h"

static void write_position(const train_state *trainer, char *text)
{
    const lstm_plateau *levels = &trainer->schedule.levels;
    const train_best *best = &trainer->best;
    const train_position position = {
        .seed = trainer->seed,
        .samples = trainer->samples,
        .batch = trainer->full.count,
        .epoch = trainer->epoch,
        .step = trainer->step,
        .order = trainer->order,
        .loss_sum = trainer->loss_sum,
        .loss_count = trainer->loss_count,
        .loss_last = trainer->loss_last,
        .plateau_started = levels->started,
        .plateau_best = levels->best,
        .plateau_bad = levels->bad,
        .plateau_cooling = levels->cooling,
        .completed = trainer->completed,
        .best_epoch = best->epoch,
        .best_correct = best->correct,
        .best_bad = best->bad,
        .seconds = trainer->seconds,
    };
    position_write(&position, text);
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

static bool damaged(const char *path)
{
    return message_error("%s: metadata " CHECKPOINT_KEY " is damaged", path);
}

/* Reads the parameters, the optimiser, the generator, and where the run was. */
static bool read_file(train_state *trainer, lstm_file *file, const char *path,
                      train_position *position, train_contents *contents)
{
    const lstm_file_options options = {
        .adam = trainer->adam, .rng = trainer->rng, .allow_surplus = true};
    char why[4600];
    const char *text = lstm_file_metadata(file, CHECKPOINT_KEY);
    if (lstm_params_read(trainer->stored, file, &options) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    if (!rules_check_surplus(file, path, trainer->stored, NULL, why, sizeof(why)))
        return message_error("%s", why);
    return contents_read(contents, file, path) &&
           ((text && position_read(position, text)) || damaged(path));
}

static bool read_path(train_state *trainer, const char *path, train_position *position,
                      train_contents *contents)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    bool done = read_file(trainer, file, path, position, contents);
    lstm_file_destroy(&file);
    return done;
}

/* Whether the run can be there, after as many steps as the optimiser has. */
static bool is_possible(const train_state *trainer, const train_position *position)
{
    const train_schedule *schedule = &trainer->schedule;
    const train_limits limits = {
        .steps = mnist_loader_batches(trainer->train),
        .validation = trainer->validation.loader ? trainer->validation.count : 0,
        .plateau = schedule->on_plateau,
        .patience = (uint64_t)schedule->patience,
        .cooldown = (uint64_t)schedule->cooldown,
    };
    size_t before = position->epoch > 0 ? position->epoch - 1 : 0;
    return position_is_possible(position, &limits) &&
           lstm_adam_steps(trainer->adam) == before * limits.steps + position->step;
}

static void take_position(train_state *trainer, const train_position *position)
{
    lstm_plateau *levels = &trainer->schedule.levels;
    train_best *best = &trainer->best;
    trainer->seed = position->seed;
    trainer->epoch = position->epoch;
    trainer->step = position->step;
    trainer->order = position->order;
    trainer->loss_sum = position->loss_sum;
    trainer->loss_count = position->loss_count;
    trainer->loss_last = position->loss_last;
    trainer->completed = position->completed;
    trainer->seconds = position->seconds;
    levels->started = position->plateau_started;
    levels->best = position->plateau_best;
    levels->bad = position->plateau_bad;
    levels->cooling = position->plateau_cooling;
    levels->lr = lstm_adam_lr(trainer->adam);
    best->epoch = position->best_epoch;
    best->correct = position->best_correct;
    best->bad = position->best_bad;
}

bool checkpoint_load(train_state *trainer, const char *path)
{
    train_position position;
    train_contents before;
    if (!read_path(trainer, path, &position, &before))
        return false;
    if (position.samples != trainer->samples || position.batch != trainer->full.count)
        return message_error("%s: checkpoint has %zu images in batches of %zu, "
                             "expected %zu in batches of %zu",
                             path, position.samples, position.batch, trainer->samples,
                             trainer->full.count);
    if (!contents_check(&trainer->contents, &before, trainer->data, path))
        return false;
    if (!is_possible(trainer, &position))
        return damaged(path);
    take_position(trainer, &position);
    return restore_loader(trainer);
}
