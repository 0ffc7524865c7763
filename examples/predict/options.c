#include <stdio.h>

#include <mnist/mnist.h>

#include "examples/common/options.h"
#include "examples/digits/shifts.h"
#include "examples/picture/picture.h"
#include "examples/predict/doubt.h"
#include "examples/predict/options.h"

static const predict_options defaults;

static const char *const papers[] = {
    [MNIST_PAPER_AUTO] = "auto",
    [MNIST_PAPER_DARK] = "dark",
    [MNIST_PAPER_LIGHT] = "light",
    NULL,
};

#define FIELD(name) offsetof(predict_options, name)
static const option_row rows[] = {
    {.name = "digits",
     .kind = OPTION_FLAG,
     .field = FIELD(digits),
     .help = "read all digits of a picture, from left to right"},
    {.name = "paper",
     .value = "WHICH",
     .kind = OPTION_CHOICE,
     .field = FIELD(paper),
     .names = papers,
     .help = "auto, dark or light: the background of the\n"
             "digits (default auto: each picture, and each IDX\n"
             "file as a whole, decides)"},
    {.name = "labels",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(labels),
     .help = "IDX file of the labels of an IDX file (default\n"
             "the one beside it with the usual name, if any)"},
    {.name = "transpose",
     .kind = OPTION_FLAG,
     .field = FIELD(transpose),
     .help = "swap rows and columns of the images of IDX\n"
             "files, as EMNIST stores them"},
    {.name = "show",
     .kind = OPTION_FLAG,
     .field = FIELD(show),
     .help = "draw what the network sees as text; on standard\n"
             "error with --json and --csv"},
    {.name = "explain",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(explain),
     .help = "draw how the network reads one picture, as SVG:\n"
             "the probabilities after each row, and the gates\n"
             "and states of the most active units"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .field = FIELD(force),
     .help = "replace a FILE that is not such a drawing"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .field = FIELD(json),
     .help = "print a JSON array of objects"},
    {.name = "csv",
     .kind = OPTION_FLAG,
     .field = FIELD(csv),
     .help = "print a table of comma-separated values"},
    {.name = "lstm",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(lstm),
     .help = "the LSTM in MODEL, such as rnn (default the only\n"
             "one)"},
    {.name = "head",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(head),
     .help = "the linear layer after it, such as fc (default\n"
             "the only one with matching inputs)"},
    {.name = "tta",
     .value = "N",
     .kind = OPTION_CHOICE,
     .field = FIELD(tta),
     .names = shifts_names,
     .help = "the mean over 1, 5 or 9 places of an image: moved by\n"
             "a pixel up, down, left and right; also in both\n"
             "axes (default 1)"},
    {.name = "threads",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(threads),
     .low = 1,
     .high = 64,
     .help = "threads (default all processors)"},
    {.name = "limit",
     .value = "BYTES",
     .kind = OPTION_COUNT,
     .field = FIELD(limit),
     .low = 1,
     .high = 0x1p64,
     .help = "what a gzip file may become in memory (default\n"
             "100 times its size, and 1 GiB)"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static void print_more_help(void)
{
    printf(
        "\nFILE is a picture with one digit, an IDX file of images (plain or gzip), "
        "or -\nfor standard input. Formats of pictures:\n"
        "  %s\n"
        "Others are named with the command that converts them. Every image is brought\n"
        "to MNIST's form: the digit light on dark, without its background, in 20 by "
        "20\npixels, centred.\n\n",
        picture_formats());
    printf(
        "MODEL is a safetensors file with an LSTM of 28 inputs and a linear layer, "
        "from\nmnist-train or PyTorch. Other tensors in it are named and not used.\n\n"
        "An answer has the class and the probability of each class. It is called "
        "unsure\nbelow %.0f%%, if it changes when the digit moves by 2 pixels, if the "
        "drawing is\nwider than a digit, a dash or a plus sign, and if it may be cut "
        "off. With labels\nthe text has, instead of each image, the wrongly read ones, "
        "the\nconfusion matrix and the accuracy; --json and --csv "
        "always have each\nimage. An image that cannot be read is reported and does "
        "not stop the rest.\n\n"
        "Exit status: 0 success, 1 failure of at least one image, 2 invalid usage.\n",
        100 * DOUBT_PROBABILITY);
}

static const option_table table = {
    .before = "Usage: mnist-predict [OPTION]... MODEL FILE...\n\n"
              "Reads digits in pictures with a model that mnist-train saved.\n\n",
    .after = print_more_help,
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

int predict_options_parse(predict_options *parsed, int argc, char **argv)
{
    int first;
    options_set_defaults(&table, parsed, NULL);
    int status = options_parse(&table, parsed, argc, argv, NULL, &first);
    if (status >= 0)
        return status;
    if (argc - first < 2)
        return options_refuse(first == argc ? "missing MODEL" : "missing FILE");
    parsed->model = argv[first];
    parsed->files = argv + first + 1;
    parsed->file_count = (size_t)(argc - first - 1);
    if (options_check_file("MODEL", parsed->model) >= 0 ||
        options_check_file("--labels", parsed->labels) >= 0 ||
        options_check_file("--explain", parsed->explain) >= 0)
        return OPTIONS_USAGE;
    if (parsed->json && parsed->csv)
        return options_refuse("--json and --csv exclude each other");
    if (parsed->labels && parsed->file_count > 1)
        return options_refuse("--labels needs exactly one FILE");
    if (parsed->explain && parsed->file_count > 1)
        return options_refuse("--explain needs exactly one FILE");
    if (parsed->explain && parsed->digits)
        return options_refuse("--explain and --digits exclude each other");
    if (parsed->explain && parsed->tta)
        return options_refuse("--explain and --tta exclude each other");
    if (parsed->force && !parsed->explain)
        return options_refuse("--force is for --explain alone, which is not given");
    if (parsed->labels && parsed->digits)
        return options_refuse("--labels and --digits exclude each other");
    return -1;
}
