#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "examples/amp/options.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/options.h"
#include "examples/common/output.h"
#include "examples/wav/wav.h"

static const amp_options defaults = {
    .hidden = 16,
    .epochs = 200,
    .batch = 50,
    .steps = 1000,
    .warm_up = 200,
    .patience = 25,
    .seed = 1,
    .lr = 0.005,
    .validation = 0.2,
    .tolerance = 0.1,
};

static const char *const format_names[] = {
    [AMP_SAFETENSORS] = "safetensors",
    [AMP_NAM] = "nam",
    [AMP_AIDAX] = "aidax",
    [AMP_GUITARML] = "guitarml",
    NULL,
};

static bool parse_delay(void *field, const char *text, char *why, size_t size)
{
    uint64_t count;
    bool before = *text == '-';
    snprintf(why, size, "expected an integer from -%d to %d", AMP_MOST_DELAY,
             AMP_MOST_DELAY);
    if (!number_count(text + before, &count) || count > AMP_MOST_DELAY)
        return false;
    *(int64_t *)field = before ? -(int64_t)count : (int64_t)count;
    return true;
}

/* What a training alone uses. */
#define FIELD(name) offsetof(amp_options, name)
#define COUNT(option, member, least, most, text)                                       \
    {                                                                                  \
        .name = option, .value = "N", .kind = OPTION_COUNT, .field = FIELD(member),    \
        .low = least, .high = most, .help = text                                       \
    }
