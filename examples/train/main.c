/*
 * mnist-train: trains an LSTM classifier on MNIST. This file begins and ends a run; its
 * epochs are in epochs.c, training and evaluation in trainer.c, the network in
 * classifier.c.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/train/checkpoint.h"
#include "examples/train/epochs.h"
#include "examples/train/events.h"
#include "examples/train/locks.h"
#include "examples/train/log.h"
#include "examples/train/paths.h"
#include "examples/train/ranks.h"
#include "examples/train/signals.h"

/* A seed of 32 bits: generators use only the low 32 bits of a seed. */
static uint64_t random_seed(void)
{
    uint32_t seed = (uint32_t)getpid();
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed ^= (uint32_t)(report_seconds() * 1e6);
    return seed;
}

/* The processes that mpirun has started, and whether all of them know that the run is
 * over. */
static transport_world world;
static bool ended;

/* What a run saves: the model, or NULL; a resumed run that is not told whether to save
 * it, the checkpoint that has it; and what was known of the files before. */
typedef struct targets {
    const char *model;
    const char *checkpoint;
    char run[PATHS_RUN_SIZE];
    paths_file model_file, checkpoint_file, report_file;
} targets;

/* Whether a resumed run saves no model because nobody said so. */
static bool is_unsaid(const train_options *options)
{
    return options->resume && !options->save && !options->no_save;
}

/* Says where the model of such a run is. */
static void describe_checkpoint(const targets *to)
{
    if (to->checkpoint)
        message_info("no model is saved without --save; %s has its weights, and "
                     "--resume with --save saves them as a model",
                     to->checkpoint);
}

static bool save(train_state *trainer, const targets *to)
{
    if (signals_stop)
        message_info("interrupted by %s%s", signals_name(),
                     to->model || to->checkpoint ? "" : "; model not saved");
    if (!to->model) {
        describe_checkpoint(to);
        return true;
    }
    if (signals_stop && trainer->best.weights)
        message_info("the best epoch so far is %zu", trainer->best.epoch);
    return trainer_use_best(trainer) &&
           paths_save(&trainer->network, to->model, to->run, &to->model_file);
}

/* Saves what was learned when a log, a checkpoint or the standard output failed. Not a
 * network whose weights are no numbers. */
static void save_rest(train_state *trainer, const targets *to)
{
    char why[400];
    if (!to->model || trainer->epoch == 0 ||
        !finite_check(trainer->network.params, to->model, why, sizeof(why)))
        return;
    message_warning("the run ends after step %zu of epoch %zu", trainer->step,
                    trainer->epoch);
    save(trainer, to);
}

/* Number of samples processed before a resume; at most all. */
static size_t resumed_samples(const train_state *trainer, size_t all)
{
    size_t epochs = trainer->epoch > 0 ? trainer->epoch - 1 : 0;
    size_t done = epochs * trainer->samples + trainer->step * trainer->full.count;
    return done < all ? done : all;
}

static bool run_trainer(train_state *trainer, const train_options *options,
                        const train_data *data, const targets *to, train_files *files)
{
    train_report report = {0};
    report_open(&report, options, mnist_loader_batches(trainer->train),
                mnist_dataset_count(data->train), trainer->seconds, files);
    report.samples_total -= resumed_samples(trainer, report.samples_total);
    signals_handle();
    train_run run = {.trainer = trainer,
                     .report = &report,
                     .options = options,
                     .stop = &signals_stop};
    bool done = ranks_start(trainer, options, data) && epochs_train(&run);
    bool lost = ranks_failed(trainer), differ = ranks_differ(trainer);
    ended = ranks_end(trainer);
    done = report_close(&report) && done;
    if (differ)
        return false;
    /* A log or standard output that fails, also as after SIGHUP the terminal is gone,
     * or a rank that ends leaves the state of the last step. */
    if (!done && !signals_stop) {
        if ((report.failed || lost) && options->checkpoint &&
            isfinite(trainer->loss_last))
            checkpoint_save(trainer, options->checkpoint);
        save_rest(trainer, to);
        return false;
    }
    if (!done && options->checkpoint && isfinite(trainer->loss_last))
        checkpoint_save(trainer, options->checkpoint);
    return save(trainer, to) && (done || signals_stop);
}

static void describe_precision(const train_state *trainer)
{
    lstm_precision precision = lstm_layer_get_config(trainer->network.lstm)->precision;
    if (precision == LSTM_INT8)
        message_info("weights in int8");
    if (precision != LSTM_BFLOAT16)
        return;
    bool fast = strcmp(lstm_kernels_name(), "avx512bf16") == 0;
    message_info("matrix products in bf16, %s",
                 fast ? "with native instructions"
                      : "emulated: not faster than fp32, with the same results as "
                        "native instructions");
}

/* With --epochs 0 a model is saved only if --save is given. */
static const char *model_path(const train_options *options)
{
    return options->epochs || options->save_given ? options->save : NULL;
}

