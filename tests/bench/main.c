/*
 * lstm-bench: what the machine can do, and how much of it the library does.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/machine.h"
#include "tests/bench/suite.h"

static const char usage[] =
    "usage: lstm-bench [OPTION]...\n"
    "\n"
    "Measures the limits of the machine, then training and inference of liblstm "
    "against\n"
    "them. Times of one thread in 'cpu ms' are its own, so that other programs on the\n"
    "machine count less; shares of the peak are taken from them where there are any.\n"
    "\n"
    "  --only PART         machine, experiment, inference or sweep (default: all)\n"
    "  --shape N,T,I,H,L   only training of this shape: batch, steps, inputs, hidden\n"
    "                      units, layers\n"
    "  --work WORK         with --shape: train (default), infer, stream, lengths or\n"
    "                      padded: forward and backward with sequences of lengths\n"
    "                      uniform in 1 to T, or all of T\n"
    "  --phases            with --shape: also the phases of a step\n"
    "  --bf16              products in bfloat16\n"
    "  --threads K         most threads (default: the processors; parts run with 1 "
    "and\n"
    "                      K, --shape with K)\n"
    "  --seconds S         of each measurement (default 1)\n"
    "  --json FILE         results as JSON; - is stdout, the table then goes to "
    "stderr\n"
    "  --list              shapes of the sweep, one a line\n"
    "  --help\n";

typedef struct {
    const char *only, *json, *work;
    shape shape;
    bool has_shape, phases;
    size_t threads;
    plan plan;
} options;

static int wrong(const char *option, const char *value)
{
    fprintf(stderr, "lstm-bench: %s: '%s' is not understood; see --help\n", option,
            value);
    return 2;
}

static bool parse_size(const char *text, size_t most, size_t *value)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *value = number;
    return end != text && *end == '\0' && number >= 1 && number <= most;
}

static bool parse_shape(const char *text, shape *s)
{
    char rest;
    return sscanf(text, "%zu,%zu,%zu,%zu,%zu%c", &s->batch, &s->steps, &s->inputs,
                  &s->hidden, &s->layers, &rest) == 5;
}

static int list_shapes(void)
{
    for (const shape *s = sweep_shapes; s->batch; s++)
        printf("%zu,%zu,%zu,%zu,%zu\n", s->batch, s->steps, s->inputs, s->hidden,
               s->layers);
    exit(0);
}

static int parse(options *o, int count, char **words)
{
    static const struct option table[] = {
        {"only", required_argument, NULL, 'o'},
        {"shape", required_argument, NULL, 's'},
        {"work", required_argument, NULL, 'w'},
        {"phases", no_argument, NULL, 'p'},
        {"bf16", no_argument, NULL, 'b'},
        {"threads", required_argument, NULL, 't'},
        {"seconds", required_argument, NULL, 'd'},
        {"json", required_argument, NULL, 'j'},
        {"list", no_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    for (int key; (key = getopt_long(count, words, "", table, NULL)) != -1;) {
        char *end = NULL;
        switch (key) {
        case 'o':
            o->only = optarg;
            break;
        case 's':
            o->has_shape = true;
            if (!parse_shape(optarg, &o->shape))
                return wrong("--shape", optarg);
            break;
        case 'w':
            o->work = optarg;
            break;
        case 'p':
            o->phases = true;
            break;
        case 'b':
            o->plan.precision = LSTM_BFLOAT16;
            break;
        case 't':
            if (!parse_size(optarg, LSTM_MAX_THREADS, &o->threads))
                return wrong("--threads", optarg);
            break;
        case 'd':
            o->plan.seconds = strtod(optarg, &end);
            if (end == optarg || *end || !(o->plan.seconds > 0))
                return wrong("--seconds", optarg);
            break;
        case 'j':
            o->json = optarg;
            break;
        case 'l':
            list_shapes();
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            return 2;
        }
    }
    return optind < count ? wrong("argument", words[optind]) : 0;
}

static bool wanted(const options *o, const char *part)
{
    return !o->only || strcmp(o->only, part) == 0;
}

/* For 1 thread, then for all. */
static void each_threads(const options *o,
                         void (*part)(const options *o, size_t threads))
{
    part(o, 1);
    if (o->threads > 1)
        part(o, o->threads);
}

static void run_experiment(const options *o, size_t threads)
{
    measure_training(&o->plan, &experiment, threads, true);
    measure_optimiser(&o->plan, &experiment, threads);
}

static void run_inference(const options *o, size_t threads)
{
    shape thousand = experiment, one = experiment;
    thousand.batch = 1000;
    one.batch = 1;
    measure_inference(&o->plan, &thousand, threads);
    measure_inference(&o->plan, &one, threads);
    one.steps = 1;
    measure_streaming(&o->plan, &one, threads);
}

static void run_sweep(const options *o, size_t threads)
{
    plan shorter = o->plan;
    shorter.seconds /= 4;
    for (const shape *s = sweep_shapes; s->batch; s++)
        measure_training(&shorter, s, threads, false);
}

static void run_parts(const options *o)
{
    if (wanted(o, "machine"))
        measure_limits(&o->plan, o->threads);
    if (wanted(o, "experiment")) {
        report_heading(o->plan.report, "The experiment");
        measure_loader(&o->plan, &experiment);
        each_threads(o, run_experiment);
    }
    if (wanted(o, "inference")) {
        report_heading(o->plan.report, "Inference");
        each_threads(o, run_inference);
    }
    if (wanted(o, "sweep")) {
        report_heading(o->plan.report, "Training of other shapes");
        each_threads(o, run_sweep);
    }
}

static void run_shape(const options *o)
{
    report_heading(o->plan.report, "One shape");
    if (strcmp(o->work, "infer") == 0)
        measure_inference(&o->plan, &o->shape, o->threads);
    else if (strcmp(o->work, "stream") == 0)
        measure_streaming(&o->plan, &o->shape, o->threads);
    else if (strcmp(o->work, "train") != 0)
        measure_lengths(&o->plan, &o->shape, o->threads,
                        strcmp(o->work, "lengths") == 0);
    else
        measure_training(&o->plan, &o->shape, o->threads, o->phases);
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words;
}

int main(int count, char **words)
{
    static const char *const parts[] = {"machine", "experiment", "inference", "sweep",
                                        NULL};
    static const char *const works[] = {"train",   "infer",  "stream",
                                        "lengths", "padded", NULL};
    options o = {.work = "train", .threads = machine_processors(), .plan.seconds = 1};
    int status = parse(&o, count, words);
    if (status)
        return status;
    if (o.only && !is_one_of(o.only, parts))
        return wrong("--only", o.only);
    if (!is_one_of(o.work, works))
        return wrong("--work", o.work);
    report r = report_create(o.json && strcmp(o.json, "-") == 0);
    o.plan.report = &r;
    if (o.has_shape)
        run_shape(&o);
    else
        run_parts(&o);
    fputc('\n', r.table);
    return report_finish(&r, o.json) ? 0 : 1;
}
