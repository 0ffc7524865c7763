#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/train/message.h"
#include "examples/train/options.h"

static const train_options defaults = {
    .epochs = 10,
    .batch_size = 64,
    .hidden = 128,
    .layers = 2,
    .lr = 0.001,
    .log_every = 100,
    .save = "mnist-lstm.safetensors",
};

/* In the order of train_eval. */
static const char *const eval_names[] = {"epoch", "end", "none"};
/* In the order of lstm_precision. */
static const char *const precision_names[] = {"fp32", "bf16"};

typedef enum option_kind {
    KIND_FLAG,     /* bool, set to true */
    KIND_CLEAR,    /* const char *, set to NULL */
    KIND_TEXT,     /* const char *, not empty */
    KIND_COUNT,    /* uint64_t from low to high */
    KIND_REAL,     /* double from low to high */
    KIND_POSITIVE, /* double above 0 and up to high */
    KIND_EVAL,
    KIND_SCHEDULE,
    KIND_PRECISION,
    KIND_HELP,
    KIND_VERSION,
} option_kind;

#define FIELD(name) offsetof(train_options, name)
enum { NOTHING = -1 };

/* All options. This table defines the input of getopt_long(), the checks of values and
 * the text of --help. A value in brackets is optional. */
static const struct row {
    const char *name;
    const char *value;
    option_kind kind;
    size_t field;
    /* Offset of a bool that is set if the option is given, or NOTHING. */
    ptrdiff_t given;
    double low, high;
    const char *help;
} rows[] = {
    {"data", "DIR", KIND_TEXT, FIELD(data), NOTHING, 0, 0,
     "folder with the four IDX files of the data set, plain or gzip"},
    {"dataset", "NAME", KIND_TEXT, FIELD(dataset), NOTHING, 0, 0,
     "mnist, fashion-mnist, kmnist or emnist-digits (default mnist)"},
    {"synthetic", "[=COUNT]", KIND_COUNT, FIELD(synthetic), FIELD(synthetic_given), 1,
     1e7, "train on COUNT synthetic digits, test on a sixth (default 60000)"},
    {"offline", NULL, KIND_FLAG, FIELD(offline), NOTHING, 0, 0, "do not download data"},
    {"epochs", "N", KIND_COUNT, FIELD(epochs), NOTHING, 0, 1e6,
     "epochs to train; 0 tests only"},
    {"batch-size", "N", KIND_COUNT, FIELD(batch_size), NOTHING, 1, 1e6,
     "samples per step"},
    {"hidden", "N", KIND_COUNT, FIELD(hidden), FIELD(hidden_given), 1, 65536,
     "hidden units per layer"},
    {"layers", "N", KIND_COUNT, FIELD(layers), FIELD(layers_given), 1, 64,
     "LSTM layers"},
    {"bidirectional", NULL, KIND_FLAG, FIELD(bidirectional), NOTHING, 0, 0,
     "bidirectional LSTM"},
    {"proj", "N", KIND_COUNT, FIELD(proj), FIELD(proj_given), 1, 65535,
     "size of the projection of h, below --hidden (default none)"},
    {"dropout", "P", KIND_REAL, FIELD(dropout), FIELD(dropout_given), 0, 1,
     "dropout probability between layers (default 0)"},
    {"label-smoothing", "S", KIND_REAL, FIELD(label_smoothing), NOTHING, 0, 1,
     "label smoothing of the cross-entropy (default 0)"},
    {"lr", "X", KIND_POSITIVE, FIELD(lr), NOTHING, 0, 1e6, "learning rate of Adam"},
    {"schedule", "NAME", KIND_SCHEDULE, FIELD(schedule), NOTHING, 0, 0,
     "learning rate schedule, see below (default constant)"},
    {"weight-decay", "X", KIND_REAL, FIELD(weight_decay), NOTHING, 0, 1e6,
     "weight decay, added to the gradient (default 0)"},
    {"clip-norm", "X", KIND_POSITIVE, FIELD(clip_norm), NOTHING, 0, 1e30,
     "clip the gradient to this norm (default no clipping)"},
    {"precision", "NAME", KIND_PRECISION, FIELD(precision), FIELD(precision_given), 0,
     0, "precision of matrix products, fp32 or bf16 (default fp32)"},
    {"seed", "N", KIND_COUNT, FIELD(seed), FIELD(seed_given), 0, 0x1p64,
     "seed of weights, sample order and dropout (default random)"},
    {"threads", "N", KIND_COUNT, FIELD(threads), NOTHING, 1, LSTM_MAX_THREADS,
     "number of threads (default all processors)"},
    {"reproducible", NULL, KIND_FLAG, FIELD(reproducible), NOTHING, 0, 0,
     "bit-identical results on every processor, slower without AVX2"},
    {"log-every", "N", KIND_COUNT, FIELD(log_every), NOTHING, 1, 1e9,
     "print the loss every N steps"},
    {"log", "FILE.csv", KIND_TEXT, FIELD(log), NOTHING, 0, 0,
     "log epoch, step and loss of every step"},
    {"save", "FILE", KIND_TEXT, FIELD(save), FIELD(save_given), 0, 0,
     "save the model to FILE at the end"},
    {"no-save", NULL, KIND_CLEAR, FIELD(save), NOTHING, 0, 0, "do not save the model"},
    {"load", "FILE", KIND_TEXT, FIELD(load), NOTHING, 0, 0,
     "start from a saved model and its options; test it with --epochs 0"},
    {"checkpoint", "FILE", KIND_TEXT, FIELD(checkpoint), NOTHING, 0, 0,
     "write a checkpoint after each epoch and on Ctrl-C"},
    {"resume", "FILE", KIND_TEXT, FIELD(resume), NOTHING, 0, 0,
     "resume a run, bit for bit, with the options in its checkpoint"},
    {"eval", "WHEN", KIND_EVAL, FIELD(eval), NOTHING, 0, 0,
     "test after each epoch, at the end, or never: epoch, end, none\n"
     "                      (default epoch)"},
    {"quiet", NULL, KIND_FLAG, FIELD(quiet), NOTHING, 0, 0,
     "print only results, warnings and errors"},
    {"no-progress", NULL, KIND_FLAG, FIELD(no_progress), NOTHING, 0, 0,
     "do not draw a progress line"},
    {"help", NULL, KIND_HELP, 0, NOTHING, 0, 0, "print this help and exit"},
    {"version", NULL, KIND_VERSION, 0, NOTHING, 0, 0, "print the version and exit"},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), FIRST_CODE = 256, SYNTHETIC = 60000 };

