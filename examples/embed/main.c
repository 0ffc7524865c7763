/*
 * Prints a model file as a C array for programs in C and C++. With --name digits the
 * header defines digits and digits_size, for
 *
 *     lstm_file_open_bytes(&file, digits, digits_size);
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

typedef struct embed_options {
    const char *name;
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

/* Whether the bytes are a model; the message of the library names it if not. */
static bool check(const char *path, const input *content)
{
    lstm_file *file;
    lstm_status status = lstm_file_open_bytes(&file, content->bytes, content->size);
    if (status != LSTM_OK)
        return message_error("%s: %s", input_name(path), lstm_last_error());
    lstm_file_destroy(&file);
    return true;
}

static void print_array(const char *path, const char *name, const input *content)
{
    enum { COLUMNS = 20 };
    const char *slash = strrchr(path, '/');
    printf("/* ");
    for (const char *c = slash ? slash + 1 : path; *c; c++)
        putchar(isalnum((unsigned char)*c) || strchr("._- ", *c) ? *c : '?');
    printf(", %zu bytes, printed by lstm-embed. */\n", content->size);
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
     .help = "name of the array (default model); its size is NAME_size"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static const embed_options defaults = {.name = "model"};

static const option_table table = {
    .before =
        "Usage: lstm-embed [OPTION]... MODEL > HEADER\n\n"
        "Prints a safetensors file as a C array for lstm_file_open_bytes(). MODEL\n"
        "is a file, or - for standard input.\n\n",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

static int embed(const char *path, const char *name)
{
    input content;
    if (!input_read(&content, path, SIZE_MAX / 4))
        return EXIT_FAILURE;
    bool done = check(path, &content);
    if (done)
        print_array(path, name, &content);
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
    if (argc - first == 1)
        return embed(argv[first], options.name);
    return options_refuse(argc == first ? "missing MODEL" : "more than one MODEL");
}
