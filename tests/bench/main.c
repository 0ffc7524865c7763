/*
 * lstm-bench: measures the limits of the machine and the performance of the library.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/machine.h"
#include "tests/bench/suite.h"

static const char usage[] =
    "Usage: lstm-bench [OPTION]...\n"
    "\n"
    "Measures the limits of the machine, and training and inference of liblstm "
    "relative\n"
    "to them. 'cpu ms' is the CPU time of a single thread, which other programs "
    "affect\n"
    "less than wall-clock time. Percentages of the peak use it where it is available.\n"
    "\n"
    "  --only PART         measure machine, experiment, inference or sweep (default "
    "all)\n"
    "  --shape N,T,I,H,L   measure only this shape: batch, steps, inputs, hidden "
    "units,\n"
    "                      layers\n"
    "  --work WORK         with --shape: train, infer, stream, lengths (forward and\n"
    "                      backward with lengths uniform in 1 to T) or padded (all\n"
    "                      lengths T) (default train)\n"
    "  --phases            with --shape: measure the phases of a step, too\n"
    "  --outputs K         with --shape: outputs of the head (default 10)\n"
    "  --latency           of streams: report p50, p99 and p99.9 of single calls, "
    "too;\n"
    "                      without --shape, only streams: of the experiment, and of "
    "the\n"
    "                      STAC-ML benchmark (128 inputs, 2 layers of 128 units)\n"
    "  --bf16              matrix products in bfloat16\n"
    "  --int8              int8 weights: inference and streams only\n"
    "  --threads K         maximum number of threads; --shape runs with K, the parts\n"
    "                      with 1 and K (default all processors)\n"
    "  --seconds S         seconds per measurement (default 1)\n"
    "  --json FILE         write JSON; with -, to stdout, and the table to stderr\n"
    "  --list              list the shapes of the sweep, one per line\n"
    "  --help              print this help and exit\n";

typedef struct {
    const char *only, *json, *work;
    shape shape;
    bool has_shape, phases;
    size_t threads;
    plan plan;
} options;

enum { MAX_OUTPUTS = 1 << 20 };

static int refuse(const char *option, const char *value)
{
    fprintf(stderr, "lstm-bench: invalid %s '%s'; see --help\n", option, value);
    return 2;
}

static bool parse_size(const char *text, size_t maximum, size_t *value)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *value = number;
    return end != text && *end == '\0' && number >= 1 && number <= maximum;
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
        {"outputs", required_argument, NULL, 'u'},
        {"latency", no_argument, NULL, 'y'},
        {"bf16", no_argument, NULL, 'b'},
        {"int8", no_argument, NULL, 'i'},
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
                return refuse("--shape", optarg);
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
        case 'i':
            o->plan.precision = LSTM_INT8;
            break;
        case 't':
            if (!parse_size(optarg, LSTM_MAX_THREADS, &o->threads))
                return refuse("--threads", optarg);
            break;
        case 'd':
            o->plan.seconds = strtod(optarg, &end);
            if (end == optarg || *end || !(o->plan.seconds > 0))
                return refuse("--seconds", optarg);
            break;
        case 'j':
            o->json = optarg;
            break;
        case 'u':
            if (!parse_size(optarg, MAX_OUTPUTS, &o->plan.outputs))
                return refuse("--outputs", optarg);
            break;
        case 'y':
            o->plan.latency = true;
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
    return optind < count ? refuse("argument", words[optind]) : 0;
}

static bool wanted(const options *o, const char *part)
{
    return !o->only || strcmp(o->only, part) == 0;
}

/* Runs a part with one thread, then with all threads. */
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

static void run_latency(const options *o)
{
    shape streams[] = {experiment, {1, 1, 128, 128, 2}};
    streams[0].batch = streams[0].steps = 1;
    report_heading(o->plan.report, "Streams");
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        measure_streaming(&o->plan, &streams[i], 1);
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

/* Whether a run trains, which int8 cannot. */
static bool trains(const options *o)
{
    if (o->has_shape)
        return strcmp(o->work, "infer") != 0 && strcmp(o->work, "stream") != 0;
    if (o->plan.latency)
        return false;
    return !o->only || strcmp(o->only, "experiment") == 0 ||
           strcmp(o->only, "sweep") == 0;
}

int main(int count, char **words)
{
    static const char *const parts[] = {"machine", "experiment", "inference", "sweep",
                                        NULL};
    static const char *const works[] = {"train",   "infer",  "stream",
                                        "lengths", "padded", NULL};
    options o = {.work = "train",
                 .threads = machine_processors(),
                 .plan = {.seconds = 1, .outputs = 10}};
    int status = parse(&o, count, words);
    if (status)
        return status;
    if (o.only && !is_one_of(o.only, parts))
        return refuse("--only", o.only);
    if (!is_one_of(o.work, works))
        return refuse("--work", o.work);
    if (o.plan.precision == LSTM_INT8 && trains(&o)) {
        fputs(
            "lstm-bench: --int8 has no training: give --latency, --only inference, or "
            "--shape with --work infer or stream\n",
            stderr);
        return 2;
    }
    report r = report_create(o.json && strcmp(o.json, "-") == 0);
    o.plan.report = &r;
    if (o.has_shape)
        run_shape(&o);
    else if (o.plan.latency)
        run_latency(&o);
    else
        run_parts(&o);
    fputc('\n', r.table);
    return report_finish(&r, o.json) ? 0 : 1;
}
