/*
 * mnist-train: trains an LSTM classifier on MNIST. This file begins and ends a run; its
 * epochs are in epochs.c, training and evaluation in trainer.c, the network in
 * classifier.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/train/checkpoint.h"
#include "examples/train/epochs.h"

enum { EXIT_INTERRUPTED = 130 };

static volatile bool interrupted;

static void note_interrupt(int signal)
{
    (void)signal;
    interrupted = true;
}

/* The first Ctrl-C ends the run after the current step, the second one immediately. */
static void handle_interrupt(void)
{
    struct sigaction action = {.sa_handler = note_interrupt,
                               .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* Whether saving to path will be possible. Saving writes a temporary file in the same
 * folder and renames it; this check reports problems before the training. */
static bool can_save(const char *path)
{
    struct stat old;
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
        return message_error("%s: exists and is not a regular file", path);
    size_t size = strlen(path) + 48;
    char *temporary = malloc(size);
    if (!temporary)
        return message_error("no memory");
    snprintf(temporary, size, "%s.%ld.tmp-check", path, (long)getpid());
    int file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = errno;
    if (file >= 0) {
        close(file);
        unlink(temporary);
    }
    free(temporary);
    return file >= 0 ||
           message_error("%s: cannot be written: %s", path, strerror(error));
}

/* A seed of 32 bits: generators use only the low 32 bits of a seed. */
static uint64_t random_seed(void)
{
    uint32_t seed = (uint32_t)getpid();
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed ^= (uint32_t)(report_seconds() * 1e6);
    return seed;
}

static bool save(train_state *trainer, const char *path)
{
    if (interrupted)
        message_info("interrupted%s", path ? "" : "; model not saved");
    if (!path)
        return true;
    if (!trainer_use_best(trainer))
        return false;
    if (lstm_params_save(trainer->network.params, path, NULL) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    message_info("saved %s", path);
    return true;
}

/* Number of samples processed before a resume; at most all. */
static size_t resumed_samples(const train_state *trainer, size_t all)
{
    size_t epochs = trainer->epoch > 0 ? trainer->epoch - 1 : 0;
    size_t done = epochs * trainer->samples + trainer->step * trainer->full.count;
    return done < all ? done : all;
}

static bool run_trainer(train_state *trainer, const train_options *options,
                        const train_data *data)
{
    train_report report = {0};
    size_t samples = mnist_dataset_count(data->train);
    if (!report_open(&report, options, mnist_loader_batches(trainer->train), samples,
                     trainer->seconds)) {
        report_close(&report);
        return false;
    }
    report.samples_total -= resumed_samples(trainer, report.samples_total);
    handle_interrupt();
    const train_run run = {trainer, &report, options, &interrupted};
    bool done = epochs_train(&run);
    return report_close(&report) && done;
}

static void describe_precision(const train_state *trainer)
{
    if (lstm_layer_get_config(trainer->network.lstm)->precision != LSTM_BFLOAT16)
        return;
    bool fast = strcmp(lstm_kernels_name(), "avx512bf16") == 0;
    message_info("matrix products in bf16, %s",
                 fast ? "with native instructions"
                      : "emulated: slower than fp32, with the same results as native "
                        "instructions");
}

static int run(const train_options *options, const train_data *data, double started)
{
    uint64_t seed = options->seed_given ? options->seed : random_seed();
    /* With --epochs 0 a model is saved only if --save is given. */
    const char *path = options->epochs || options->save_given ? options->save : NULL;
    train_state trainer = {0};
    if ((path && !can_save(path)) ||
        (options->checkpoint && !can_save(options->checkpoint)))
        return 1;
    if (options->threads && lstm_set_threads(options->threads) != LSTM_OK) {
        message_error("%s", lstm_last_error());
        return 1;
    }
    /* Without the option, the environment variable LSTM_REPRODUCIBLE applies. */
    if (options->reproducible)
        lstm_set_reproducible(true);
    if (!trainer_create(&trainer, options, seed, data))
        return 1;
    /* Reports problems now, such as an option value that is not valid UTF-8. */
    if (options->checkpoint && !checkpoint_save(&trainer, options->checkpoint)) {
        trainer_destroy(&trainer);
        return 1;
    }
    if (options->resume)
        message_info("resuming after step %zu of epoch %zu", trainer.step,
                     trainer.epoch);
    train_data_describe(data, options);
    message_info("seed %llu, %zu threads, %s kernels, %zu parameters",
                 (unsigned long long)trainer.seed, lstm_threads(), lstm_kernels_name(),
                 lstm_params_count(trainer.network.params));
    describe_precision(&trainer);
    message_info("ready after %.2f s", report_seconds() - started);
    bool done = run_trainer(&trainer, options, data) && save(&trainer, path);
    trainer_destroy(&trainer);
    if (!done)
        return 1;
    return interrupted ? EXIT_INTERRUPTED : 0;
}

int main(int argc, char **argv)
{
    double started = report_seconds();
    train_options options;
    train_data data;
    message_set_program("mnist-train");
    int status = train_options_parse(&options, argc, argv);
    if (status >= 0)
        return status;
    message_set_quiet(options.quiet);
    status = train_data_open(&data, &options);
    if (status == 0)
        status = run(&options, &data, started);
    train_data_close(&data);
    return status;
}
