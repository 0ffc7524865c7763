/* mnist-predict: classifies digits with a model that mnist-train saved. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/predict/model.h"
#include "examples/predict/picture.h"
#include "examples/predict/print.h"

enum { FAILURE = 1, WRONG_USAGE = 2, PIXELS = MODEL_SIDE * MODEL_SIDE };

typedef struct options {
    bool show, json;
} options;

/* State shared by all files. */
typedef struct session {
    options options;
    model network;
    double *probabilities;
    /* Number of JSON objects printed. */
    size_t objects;
} session;

static void print_help(void)
{
    printf(
        "Usage: mnist-predict [OPTION]... MODEL FILE...\n\n"
        "Classifies digits with a model that mnist-train saved. Prints one line per\n"
        "image: the digit and the probability of each class.\n\n"
        "FILE is a PGM picture (P2 or P5), an IDX file of images (plain or gzip), or "
        "-\n"
        "for a PGM picture on standard input. Images of 28 by 28 pixels are used\n"
        "unchanged; others are cropped, scaled and centred as in MNIST. Dark digits "
        "on\n"
        "a light background are inverted.\n\n"
        "  --show     draw each image as text\n"
        "  --json     print a JSON array of objects; --show then draws on standard "
        "error\n"
        "  --help     print this help and exit\n"
        "  --version  print the version and exit\n\n"
        "Exit status: 0 success, 1 failure of at least one file, 2 invalid usage.\n");
}

static int report_error(int status, const char *text)
{
    fprintf(stderr, "mnist-predict: %s\n", text);
    return status;
}

/* Flushes standard output and reports write errors, such as a full disk. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "mnist-predict: standard output: %s\n",
            strerror(errno ? errno : EIO));
    return FAILURE;
}

/* Parses the options; returns -1 to continue, otherwise the exit status. */
static int parse(options *parsed, int argc, char **argv)
{
    enum { SHOW = 256, JSON, HELP, VERSION };
    static const struct option known[] = {
        {"show", no_argument, NULL, SHOW},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {NULL, 0, NULL, 0},
    };
    static char name[] = "mnist-predict";
    argv[0] = name;
    *parsed = (options){0};
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (code) {
        case SHOW:
            parsed->show = true;
            break;
        case JSON:
            parsed->json = true;
            break;
        case HELP:
            print_help();
            return finish(0);
        case VERSION:
            printf("mnist-predict %s\n", lstm_version());
            return finish(0);
        default:
            return WRONG_USAGE;
        }
    if (argc - optind >= 2)
        return -1;
    return report_error(WRONG_USAGE, optind == argc ? "missing MODEL; see --help"
                                                    : "missing FILE; see --help");
}

static void print_prediction(session *run, const char *file, const pictures *read,
                             size_t index, const double *probabilities)
{
    const prediction p = {file, index, read->indexed, probabilities,
                          run->network.classes};
    if (run->options.show)
        print_image(run->options.json ? stderr : stdout, read->images + index * PIXELS);
    if (!run->options.json) {
        print_text(&p);
        return;
    }
    fputs(run->objects++ ? ",\n" : "\n", stdout);
    print_json(&p);
}

static bool predict_images(session *run, const char *file, const pictures *read)
{
    for (size_t start = 0; start < read->count; start += MODEL_BATCH) {
        size_t left = read->count - start;
        size_t count = left < MODEL_BATCH ? left : MODEL_BATCH;
        if (!model_predict(&run->network, read->images + start * PIXELS, count,
                           run->probabilities)) {
            report_error(FAILURE, lstm_last_error());
            return false;
        }
        for (size_t i = 0; i < count; i++)
            print_prediction(run, file, read, start + i,
                             run->probabilities + i * run->network.classes);
    }
    return true;
}

static bool predict_file(session *run, const char *file)
{
    pictures read;
    char why[8192];
    if (!pictures_read(&read, file, why, sizeof(why))) {
        report_error(FAILURE, why);
        return false;
    }
    if (read.inverted && read.indexed)
        fprintf(stderr, "%s: inverted %zu of %zu images (dark on light)\n", file,
                read.inverted, read.count);
    else if (read.inverted)
        fprintf(stderr, "%s: inverted (dark on light)\n", file);
    bool done = predict_images(run, file, &read);
    free(read.images);
    return done;
}

static int predict(session *run, const char *path, char **files, int count)
{
    if (!model_open(&run->network, path))
        return report_error(FAILURE, lstm_last_error());
    run->probabilities =
        calloc(MODEL_BATCH * run->network.classes, sizeof(*run->probabilities));
    if (!run->probabilities)
        return report_error(FAILURE, "no memory for the probabilities");
    int status = 0;
    if (run->options.json)
        putchar('[');
    for (int i = 0; i < count; i++)
        if (!predict_file(run, files[i]))
            status = FAILURE;
    if (run->options.json)
        fputs("\n]\n", stdout);
    return finish(status);
}

int main(int argc, char **argv)
{
    session run = {0};
    int status = parse(&run.options, argc, argv);
    if (status >= 0)
        return status;
    status = predict(&run, argv[optind], argv + optind + 1, argc - optind - 1);
    free(run.probabilities);
    model_close(&run.network);
    return status;
}
