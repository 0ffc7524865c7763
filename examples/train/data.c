#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/train/data.h"
#include "examples/train/report.h"

/* Test digits differ from training digits. Their number is a sixth of the training
 * digits, as in MNIST. */
enum { TRAIN_SEED = 1, TEST_SEED = 2, TRAIN_PER_TEST = 6, TEST_COUNT = 10000 };
/* Labels are bytes. */
enum { MOST_CLASSES = 256, TEXT_SIZE = 4400 };
/* A download that brings no data for this time is said to wait. */
static const double WAIT_SECONDS = 2.5;

/* A download in progress: its file, the bytes received, when they were, and whether the
 * user knows that no more have come. */
typedef struct train_download {
    bool progress, said;
    char file[512];
    size_t done;
    double since;
} train_download;

static mnist_status open_synthetic(mnist_dataset **out, size_t count, mnist_split split)
{
    if (split == MNIST_TRAIN)
        return mnist_dataset_synthetic(out, count, TRAIN_SEED);
    return mnist_dataset_synthetic(
        out, count > TRAIN_PER_TEST ? count / TRAIN_PER_TEST : 1, TEST_SEED);
}

/* Shows the progress of a download, and says, also when quiet and without a terminal,
 * when no data arrive. */
static void show_download(const char *file, size_t done, size_t total, void *user)
{
    train_download *d = user;
    double now = report_seconds();
    if (done != d->done || strcmp(file, d->file) != 0) {
        size_t length = strnlen(file, sizeof(d->file) - 1);
        memcpy(d->file, file, length);
        d->file[length] = '\0';
        d->done = done;
        d->since = now;
        d->said = false;
    }
    bool remote = strncmp(file, "https://", 8) == 0;
    const char *from = remote ? file + 8 : file;
    int length = (int)(remote ? strcspn(from, "/") : strlen(from));
    double waited = now - d->since;
    if (waited > WAIT_SECONDS && !d->said) {
        d->said = true;
        message_warning("waiting for %.*s: no data for %.0f s", length, from, waited);
    }
    if (d->progress && waited > 1)
        message_progress("waiting for %.*s, %.0f s", length, from, waited);
    else if (d->progress)
        message_progress("%s: %.1f of %.1f MB", strrchr(file, '/') + 1,
                         (double)done / 1e6, (double)total / 1e6);
}

static void describe(const char *use, const mnist_dataset *dataset)
{
    if (dataset)
        message_info("%s on %zu image%s of %zu x %zu, %zu classes, %s", use,
                     mnist_dataset_count(dataset),
                     number_plural(mnist_dataset_count(dataset)),
                     mnist_dataset_rows(dataset), mnist_dataset_cols(dataset),
                     mnist_dataset_classes(dataset), mnist_dataset_origin(dataset));
}