/* Checks the files that the run will write, before it takes time. */
static bool check_targets(targets *to, const train_options *options)
{
    const char *run = options->resume ? to->run : NULL;
    bool force = options->force;
    if ((to->model && !paths_check(to->model, run, force, &to->model_file)) ||
        (options->report &&
         !paths_check(options->report, run, force, &to->report_file)))
        return false;
    /* A resumed run goes on with its own checkpoint. */
    force |= options->resume && paths_same(options->resume, options->checkpoint);
    return (!options->checkpoint ||
            paths_check(options->checkpoint, run, force, &to->checkpoint_file)) &&
           log_check(options) && events_check(options);
}

/* Says why a run is complete, and what continues it. */
static void describe_end(const train_state *trainer, const train_options *options)
{
    bool last = trainer->epoch == options->epochs;
    if (trainer_is_patient(trainer, options))
        message_info(
            "%s: the run is finished after epoch %zu; more --epochs continue it",
            options->resume, trainer->epoch);
    else
        message_info(
            "%s: --patience %zu has ended the run after epoch %zu; a --patience "
            "above %zu%s it",
            options->resume, (size_t)options->patience, trainer->epoch,
            trainer->best.bad, last ? " and more --epochs continue" : " continues");
}

/* A run that is complete already. Its model may be missing, or be that of an
 * interrupted part if the run was killed before it saved the last one. */
static int finish(train_state *trainer, const train_options *options, const targets *to)
{
    describe_end(trainer, options);
    if (options->report)
        message_warning("%s: not written, because nothing is trained or tested; --load "
                        "with --epochs 0 and --report tests a model",
                        options->report);
    ended = true;
    return save(trainer, to) ? 0 : 1;
}

/* As PyTorch does. */
static void warn_of_dropout(const classifier_config *network)
{
    const lstm_layer_config *config = &network->layers;
    bool stacked = config->layers > 1 ||
                   (network->order == READING_BOTH && network->column_layers > 1);
    if (config->dropout > 0 && !stacked)
        message_warning(
            "a dropout of %g has no effect: it is between layers, and there "
            "is 1 layer",
            config->dropout);
}

static void warn_of_decay(const train_options *options)
{
    if (options->decoupled && options->weight_decay == 0)
        message_warning("--decoupled has no effect: --weight-decay is 0");
}

static void warn_of_milestones(const train_options *options)
{
    for (size_t i = 0; i < options->schedule.at_count; i++)
        if (options->schedule.at[i] >= (double)options->epochs && options->epochs > 0)
            message_warning("--schedule has at=%g, which %" PRIu64 " epoch%s not reach",
                            options->schedule.at[i], options->epochs,
                            options->epochs == 1 ? " does" : "s do");
}

/* Schedules reduce the rate of --lr; PyTorch's, and these, do not insist on it. */
static void warn_of_rates(const train_state *trainer, const train_options *options)
{
    const train_schedule *schedule = &options->schedule;
    double lr;
    size_t step;
    if (!trainer->train || !schedule->name)
        return;
    if (schedule->on_plateau && schedule->levels.min_lr > options->lr)
        message_warning(
            "--schedule plateau has min=%g, above --lr %g: the learning rate "
            "stays as it is",
            schedule->levels.min_lr, options->lr);
    size_t steps = mnist_loader_batches(trainer->train) * (size_t)options->epochs;
    if (schedule_rises(&trainer->schedule, steps, &step, &lr))
        message_warning(
            "--schedule %s raises the learning rate above --lr %g: it is %g "
            "at step %zu of %zu",
            schedule->name, options->lr, lr, step, steps);
}

static void describe(const train_state *trainer, const train_options *options,
                     const train_data *data)
{
    char ranks[40] = "";
    if (options->resume)
        message_info("resuming after step %zu of epoch %zu", trainer->step,
                     trainer->epoch);
    train_data_describe(data, options);
    if (options->ranks > 1)
        snprintf(ranks, sizeof(ranks), "%zu ranks of ", (size_t)options->ranks);
    message_info("seed %llu, %s%zu thread%s, %s kernels, %zu parameters",
                 (unsigned long long)trainer->seed, ranks, lstm_threads(),
                 number_plural(lstm_threads()), lstm_kernels_name(),
                 lstm_params_count(trainer->network.params));
    describe_precision(trainer);
    if (options->epochs > 0)
        warn_of_dropout(&trainer->network.config);
    else if (!options->load)
        message_warning("--epochs 0 without --load tests random weights");
    warn_of_decay(options);
    warn_of_rates(trainer, options);
    warn_of_milestones(options);
}

/* Opens the log and the events, and writes the first checkpoint, which reports problems
 * now, such as an option value that is not valid UTF-8. A resumed run first checks its
 * log, and a new one leaves no log and no events if it fails. */
static bool open_files(const train_state *trainer, const train_options *options,
                       train_files *files)
{
    train_page *page = &files->page;
    if (options->resume && !log_open(&files->log, options, trainer, page))
        return false;
    if (events_open(&files->events, options, trainer) &&
        (!options->checkpoint || checkpoint_save(trainer, options->checkpoint)) &&
        (options->resume || log_open(&files->log, options, trainer, page)))
        return true;
    events_abandon(&files->events);
    if (files->log)
        fclose(files->log);
    return false;
}

