/* mnist-predict: reads digits with a network that mnist-train saved. */
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

/* What goes on from file to file. */
typedef struct session {
    options wanted;
    model network;
    double *probabilities;
    size_t answers;
} session;

static void print_help(void)
{
    printf(
        "usage: mnist-predict [OPTION]... MODEL FILE...\n\n"
        "Reads digits with a model that mnist-train saved: for each image one line "
        "with\nthe digit, and the probability of each class.\n\n"
        "A FILE is a PGM picture (P2 or P5), an IDX file of images (plain or gzip), "
        "or -\nfor a PGM picture on standard input. Images of 28 by 28 are read as "
        "they are,\nothers cut out, scaled and centred as MNIST was. Dark digits on "
        "light paper are\ninverted.\n\n"
        "  --show     draw each image with characters\n"
        "  --json     print an array of objects instead of lines; --show then goes to\n"
        "             standard error\n"
        "  --help     print this and end\n"
        "  --version  print the version and end\n\n"
        "Exit status: 0 done, 1 failure, also of a single file, 2 wrong usage.\n");
}

static int complain(int status, const char *text)
{
    fprintf(stderr, "mnist-predict: %s\n", text);
    return status;
}

/* A full disk shows at the latest now. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "mnist-predict: standard output: %s\n",
            strerror(errno ? errno : EIO));
    return FAILURE;
}

/* Reads the options; -1 to go on, else the exit status. */
static int parse(options *wanted, int argc, char **argv)
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
    *wanted = (options){0};
    for (int code; (code = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (code) {
        case SHOW:
            wanted->show = true;
            break;
        case JSON:
            wanted->json = true;
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
    return complain(WRONG_USAGE, optind == argc
                                     ? "no model is given, expected MODEL FILE..."
                                     : "no file is given, expected MODEL FILE...");
}

static void print_answer(session *run, const char *file, const pictures *read,
                         size_t index, const double *probabilities)
{
    const answer given = {file, index, read->indexed, probabilities,
                          run->network.classes};
    if (run->wanted.show)
        print_image(run->wanted.json ? stderr : stdout, read->images + index * PIXELS);
    if (!run->wanted.json) {
        print_text(&given);
        return;
    }
    fputs(run->answers++ ? ",\n" : "\n", stdout);
    print_json(&given);
}

static bool answer_all(session *run, const char *file, const pictures *read)
{
    for (size_t start = 0; start < read->count; start += MODEL_BATCH) {
        size_t left = read->count - start;
        size_t count = left < MODEL_BATCH ? left : MODEL_BATCH;
        if (!model_predict(&run->network, read->images + start * PIXELS, count,
                           run->probabilities)) {
            complain(FAILURE, lstm_last_error());
            return false;
        }
        for (size_t i = 0; i < count; i++)
            print_answer(run, file, read, start + i,
                         run->probabilities + i * run->network.classes);
    }
    return true;
}

static bool predict_file(session *run, const char *file)
{
    pictures read;
    char why[8192];
    if (!pictures_read(&read, file, why, sizeof(why))) {
        complain(FAILURE, why);
        return false;
    }
    if (read.inverted && read.indexed)
        fprintf(stderr, "%s: %zu of %zu images are dark on light: inverted\n", file,
                read.inverted, read.count);
    else if (read.inverted)
        fprintf(stderr, "%s: dark on light: inverted\n", file);
    bool done = answer_all(run, file, &read);
    free(read.images);
    return done;
}

static int predict(session *run, const char *path, char **files, int count)
{
    if (!model_open(&run->network, path))
        return complain(FAILURE, lstm_last_error());
    run->probabilities =
        calloc(MODEL_BATCH * run->network.classes, sizeof(*run->probabilities));
    if (!run->probabilities)
        return complain(FAILURE, "no memory for the answers");
    int status = 0;
    if (run->wanted.json)
        putchar('[');
    for (int i = 0; i < count; i++)
        if (!predict_file(run, files[i]))
            status = FAILURE;
    if (run->wanted.json)
        fputs("\n]\n", stdout);
    return finish(status);
}

int main(int argc, char **argv)
{
    session run = {0};
    int status = parse(&run.wanted, argc, argv);
    if (status >= 0)
        return status;
    status = predict(&run, argv[optind], argv + optind + 1, argc - optind - 1);
    free(run.probabilities);
    model_close(&run.network);
    return status;
}
