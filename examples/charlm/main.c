/*
 * charlm: a character-level language model. Trains on a text file, prints bits per
 * character, and generates text. The network reads and writes bytes, so that any file
 * is a text; the text that it writes is valid UTF-8 if the text of the training is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/charlm/generate.h"
#include "examples/charlm/model.h"
#include "examples/charlm/train.h"
#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/options.h"
#include "examples/common/output.h"

enum { DEFAULT_EPOCHS = 3, MOST_EPOCHS = 1000000 };
/* Largest text in bytes. */
static const size_t text_limit = (size_t)1 << 30;

typedef struct charlm_options {
    generate_options generate;
    const char *save, *resume, *load;
    bool force, quiet, hidden_given, held_out_given;
    uint64_t hidden, threads, length;
    double held_out;
    /* Arguments. */
    const char *text;
    uint64_t epochs;
} charlm_options;

static const charlm_options defaults = {
    .generate = {.temperature = 0.7, .seed = 1},
    .hidden = 128,
    .length = 200,
    .held_out = 0.1,
    .epochs = DEFAULT_EPOCHS,
};

#define FIELD(name) offsetof(charlm_options, name)
static const option_row rows[] = {
    {.name = "save",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(save),
     .help = "save the model to FILE before the first and after each epoch"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .field = FIELD(force),
     .help = "replace an existing FILE of --save"},
    {.name = "resume",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(resume),
     .help = "go on with a saved model up to EPOCHS, bit for bit"},
    {.name = "load",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(load),
     .help = "only generate text with a saved model"},
    {.name = "hidden",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(hidden),
     .given = FIELD(hidden_given),
     .low = 1,
     .high = 4096,
     .help = "hidden units of the LSTM"},
    {.name = "held-out",
     .value = "SHARE",
     .kind = OPTION_REAL,
     .field = FIELD(held_out),
     .given = FIELD(held_out_given),
     .high = 0.5,
     .help = "share at the end of the text that is only for evaluation,\n0 to 0.5"},
    {.name = "length",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(length),
     .high = 1e9,
     .help = "characters to generate, with --bytes bytes"},
    {.name = "temperature",
     .value = "X",
     .kind = OPTION_REAL,
     .field = FIELD(generate.temperature),
     .high = 100,
     .help = "0 generates the most probable text, higher values more\nvaried text"},
    {.name = "bytes",
     .kind = OPTION_FLAG,
     .field = FIELD(generate.bytes),
     .help = "generate any bytes instead of valid UTF-8"},
    {.name = "seed",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(generate.seed),
     .high = 0x1p64,
     .help = "seed of the weights and of the generated text"},
    {.name = "threads",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(threads),
     .low = 1,
     .high = LSTM_MAX_THREADS,
     .help = "number of threads (default all processors)"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .field = FIELD(quiet),
     .help = "print only results, warnings and errors"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static void print_more_help(void)
{
    printf(
        "\nTEXT is any file of 2 bytes to 1 GiB. If it is valid UTF-8, losses are "
        "per character\nand the output is valid UTF-8; PROMPT may end within a "
        "character, which is then\ncompleted. Otherwise both are in bytes. EPOCHS is "
        "an integer from 1 to %d\n(default %d). PROMPT is continued (default \"The "
        "\", if the text has these letters).\n\n"
        "Exit status: 0 success, 1 failure, 2 invalid usage.\n",
        MOST_EPOCHS, DEFAULT_EPOCHS);
}

static const option_table table = {
    .before = "Usage: charlm [OPTION]... TEXT [EPOCHS [PROMPT]]\n"
              "       charlm [OPTION]... --load FILE [PROMPT]\n\n"
              "Trains a character-level language model on a text, prints the bits per "
              "character\nof each epoch, and generates text.\n\n",
    .after = print_more_help,
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

static int check_together(const charlm_options *options)
{
    const struct {
        const char *what, *path;
    } files[] = {{"--save", options->save},
                 {"--resume", options->resume},
                 {"--load", options->load}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (options_check_file(files[i].what, files[i].path) >= 0)
            return OPTIONS_USAGE;
    if (options->load && (options->resume || options->save))
        return options_refuse("--load cannot be combined with --resume or --save");
    if (options->force && !options->save)
        return options_refuse("--force needs --save, whose file it replaces");
    if ((options->load || options->resume) &&
        (options->hidden_given || options->held_out_given))
        return options_refuse(
            "--hidden and --held-out cannot be combined with --load or "
            "--resume: the file determines them");
    return -1;
}

/* Takes the arguments after the options. */
static int take_words(charlm_options *options, int count, char **words)
{
    int status = check_together(options);
    if (status >= 0)
        return status;
    if (options->load) {
        options->generate.prompt = count > 0 ? words[0] : NULL;
        if (count > 0 && access(words[0], F_OK) == 0)
            message_info("'%s' is the prompt, though a file has this name", words[0]);
        return count > 1 ? options_refuse("--load takes one argument, the prompt") : -1;
    }
    if (count < 1 || count > 3)
        return options_refuse("expected 1 to 3 arguments: the text, epochs, a prompt");
    options->text = words[0];
    options->generate.prompt = count > 2 ? words[2] : NULL;
    if (count > 1 && (!number_count(words[1], &options->epochs) ||
                      options->epochs < 1 || options->epochs > MOST_EPOCHS)) {
        message_error("EPOCHS is '%s', expected an integer from 1 to %d", words[1],
                      MOST_EPOCHS);
        return OPTIONS_USAGE;
    }
    return -1;
}

static bool check_save(const charlm_options *options)
{
    struct stat facts;
    if (output_same_file(options->save, options->text))
        return message_error("%s: is the text, which --save would replace",
                             options->save);
    if (!options->save || options->force ||
        output_same_file(options->save, options->resume))
        return true;
    if (stat(options->save, &facts) != 0)
        return errno == ENOENT ||
               message_error("%s: %s", options->save, message_errno());
    return message_error("%s: the file exists; --force replaces it", options->save);
}

/* Chooses the encoding of the output and checks the prompt. */
static bool choose_output(generate_options *generate, const char_run *run)
{
    size_t position;
    if (!run->utf8 && !generate->bytes)
        message_info("charlm: the text is not valid UTF-8: the output is bytes");
    generate->bytes = generate->bytes || !run->utf8;
    if (generate->bytes || !generate->prompt ||
        generate_accepts(generate->prompt, &position))
        return true;
    return message_error("PROMPT is not valid UTF-8 at byte %zu; --bytes accepts it",
                         position);
}

/* Prepares a new or a saved run; false after an error message. */
static bool start(char_model *m, char_run *run, const charlm_options *options,
                  const input *text)
{
    text_facts facts = text_examine(text->bytes, text->size);
    if (!options->resume) {
        *run = (char_run){.size = text->size,
                          .hash = facts.hash,
                          .held_out = options->held_out,
                          .utf8 = facts.valid};
        memcpy(run->occurs, facts.occurs, sizeof(run->occurs));
        return model_create(m, options->hidden, options->generate.seed);
    }
    if (!model_load(m, options->resume, run))
        return false;
    if (run->size == text->size && run->hash == facts.hash)
        return run->epochs <= options->epochs ||
               message_error("EPOCHS is %llu, expected at least %llu, the epochs of %s",
                             (unsigned long long)options->epochs,
                             (unsigned long long)run->epochs, options->resume);
    return message_error("%s: is the model of another text than %s", options->resume,
                         options->text);
}

/* Bytes per character of a part of the text. */
static double bytes_per_character(const char_run *run, const unsigned char *text,
                                  size_t size)
{
    size_t characters = run->utf8 ? text_characters(text, size) : size;
    return (double)size / (double)(characters ? characters : 1);
}

/* Trains the epochs that are left; false after an error message. */
static bool train(train_pass *learn, train_pass *held, char_run *run,
                  const charlm_options *options, const double *factors)
{
    if (run->epochs == options->epochs)
        message_info("charlm: %s has %llu epochs already: nothing is left to train",
                     options->resume, (unsigned long long)run->epochs);
    else if (options->resume && !options->save)
        message_info("charlm: no model is saved without --save; %s stays as it is",
                     options->resume);
    while (run->epochs < options->epochs) {
        double bits, held_bits = 0;
        if (!train_epoch(learn, &bits) ||
            (held->model && !train_evaluate(held, &held_bits)))
            return false;
        run->epochs++;
        if (options->save && !model_save(learn->model, options->save, run))
            return false;
        printf("Epoch [%llu/%llu], Bits per %s: %.3f", (unsigned long long)run->epochs,
               (unsigned long long)options->epochs, run->utf8 ? "character" : "byte",
               bits * factors[0]);
        if (held->model)
            printf(", held out: %.3f", held_bits * factors[1]);
        putchar('\n');
        if (message_finish(EXIT_SUCCESS) != EXIT_SUCCESS)
            return false;
    }
    return true;
}

/* Splits the text and trains. */
static bool train_parts(char_model *m, char_run *run, const charlm_options *options,
                        const input *text)
{
    static train_pass learn, held;
    size_t rest = (size_t)((double)text->size * run->held_out);
    size_t size = text->size - rest;
    if (rest < 2 && run->held_out > 0)
        message_info("charlm: %s is too short to hold out a share", options->text);
    size = rest < 2 ? text->size : size;
    const double factors[] = {
        bytes_per_character(run, text->bytes, size),
        bytes_per_character(run, text->bytes + size, text->size - size)};
    bool done = train_create(&learn, m, text->bytes, size) &&
                (rest < 2 || train_create(&held, m, text->bytes + size, rest)) &&
                (!options->save || output_same_file(options->save, options->resume) ||
                 model_save(m, options->save, run)) &&
                train(&learn, &held, run, options, factors);
    train_destroy(&learn);
    train_destroy(&held);
    return done;
}

static bool train_and_generate(charlm_options *options, const input *text)
{
    char_model m = {0};
    char_run run;
    if (text->size < 2)
        return message_error("%s: has %zu bytes, expected at least 2", options->text,
                             text->size);
    bool done = check_save(options) && start(&m, &run, options, text) &&
                choose_output(&options->generate, &run) &&
                train_parts(&m, &run, options, text) &&
                generate_text(&m, &run, &options->generate);
    model_destroy(&m);
    return done;
}

static bool load_and_generate(charlm_options *options)
{
    char_model m;
    char_run run;
    if (!model_load(&m, options->load, &run))
        return false;
    bool done = choose_output(&options->generate, &run) &&
                generate_text(&m, &run, &options->generate);
    model_destroy(&m);
    return done;
}

static bool run_program(charlm_options *options)
{
    input text;
    options->generate.length = options->length;
    if (options->threads && lstm_set_threads(options->threads) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    if (options->load)
        return load_and_generate(options);
    if (!input_read(&text, options->text, text_limit))
        return false;
    bool done = train_and_generate(options, &text);
    input_free(&text);
    return done;
}

int main(int argc, char **argv)
{
    charlm_options options;
    int first, status;
    message_set_program("charlm");
    options_set_defaults(&table, &options, NULL);
    status = options_parse(&table, &options, argc, argv, NULL, &first);
    if (status < 0)
        status = take_words(&options, argc - first, argv + first);
    if (status >= 0)
        return status;
    message_set_quiet(options.quiet);
    return run_program(&options) ? message_finish(EXIT_SUCCESS) : EXIT_FAILURE;
}