_Static_assert((int)ROWS <= (int)TRAIN_MAX_OPTIONS,
               "TRAIN_MAX_OPTIONS must cover all options");

/* Text of each option that was given, "" for an option without value, NULL otherwise;
 * and the texts from a checkpoint. */
static const char *given[ROWS];
static char stored[ROWS][4096];

/* Whether a checkpoint stores the option. The others apply to one invocation only. */
static bool is_stored(const struct row *row)
{
    static const char *const others[] = {"load",  "resume",      "log",     "threads",
                                         "quiet", "no-progress", "offline", "seed"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(row->name, others[i]) == 0)
            return false;
    return row->kind != KIND_HELP && row->kind != KIND_VERSION;
}

size_t train_options_list(const char **pairs)
{
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (given[i] && is_stored(&rows[i])) {
            pairs[2 * count] = rows[i].name;
            pairs[2 * count++ + 1] = given[i];
        }
    return count;
}

static void *field(train_options *options, const struct row *row)
{
    return (char *)options + row->field;
}

static void print_default(const struct row *row)
{
    train_options options = defaults;
    const void *value = field(&options, row);
    if (row->kind == KIND_COUNT && *(const uint64_t *)value)
        printf(" (default %llu)", (unsigned long long)*(const uint64_t *)value);
    else if (row->kind == KIND_POSITIVE && *(const double *)value > 0)
        printf(" (default %g)", *(const double *)value);
    else if (row->kind == KIND_TEXT && *(const char *const *)value)
        printf("\n%21s (default %s)", "", *(const char *const *)value);
}

static void print_help(void)
{
    printf(
        "Usage: mnist-train [OPTION]...\n\n"
        "Trains an LSTM with Adam to classify the digits of MNIST, row by row.\n"
        "Losses and accuracies are printed to standard output, all other messages to\n"
        "standard error.\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        const char *value = rows[i].value ? rows[i].value : "";
        char name[32];
        snprintf(name, sizeof(name), "--%s%s%s", rows[i].name,
                 *value && *value != '[' ? " " : "", value);
        printf("  %-19s %s", name, rows[i].help);
        print_default(&rows[i]);
        putchar('\n');
    }
    printf(
        "\nSchedules with their options and defaults. Times are in epochs and may be "
        "fractions.\nA warmup starts at a third of lr.\n\n");
    schedule_print_help();
    printf("\nWithout --data, mnist-train searches $MNIST_DIR and the cache\n"
           "($XDG_CACHE_HOME or ~/.cache), then downloads the files. If the download\n"
           "fails, it uses synthetic digits and prints a warning. Ctrl-C ends the run\n"
           "after the current step and saves the model.\n\n"
           "Exit status: 0 success, 1 failure, 2 invalid usage, 130 interrupted.\n");
}