/* Trains with the state of a run; returns the exit status. */
static int run_state(train_state *trainer, const train_options *options,
                     const train_data *data, double started)
{
    targets to = {.model = model_path(options),
                  .checkpoint = is_unsaid(options) ? options->checkpoint : NULL};
    snprintf(to.run, sizeof(to.run), "%016" PRIx64, train_options_run(trainer->seed));
    if (!check_targets(&to, options))
        return 1;
    if (options->resume && trainer_is_finished(trainer, options))
        return finish(trainer, options, &to);
    train_files files = {0};
    int status = 1;
    if (page_open(&files.page, trainer, options, data, to.run) &&
        open_files(trainer, options, &files)) {
        describe(trainer, options, data);
        message_info("ready after %.2f s", report_seconds() - started);
        if (run_trainer(trainer, options, data, &to, &files))
            status = signals_status();
    }
    page_free(&files.page);
    return status;
}

/* Trains as another rank than the first one; returns the exit status. */
static int run_other(train_state *trainer, const train_options *options,
                     const train_data *data)
{
    ended = options->resume && trainer_is_finished(trainer, options);
    if (ended)
        return 0;
    signals_handle();
    int status = ranks_start(trainer, options, data) ? ranks_follow(trainer) : 1;
    ended = ranks_end(trainer);
    return status;
}

static int run(const train_options *options, const train_data *data, double started)
{
    uint64_t seed = options->seed_given ? options->seed : random_seed();
    train_state trainer = {0};
    size_t threads = ranks_threads(options);
    if (threads && lstm_set_threads(threads) != LSTM_OK) {
        message_error("%s", lstm_last_error());
        return 1;
    }
    /* Without the option, the environment variable LSTM_REPRODUCIBLE applies. */
    if (options->reproducible)
        lstm_set_reproducible(true);
    if (!ranks_share_seed(options, &seed) ||
        !trainer_create(&trainer, options, seed, data))
        return 1;
    int status = world.rank > 0 ? run_other(&trainer, options, data)
                                : run_state(&trainer, options, data, started);
    trainer_destroy(&trainer);
    return status;
}

/* Whether there is a file to load. Says what else is in it. */
static bool check_load(const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    if (lstm_file_metadata(file, CHECKPOINT_KEY))
        message_info("%s: is a checkpoint, of which --load takes only the weights; "
                     "--resume continues its run",
                     path);
    lstm_file_destroy(&file);
    return true;
}

/* Before the checkpoint is read: a run that still writes it would be repeated. */
static bool lock_targets(train_locks *locks, const train_options *options)
{
    const char *model = model_path(options);
    if ((!model || locks_take(locks, model)) &&
        (!options->checkpoint || locks_take(locks, options->checkpoint)) &&
        (!options->report || locks_take(locks, options->report)))
        return true;
    locks_release(locks);
    return false;
}

/* Checks what the run needs before it takes time, and takes the locks of its files. */
static bool prepare(train_locks *locks, const train_options *options)
{
    /* Before a download, which may take long; run_state() checks again. */
    return (!options->load || check_load(options->load)) &&
           (options->resume ||
            check_targets(&(targets){.model = model_path(options)}, options)) &&
           lock_targets(locks, options);
}

/* The data set is in memory, but nobody wants to lose its files. */
static bool check_data(const train_options *options, const train_data *data)
{
    const mnist_dataset *train = data->whole ? data->whole : data->train;
    return paths_check_data(options, mnist_dataset_origin(train)) &&
           paths_check_data(options, mnist_dataset_origin(data->test));
}

/* Reads the command line; -1 to continue, else the exit status. All ranks of mpirun
 * read the same one, and the first of them says what is wrong. */
static int parse(train_options *options, int argc, char **argv)
{
    message_set_mute(world.rank > 0);
    int status = train_options_parse(options, argc, argv);
    if (status < 0)
        status = ranks_adopt(options, &world);
    ended = status >= 0;
    message_set_mute(false);
    message_set_quiet(options->quiet || world.rank > 0);
    return status < 0 && world.rank == 0 ? paths_check_options(options) : status;
}

static int train(int argc, char **argv, double started)
{
    train_options options;
    train_data data;
    train_locks locks = {0};
    int status = parse(&options, argc, argv);
    if (status >= 0)
        return status;
    if (world.rank == 0 && !prepare(&locks, &options))
        return 1;
    status = train_data_open(&data, &options);
    if (status == 0 && world.rank == 0 && !check_data(&options, &data))
        status = 1;
    if (status == 0)
        status = run(&options, &data, started);
    train_data_close(&data);
    locks_release(&locks);
    return status;
}

int main(int argc, char **argv)
{
    double started = report_seconds();
    message_set_program("mnist-train");
    if (!transport_mpi_join(&world))
        return 1;
    if (world.rank > 0) {
        ranks_name(world.rank);
        if (!freopen("/dev/null", "w", stdout))
            message_warning("/dev/null: %s", message_errno());
    }
    int status = train(argc, argv, started);
    transport_mpi_leave(&world, ended, status);
    return status;
}
