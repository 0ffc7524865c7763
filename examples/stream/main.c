/*
 * stream: runs a model step by step. Reads one time step per line from standard input
 * and prints the output of the model immediately. At the end, prints percentiles of the
 * latency to standard error.
 *
 * The model is a safetensors file with an LSTM, and optionally a linear layer "fc" and
 * an embedding "embedding", written by mnist-train, charlm, forecast, PyTorch or
 * liblstm-convert. The program applies the keys of its metadata and its first states:
 * see docs/file-format.md.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/options.h"
#include "examples/common/output.h"
#include "examples/stream/latency.h"
#include "examples/stream/lines.h"
#include "examples/stream/model.h"

typedef struct stream_options {
    const char *state, *save_state, *prefix, *head;
    bool skip_blank, quiet;
} stream_options;

static const stream_options defaults;

#define FIELD(name) offsetof(stream_options, name)
static const option_row rows[] = {
    {.name = "state",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(state),
     .help =
         "start with the states in FILE, saved with the same model,\ninstead of those "
         "in the model"},
    {.name = "save-state",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .field = FIELD(save_state),
     .help =
         "save the states after the last line; replaces a FILE of\nstates, no other"},
    {.name = "prefix",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(prefix),
     .help = "run the LSTM with this prefix (default the only one)"},
    {.name = "head",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(head),
     .help = "prefix of the linear layer after it (default fc, if present)"},
    {.name = "skip-blank",
     .kind = OPTION_FLAG,
     .field = FIELD(skip_blank),
     .help = "pass over blank lines instead of refusing them"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .field = FIELD(quiet),
     .help = "do not print the number of steps and their latency"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static void print_more_help(void)
{
    fputs("\nA line has as many finite numbers as the model has inputs, separated by "
          "blanks or\ncommas; with an embedding, the index of a row. Lines that begin "
          "with # are passed\nover. A line that is not valid, for example nan, ends "
          "the program with status 1.\nOutputs of earlier lines stay valid.\n\n"
          "Exit status: 0 success, 1 failure, 2 invalid usage; if the reader of the "
          "output\nends first, the signal SIGPIPE.\n",
          stdout);
}

static const option_table table = {
    .before =
        "Usage: stream [OPTION]... MODEL < FILE\n\n"
        "Prints the output of the model for each line of inputs. It depends on all\n"
        "lines before: for the next value of a table, give the whole table.\n\n",
    .after = print_more_help,
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

static const char *const blanks = " \t\r\v\f";

/* A field for messages: without control characters, and not too long. */
static const char *shown(const char *field)
{
    static char text[44];
    size_t length = 0;
    for (; field[length] && length < 40; length++)
        text[length] = (unsigned char)field[length] < ' ' || field[length] == 127
                           ? '?'
                           : field[length];
    snprintf(text + length, 4, "%s", field[length] ? "..." : "");
    return text;
}

/* Cuts the next field off the line, which becomes NULL after the last one. Fields end
 * with blanks, or with a comma that may have blanks around it. */
static char *next_field(char **line)
{
    char *field = *line, *end = field + strcspn(field, " ,\t\r\v\f");
    char *next = end + strspn(end, blanks);
    if (*next == ',')
        *line = next + 1 + strspn(next + 1, blanks);
    else
        *line = *next ? next : NULL;
    *end = '\0';
    return field;
}

static bool refuse_field(const model *m, size_t line, size_t field, const char *text)
{
    if (m->table)
        return message_error("line %zu: field %zu is '%s', expected an index of the "
                             "embedding, 0 to %zu",
                             line, field, shown(text),
                             lstm_tensor_extent(m->table, 0) - 1);
    return message_error("line %zu: field %zu is '%s', expected a finite number in the "
                         "range of float32",
                         line, field, shown(text));
}

/* Parses the inputs in a line; false after an error message. */
static bool read_inputs(model *m, size_t number, char *line)
{
    size_t count = 0;
    double value;
    while (line) {
        char *field = next_field(&line);
        if (count < m->inputs &&
            !(number_real(field, &value) && model_set_input(m, count, value)))
            return refuse_field(m, number, count + 1, field);
        count++;
    }
    return count == m->inputs || message_error("line %zu: has %zu fields, expected %zu",
                                               number, count, m->inputs);
}

/* Computes and prints a step; false after an error message. */
static bool step(model *m, latencies *all)
{
    double start = latency_now();
    if (!model_step(m))
        return false;
    latency_add(all, latency_now() - start);
    for (size_t i = 0; i < m->outputs; i++)
        printf(i ? " %.*g" : "%.*g", keys_digits(&m->keys), m->values[i]);
    putchar('\n');
    return message_finish(EXIT_SUCCESS) == EXIT_SUCCESS;
}

/* Runs the model on all lines; false after an error message. */
static bool run(model *m, bool skip_blank, latencies *all)
{
    line_reader reader = {.file = STDIN_FILENO};
    line_status status;
    char *line;
    bool valid = true;
    while (valid && (status = lines_next(&reader, &line)) == LINE_READ) {
        line += strspn(line, blanks);
        if (*line == '#' || (!*line && skip_blank))
            continue;
        if (!*line)
            valid = message_error("line %zu: is blank, expected %zu numbers; "
                                  "--skip-blank passes over blank lines",
                                  reader.number, m->inputs);
        else
            valid = read_inputs(m, reader.number, line) && step(m, all);
    }
    lines_free(&reader);
    return valid && status == LINES_END;
}

static bool stream(const stream_options *options, const char *path)
{
    static latencies all;
    model m = {0};
    bool done =
        model_load(&m, path, options->prefix, options->head) &&
        (!options->state || model_load_state(&m, options->state)) &&
        (!options->save_state || (model_may_save_state(&m, options->save_state) &&
                                  output_check(options->save_state))) &&
        run(&m, options->skip_blank, &all) &&
        (!options->save_state || model_save_state(&m, options->save_state));
    if (done)
        latency_report(&all);
    model_destroy(&m);
    return done;
}

int main(int argc, char **argv)
{
    stream_options options;
    int first, status;
    message_set_program("stream");
    options_set_defaults(&table, &options, NULL);
    status = options_parse(&table, &options, argc, argv, NULL, &first);
    if (status >= 0)
        return status;
    if (argc - first != 1) {
        message_error("has %d arguments, expected 1, the model; see --help",
                      argc - first);
        return OPTIONS_USAGE;
    }
    if (options_check_file("MODEL", argv[first]) >= 0 ||
        options_check_file("--state", options.state) >= 0 ||
        options_check_file("--save-state", options.save_state) >= 0)
        return OPTIONS_USAGE;
    message_set_quiet(options.quiet);
    return stream(&options, argv[first]) ? message_finish(EXIT_SUCCESS) : EXIT_FAILURE;
}