/* Parses decimal digits without sign or space; false if the value is out of range. */
static bool parse_count(const struct row *row, const char *text, uint64_t *value)
{
    enum { MAX_DIGITS = 20 };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > MAX_DIGITS || text[digits] != '\0')
        return false;
    /* Twenty digits may exceed 2^64 - 1. For strings of equal length, strcmp() compares
     * the numbers. */
    unsigned long long number = strtoull(text, NULL, 10);
    bool overflow = digits == MAX_DIGITS && strcmp(text, "18446744073709551615") > 0;
    *value = number;
    return !overflow && (double)number >= row->low && (double)number <= row->high;
}

/* Parses a decimal number; refuses "inf", "nan", hexadecimal, and surrounding text. */
static bool parse_real(const struct row *row, const char *text, double *value)
{
    char *end;
    if (text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    *value = strtod(text, &end);
    bool low = row->kind == KIND_POSITIVE ? *value > 0 : *value >= row->low;
    return end != text && *end == '\0' && low && *value <= row->high;
}

static bool parse_eval(const char *text, train_eval *value)
{
    for (size_t i = 0; i < sizeof(eval_names) / sizeof(eval_names[0]); i++)
        if (strcmp(text, eval_names[i]) == 0) {
            *value = (train_eval)i;
            return true;
        }
    return false;
}

static bool parse_precision(const char *text, lstm_precision *value)
{
    for (size_t i = 0; i < sizeof(precision_names) / sizeof(precision_names[0]); i++)
        if (strcmp(text, precision_names[i]) == 0) {
            *value = (lstm_precision)i;
            return true;
        }
    return false;
}

static bool parse_value(train_options *options, const struct row *row, const char *text)
{
    void *value = field(options, row);
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)value = true;
        return true;
    case KIND_CLEAR:
        *(const char **)value = NULL;
        return true;
    case KIND_TEXT:
        *(const char **)value = text;
        return *text != '\0';
    case KIND_COUNT:
        return parse_count(row, text, value);
    case KIND_REAL:
    case KIND_POSITIVE:
        return parse_real(row, text, value);
    case KIND_PRECISION:
        return parse_precision(text, value);
    default:
        return parse_eval(text, value);
    }
}

static int take_schedule(train_options *options, const char *text)
{
    char why[160];
    if (schedule_parse(&options->schedule, text, why, sizeof(why)))
        return -1;
    message_error("invalid --schedule '%s': %s", text, why);
    return 2;
}

static int refuse(const struct row *row, const char *text)
{
    char expected[80] = "a name";
    if (row->kind == KIND_COUNT && row->high < 0x1p64)
        snprintf(expected, sizeof(expected), "an integer from %.0f to %.0f", row->low,
                 row->high);
    else if (row->kind == KIND_COUNT)
        snprintf(expected, sizeof(expected), "an integer below 2^64");
    else if (row->kind == KIND_REAL)
        snprintf(expected, sizeof(expected), "a number from %g to %g", row->low,
                 row->high);
    else if (row->kind == KIND_POSITIVE)
        snprintf(expected, sizeof(expected), "a number above 0 and at most %g",
                 row->high);
    else if (row->kind == KIND_EVAL)
        snprintf(expected, sizeof(expected), "%s, %s or %s", eval_names[0],
                 eval_names[1], eval_names[2]);
    else if (row->kind == KIND_PRECISION)
        snprintf(expected, sizeof(expected), "%s or %s", precision_names[0],
                 precision_names[1]);
    message_error("--%s is '%s', expected %s", row->name, text, expected);
    return 2;
}

static int print_and_exit(option_kind kind)
{
    if (kind == KIND_HELP)
        print_help();
    else
        printf("mnist-train %s\n", lstm_version());
    if (fflush(stdout) == 0)
        return 0;
    message_error("standard output: %s", message_errno());
    return 1;
}

