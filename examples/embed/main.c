/*
 * Prints a model file for programs in C and C++: as an array, or as a source that
 * computes the model. With --name digits the array's header defines digits and
 * digits_size, for
 *
 *     lstm_file_open_bytes(&file, digits, digits_size);
 *
 * and the source the type digits_state and functions of it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/file.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/common/options.h"
#include "examples/embed/name.h"
#include "examples/embed/standalone.h"

/* Largest model in bytes. */
static const size_t most_bytes = (size_t)256 << 20;

typedef struct embed_options {
    const char *name, *prefix, *head;
    bool standalone;
} embed_options;

static bool parse_name(void *field, const char *text, char *why, size_t size)
{
    *(const char **)field = text;
    if (name_is_free(text))
        return true;
    snprintf(why, size,
             "expected a letter, then letters, digits and _, but no keyword "
             "or other reserved name of C or C++");
    return false;
}

/* The last part of a path, for a comment. */
static void copy_title(char *title, size_t size, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(title, size, "%s", slash ? slash + 1 : path);
    for (char *c = title; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._- ", *c))
            *c = '?';
}

static void print_array(const char *title, const char *name, const input *content)
{
    enum { COLUMNS = 20 };
    printf("/* %s, %zu bytes, printed by lstm-embed. */\n", title, content->size);
    printf("#ifndef LSTM_EMBED_%s\n#define LSTM_EMBED_%s\n\n", name, name);
    printf("#include <stddef.h>\n\n");
    printf("#ifdef __cplusplus\nalignas(16)\n#else\n_Alignas(16)\n#endif\n");
    printf("static const unsigned char %s[%zu] = {", name, content->size);
    for (size_t i = 0; i < content->size && !ferror(stdout); i++)
        printf("%s%d,", i % COLUMNS == 0 ? "\n" : "", content->bytes[i]);
    /* Nothing after a gap. */
    if (ferror(stdout))
        return;
    printf("\n};\nstatic const size_t %s_size = %zu;\n\n#endif\n", name, content->size);
}

#define FIELD(name) offsetof(embed_options, name)

static const option_row rows[] = {
    {.name = "name",
     .value = "NAME",
     .kind = OPTION_PARSED,
     .field = FIELD(name),
     .parse = parse_name,
     .help = "name of the array, whose size is NAME_size; begins the names\n"
             "in the source of --standalone (default model)"},
    {.name = "standalone",
     .kind = OPTION_FLAG,
     .field = FIELD(standalone),
     .help = "print a source in C99 that computes the model without the\n"
             "library, for microcontrollers"},
    {.name = "prefix",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(prefix),
     .help = "with --standalone: prefix of the LSTM (default the only one)"},
    {.name = "head",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .field = FIELD(head),
     .help = "with --standalone: prefix of the linear layer after it\n"
             "(default fc, if present)"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static const embed_options defaults = {.name = "model"};

static const option_table table = {
    .before =
        "Usage: lstm-embed [OPTION]... MODEL > HEADER\n\n"
        "Prints a safetensors file as a C array for lstm_file_open_bytes(). MODEL\n"
        "is a file, or - for standard input.\n\n"
        "With --standalone it prints a source that needs no library and allocates\n"
        "no memory. The source defines NAME_state, NAME_reset() and NAME_step() for\n"
        "an LSTM, with projection or without, and the linear layer after it. Other\n"
        "models are refused: both directions, bfloat16, embeddings, first states and\n"
        "metadata that change the values of a step.\n\n",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

/* Prints the bytes if they are a model; the message of the library names it if not. */
static bool print(const char *path, const embed_options *options, const input *content)
{
    char title[300];
    lstm_file *file;
    standalone what = {input_name(path), title, options->name, options->prefix,
                       options->head};
    if (lstm_file_open_bytes(&file, content->bytes, content->size) != LSTM_OK)
        return message_error("%s: %s", what.path, lstm_last_error());
    bool printed = true;
    copy_title(title, sizeof(title), path);
    if (options->standalone)
        printed = standalone_print(&what, file);
    else
        print_array(title, options->name, content);
    lstm_file_destroy(&file);
    return printed;
}

static int embed(const char *path, const embed_options *options)
{
    input content;
    if (!input_read(&content, path, most_bytes))
        return EXIT_FAILURE;
    bool done = print(path, options, &content);
    input_free(&content);
    return message_finish(done ? EXIT_SUCCESS : EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    embed_options options;
    int first;
    message_set_program("lstm-embed");
    options_set_defaults(&table, &options, NULL);
    int status = options_parse(&table, &options, argc, argv, NULL, &first);
    if (status >= 0)
        return status;
    if (!options.standalone && (options.prefix || options.head))
        return options_refuse("--prefix and --head need --standalone");
    if (argc - first == 1)
        return embed(argv[first], &options);
    return options_refuse(argc == first ? "missing MODEL" : "more than one MODEL");
}
