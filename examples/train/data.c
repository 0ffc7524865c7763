#include <stdio.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/train/data.h"

/* Test digits differ from training digits. Their number is a sixth of the training
 * digits, as in MNIST. */
enum { TRAIN_SEED = 1, TEST_SEED = 2, TRAIN_PER_TEST = 6 };

static mnist_status open_synthetic(mnist_dataset **out, size_t count, mnist_split split)
{
    if (split == MNIST_TRAIN)
        return mnist_dataset_synthetic(out, count, TRAIN_SEED);
    return mnist_dataset_synthetic(
        out, count > TRAIN_PER_TEST ? count / TRAIN_PER_TEST : 1, TEST_SEED);
}

static void show_download(const char *file, size_t done, size_t total, void *user)
{
    const train_options *options = user;
    if (!options->quiet && !options->no_progress && isatty(STDERR_FILENO))
        message_progress("%s: %.1f of %.1f MB", file, (double)done / 1e6,
                         (double)total / 1e6);
}

static void describe(const char *use, const mnist_dataset *dataset)
{
    if (dataset)
        message_info("%s on %zu images of %zu x %zu, %s", use,
                     mnist_dataset_count(dataset), mnist_dataset_rows(dataset),
                     mnist_dataset_cols(dataset), mnist_dataset_origin(dataset));
}

/* Printed even with --quiet, because the user may expect MNIST. */
static void warn_of_synthetic(void)
{
    message_warning("****************************************************************\n"
                    "** WARNING: MNIST was not found; using SYNTHETIC digits.      **\n"
                    "** Set --data or MNIST_DIR to a folder with MNIST.            **\n"
                    "****************************************************************");
}

static bool open_split(mnist_dataset **out, const train_options *options,
                       bool no_synthetic, mnist_split split, mnist_status *status)
{
    if (options->synthetic_given)
        *status = open_synthetic(out, options->synthetic, split);
    else
        *status = mnist_dataset_open(out,
                                     &(mnist_source){
                                         .directory = options->data,
                                         .name = options->dataset,
                                         .offline = options->offline,
                                         .no_synthetic = no_synthetic,
                                         .progress = show_download,
                                         .user = (void *)options,
                                     },
                                     split);
    if (*status != MNIST_OK)
        return message_error("%s", mnist_last_error());
    return true;
}

const mnist_dataset *train_data_any(const train_data *data)
{
    return data->train ? data->train : data->test;
}

static bool check_sizes(const train_data *data)
{
    const mnist_dataset *a = data->train, *b = data->test;
    const mnist_dataset *any = train_data_any(data);
    if (mnist_dataset_count(any) == 0)
        return message_error("%s: contains no images", mnist_dataset_origin(any));
    if (!a || !b ||
        (mnist_dataset_rows(a) == mnist_dataset_rows(b) &&
         mnist_dataset_cols(a) == mnist_dataset_cols(b) &&
         mnist_dataset_classes(a) == mnist_dataset_classes(b)))
        return true;
    return message_error("%s: test images are %zu x %zu with %zu classes, expected "
                         "%zu x %zu with %zu as in the training set",
                         mnist_dataset_origin(b), mnist_dataset_rows(b),
                         mnist_dataset_cols(b), mnist_dataset_classes(b),
                         mnist_dataset_rows(a), mnist_dataset_cols(a),
                         mnist_dataset_classes(a));
}

/* Divides the training set into a part for training and its end for validation. */
static int divide(train_data *data, const train_options *options)
{
    size_t all = mnist_dataset_count(data->train);
    double share = options->validation * (options->validation < 1 ? (double)all : 1);
    size_t count = (size_t)(share + 0.5);
    if (options->validation == 0)
        return 0;
    if (count < 1 || count >= all) {
        message_error("--validation is %g, %zu of %zu images, expected 1 to %zu",
                      options->validation, count, all, all - 1);
        return 2;
    }
    data->whole = data->train;
    data->train = NULL;
    if (mnist_dataset_narrow(&data->train, data->whole, 0, all - count) == MNIST_OK &&
        mnist_dataset_narrow(&data->validation, data->whole, all - count, count) ==
            MNIST_OK)
        return 0;
    message_error("%s", mnist_last_error());
    return 1;
}

int train_data_open(train_data *data, const train_options *options)
{
    mnist_status status = MNIST_OK;
    bool want_train = options->epochs > 0;
    bool want_test = options->eval != TRAIN_EVAL_NONE || !want_train;
    *data = (train_data){0};
    /* A network trained on real digits is never tested on synthetic ones. */
    if ((want_train &&
         !open_split(&data->train, options, false, MNIST_TRAIN, &status)) ||
        (want_test &&
         !open_split(&data->test, options,
                     data->train && !mnist_dataset_is_synthetic(data->train),
                     MNIST_TEST, &status)))
        return status == MNIST_INVALID_ARGUMENT && options->dataset ? 2 : 1;
    return check_sizes(data) ? divide(data, options) : 1;
}

void train_data_describe(const train_data *data, const train_options *options)
{
    describe("training", data->train);
    describe("validation", data->validation);
    describe("testing", data->test);
    if (!options->synthetic_given && mnist_dataset_is_synthetic(train_data_any(data)))
        warn_of_synthetic();
}

void train_data_close(train_data *data)
{
    mnist_dataset_destroy(&data->train);
    mnist_dataset_destroy(&data->validation);
    mnist_dataset_destroy(&data->test);
    mnist_dataset_destroy(&data->whole);
}