static int take(train_options *options, const struct row *row, const char *text)
{
    if (row->kind == KIND_HELP || row->kind == KIND_VERSION)
        return print_and_exit(row->kind);
    if (row->given != NOTHING)
        *(bool *)((char *)options + row->given) = true;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].field == row->field)
            given[i] = &rows[i] == row ? (text ? text : "") : NULL;
    if (row->value && *row->value == '[' && !text)
        return -1;
    if (row->kind == KIND_SCHEDULE)
        return take_schedule(options, text);
    return parse_value(options, row, text) ? -1 : refuse(row, text);
}

/* Reports the error for which getopt_long() returned '?' or ':'. */
static int refuse_word(int code, char **argv)
{
    bool known = optopt >= FIRST_CODE && optopt < FIRST_CODE + ROWS;
    if (code == ':' && known)
        message_error("--%s requires a value: %s", rows[optopt - FIRST_CODE].name,
                      rows[optopt - FIRST_CODE].value);
    else if (known)
        message_error("--%s does not take a value", rows[optopt - FIRST_CODE].name);
    else
        message_error("unknown option '%s'; see --help", argv[optind - 1]);
    return 2;
}

static int check_resume(const train_options *options)
{
    if (!options->resume || (!options->load && options->epochs > 0))
        return -1;
    message_error("--resume cannot be combined with --load or --epochs 0");
    return 2;
}

static int check_together(const train_options *options, int argc, char **argv)
{
    if (optind < argc) {
        message_error("unexpected argument '%s'; see --help", argv[optind]);
        return 2;
    }
    int status = check_resume(options);
    if (status >= 0)
        return status;
    if (options->synthetic_given && (options->data || options->dataset)) {
        message_error("--synthetic cannot be combined with --data or --dataset");
        return 2;
    }
    bool sizes_known = (!options->load && !options->resume) ||
                       (options->hidden_given && options->proj_given);
    if (sizes_known && options->proj >= options->hidden) {
        message_error("--proj is %llu, expected less than --hidden %llu",
                      (unsigned long long)options->proj,
                      (unsigned long long)options->hidden);
        return 2;
    }
    if (options->schedule.warmup > 0 &&
        options->schedule.warmup >= (double)options->epochs) {
        message_error("--schedule has a warmup of %g epochs, expected less than "
                      "--epochs %llu",
                      options->schedule.warmup, (unsigned long long)options->epochs);
        return 2;
    }
    return -1;
}

/* Applies the options that a checkpoint stores. */
static int take_stored(train_options *options, const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK) {
        message_error("%s", lstm_last_error());
        return 1;
    }
    int result = -1;
    if (!lstm_file_metadata(file, CHECKPOINT_KEY)) {
        message_error("%s: metadata " CHECKPOINT_KEY " is missing: not a checkpoint",
                      path);
        result = 1;
    }
    for (size_t i = 0; result < 0 && i < ROWS; i++) {
        const char *text = lstm_file_metadata(file, rows[i].name);
        if (!is_stored(&rows[i]) || !text)
            continue;
        snprintf(stored[i], sizeof(stored[i]), "%s", text);
        result = take(options, &rows[i], *stored[i] ? stored[i] : NULL);
    }
    lstm_file_destroy(&file);
    return result;
}

static int take_words(train_options *options, int argc, char **argv)
{
    struct option names[ROWS + 1] = {{0}};
    for (int i = 0; i < ROWS; i++) {
        const char *value = rows[i].value;
        names[i].name = rows[i].name;
        names[i].has_arg =
            !value ? no_argument
                   : (*value == '[' ? optional_argument : required_argument);
        names[i].val = FIRST_CODE + i;
    }
    int code, status = -1;
    /* getopt_long() prints no messages, and + stops it at the first argument that is
     * not an option. */
    opterr = 0;
    optind = 0;
    while (status < 0 && (code = getopt_long(argc, argv, "+:", names, NULL)) != -1)
        status = code >= FIRST_CODE ? take(options, &rows[code - FIRST_CODE], optarg)
                                    : refuse_word(code, argv);
    return status;
}

static void set_defaults(train_options *options)
{
    *options = defaults;
    options->synthetic = SYNTHETIC;
    memset(given, 0, sizeof(given));
}

int train_options_parse(train_options *options, int argc, char **argv)
{
    set_defaults(options);
    int status = take_words(options, argc, argv);
    if (status < 0 && options->resume) {
        /* Parses the command line again, on top of the options of the checkpoint. */
        const char *path = options->resume;
        status = check_resume(options);
        if (status < 0) {
            set_defaults(options);
            status = take_stored(options, path);
        }
        if (status < 0)
            status = take_words(options, argc, argv);
    }
    return status < 0 ? check_together(options, argc, argv) : status;
}
