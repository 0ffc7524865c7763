#include <string.h>

#include "examples/common/message.h"
#include "examples/common/options.h"
#include "examples/train/together.h"

int together_check_resume(const train_options *options)
{
    if (options->resume && (options->load || options->epochs == 0))
        message_error("--resume cannot be combined with --load or --epochs 0");
    else if (options->resume && options->recipe_given)
        message_error("--resume cannot be combined with --recipe, whose options the "
                      "checkpoint has");
    else
        return -1;
    return OPTIONS_USAGE;
}

static int check_validation(const train_options *options)
{
    if (options->validation > 0 && options->epochs == 0)
        message_error("--validation cannot be combined with --epochs 0");
    else if (options->validation == 0 && options->keep == TRAIN_KEEP_BEST)
        message_error("--keep best needs --validation");
    else if (options->validation == 0 && options->patience > 0)
        message_error("--patience needs --validation");
    else
        return -1;
    return OPTIONS_USAGE;
}

static int check_dataset(const train_options *options)
{
    bool emnist = options->dataset && strcmp(options->dataset, "emnist") == 0;
    if (options->synthetic_given && (options->data || options->dataset))
        message_error("--synthetic cannot be combined with --data or --dataset");
    else if (emnist && !options->emnist_given)
        message_error("--dataset emnist needs --split: byclass, bymerge, balanced, "
                      "letters, digits or mnist");
    else if (options->emnist_given && !emnist)
        message_error("--split needs --dataset emnist");
    else
        return -1;
    return OPTIONS_USAGE;
}

/* With --epochs 0 nothing is trained or logged, and the purpose is the test. */
static int check_testing(const train_options *options)
{
    const char *other = options->log                       ? "--log"
                        : options->tensorboard             ? "--tensorboard"
                        : options->checkpoint              ? "--checkpoint"
                        : options->eval == TRAIN_EVAL_NONE ? "--eval none"
                                                           : NULL;
    if (options->epochs > 0 || !other)
        return -1;
    message_error("%s cannot be combined with --epochs 0", other);
    return OPTIONS_USAGE;
}

/* Sizes are compared if no file has them. */
static int check_sizes(const train_options *options)
{
    bool known = (!options->load && !options->resume) ||
                 (options->hidden_given && options->proj_given);
    if (!known || options->proj < options->hidden)
        return -1;
    message_error("--proj is %llu, expected less than --hidden %llu",
                  (unsigned long long)options->proj,
                  (unsigned long long)options->hidden);
    return OPTIONS_USAGE;
}

static int check_chrono(const train_options *options)
{
    if (!options->load || options->chrono == 0)
        return -1;
    message_error("--chrono cannot be combined with --load, which has all weights");
    return OPTIONS_USAGE;
}

static int check_clean(const train_options *options)
{
    if (options->clean_epochs > 0 && !options->augment.text)
        message_error("--clean-epochs needs --augment");
    else if (train_options_clean(options) > options->epochs)
        message_error("--clean-epochs is %g, expected at most --epochs %llu",
                      options->clean_epochs, (unsigned long long)options->epochs);
    else
        return -1;
    return OPTIONS_USAGE;
}

/* With a file, its order may be another one. */
static int check_reading(const train_options *options)
{
    if (!options->column_layers_given || options->load || options->resume ||
        options->read == READING_BOTH)
        return -1;
    message_error("--column-layers needs --read both");
    return OPTIONS_USAGE;
}

static int check_times(const train_options *options)
{
    const train_interval *every = &options->checkpoint_every;
    double warmup = options->schedule.warmup;
    if ((every->steps || every->seconds > 0) && !options->checkpoint)
        message_error("--checkpoint-every needs --checkpoint");
    else if (warmup > 0 && warmup >= (double)options->epochs)
        message_error("--schedule has a warmup of %g epochs, expected less than "
                      "--epochs %llu",
                      warmup, (unsigned long long)options->epochs);
    else
        return -1;
    return OPTIONS_USAGE;
}

static int check_shards(const train_options *options)
{
    if (options->shards > options->batch_size)
        message_error("--shards is %llu, expected at most --batch-size %llu",
                      (unsigned long long)options->shards,
                      (unsigned long long)options->batch_size);
    else if (options->ranks > options->shards)
        message_error("%s %llu%s, expected at most --shards %llu",
                      options->mpi ? "mpirun started" : "--ranks is",
                      (unsigned long long)options->ranks, options->mpi ? " ranks" : "",
                      (unsigned long long)options->shards);
    else if (options->ranks > 1 && options->epochs == 0)
        message_error("%s cannot be combined with --epochs 0",
                      options->mpi ? "mpirun" : "--ranks");
    else
        return -1;
    return OPTIONS_USAGE;
}

int together_check(const train_options *options)
{
    static int (*const checks[])(const train_options *) = {
        together_check_resume, check_times, check_dataset, check_validation,
        check_testing,         check_sizes, check_shards,  check_reading,
        check_chrono,          check_clean};
    int status = -1;
    for (size_t i = 0; status < 0 && i < sizeof(checks) / sizeof(checks[0]); i++)
        status = checks[i](options);
    return status;
}