/* Printed even with --quiet, because the user may expect MNIST. */
static void warn_of_synthetic(const train_data *data)
{
    static const char *const lines[] = {
        "****************************************************************",
        "** WARNING: MNIST was not found; using SYNTHETIC digits.      **",
        "** Set --data or MNIST_DIR to a folder with MNIST.            **",
        "****************************************************************",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        message_warning("%s", lines[i]);
    message_warning("The reason: %s", data->reason);
}

/* Opens a split. Synthetic digits replace MNIST only if the training set, which is
 * opened first, is missing; then the test set is synthetic, too: a network that was
 * trained on real digits is never tested on synthetic ones, nor the other way around.
 */
static mnist_status open_split(mnist_dataset **out, train_data *data,
                               const train_options *options, mnist_split split)
{
    if (options->synthetic_given)
        return open_synthetic(out, options->synthetic, split);
    if (data->train && mnist_dataset_is_synthetic(data->train))
        return mnist_dataset_synthetic(out, TEST_COUNT, TEST_SEED);
    char name[64];
    bool progress = !options->quiet && !options->no_progress && message_has_terminal();
    train_download download = {.progress = progress};
    const mnist_source source = {
        .directory = options->data,
        .name = train_options_dataset(options, name, sizeof(name)),
        .offline = options->offline,
        .limit = options->limit,
        .synthetic = !data->train,
        .progress = show_download,
        .user = &download,
    };
    mnist_status status = mnist_dataset_open(out, &source, split);
    const char *origin = mnist_dataset_origin(*out);
    bool missing = origin && (mnist_dataset_is_synthetic(*out) ||
                              strncmp(origin, "https://", 8) == 0);
    if (missing)
        snprintf(data->reason, sizeof(data->reason), "%s", mnist_last_error());
    return status;
}

/* Says which file is read if a folder has it with and without .gz, or with another name
 * that libmnist knows: the first one in its order. part is "images-idx3-ubyte" or
 * another end in path, which ends with it or with .gz. */
static void name_twins(const char *path, size_t before, const char *part)
{
    static const char *const ends[] = {"", ".gz"};
    char used[TEXT_SIZE] = "", other[TEXT_SIZE];
    for (size_t i = 0; i < 4; i++) {
        struct stat facts;
        const char *dash = strstr(part, "-idx");
        snprintf(other, sizeof(other), "%.*s%.*s%c%s%s", (int)before, path,
                 (int)(dash - part), part, i < 2 ? '-' : '.', dash + 1, ends[i % 2]);
        if (stat(other, &facts) || S_ISDIR(facts.st_mode))
            continue;
        if (*used)
            message_info("%s: not read, because %s is there", other, used);
        else
            memcpy(used, other, sizeof(used));
    }
}

/* The same for the images and labels of a data set. */
static void describe_twins(const mnist_dataset *dataset)
{
    static const char images[] = "images";
    static const char *const parts[] = {"images-idx3-ubyte", "labels-idx1-ubyte",
                                        "labels-idx2-int"};
    const char *origin = dataset ? mnist_dataset_origin(dataset) : "";
    const char *slash = strrchr(origin, '/');
    const char *name = slash ? strstr(slash, images) : NULL;
    for (size_t i = 0; name && i < sizeof(parts) / sizeof(parts[0]); i++)
        name_twins(origin, (size_t)(name - origin), parts[i]);
}

const mnist_dataset *train_data_any(const train_data *data)
{
    return data->train ? data->train : data->test;
}

size_t train_data_classes(const train_data *data)
{
    size_t train = mnist_dataset_classes(data->train);
    size_t test = mnist_dataset_classes(data->test);
    return train > test ? train : test;
}

static bool check_sizes(const train_data *data)
{
    const mnist_dataset *a = data->train, *b = data->test;
    if (!a || !b ||
        (mnist_dataset_rows(a) == mnist_dataset_rows(b) &&
         mnist_dataset_cols(a) == mnist_dataset_cols(b)))
        return true;
    return message_error("%s: test images are %zu x %zu, expected %zu x %zu as in the "
                         "training set",
                         mnist_dataset_origin(b), mnist_dataset_rows(b),
                         mnist_dataset_cols(b), mnist_dataset_rows(a),
                         mnist_dataset_cols(a));
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
    if (want_train)
        status = open_split(&data->train, data, options, MNIST_TRAIN);
    if (!status && want_test)
        status = open_split(&data->test, data, options, MNIST_TEST);
    if (status) {
        char why[2048];
        message_with_limit(mnist_last_error(), why, sizeof(why));
        message_error("%s", why);
        return status == MNIST_INVALID_ARGUMENT && options->dataset ? 2 : 1;
    }
    return check_sizes(data) ? divide(data, options) : 1;
}

/* Says how many classes no training image shows. */
static void describe_classes(const train_data *data)
{
    bool seen[MOST_CLASSES] = {false};
    size_t classes = train_data_classes(data), missing = 0;
    for (size_t i = 0; i < mnist_dataset_count(data->train); i++)
        seen[mnist_dataset_label(data->train, i)] = true;
    for (size_t i = 0; i < classes; i++)
        missing += !seen[i];
    if (data->train && missing > 0)
        message_info("%zu of %zu classes have no training image", missing, classes);
}

void train_data_describe(const train_data *data, const train_options *options)
{
    describe("training", data->train);
    describe("validation", data->validation);
    describe("testing", data->test);
    describe_classes(data);
    describe_twins(data->whole ? data->whole : data->train);
    describe_twins(data->test);
    if (options->synthetic_given)
        return;
    if (mnist_dataset_is_synthetic(train_data_any(data)))
        warn_of_synthetic(data);
    else if (*data->reason)
        message_info("%s", data->reason);
}

void train_data_close(train_data *data)
{
    mnist_dataset_destroy(&data->train);
    mnist_dataset_destroy(&data->validation);
    mnist_dataset_destroy(&data->test);
    mnist_dataset_destroy(&data->whole);
}