static const option_row rows[] = {
    COUNT("hidden", hidden, 1, 1024, "hidden units of the LSTM; 8 to 40 are usual"),
    {.name = "no-skip",
     .kind = OPTION_FLAG,
     .field = FIELD(no_skip),
     .help = "do not add the input to the output; .nam files need it"},
    COUNT("epochs", epochs, 1, AMP_MOST_EPOCHS, "most passes over the training part"),
    {.name = "lr",
     .value = "X",
     .kind = OPTION_POSITIVE,
     .field = FIELD(lr),
     .high = 10,
     .help = "learning rate of Adam; it is halved after 5 epochs\nthat are not better"},
    COUNT("batch", batch, 1, 10000, "half seconds that are learned from at once"),
    COUNT("steps", steps, 1, 1000000,
          "samples between updates of the weights, through which\nerrors are followed "
          "back"),
    COUNT("warm-up", warm_up, 0, 1000000,
          "samples at the start of each half second that set the\nstates and are not "
          "learned"),
    {.name = "validation",
     .value = "SHARE",
     .kind = OPTION_REAL,
     .field = FIELD(validation),
     .low = 0.01,
     .high = 0.5,
     .help = "share at the end that is not learned; the epoch that is\nbest on it is "
             "kept"},
    COUNT("patience", patience, 1, AMP_MOST_EPOCHS,
          "end after so many epochs that are not the best"),
    COUNT("seed", seed, 0, 0x1p64, "seed of the weights and of the order"),
    {.name = "delay",
     .value = "N",
     .kind = OPTION_PARSED,
     .field = FIELD(delay),
     .parse = parse_delay,
     .help = "samples by which WET is late, which are cut off; less\nthan 0 if it is "
             "early (default 0)"},
    {.name = "tolerance",
     .value = "SECONDS",
     .kind = OPTION_REAL,
     .field = FIELD(tolerance),
     .low = 0,
     .high = 1e6,
     .help = "by how much the lengths of DRY and WET may differ"},
    {.name = "format",
     .value = "FORMAT",
     .kind = OPTION_CHOICE,
     .field = FIELD(format),
     .given = FIELD(format_given),
     .names = format_names,
     .help = "of a model whose name does not tell it: safetensors,\nnam, aidax or "
             "guitarml"},
    {.name = "encoding",
     .value = "ENCODING",
     .kind = OPTION_CHOICE,
     .field = FIELD(encoding),
     .given = FIELD(encoding_given),
     .names = wav_encoding_names,
     .help = "of OUT.wav: pcm16, pcm24, pcm32, float32 or float64\n(default that of "
             "IN.wav)"},
    COUNT("channel", channel, 1, WAV_MOST_CHANNELS,
          "read this channel of files that have several, from 1\n(default: such files "
          "are refused)"),
    {.name = "threads",
     .value = "N",
     .kind = OPTION_COUNT,
     .field = FIELD(threads),
     .low = 1,
     .high = LSTM_MAX_THREADS,
     .help = "number of threads (default all processors)"},
    {.name = "force",
     .kind = OPTION_FLAG,
     .field = FIELD(force),
     .help = "replace files that exist"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .field = FIELD(quiet),
     .help = "print only results, warnings and errors"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};
#undef COUNT
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void print_more_help(void)
{
    fputs(
        "\n"
        "DRY.wav is what goes into the device, WET.wav what comes out at the same "
        "time:\n"
        "some minutes of playing. Both have one sample rate; integers of 16, 24 and "
        "32\n"
        "bits and floating-point numbers of 32 and 64 bits are read.\n"
        "\n"
        "The network is an LSTM and a linear layer, whose output is added to the "
        "input.\n"
        "The loss is 0.75 times the error-to-signal ratio (ESR) of samples less 0.85 "
        "times\n"
        "the sample before, and 0.25 times that of the means (Wright and others). The "
        "ESR\n"
        "that is printed is that of the samples: 0 is perfect, 1 is silence. MODEL "
        "has the\n"
        "best epoch so far at any time, so the training can be interrupted.\n"
        "\n"
        "The name of a model tells its format: .safetensors, .nam (Neural Amp Modeler) "
        "or\n"
        "else .aidax (AIDA-X, RTNeural). AIDA-X and GuitarML also use .json, which "
        "needs\n"
        "--format. play and export read .safetensors, and python3 -m liblstm.convert "
        "makes\n"
        "that from all others.\n"
        "\n"
        "Exit status: 0 success, 1 failure, 2 invalid usage.\n",
        stdout);
}

static const option_table table = {
    .before =
        "Usage: lstm-amp [OPTION]... train DRY.wav WET.wav MODEL...\n"
        "       lstm-amp [OPTION]... play MODEL IN.wav OUT.wav\n"
        "       lstm-amp [OPTION]... export MODEL MODEL...\n\n"
        "Learns the sound of a guitar amplifier or pedal from recordings.\n\n"
        "train learns how WET.wav follows from DRY.wav and writes the model, play\n"
        "applies a model to a sound, and export writes a model in other formats.\n\n",
    .after = print_more_help,
    .rows = rows,
    .count = ROWS,
    .defaults = &defaults,
    .size = sizeof(defaults),
};

/* Refuses options that the command does not use. */
static int check_used(amp_command command, const char *const *given)
{
    static const char *const of_all[] = {"force", "quiet", "threads", "help",
                                         "version"};
    static const char *const of_play[] = {"encoding", "channel"};
    char why[100];
    for (size_t i = 0; i < ROWS; i++) {
        const char *name = rows[i].name;
        bool used = !given[i];
        for (size_t k = 0; k < sizeof(of_all) / sizeof(*of_all); k++)
            used = used || strcmp(name, of_all[k]) == 0;
        if (command == AMP_TRAIN)
            used = used || strcmp(name, "encoding") != 0;
        else if (command == AMP_PLAY)
            used =
                used || strcmp(name, of_play[0]) == 0 || strcmp(name, of_play[1]) == 0;
        else
            used = used || strcmp(name, "format") == 0;
        if (!used) {
            snprintf(why, sizeof(why), "--%s is not an option of this command", name);
            return options_refuse(why);
        }
    }
    return -1;
}

/* Refuses names that are empty or streams, and outputs that are the same file as
 * another argument. */
static int check_files(char **words, int count, int inputs)
{
    for (int i = 0; i < count; i++) {
        if (options_check_file(i < inputs ? "the file to read" : "the file to write",
                               words[i]) >= 0)
            return OPTIONS_USAGE;
        for (int k = i < inputs ? count : 0; k < i; k++)
            if (strcmp(words[i], words[k]) == 0 || output_same_file(words[i], words[k]))
                return options_refuse("a file to write is given twice, or is one to "
                                      "read");
    }
    return -1;
}

static int take_words(amp_options *parsed, int count, char **words)
{
    int inputs = parsed->command == AMP_EXPORT ? 1 : 2;
    if (count <= inputs)
        return options_refuse(
            parsed->command == AMP_TRAIN  ? "train needs DRY.wav, WET.wav and a MODEL"
            : parsed->command == AMP_PLAY ? "play needs MODEL, IN.wav and OUT.wav"
                                          : "export needs MODEL and another one");
    if (parsed->command == AMP_PLAY && count > inputs + 1)
        return options_refuse("play has three arguments: MODEL, IN.wav and OUT.wav");
    parsed->first = words[0];
    parsed->second = inputs > 1 ? words[1] : NULL;
    parsed->outs = words + inputs;
    parsed->out_count = count - inputs;
    return check_files(words, count, inputs);
}

int amp_options_parse(amp_options *parsed, int argc, char **argv)
{
    static const char *const commands[] = {
        [AMP_TRAIN] = "train", [AMP_PLAY] = "play", [AMP_EXPORT] = "export"};
    const char *given[ROWS];
    int first;
    options_set_defaults(&table, parsed, given);
    int status = options_parse(&table, parsed, argc, argv, given, &first);
    if (status >= 0)
        return status;
    for (size_t i = 0; first < argc && i < sizeof(commands) / sizeof(*commands); i++)
        if (strcmp(argv[first], commands[i]) == 0) {
            parsed->command = (amp_command)i;
            status = check_used(parsed->command, given);
            return status >= 0 ? status
                               : take_words(parsed, argc - first - 1, argv + first + 1);
        }
    return options_refuse("the first argument is train, play or export");
}

bool amp_options_format(const amp_options *options, const char *path,
                        amp_format *format)
{
    const char *name = strrchr(path, '/');
    const char *end = strrchr(name ? name : path, '.');
    for (size_t i = 0; end && i < AMP_GUITARML; i++)
        if (strcmp(end + 1, format_names[i]) == 0) {
            *format = (amp_format)i;
            return true;
        }
    *format = (amp_format)options->format;
    return options->format_given ||
           message_error(
               "%s: the name does not tell the format, expected .safetensors, "
               ".nam, .aidax, or --format, such as aidax or guitarml for "
               ".json",
               path);
}
